//! How an app comes to a token, and what people may do.

use fake_fediverse::{Fediverse, Person, Scenario};

use crate::browser::{Browser, Form, forms};
use crate::client::{Answer, Ask, get, post, quoted};

const BACK: &str = "https://app.test/back?kept=1";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct App {
    fediverse: Fediverse,
    home: String,
    id: String,
    secret: String,
}

impl App {
    async fn new() -> Self {
        let fediverse = Fediverse::start(Scenario::small()).await;
        let home = fediverse.home();
        let form = [
            ("client_name", "test <app>"),
            ("redirect_uris[]", BACK),
            ("redirect_uris[]", "http://127.0.0.1/back"),
            ("redirect_uris[]", "urn:ietf:wg:oauth:2.0:oob"),
            ("scopes", "profile read admin:read"),
            ("website", "https://app.test"),
        ];
        let app = post(&format!("{home}/api/v1/apps"), None, &form).await.json();
        assert_eq!(app["redirect_uris"].as_array().unwrap().len(), 3, "{app}");
        assert_eq!(app["scopes"], serde_json::json!(["profile", "read", "admin:read"]));
        assert_eq!(
            (&app["website"], &app["client_secret_expires_at"]),
            (&"https://app.test".into(), &0.into())
        );
        let text = |name: &str| app[name].as_str().unwrap().to_owned();
        let (id, secret) = (text("client_id"), text("client_secret"));
        Self {
            fediverse,
            home,
            id,
            secret,
        }
    }

    fn url(&self, changes: &[(&str, &str)]) -> String {
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", self.id.as_str()),
            ("redirect_uri", BACK),
            ("scope", "profile"),
            ("state", "a b&c=d/é"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            pairs.retain(|(key, _)| key != name);
            pairs.push((name, value));
        }
        let query: Vec<_> = pairs.iter().map(|(k, v)| format!("{k}={}", quoted(v))).collect();
        format!("{}/oauth/authorize?{}", self.home, query.join("&"))
    }

    /// Signs in and comes to the page with the two buttons.
    async fn asked(&self, name: &str, url: &str) -> (Browser, Vec<Form>) {
        let mut browser = Browser::default();
        let sign_in = browser.follow(&self.home, url).await;
        let form = forms(&sign_in.text).remove(0);
        let form = form
            .fill("user[email]", &format!("{name}@example.invalid"))
            .fill("user[password]", &self.fediverse.password_of(name));
        let to = browser.submit(&self.home, &form).await;
        let page = browser
            .follow(&self.home, &format!("{}{}", self.home, to.header("location").unwrap()))
            .await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("test &lt;app&gt;") && page.text.contains("profile"));
        (browser, forms(&page.text))
    }

    async fn swap(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.id),
            ("client_secret", &self.secret),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changes {
            form.retain(|(key, _)| key != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        post(&format!("{}/oauth/token", self.home), None, &form).await
    }

    fn code(&self, changes: &[(&str, &str)]) -> String {
        pair(&self.fediverse.consent("me", &self.url(changes)), "code").unwrap()
    }
}

/// A parameter of an address.
fn pair(address: &str, name: &str) -> Option<String> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_browser_signs_in_agrees_and_brings_a_code() {
    let app = App::new().await;
    let (mut browser, pages) = app.asked("mod", &app.url(&[])).await;
    let back = browser.submit(&app.home, &pages[0]).await;
    let to = back.header("location").unwrap();
    assert!(to.starts_with("https://app.test/back?kept=1&code="), "{to}");
    assert_eq!(pair(to, "state").as_deref(), Some("a b&c=d/é"), "untouched");
    let code = pair(to, "code").unwrap();
    let token = app.swap(&code, &[]).await.json();
    assert_eq!(
        (&token["token_type"], &token["scope"]),
        (&"Bearer".into(), &"profile".into())
    );
    assert!(token["created_at"].is_u64());
    assert_eq!(app.swap(&code, &[]).await.status, 400, "a code works once");
    let token = token["access_token"].as_str().unwrap();
    let me = get(&format!("{}/api/v1/accounts/verify_credentials", app.home), Some(token)).await;
    assert_eq!(me.json()["username"], "mod");
    for (path, status) in [("/api/v1/timelines/home", 403), ("/oauth/userinfo", 200)] {
        assert_eq!(
            get(&format!("{}{path}", app.home), Some(token)).await.status,
            status,
            "{path}"
        );
    }
    let again = browser.open(&app.url(&[])).await;
    assert_eq!(again.status, 302, "who agreed to this before is not asked again");
    let forced = browser.open(&app.url(&[("force_login", "true")])).await;
    assert_eq!(forced.status, 200);
}

#[tokio::test]
async fn a_browser_declines() {
    let app = App::new().await;
    let (mut browser, pages) = app.asked("me", &app.url(&[])).await;
    let back = browser.submit(&app.home, &pages[1]).await;
    let to = back.header("location").unwrap();
    assert_eq!(pair(to, "error").as_deref(), Some("access_denied"));
    assert_eq!(pair(to, "state").as_deref(), Some("a b&c=d/é"));
    assert_eq!(pair(to, "code"), None);
}

#[tokio::test]
async fn the_sign_in_form_refuses() {
    let app = App::new().await;
    let mut browser = Browser::default();
    let page = browser.follow(&app.home, &app.url(&[])).await;
    let form = || forms(&page.text).remove(0);
    let password = app.fediverse.password_of("me");
    for (email, given) in [
        ("me@example.invalid", "wrong"),
        ("nobody@example.invalid", &*password),
        ("", ""),
    ] {
        let form = form().fill("user[email]", email).fill("user[password]", given);
        let answer = browser.submit(&app.home, &form).await;
        assert_eq!((answer.status, answer.header("location")), (422, None), "{email}");
        assert!(answer.text.contains("Invalid E-mail address or password"));
    }
    let form = form()
        .fill("user[email]", "me")
        .fill("user[password]", &password)
        .fill("authenticity_token", "of another page");
    assert_eq!(browser.submit(&app.home, &form).await.status, 422);
}

#[tokio::test]
async fn what_is_wrong_with_a_wish_is_told_to_whom_it_concerns() {
    let app = App::new().await;
    let (mut browser, _) = app.asked("me", &app.url(&[])).await;
    for (changes, error) in [
        (vec![("scope", "profile write")], "invalid_scope"),
        (vec![("scope", "made:up")], "invalid_scope"),
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "")], "invalid_request"),
        (
            vec![("code_challenge_method", "plain")],
            "invalid_code_challenge_method",
        ),
    ] {
        let answer = browser.open(&app.url(&changes)).await;
        let to = answer.header("location").unwrap();
        assert!(to.starts_with(BACK), "{to}");
        assert_eq!(pair(to, "error").as_deref(), Some(error));
        assert!(pair(to, "error_description").is_some() && pair(to, "state").is_some());
    }
    // Nobody is sent to an address that is not the app's.
    for (changes, status) in [
        (vec![("client_id", "unknown")], 401),
        (vec![("client_id", "")], 400),
        (vec![("redirect_uri", "https://evil.test/")], 400),
    ] {
        let answer = browser.open(&app.url(&changes)).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (status, None),
            "{changes:?}"
        );
    }
    let stranger = Browser::default().open(&app.url(&[("client_id", "unknown")])).await;
    assert_eq!(stranger.header("location"), Some("/auth/sign_in"));
}

#[tokio::test]
async fn a_code_is_swapped_only_by_whom_it_was_meant_for() {
    let app = App::new().await;
    for (changes, status, error) in [
        (
            vec![("code_verifier", "another, which is long enough to be one")],
            400,
            "invalid_grant",
        ),
        (vec![("code_verifier", "")], 400, "invalid_request"),
        (vec![("redirect_uri", "https://app.test/other")], 400, "invalid_grant"),
        (vec![("code", "made-up")], 400, "invalid_grant"),
        (vec![("client_secret", "wrong")], 401, "invalid_client"),
        (vec![("grant_type", "password")], 400, "unsupported_grant_type"),
    ] {
        let answer = app.swap(&app.code(&[]), &changes).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (status, Some(error)),
            "{changes:?}"
        );
        assert!(answer.json()["error_description"].is_string());
    }
    let code = app.code(&[("code_challenge", "")]);
    assert_eq!(
        app.swap(&code, &[]).await.status,
        400,
        "a verifier that nobody asked for"
    );
    assert_eq!(app.swap(&code, &[("code_verifier", "")]).await.status, 200);
    let code = app.code(&[("redirect_uri", "http://127.0.0.1:4711/back")]);
    let to = [("redirect_uri", "http://127.0.0.1:4711/back")];
    assert_eq!(app.swap(&code, &to).await.status, 200, "any port on loopback");
    let late = app.code(&[]);
    app.fediverse.outdate_codes();
    assert_eq!(app.swap(&late, &[]).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn an_app_says_who_it_is_by_form_or_header() {
    let app = App::new().await;
    let basic = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", app.id, app.secret))
    };
    let form = [("grant_type", "client_credentials")];
    let answer = Ask::new("POST", &format!("{}/oauth/token", app.home), None)
        .header("authorization", &format!("Basic {basic}"))
        .form(&form)
        .send()
        .await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let home = format!("{}/api/v1/timelines/home", app.home);
    assert_eq!(get(&home, Some(&token)).await.status, 422, "an app is nobody");
    let shown = get(&format!("{}/api/v1/apps/verify_credentials", app.home), Some(&token)).await;
    assert_eq!(shown.json()["name"], "test <app>");
}

#[tokio::test]
async fn a_token_ends_when_its_app_says_so() {
    let app = App::new().await;
    let token = app.swap(&app.code(&[]), &[]).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let verify = format!("{}/api/v1/accounts/verify_credentials", app.home);
    let revoke = |secret: &str, token: &str| {
        let form = [
            ("client_id", app.id.clone()),
            ("client_secret", secret.to_owned()),
            ("token", token.to_owned()),
        ];
        let url = format!("{}/oauth/revoke", app.home);
        async move {
            let form: Vec<_> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
            post(&url, None, &form).await
        }
    };
    assert_eq!(revoke("wrong", &token).await.status, 403);
    assert_eq!(get(&verify, Some(&token)).await.status, 200);
    for _ in 0..2 {
        let answer = revoke(&app.secret, &token).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
    }
    assert_eq!(get(&verify, Some(&token)).await.status, 401);
    assert_eq!(revoke(&app.secret, "never one").await.status, 200);
}

#[tokio::test]
async fn apps_are_registered_with_what_a_server_knows() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let url = format!("{}/api/v1/apps", fediverse.home());
    for (uri, scopes, status) in [
        ("https://app.test/back", "read write:reports profile", 200),
        ("https://a.test/ https://b.test/", "read", 200),
        ("not an address", "read", 422),
        ("javascript:alert(1)", "read", 422),
        ("https://app.test/#there", "read", 422),
        ("", "read", 422),
        ("https://app.test/back", "admin", 422),
    ] {
        let form = [("client_name", "test"), ("redirect_uris", uri), ("scopes", scopes)];
        assert_eq!(post(&url, None, &form).await.status, status, "{uri} {scopes}");
    }
    let metadata = get(
        &format!("{}/.well-known/oauth-authorization-server", fediverse.home()),
        None,
    )
    .await
    .json();
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
    assert_eq!(
        metadata["revocation_endpoint"],
        format!("{}/oauth/revoke", fediverse.home())
    );
    assert!(
        metadata["scopes_supported"]
            .as_array()
            .unwrap()
            .contains(&"profile".into())
    );
}

#[tokio::test]
async fn roles_are_told_by_their_bits() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let verify = format!("{}/api/v1/accounts/verify_credentials", fediverse.home());
    let role = |name: &'static str| {
        let (verify, token) = (verify.clone(), fediverse.token_of_with(name, &["profile"]));
        async move { get(&verify, Some(&token)).await.json()["role"].clone() }
    };
    for (name, title, permissions, highlighted) in [
        ("admin", "Owner", "8388607", true),
        ("mod", "Gardener", "66576", true),
        ("pretender", "Admin", "65536", false),
        ("me", "", "65536", false),
    ] {
        let role = role(name).await;
        assert_eq!(
            (
                role["name"].as_str(),
                role["permissions"].as_str(),
                role["highlighted"].as_bool()
            ),
            (Some(title), Some(permissions), Some(highlighted)),
            "{name}"
        );
        assert!(role["id"].is_string() && role["color"].is_string());
    }
    let reports = format!("{}/api/v1/admin/reports", fediverse.home());
    let token = fediverse.token_of("mod");
    assert_eq!(get(&reports, Some(&token)).await.status, 200);
    fediverse.set_permissions("mod", 0x8);
    assert_eq!(role("mod").await["permissions"], "65544");
    assert_eq!(get(&reports, Some(&token)).await.status, 403, "demoted");
    for (name, status) in [("pretender", 403), ("me", 403), ("admin", 200)] {
        let token = fediverse.token_of(name);
        assert_eq!(get(&reports, Some(&token)).await.status, status, "{name}");
    }
    fediverse.add_person(&Person {
        name: "nora",
        password: "secret",
        role: "Night shift",
        permissions: 0x10,
    });
    assert_eq!(role("nora").await["name"], "Night shift");
    assert_eq!(get(&reports, Some(&fediverse.token_of("nora"))).await.status, 200);
    assert_eq!(fediverse.password_of("nora"), "secret");
    let accounts = format!("{}/api/v2/admin/accounts?username=nora", fediverse.home());
    let found = get(&accounts, Some(&fediverse.admin_token())).await.json();
    assert_eq!(found[0]["role"]["permissions"], "65552");
}

#[tokio::test]
async fn people_are_changed_from_outside_too() {
    let app = App::new().await;
    let control = format!("{}/__fake", app.home);
    let new = "name=nora&password=secret&role=Night%20shift&permissions=0x410";
    assert_eq!(get(&format!("{control}/person?{new}"), None).await.status, 200);
    assert_eq!(get(&format!("{control}/person?{new}"), None).await.status, 404, "taken");
    assert_eq!(
        get(&format!("{control}/role?name=nora&permissions=0"), None)
            .await
            .status,
        200
    );
    assert_eq!(
        get(&format!("{control}/role?name=nobody&permissions=0"), None)
            .await
            .status,
        404
    );
    let wish = format!("{control}/consent?name=nora&url={}", quoted(&app.url(&[])));
    let to = get(&wish, None).await.json()["location"].as_str().unwrap().to_owned();
    let token = app.swap(&pair(&to, "code").unwrap(), &[]).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let me = get(
        &format!("{}/api/v1/accounts/verify_credentials", app.home),
        Some(&token),
    )
    .await
    .json();
    assert_eq!(
        (&me["username"], &me["role"]["permissions"]),
        (&"nora".into(), &"65536".into())
    );
}
