//! Tokens for programs and links for people, as the one who runs the machine makes and ends them.

use crate::house::{House, Running, fediverse, only_home, server};

/// Asks the daemon, and gives the status and the answer's head and body.
async fn ask(
    daemon: &Running,
    method: &str,
    path: &str,
    head: &[(&str, &str)],
) -> (u16, ureq::http::HeaderMap, String) {
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("http://{}{path}", daemon.address));
    for (name, value) in head {
        request = request.header(*name, *value);
    }
    let request = request
        .header("content-type", "application/json")
        .body("{}".to_owned())
        .unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .build()
        .into();
    let answer = tokio::task::spawn_blocking(move || agent.run(request)).await.unwrap();
    let mut answer = answer.unwrap();
    let body = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), answer.headers().clone(), body)
}

async fn with(daemon: &Running, method: &str, path: &str, token: &str) -> u16 {
    ask(daemon, method, path, &[("authorization", &format!("Bearer {token}"))])
        .await
        .0
}

async fn create(house: &House, name: &str, scope: &str) -> String {
    let made = house
        .egret(&["token", "create", "--name", name, "--scope", scope, "--json"])
        .await;
    assert_eq!(made.code, Some(0), "{made:?}");
    made.json()["token"].as_str().unwrap().to_owned()
}

async fn listed(house: &House, name: &str) -> serde_json::Value {
    let list = house.egret(&["token", "list", "--json"]).await.json();
    let mut rows = list.as_array().unwrap().iter();
    rows.find(|row| row["name"] == name).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_does_what_its_scopes_say_until_it_is_revoked() {
    let fediverse = fediverse().await;
    let house = House::of(&fediverse, "");
    let host = fediverse.home().trim_start_matches("http://").to_owned();
    let daemon = house.run().await;
    daemon.says("replies.home finished").await;
    let looks = create(&house, "looks", "view").await;
    let does = create(&house, "does", "admin").await;
    let one = create(&house, "one", &format!("view@{host}/me")).await;

    assert!(listed(&house, "looks").await["last_used_at"].is_null());
    assert_eq!(with(&daemon, "GET", "/api/v1/jobs", &looks).await, 200);
    assert!(
        listed(&house, "looks").await["last_used_at"].is_string(),
        "the last use is shown"
    );
    let table = house.egret(&["token", "list"]).await.stdout;
    assert!(table.contains("LAST USED") && table.contains("works"), "{table}");
    assert_eq!(with(&daemon, "GET", "/api/v1/settings", &looks).await, 403);
    assert_eq!(with(&daemon, "PUT", "/api/v1/panic_stop", &looks).await, 403);
    assert_eq!(with(&daemon, "GET", "/api/v1/settings", &does).await, 200);
    assert_eq!(with(&daemon, "PUT", "/api/v1/panic_stop", &does).await, 204);
    assert_eq!(with(&daemon, "DELETE", "/api/v1/panic_stop", &does).await, 204);
    let (_, _, mine) = ask(
        &daemon,
        "GET",
        "/api/v1/logins",
        &[("authorization", &format!("Bearer {one}"))],
    )
    .await;
    assert!(mine.contains(&format!("{host}/me")), "{mine}");

    // Neither the database nor the log holds what a program sends.
    let state = house.path().join("state/egret");
    for file in std::fs::read_dir(&state).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for token in [&looks, &does, &one] {
            // Secrets may have the separator in them.
            let secret = token.splitn(3, '_').nth(2).unwrap().as_bytes();
            assert!(secret.len() > 20);
            assert!(
                !bytes.windows(secret.len()).any(|part| part == secret),
                "a secret is in the database"
            );
        }
    }
    assert!(!daemon.log().contains("egret_"), "{}", daemon.log());

    let revoked = house.egret(&["token", "revoke", "looks"]).await;
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    assert_eq!(with(&daemon, "GET", "/api/v1/jobs", &looks).await, 401, "at once");
    assert!(listed(&house, "looks").await["revoked_at"].is_string());
    assert_eq!(
        with(&daemon, "GET", "/api/v1/jobs", &does).await,
        200,
        "the others work on"
    );
    house
        .egret(&["token", "revoke", "looks"])
        .await
        .refused(&["looks", "egret token list"]);
}

#[tokio::test]
async fn a_token_that_would_do_nothing_is_not_made() {
    let house = House::with(&format!(
        "{}{}",
        server("https://mastodon.example", &["me"]),
        only_home("")
    ));
    house.write("me.token", "x");
    for (scope, says) in [
        ("owner", "view, moderation"),
        ("moderation@else.example", "else.example"),
        ("view@mastodon.example/you", "no login"),
        ("admin@mastodon.example/me", "no scope"),
    ] {
        let create = ["token", "create", "--name", "x", "--scope", scope];
        house.egret(&create).await.refused(&[says]);
    }
    create(&house, "x", "moderation@mastodon.example").await;
    let again = ["token", "create", "--name", "x", "--scope", "view"];
    house.egret(&again).await.refused(&["\"x\"", "revoke it first"]);
    assert_eq!(listed(&house, "x").await["scopes"][0], "moderation@mastodon.example");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_signs_the_person_at_the_machine_in_once() {
    let fediverse = fediverse().await;
    let house = House::of(&fediverse, "");
    let daemon = house.run().await;
    assert_eq!(ask(&daemon, "GET", "/settings", &[]).await.0, 303);
    let said = house.egret(&["login", "--json"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let link: url::Url = said.json()["link"].as_str().unwrap().parse().unwrap();
    let path = format!("{}?{}", link.path(), link.query().unwrap());
    let (http_status, head, _) = ask(&daemon, "GET", &path, &[]).await;
    assert_eq!((http_status, head["location"].to_str().unwrap()), (303, "/"));
    let cookie = head["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    let (http_status, _, page) = ask(&daemon, "GET", "/settings", &[("cookie", cookie)]).await;
    assert_eq!(http_status, 200);
    assert_eq!(ask(&daemon, "GET", &path, &[]).await.0, 403, "once");
    let key = link.query().unwrap().trim_start_matches("key=").to_owned();
    assert!(!daemon.log().contains(&key));

    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = rest.split_once('"').unwrap().0;
    let own = [
        ("cookie", cookie),
        ("sec-fetch-site", "same-origin"),
        ("x-csrf-token", csrf),
    ];
    assert_eq!(
        ask(&daemon, "POST", "/logout", &own[..2]).await.0,
        403,
        "a page has to prove itself"
    );
    assert_eq!(ask(&daemon, "POST", "/logout", &own).await.0, 303);
    assert_eq!(
        ask(&daemon, "GET", "/settings", &[("cookie", cookie)]).await.0,
        303,
        "the session is over"
    );
}
