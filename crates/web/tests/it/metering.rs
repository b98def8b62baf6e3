//! Metering: accounts, series, graphs and the report, as pages and as JSON.

use axum::{body::Body, http::Request};
use store::{
    metered_accounts::{self, New},
    metered_events::{self, Event},
    metered_points::{self, Point},
    metered_wishes,
};

use crate::house::House;

const START: i64 = 1_772_323_200;

async fn add(house: &House, name: &str) -> i64 {
    let new = New {
        uri: format!("https://a.example/users/{name}"),
        url: format!("https://a.example/@{name}"),
        acct: format!("{name}@a.example"),
        name: format!("<i>{name}"),
        host: "a.example".into(),
        remote_id: None,
        source: "hand".into(),
        groups: vec!["news & more".into()],
    };
    let now = "2026-03-01T12:00:00Z".parse().unwrap();
    metered_accounts::add(&house.state.store, &new, now)
        .await
        .unwrap()
        .unwrap()
        .0
}

fn point(account: i64, n: i64, followers: i32) -> Point {
    Point {
        account,
        slot: START + n * 86_400,
        lag: 7,
        span: 0,
        points: 1,
        step: 86_400,
        followers: Some(followers),
        following: Some(10),
        statuses: Some(2000),
        last_status: Some(20_000),
        gap: None,
    }
}

/// An account that was measured daily for ten years.
pub(crate) async fn years(house: &House) -> i64 {
    let account = add(house, "old").await;
    let points: Vec<Point> = (0..3650)
        .map(|n| point(account, n - 3600, 100 + i32::try_from(n * 7 % 900 + n).unwrap()))
        .collect();
    metered_points::insert(&house.state.store, &points).await.unwrap();
    account
}

async fn house() -> (House, i64, i64) {
    let house = House::empty().await;
    let (alice, bob) = (add(&house, "alice").await, add(&house, "bob").await);
    let points: Vec<Point> = (0..250)
        .map(|n| point(alice, n, 100 + i32::try_from(n).unwrap()))
        .collect();
    metered_points::insert(&house.state.store, &points).await.unwrap();
    let event = Event {
        id: "1".into(),
        account: alice,
        at: "2026-03-05T12:00:00Z".parse().unwrap(),
        kind: "moved".into(),
        was: None,
        became: Some("https://b.example/users/alice".into()),
    };
    metered_events::insert(&house.state.store, &[event]).await.unwrap();
    (house, alice, bob)
}

#[tokio::test]
async fn pages_show_what_is_measured_and_escape_it() {
    let (house, alice, bob) = house().await;
    let (status, page) = house.get("/metering").await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("alice@a.example") && page.contains("bob@a.example") && page.contains("news &amp; more"));
    assert!(!page.contains("<i>alice"));
    let (status, page) = house.get(&format!("/metering/accounts/{alice}")).await;
    assert_eq!(status, 200);
    assert!(page.contains("moved") && page.contains("349"), "{page}");
    let (status, page) = house.get(&format!("/metering/compare?accounts={alice},{bob}")).await;
    assert_eq!(status, 200);
    assert!(page.contains("bob@a.example"));
    assert_eq!(house.get("/metering/compare?group=news%20%26%20more").await.0, 200);
    assert_eq!(house.get("/metering/report?since=7d").await.0, 200);
    assert_eq!(house.get("/metering/accounts/99").await.0, 404);
}

/// Check 49: more than a hundred points are all given, in order, in pages.
#[tokio::test]
async fn data_is_whole_and_in_order() {
    let (house, alice, _) = house().await;
    let (mut before, mut slots) = (String::new(), Vec::new());
    loop {
        let (status, body) = house
            .get(&format!(
                "/api/v1/metering/accounts/{alice}/data?limit=100&before={before}"
            ))
            .await;
        assert_eq!(status, 200, "{body}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        slots.extend(
            body["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["slot"].as_i64().unwrap()),
        );
        match body["next"].as_str() {
            Some(next) => before = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(slots, (0..250).map(|n| START + n * 86_400).collect::<Vec<_>>());
    let (_, csv) = house
        .get(&format!("/api/v1/metering/accounts/{alice}/data?format=csv"))
        .await;
    assert_eq!(metering_rows(&csv), 250);
    let some = "since=2026-03-02&to=2026-03-03T23:00:00Z";
    let (_, body) = house
        .get(&format!("/api/v1/metering/accounts/{alice}/data?{some}"))
        .await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["data"].as_array().unwrap().len(), 2);
}

fn metering_rows(csv: &str) -> usize {
    csv.lines().count() - 1
}

/// Check 48: the kinds of graph, their refusals, and 304 for who has it.
#[tokio::test]
async fn graphs_are_pictures_with_a_tag() {
    let (house, alice, bob) = house().await;
    let path = format!("/api/v1/metering/accounts/{alice}/graphs/followers");
    let get = |path: String| Request::get(path).body(Body::empty()).unwrap();
    let response = house.ask(get(format!("{path}?format=png"))).await;
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers()["content-type"].to_str().unwrap()
        ),
        (200, "image/png")
    );
    let tag = response.headers()["etag"].clone();
    let mut again = get(format!("{path}?format=png"));
    again.headers_mut().insert("if-none-match", tag);
    assert_eq!(house.ask(again).await.status().as_u16(), 304);
    let (status, svg) = house.get(&path).await;
    assert_eq!(status, 200);
    assert!(svg.starts_with("<svg") && !svg.contains("<i>"));
    for (path, expected) in [
        (format!("{path}?since=2026-04-01&to=2026-03-01"), 422),
        (format!("{path}?since=yesterday"), 422),
        (format!("{path}?zone=Mars"), 422),
        (format!("{path}?format=gif"), 422),
        (format!("{path}?theme=dark&since=30d"), 200),
        (format!("{path}?width=4000&height=4000&scale=4"), 422),
        (format!("/api/v1/metering/accounts/{alice}/graphs/common"), 200),
        (format!("/api/v1/metering/accounts/{alice}/graphs/likes"), 404),
        ("/api/v1/metering/accounts/99/graphs/followers".to_owned(), 404),
        (format!("/api/v1/metering/accounts/{bob}/graphs/followers"), 200),
        (
            format!("/api/v1/metering/accounts/{bob}/graphs/followers?strict=true"),
            404,
        ),
        (format!("/api/v1/metering/graphs/followers?accounts={alice},{bob}"), 200),
        ("/api/v1/metering/graphs/followers".to_owned(), 422),
        ("/api/v1/metering/graphs/followers?accounts=x".to_owned(), 422),
    ] {
        assert_eq!(house.get(&path).await.0, expected, "{path}");
    }
    let (_, empty) = house
        .get(&format!("/api/v1/metering/accounts/{bob}/graphs/followers"))
        .await;
    assert!(empty.contains("no data"));
}

/// Check 47.
#[tokio::test]
async fn the_report_is_a_text_to_paste() {
    let (house, alice, _) = house().await;
    let day = "2026-03-11T12:00:00Z";
    let (status, text) = house
        .get(&format!(
            "/api/v1/metering/report?accounts={alice}&since=2026-03-10T12:00:00Z&to={day}&format=text"
        ))
        .await;
    assert_eq!(status, 200);
    assert!(
        text.contains("alice@a.example: 110 followers (+1), 2000 statuses\n"),
        "{text}"
    );
    let (_, json) = house
        .get(&format!(
            "/api/v1/metering/report?accounts={alice}&since=2026-03-04T12:00:00Z&to={day}"
        ))
        .await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["accounts"][0]["followers"]["change"], 7);
    let (status, html) = house.get("/api/v1/metering/report?format=html").await;
    assert!(status == 200 && html.starts_with("<!doctype html>"));
    let (_, metrics) = house.get("/api/v1/metering/openmetrics").await;
    assert!(
        metrics.contains("egret_account_followers{acct=\"alice@a.example\"} 349 "),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"));
}

/// Check 41: what cannot be an account is refused at once; the rest is written down for the job. Check 50: removed.
#[tokio::test]
async fn adding_is_a_wish_and_removing_is_at_once() {
    let (house, alice, _) = house().await;
    let post = |path: &str, body: &str| {
        Request::post(path)
            .header("content-type", "application/json")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    let nonsense = house
        .ask(post("/api/v1/metering/accounts", r#"{"address":"nobody"}"#))
        .await;
    assert_eq!(nonsense.status().as_u16(), 422);
    let later = house
        .ask(post(
            "/api/v1/metering/accounts",
            r#"{"address":"@carol@c.example","groups":["x"]}"#,
        ))
        .await;
    assert_eq!(later.status().as_u16(), 202, "nobody looks it up here");
    let wishes = metered_wishes::open(&house.state.store, 10).await.unwrap();
    assert_eq!((wishes.len(), wishes[0].address.as_str()), (1, "@carol@c.example"));
    assert_eq!(
        house.get(&format!("/api/v1/metering/wishes/{}", wishes[0].id)).await.0,
        200
    );
    let measure = house
        .ask(post(&format!("/api/v1/metering/accounts/{alice}/measure"), ""))
        .await;
    assert_eq!(measure.status().as_u16(), 202);

    let delete = |path: String| {
        Request::delete(path)
            .header("sec-fetch-site", "same-origin")
            .body(Body::empty())
            .unwrap()
    };
    let path = format!("/api/v1/metering/accounts/{alice}");
    assert_eq!(house.ask(delete(path.clone())).await.status().as_u16(), 204);
    assert_eq!(metered_points::count(&house.state.store, alice).await.unwrap(), 250);
    assert_eq!(
        house.ask(delete(format!("{path}?purge=true"))).await.status().as_u16(),
        204
    );
    assert_eq!(metered_points::count(&house.state.store, alice).await.unwrap(), 0);
    assert_eq!(house.ask(delete(path)).await.status().as_u16(), 404);
}

/// What only a token of ours shows is for its owner, and what admins see for those who moderate.
#[tokio::test]
async fn what_brought_most_and_who_came() {
    let (house, ..) = house().await;
    let status = store::metered_statuses::Status {
        login: "home.social/me".into(),
        status_id: "1".into(),
        url: "https://home.social/@me/1".into(),
        created_at: model_now(),
        tags: vec!["caturday".into()],
        replies: 1,
        reblogs: 2,
        favourites: 3,
        seen_at: model_now(),
    };
    store::metered_statuses::save(&house.state.store, &[status])
        .await
        .unwrap();
    let measure = store::measures::Measure {
        server: "home.social".into(),
        key: "users".into(),
        at: model_now().timestamp() - 60,
        value: 12,
    };
    store::measures::save(&house.state.store, &[measure]).await.unwrap();
    let (status, body) = house.get("/api/v1/metering/posts?login=home.social/me").await;
    assert_eq!(status, 200, "{body}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (body["top"][0]["id"].as_str(), body["tags"][0]["each"].as_f64()),
        (Some("1"), Some(6.0))
    );
    assert_eq!(
        house.get("/api/v1/metering/followers?login=home.social/me").await.0,
        200
    );
    assert_eq!(house.get("/api/v1/metering/posts").await.0, 422);
    let (_, body) = house.get("/api/v1/metering/servers?server=home.social&key=users").await;
    assert!(body.contains("\"value\":12"), "{body}");
    let (_, body) = house.get("/api/v1/metering/servers").await;
    assert!(body.contains("\"key\":\"users\""), "{body}");
}

/// What a login's statuses brought, who came, and what a server counts: as pages and as pictures.
#[tokio::test]
async fn what_only_a_token_shows_has_pages_and_pictures() {
    let (house, ..) = house().await;
    let db = &house.state.store;
    for path in ["/metering/posts", "/metering/followers", "/metering/servers"] {
        let (status, page) = house.get(path).await;
        assert!(status == 200 && page.contains("enabled = true"), "{path}: {page}");
    }
    let look = |hours_ago: i64, favourites: i64| store::metered_statuses::Status {
        login: "home.social/me".into(),
        status_id: "1".into(),
        url: "https://home.social/@me/1".into(),
        created_at: model_now() - chrono::TimeDelta::hours(50),
        tags: vec!["caturday".into()],
        replies: 1,
        reblogs: 2,
        favourites,
        seen_at: model_now() - chrono::TimeDelta::hours(hours_ago),
    };
    for (hours_ago, favourites) in [(49, 3), (25, 7), (1, 8)] {
        store::metered_statuses::save(db, &[look(hours_ago, favourites)])
            .await
            .unwrap();
    }
    let follower = store::metered_followers::Follower {
        login: "home.social/me".into(),
        account_id: "7".into(),
        acct: "carol@c.example".into(),
        uri: "https://c.example/users/carol".into(),
        seen: 1,
        came_at: Some(model_now() - chrono::TimeDelta::hours(3)),
        left_at: None,
    };
    store::metered_followers::see(db, &[follower]).await.unwrap();
    let measures: Vec<store::measures::Measure> = (0..20)
        .flat_map(|day| {
            ["users", "week.logins", "admin.new_users"].map(|key| store::measures::Measure {
                server: "home.social".into(),
                key: key.into(),
                at: model_now().timestamp() - day * 86_400,
                value: 100 - day,
            })
        })
        .collect();
    store::measures::save(db, &measures).await.unwrap();

    let (_, page) = house.get("/metering/posts").await;
    assert!(
        page.contains("caturday") && page.contains("/metering/posts/home.social/me/1"),
        "{page}"
    );
    let (status, page) = house.get("/metering/posts/home.social/me/1").await;
    assert!(status == 200 && page.contains("changed 3 times"), "{page}");
    let (_, page) = house.get("/metering/followers?since=7d").await;
    assert!(page.contains("carol@c.example"), "{page}");
    let (_, page) = house.get("/metering/servers").await;
    assert!(
        page.contains("People active in a week") && page.contains("New users"),
        "{page}"
    );

    let (_, body) = house.get("/api/v1/metering/logins/home.social/me/posts/1").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let favourites: Vec<i64> = body["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["favourites"].as_i64().unwrap())
        .collect();
    assert_eq!(favourites, [3, 7, 8]);
    for (path, expected) in [
        ("logins/home.social/me/graphs/posts?since=month", 200),
        ("logins/home.social/me/graphs/followers", 200),
        ("logins/home.social/me/graphs/likes", 404),
        ("logins/home.social/me/posts/1/graph", 200),
        ("logins/home.social/me/posts/2/graph", 404),
        ("servers/home.social/graphs/users?since=month&theme=dark", 200),
        ("servers/home.social/graphs/nothing", 200),
        ("servers/home.social/graphs/nothing?format=gif", 422),
    ] {
        let (status, body) = house.get(&format!("/api/v1/metering/{path}")).await;
        assert_eq!(
            status,
            expected,
            "{path}: {}",
            body.chars().take(200).collect::<String>()
        );
    }
}

/// Check 49: more than a hundred accounts are all listed, in pages, in order.
#[tokio::test]
async fn accounts_are_all_listed() {
    let house = House::empty().await;
    let mut added = Vec::new();
    for n in 0..130 {
        added.push(add(&house, &format!("u{n}")).await);
    }
    let (mut before, mut listed) = (String::new(), Vec::new());
    loop {
        let (status, body) = house
            .get(&format!("/api/v1/metering/accounts?limit=50&before={before}"))
            .await;
        assert_eq!(status, 200, "{body}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        listed.extend(
            body["accounts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].as_i64().unwrap()),
        );
        match body["next"].as_str() {
            Some(next) => before = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(listed, added);
    assert_eq!(house.get("/metering?before=51").await.0, 200);
}

/// Check 49: pictures are drawn away from the threads that answer. Here there is one: it answers while fifty are drawn.
#[tokio::test]
async fn pictures_keep_nobody_waiting() {
    let (house, alice, _) = house().await;
    let house = std::sync::Arc::new(house);
    let drawn = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut drawing = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (house, drawn) = (house.clone(), drawn.clone());
        drawing.spawn(async move {
            // Each another picture, so that none is one of before.
            let path = format!(
                "/api/v1/metering/accounts/{alice}/graphs/common?format=png&height=150&width={}",
                240 + n
            );
            assert_eq!(house.get(&path).await.0, 200);
            drawn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        });
    }
    let mut longest = std::time::Duration::ZERO;
    let mut asked = 0;
    while drawn.load(std::sync::atomic::Ordering::SeqCst) < 50 {
        let begun = std::time::Instant::now();
        assert_eq!(house.get("/livez").await.0, 200);
        longest = longest.max(begun.elapsed());
        asked += 1;
        tokio::task::yield_now().await;
        if drawing.is_empty() {
            break;
        }
        while drawing.try_join_next().is_some_and(|ended| ended.is_ok()) {}
    }
    // The milliseconds are measured by `cargo xtask bench`; here it is enough that nobody waits for a picture.
    assert!(asked > 50, "asked {asked} times meanwhile, {longest:?} at most");
}

fn model_now() -> chrono::DateTime<chrono::Utc> {
    use model::Clock as _;
    model::SystemClock.now()
}
