//! Who comes in, what they may do, and when they have to leave.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Request, header},
};
use chrono::TimeDelta;
use fake_fediverse::{Fault, Fediverse, Scenario};
use model::{Clock as _, SystemClock};
use secrecy::ExposeSecret as _;
use store::{sessions, testing::on_each_engine};
use web::{SignIn, tokens};

use crate::guests::{Hotel, net, server};

const VERIFY: &str = "/api/v1/accounts/verify_credentials";

fn value<'a>(url: &'a str, key: &str) -> &'a str {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pair = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    pair.unwrap_or_else(|| panic!("no {key} in {url}"))
}

/// Check 38: PKCE, which the server verifies; no token in any address, page or cookie; check 39: leaving ends the session here and the token there.
#[tokio::test]
async fn somebody_comes_in_through_their_server_and_leaves_again() {
    let hotel = Hotel::open().await;
    let mut browser = hotel.browser();
    let stranger = browser.get("/jobs?x=1").await;
    assert_eq!(
        (stranger.http_status, stranger.location()),
        (303, "/login?to=%2Fjobs%3Fx%3D1")
    );
    let page = browser.get(stranger.location()).await;
    assert!(
        page.body
            .contains(&format!("/login/start?server={}", hotel.host().replace(':', "%3A")))
    );

    let away = browser.start("/jobs?x=1").await;
    assert!(away.starts_with(&hotel.fediverse.home()));
    assert_eq!(value(&away, "code_challenge_method"), "S256");
    assert_eq!(
        (value(&away, "code_challenge").len(), value(&away, "state").len()),
        (43, 43)
    );
    assert_eq!(value(&away, "scope"), "profile");
    let back = browser.agree("admin", &away);
    let inside = browser.get(&back).await;
    assert_eq!((inside.http_status, inside.location()), (303, "/jobs?x=1"));
    assert_eq!(browser.cookies.len(), 1, "the sign-in's own cookie is gone");
    let jobs = browser.get(inside.location()).await;
    assert_eq!(jobs.http_status, 200);

    let log = hotel.fediverse.log().home();
    let token = log
        .0
        .iter()
        .find_map(|one| one.bearer.clone())
        .expect("the token in use");
    for shown in [
        &away,
        &back,
        &inside.location().to_owned(),
        &jobs.body,
        &format!("{:?}", inside.head),
    ] {
        assert!(!shown.contains(&token));
    }

    let outside = browser.sign_out().await;
    assert_eq!((outside.http_status, outside.location()), (303, "/login"));
    assert!(browser.cookies.is_empty());
    assert_eq!(hotel.asked("/oauth/revoke"), 1);
    let answer = ask_as(&hotel, &token).await;
    assert_eq!(answer, 401, "the server knows the token no more");
}

async fn ask_as(hotel: &Hotel, token: &str) -> u16 {
    let url = format!("{}{VERIFY}", hotel.fediverse.home()).parse().unwrap();
    let bearer = net::Bearer {
        origin: hotel.fediverse.home().parse().unwrap(),
        token: token.to_owned().into(),
        login: "test".to_owned(),
    };
    let request = net::Request::server(net::http::Method::GET, url, Some(bearer));
    net().send(request).await.unwrap().http_status
}

/// Check 38: 400, and the code is never swapped.
#[tokio::test]
async fn a_way_back_is_good_once_in_its_own_browser_and_for_ten_minutes() {
    let hotel = Hotel::open().await;
    let mut browser = hotel.browser();
    let away = browser.start("/").await;
    let good = browser.agree("admin", &away);
    let (code, state) = (value(&good, "code").to_owned(), value(&good, "state").to_owned());
    for bad in [
        "/login/callback".to_owned(),
        format!("/login/callback?code={code}"),
        format!("/login/callback?state={state}"),
        format!("/login/callback?code={code}&state="),
        format!("/login/callback?code={code}&state={}", "A".repeat(43)),
        format!("/login/callback?code={code}&state={state}&state={state}"),
    ] {
        let mut visitor = hotel.browser();
        visitor.cookies.clone_from(&browser.cookies);
        // What is right but for the code uses the state up, as it should.
        if bad.contains(&state) && !bad.contains("code") {
            continue;
        }
        let answer = visitor.get(&bad).await;
        assert_eq!(answer.http_status, 400, "{bad}");
        assert!(!visitor.cookies.contains_key("egret"), "{bad}");
    }
    let mut other = hotel.browser();
    assert_eq!(other.get(&good).await.http_status, 400, "no cookie");
    other.start("/").await;
    assert_eq!(other.get(&good).await.http_status, 400, "another browser's cookie");
    assert_eq!(hotel.asked("/oauth/token"), 0, "nothing was swapped");

    let mut again = hotel.browser();
    again.cookies.clone_from(&browser.cookies);
    assert_eq!(browser.get(&good).await.http_status, 303);
    let swaps = hotel.asked("/oauth/token");
    assert_eq!(swaps, 1);
    assert_eq!(again.get(&good).await.http_status, 400, "a second time");

    let mut late = hotel.browser();
    let away = late.start("/").await;
    let back = late.agree("admin", &away);
    let swaps = hotel.asked("/oauth/token");
    hotel.later(10);
    assert_eq!(late.get(&back).await.http_status, 400, "too late");
    assert_eq!(hotel.asked("/oauth/token"), swaps);
}

/// Check 38.
#[tokio::test]
async fn what_a_server_says_went_wrong_is_shown_and_escaped() {
    let hotel = Hotel::open().await;
    let mut browser = hotel.browser();
    let away = browser.start("/").await;
    let state = value(&away, "state");
    let path = format!("/login/callback?error=x&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state={state}");
    let answer = browser.get(&path).await;
    assert_eq!(answer.http_status, 403);
    assert!(answer.body.contains("&lt;script&gt;") && !answer.body.contains("<script>alert"));
    let nobody = hotel.browser().get("/login/callback?error=%3Cscript%3E&state=x").await;
    assert_eq!(nobody.http_status, 400);
    assert!(
        !nobody.body.contains("script&gt;"),
        "what a stranger makes up is not shown at all"
    );
}

/// Check 38: nobody is sent anywhere but to a page of ours.
#[tokio::test]
async fn afterwards_one_stays_here() {
    let hotel = Hotel::open().await;
    for to in [
        "https://evil.example/",
        "//evil.example",
        "/%5Cevil.example",
        "/.//evil.example",
    ] {
        let mut browser = hotel.browser();
        let away = browser.start(to).await;
        let back = browser.agree("admin", &away);
        assert_eq!(browser.get(&back).await.location(), "/", "{to}");
        assert_eq!(browser.get(&format!("/login?to={to}")).await.location(), "/", "{to}");
    }
}

/// Check 39: `pretender` has a role named Admin that may nothing, `mod` one named Gardener with 0x410.
#[tokio::test]
async fn bits_open_doors_and_names_do_not() {
    let hotel = Hotel::open().await;
    let mut pretender = hotel.browser();
    let refused = pretender.sign_in("pretender").await;
    assert_eq!(refused.http_status, 403);
    assert!(refused.body.contains("pretender@") && pretender.cookies.is_empty());
    assert_eq!(
        hotel.asked("/oauth/revoke"),
        1,
        "a token that opens nothing is given back"
    );
    assert_eq!(pretender.get("/").await.location(), "/login");

    let mut moderator = hotel.browser();
    assert_eq!(moderator.sign_in("mod").await.http_status, 303);
    assert_eq!(moderator.get("/").await.http_status, 200);
    let mut admin = hotel.browser();
    assert_eq!(admin.sign_in("admin").await.http_status, 303);

    // An ordinary account is let in for the sake of its own login, and only while the config names that.
    let mut me = hotel.browser();
    assert_eq!(me.sign_in("me").await.http_status, 403);
    own_a_login(&hotel, "forgotten").await;
    assert_eq!(me.sign_in("me").await.http_status, 403);
    own_a_login(&hotel, "me").await;
    assert_eq!(me.sign_in("me").await.http_status, 303);
    assert_eq!(me.get("/").await.http_status, 200);
}

async fn own_a_login(hotel: &Hotel, name: &str) {
    let login = store::servers::Login {
        login: format!("{}/{name}", hotel.host()),
        acct: Some(format!("me@{}", hotel.host())),
        masked: "ab…yz".to_owned(),
        trouble: None,
        checked_at: SystemClock.now(),
    };
    store::servers::save_login(&hotel.house.state.store, &login)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_config_may_name_admins_and_servers() {
    let hotel = Hotel::open().await;
    let config = web::Config {
        admins: vec![format!("me@{}", hotel.host())],
        ..web::Config::default()
    };
    let with = |hotel: Hotel, config: &web::Config| {
        let mut hotel = hotel;
        let servers = vec![server(&hotel.fediverse)];
        let clock = Arc::new(hotel.clock.clone());
        hotel.house.state.sign_in = SignIn::new(config, config.listen, net(), servers, clock).unwrap();
        hotel
    };
    let hotel = with(hotel, &config);
    let mut me = hotel.browser();
    assert_eq!(me.sign_in("me").await.http_status, 303);

    let elsewhere = web::Config {
        servers: vec!["else.example".to_owned()],
        ..config
    };
    let hotel = with(hotel, &elsewhere);
    let path = format!("/login/start?server={}", hotel.host());
    let mut browser = hotel.browser();
    assert_eq!(browser.get(&path).await.http_status, 404);
    assert!(!browser.get("/login").await.body.contains("/login/start"));
}

/// Check 39.
#[tokio::test]
async fn whoever_is_demoted_is_out_within_five_minutes() {
    let hotel = Hotel::open().await;
    let mut moderator = hotel.browser();
    moderator.sign_in("mod").await;
    let asked = hotel.asked(VERIFY);
    hotel.fediverse.set_permissions("mod", 0x10);
    assert_eq!(moderator.get("/").await.http_status, 200);
    assert_eq!(hotel.asked(VERIFY), asked, "a fresh answer is not asked for again");
    hotel.later(5);
    assert_eq!(moderator.get("/").await.location(), "/login");
    assert_eq!(hotel.asked("/oauth/revoke"), 1);
    hotel.fediverse.set_permissions("mod", 0x410);
    assert_eq!(moderator.get("/").await.location(), "/login", "over is over");
    assert_eq!(hotel.asked(VERIFY), asked + 1);

    // Who is promoted stays, and may more.
    moderator.sign_in("mod").await;
    hotel.fediverse.set_permissions("mod", 0x411);
    hotel.later(5);
    assert_eq!(moderator.get("/").await.http_status, 200);
    hotel.fediverse.set_permissions("mod", 0x410);
    hotel.later(5);
    assert_eq!(moderator.get("/").await.location(), "/login");
}

/// Check 39.
#[tokio::test]
async fn whose_token_is_revoked_at_the_server_is_out() {
    let hotel = Hotel::open().await;
    let mut admin = hotel.browser();
    admin.sign_in("admin").await;
    let log = hotel.fediverse.log().home();
    let token = log.0.iter().find_map(|one| one.bearer.clone()).unwrap();
    hotel.fediverse.revoke(&token);
    hotel.later(5);
    assert_eq!(admin.get("/").await.location(), "/login");
}

#[tokio::test]
async fn ten_requests_at_once_ask_the_server_once() {
    let hotel = Hotel::open().await;
    let mut admin = hotel.browser();
    admin.sign_in("admin").await;
    let asked = hotel.asked(VERIFY);
    hotel.later(5);
    let visits = (0..10).map(|_| {
        let mut tab = hotel.browser();
        tab.cookies.clone_from(&admin.cookies);
        async move { tab.get("/").await.http_status }
    });
    let answers = futures::future::join_all(visits).await;
    assert!(answers.iter().all(|http_status| *http_status == 200), "{answers:?}");
    assert_eq!(hotel.asked(VERIFY), asked + 1);
}

#[tokio::test]
async fn a_server_that_is_down_is_waited_for_a_quarter_of_an_hour() {
    let hotel = Hotel::open().await;
    let mut admin = hotel.browser();
    admin.sign_in("admin").await;
    hotel.fediverse.fault(None, VERIFY, Fault::Empty(503), None);
    hotel.later(5);
    assert_eq!(admin.get("/").await.http_status, 200);
    let asked = hotel.asked(VERIFY);
    assert_eq!(admin.get("/").await.http_status, 200);
    assert_eq!(hotel.asked(VERIFY), asked, "not with every page");
    hotel.later(11);
    let refused = admin.get("/").await;
    assert_eq!(refused.http_status, 503);
    assert!(refused.body.contains(&hotel.host()));
    assert_eq!(
        admin.get("/login").await.http_status,
        503,
        "signing in again would not help"
    );
    hotel.fediverse.heal(None);
    hotel.later(1);
    assert_eq!(admin.get("/").await.http_status, 200);
}

/// Check 39: what changes something needs the page's own token, whatever the browser says of itself.
#[tokio::test]
async fn a_form_of_another_session_changes_nothing() {
    let hotel = Hotel::open().await;
    // A job at their own server: others' are not theirs to run.
    let scope = format!("{}/me", hotel.host());
    let of_house = hotel.house.state.board.list().remove(0);
    hotel.house.state.board.put(job::Live {
        job: "replies.home".to_owned(),
        scope: scope.clone(),
        ..of_house
    });
    let (mut admin, mut other) = (hotel.browser(), hotel.browser());
    admin.sign_in("admin").await;
    other.sign_in("admin").await;
    let theirs = other.get("/jobs").await.form_token();
    let mine = admin.get("/jobs").await.form_token();
    assert_ne!(mine, admin.get("/jobs").await.form_token(), "no page shows the same");
    let path = "/jobs/replies.home/run";
    let form = |token: &str| format!("scope={scope}&csrf={token}");
    for bad in [
        format!("scope={scope}"),
        form(""),
        form("AAAA"),
        form(&theirs),
        form(&mine[1..]),
    ] {
        assert_eq!(admin.post(path, &bad).await.http_status, 403, "{bad}");
    }
    let states = async || store::job_states::list(&hotel.house.state.store).await.unwrap();
    assert!(states().await.is_empty());
    assert_eq!(admin.post(path, &form(&mine)).await.http_status, 303);
    assert_eq!(states().await.len(), 1);

    // The right form from another site is the wrong one; and a program of a page may use a header.
    let request = |site: &str| {
        Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site)
            .header("x-csrf-token", &mine)
            .body(Body::from(format!("scope={scope}")))
            .unwrap()
    };
    assert_eq!(admin.ask(request("cross-site")).await.http_status, 403);
    assert_eq!(admin.ask(request("same-origin")).await.http_status, 303);
    assert_eq!(
        admin.post("/logout", "").await.http_status,
        403,
        "nobody is signed out by others either"
    );
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let hotel = Hotel::open().await;
    let (mut idle, mut busy) = (hotel.browser(), hotel.browser());
    idle.sign_in("admin").await;
    busy.sign_in("mod").await;
    for _ in 0..14 {
        hotel.later(12 * 60 - 1);
        assert_eq!(busy.get("/").await.http_status, 200);
    }
    assert_eq!(idle.get("/").await.location(), "/login", "unused for a day");
    hotel.later(30);
    assert_eq!(busy.get("/").await.location(), "/login", "a week old");
    web::tidy(&hotel.house.state.store, &hotel.clock).await.unwrap();
}

/// Whoever planted a session in a browser has nothing of the one that begins there.
#[tokio::test]
async fn every_sign_in_begins_a_new_session() {
    let hotel = Hotel::open().await;
    let mut attacker = hotel.browser();
    attacker.sign_in("mod").await;
    let planted = attacker.cookies.clone();
    let mut victim = hotel.browser();
    victim.cookies.clone_from(&planted);
    assert_eq!(victim.sign_in("admin").await.http_status, 303);
    assert_ne!(victim.cookies, planted);
    assert_eq!(
        attacker.get("/").await.location(),
        "/login",
        "and the planted one is over"
    );
    assert_eq!(victim.get("/").await.http_status, 200);
}

/// A server gives one token to all sign-ins of a person, so the last one to leave gives it back.
#[tokio::test]
async fn leaving_with_one_browser_leaves_the_other_signed_in() {
    let hotel = Hotel::open().await;
    let (mut desk, mut phone) = (hotel.browser(), hotel.browser());
    desk.sign_in("admin").await;
    phone.sign_in("admin").await;
    let kept = desk.cookies.clone();
    desk.sign_out().await;
    hotel.later(5);
    assert_eq!(phone.get("/").await.http_status, 200);
    desk.cookies = kept;
    assert_eq!(desk.get("/").await.location(), "/login");
    assert_eq!(hotel.asked("/oauth/revoke"), 0);
    phone.sign_out().await;
    assert_eq!(hotel.asked("/oauth/revoke"), 1);
}

/// A copy of the database opens neither a session nor anybody's account.
#[tokio::test]
async fn a_stolen_database_opens_nothing() {
    let hotel = Hotel::open().await;
    let mut admin = hotel.browser();
    admin.sign_in("admin").await;
    let secret = admin.cookies["egret"].clone();
    let log = hotel.fediverse.log().home();
    let token = log.0.iter().find_map(|one| one.bearer.clone()).unwrap();
    store::sign_ins::delete_expired(&hotel.house.state.store, SystemClock.now())
        .await
        .unwrap();
    let file = hotel.house.database();
    let stolen: Vec<u8> = [file.clone(), file.with_extension("db-wal")]
        .iter()
        .flat_map(|path| std::fs::read(path).unwrap_or_default())
        .collect();
    let holds = |text: &str| stolen.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("admin@"), "the file that was looked through");
    assert!(!holds(&secret) && !holds(&token));

    let mut thief = hotel.browser();
    for id in [secret.clone(), "x".to_owned()] {
        let session = sessions::load(&hotel.house.state.store, &id).await.unwrap();
        assert_eq!(session, None, "no column holds what the cookie holds");
        thief.cookies.insert("egret".to_owned(), id.replace(&secret, "x"));
        assert_eq!(thief.get("/").await.location(), "/login");
    }
}

#[tokio::test]
async fn a_link_signs_in_once_and_not_for_ever() {
    let hotel = Hotel::open().await;
    let (store, base) = (&hotel.house.state.store, hotel.house.state.sign_in.base());
    let link = async || {
        let link = web::signin::one_time_link(store, base, hotel.clock.now())
            .await
            .unwrap();
        link.as_str()
            .strip_prefix(base.as_str())
            .map(|path| format!("/{path}"))
            .unwrap()
    };
    let mut here = hotel.browser();
    let path = link().await;
    let looked = hotel.browser().ask(request("HEAD", &path, "")).await;
    assert_eq!(
        looked.http_status, 204,
        "who only looks signs in nobody and takes nothing away"
    );
    let inside = here.get(&path).await;
    assert_eq!((inside.http_status, inside.location()), (303, "/"));
    assert_eq!(here.get("/").await.http_status, 200);
    hotel.later(6);
    assert_eq!(here.get("/").await.http_status, 200, "no server is asked about them");
    assert_eq!(hotel.browser().get(&path).await.http_status, 403, "once");
    let late = link().await;
    hotel.later(30);
    assert_eq!(hotel.browser().get(&late).await.http_status, 403, "in time");
    for bad in ["/login/once", "/login/once?key=", "/login/once?key=x"] {
        assert_eq!(hotel.browser().get(bad).await.http_status, 403, "{bad}");
    }
    assert_eq!(here.sign_out().await.http_status, 303);
}

fn request(method: &str, path: &str, token: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    let kind = "application/x-www-form-urlencoded";
    let body = Body::from("scope=mastodon.example%2Fada");
    request.header(header::CONTENT_TYPE, kind).body(body).unwrap()
}

#[tokio::test]
async fn programs_show_a_token() {
    let hotel = Hotel::open().await;
    let store = &hotel.house.state.store;
    let scopes = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let now = hotel.clock.now();
    let made = tokens::create(store, "backup", &scopes(&["view"]), now, Some(now + TimeDelta::days(2)))
        .await
        .unwrap();
    let token = made.token.expose_secret().to_owned();
    assert!(!format!("{made:?}").contains(&token) && !made.row.hash.contains(&token));
    let mut program = hotel.browser();
    let ask = |method: &str, path: &str, token: &str| request(method, path, token);
    let last_used = async || {
        store::api_tokens::load(store, &made.row.id)
            .await
            .unwrap()
            .unwrap()
            .last_used_at
    };
    assert_eq!(last_used().await, None);
    assert_eq!(program.ask(ask("GET", "/api/v1/jobs", &token)).await.http_status, 200);
    assert_eq!(last_used().await, Some(now));
    assert_eq!(program.ask(ask("GET", "/metrics", &token)).await.http_status, 200);
    // No page of ours, and none needed: no browser sends a token on its own.
    let run = program.ask(ask("POST", "/jobs/replies.home/run", &token)).await;
    assert!(
        run.http_status == 303 || run.http_status == 403 && run.body.contains("right"),
        "{run:?}"
    );

    let (id, secret) = token.strip_prefix("egret_").unwrap().split_once('_').unwrap();
    let wrong = format!("egret_{id}_{}", secret.chars().rev().collect::<String>());
    for bad in [
        "",
        "x",
        "egret_",
        "egret__",
        &token[..token.len() - 1],
        &wrong,
        &format!("{token}a"),
    ] {
        let refused = program.ask(ask("GET", "/api/v1/jobs", bad)).await;
        assert_eq!(refused.http_status, 401, "{bad}");
        assert_eq!(refused.head["content-type"], "application/problem+json");
        assert!(
            refused.head["www-authenticate"]
                .to_str()
                .unwrap()
                .contains("invalid_token"),
            "{bad}"
        );
    }
    // A bad token is not made good by a good cookie.
    program.sign_in("admin").await;
    assert_eq!(program.ask(ask("GET", "/api/v1/jobs", "x")).await.http_status, 401);
    assert_eq!(program.get("/api/v1/jobs").await.http_status, 200);

    hotel.later(2 * 24 * 60);
    let mut program = hotel.browser();
    assert_eq!(
        program.ask(ask("GET", "/api/v1/jobs", &token)).await.http_status,
        401,
        "expired"
    );
    let now = hotel.clock.now();
    assert!(
        tokens::create(store, "backup", &scopes(&["view"]), now, None)
            .await
            .is_err(),
        "the name is taken"
    );
    assert!(store::api_tokens::revoke(store, "backup", now).await.unwrap());
    let made = tokens::create(store, "backup", &scopes(&["admin"]), now, None)
        .await
        .unwrap();
    let token = made.token.expose_secret().to_owned();
    assert_eq!(program.ask(ask("GET", "/api/v1/jobs", &token)).await.http_status, 200);
    assert!(store::api_tokens::revoke(store, "backup", now).await.unwrap());
    assert_eq!(
        program.ask(ask("GET", "/api/v1/jobs", &token)).await.http_status,
        401,
        "revoked"
    );
    for (name, words) in [("x", &["Admin"][..]), ("x", &[]), ("", &["view"]), ("a\nb", &["view"])] {
        assert!(
            tokens::create(store, name, &scopes(words), now, None).await.is_err(),
            "{name:?} {words:?}"
        );
    }
}

#[tokio::test]
async fn strangers_are_told_where_to_go() {
    let hotel = Hotel::open().await;
    let mut stranger = hotel.browser();
    for path in ["/", "/jobs", "/jobs/replies.home", "/replies", "/effects"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.http_status, 303, "{path}");
        assert!(answer.location().starts_with("/login"), "{path}");
    }
    for path in ["/api/v1/jobs", "/api/v1/job_runs"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.http_status, 401, "{path}");
        assert_eq!(answer.head["content-type"], "application/problem+json");
        assert!(answer.head.contains_key("www-authenticate"));
    }
    assert_eq!(
        stranger.post("/jobs/replies.home/run", "scope=").await.location(),
        "/login"
    );
    for path in ["/livez", "/readyz", "/healthz", "/login", "/assets/egret.svg"] {
        assert_eq!(stranger.get(path).await.http_status, 200, "{path}");
    }
    let health = stranger.get("/healthz").await.body;
    assert!(health.contains("degraded") && health.contains("\"modes\""), "{health}");
    for secret in ["ab…yz", "mastodon.example", "replies.home"] {
        assert!(!health.contains(secret), "{health}");
    }
    // Programs of this machine may count; what came through a proxy is not of this machine.
    assert_eq!(stranger.get("/metrics").await.http_status, 200);
    let passed_on = Request::get("/metrics").header("x-forwarded-for", "192.0.2.1");
    let refused = stranger.ask(passed_on.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.http_status, 401);
    assert!(refused.head.contains_key("www-authenticate"));
    stranger.peer = "192.0.2.7:1".to_owned();
    assert_eq!(stranger.get("/metrics").await.http_status, 401);

    let open = Hotel::with(|config| config.metrics = web::Metrics::Open).await;
    let mut stranger = open.browser();
    stranger.peer = "192.0.2.7:1".to_owned();
    assert_eq!(stranger.get("/metrics").await.http_status, 200);
    let shut = Hotel::with(|config| config.metrics = web::Metrics::Token).await;
    assert_eq!(shut.browser().get("/metrics").await.http_status, 401);
    // A proxy may not say that it is one.
    let behind = Hotel::with(|config| config.url = Some("https://egret.example".parse().unwrap())).await;
    let asked = Request::get("/metrics").header(header::HOST, "127.0.0.1:8470");
    let refused = behind.browser().ask(asked.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.http_status, 401);
}

/// Check 36.
#[tokio::test]
async fn without_the_database_nobody_is_sent_away_to_sign_in() {
    let hotel = Hotel::open().await;
    let mut admin = hotel.browser();
    admin.sign_in("admin").await;
    hotel.house.state.store.close().await;
    assert_eq!(admin.get("/").await.http_status, 503);
    assert_eq!(admin.get("/login").await.http_status, 503);
    assert_eq!(admin.get("/livez").await.http_status, 200);
    assert_eq!(admin.get("/readyz").await.http_status, 503);
    let health = admin.get("/healthz").await;
    assert_eq!(health.http_status, 503);
    assert!(health.body.contains("\"store\":\"unreadable\""), "{}", health.body);
    let program = admin.ask(request("GET", "/api/v1/jobs", "egret_a_b")).await;
    assert_eq!(program.http_status, 503);
}

#[tokio::test]
async fn tries_are_few_for_each_address() {
    let hotel = Hotel::with(|config| config.proxies = vec!["10.0.0.0/8".parse().unwrap()]).await;
    let mut browser = hotel.browser();
    let mut last = 0;
    for _ in 0..40 {
        last = browser.get("/login/once?key=x").await.http_status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    let refused = browser.get("/login/callback").await;
    assert_eq!(refused.http_status, 429);
    assert!(refused.head.contains_key("retry-after"));
    // Whoever makes up where they come from is still who they are.
    let lie = Request::get("/login/once?key=x").header("x-forwarded-for", "198.51.100.9");
    assert_eq!(browser.ask(lie.body(Body::empty()).unwrap()).await.http_status, 429);
    browser.peer = "10.0.0.1:1".to_owned();
    let passed_on = Request::get("/login/once?key=x").header("x-forwarded-for", "198.51.100.9");
    assert_eq!(
        browser.ask(passed_on.body(Body::empty()).unwrap()).await.http_status,
        403
    );
    assert_eq!(browser.get("/login").await.http_status, 200);
}

#[tokio::test]
async fn behind_https_cookies_keep_to_it() {
    let hotel = Hotel::with(|config| config.url = Some("https://egret.example".parse().unwrap())).await;
    let mut browser = hotel.browser();
    // The cookie has to be there when the browser comes back to the address that the server knows.
    let by_another_name = Request::get("/login/start?server=a&to=/jobs").header(header::HOST, "127.0.0.1:8470");
    let sent_on = browser.ask(by_another_name.body(Body::empty()).unwrap()).await;
    assert_eq!(
        sent_on.location(),
        "https://egret.example/login/start?server=a&to=/jobs&moved=true"
    );
    let away = browser.start("/jobs").await;
    assert_eq!(
        value(&away, "redirect_uri"),
        "https%3A%2F%2Fegret.example%2Flogin%2Fcallback"
    );
    let back = browser.agree("admin", &away);
    let inside = browser.get(&back).await;
    let cookies = inside.set_cookies();
    let session = cookies
        .iter()
        .find(|line| line.starts_with("__Host-egret="))
        .expect("a session");
    for part in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(session.contains(part), "{session}");
    }
    assert!(!session.contains("Domain"));
    assert_eq!(browser.get("/jobs").await.http_status, 200);
    // A cookie that a neighbour could have planted is none.
    let value = browser.cookies.remove("__Host-egret").unwrap();
    browser.cookies.insert("egret".to_owned(), value);
    assert_eq!(browser.get("/jobs").await.http_status, 303);
}

#[tokio::test]
async fn a_server_that_forgot_us_is_registered_at_again() {
    let mut hotel = Hotel::open().await;
    hotel.browser().sign_in("admin").await;
    hotel.browser().sign_in("mod").await;
    assert_eq!(hotel.asked("/api/v1/apps"), 1, "once for all");

    // The same address, and nothing remembered.
    let port = hotel
        .fediverse
        .home()
        .rsplit_once(':')
        .unwrap()
        .1
        .trim_end_matches('/')
        .parse()
        .unwrap();
    let small = Fediverse::start(Scenario::small()).await;
    drop(std::mem::replace(&mut hotel.fediverse, small));
    hotel.fediverse = loop {
        // The port is free once the old one has let go of it.
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            break Fediverse::start_at(Scenario::small(), port).await;
        }
        tokio::task::yield_now().await;
    };
    hotel.later(11);
    assert_eq!(hotel.browser().sign_in("admin").await.http_status, 303);
    assert_eq!(hotel.asked("/api/v1/apps"), 1);
}

/// Asking whether a server still knows us is a request of its own: one in ten minutes, however long we run.
#[tokio::test]
async fn a_server_is_asked_now_and_then_whether_it_knows_us() {
    let hotel = Hotel::open().await;
    hotel.browser().sign_in("admin").await;
    let asked = || hotel.asked("/oauth/token");
    let signed_in = asked();
    hotel.later(11);
    hotel.browser().sign_in("admin").await;
    assert_eq!(
        asked(),
        signed_in + 2,
        "the code is swapped, and the registration looked at"
    );
    hotel.browser().sign_in("mod").await;
    assert_eq!(asked(), signed_in + 3, "a moment later the code alone");
}

/// A server that keeps whoever signs in there waiting keeps nobody else.
#[tokio::test]
async fn a_server_that_does_not_answer_holds_up_its_own_people_alone() {
    let hotel = Hotel::open().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = silent.local_addr().unwrap().to_string();
    let servers = vec![
        server(&hotel.fediverse),
        web::signin::Server {
            url: format!("http://{host}").parse().unwrap(),
            host: host.clone(),
            logins: Vec::new(),
        },
    ];
    hotel.house.state.sign_in.replace(net(), servers);
    let path = format!("/login/start?server={host}");
    let (mut waits, mut browser) = (hotel.browser(), hotel.browser());
    let waiting = waits.get(&path);
    let mut waiting = std::pin::pin!(waiting);
    tokio::select! {
        answer = &mut waiting => panic!("{answer:?}"),
        accepted = silent.accept() => drop(accepted.map(std::mem::forget)),
    }
    let other = tokio::select! {
        answer = &mut waiting => panic!("it was to wait: {answer:?}"),
        answer = browser.sign_in("admin") => answer,
    };
    assert_eq!(other.http_status, 303);
}

/// A page of rules is a long form, and has to prove where it comes from like any other.
#[tokio::test]
async fn the_longest_form_is_read_whole() {
    let hotel = Hotel::with(|config| config.open_to_everybody = false).await;
    let mut admin = hotel.browser();
    admin.sign_in("admin").await;
    let token = admin.get("/jobs").await.form_token();
    let long = "x".repeat(100_000);
    let form = format!("text={long}&csrf={token}");
    assert_eq!(admin.post("/registrations/rules/try", &form).await.http_status, 200);
    let form = format!("text={long}{long}&csrf={token}");
    assert_eq!(admin.post("/registrations/rules/try", &form).await.http_status, 413);
}

#[tokio::test]
async fn every_server_is_offered() {
    let mut hotel = Hotel::open().await;
    let other = Fediverse::start(Scenario::small()).await;
    let servers = vec![server(&hotel.fediverse), server(&other)];
    let config = web::Config::default();
    let clock = Arc::new(hotel.clock.clone());
    hotel.house.state.sign_in = SignIn::new(&config, config.listen, net(), servers, clock).unwrap();
    let page = hotel.browser().get("/login").await.body;
    for server in [server(&hotel.fediverse), server(&other)] {
        assert!(page.contains(&format!("Sign in with {}", server.host)), "{page}");
    }
    let mut browser = hotel.browser();
    browser.sign_in("admin").await;
    // A server that leaves the config takes its people along.
    hotel.house.state.sign_in.replace(net(), vec![server(&other)]);
    hotel.later(5);
    assert_eq!(browser.get("/").await.location(), "/login");
}

/// The way in does not depend on the engine.
#[tokio::test]
async fn both_engines_let_people_in() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let mut hotel = Hotel::open().await;
    hotel.fediverse = fediverse;
    let hotel = std::sync::Mutex::new(Some(hotel));
    on_each_engine(async |db| {
        let mut here = hotel.lock().unwrap().take().unwrap();
        here.house.state.store = db.clone();
        let config = web::Config::default();
        let clock = Arc::new(here.clock.clone());
        let servers = vec![server(&here.fediverse)];
        here.house.state.sign_in = SignIn::new(&config, config.listen, net(), servers, clock).unwrap();
        let mut browser = here.browser();
        assert_eq!(browser.sign_in("admin").await.http_status, 303);
        assert_eq!(browser.get("/").await.http_status, 200);
        here.later(5);
        assert_eq!(browser.get("/").await.http_status, 200);
        *hotel.lock().unwrap() = Some(here);
    })
    .await;
}
