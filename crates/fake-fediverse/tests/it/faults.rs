//! Misbehaviour on request.

use std::time::{Duration, Instant};

use fake_fediverse::{Fault, Fediverse, RateLimitStyle, Scenario};

use crate::client::{get, try_get};

#[tokio::test]
async fn faults_strike_where_and_as_often_as_told() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let (health, info) = (
        format!("{}/health", fediverse.home()),
        format!("{}/nodeinfo/2.0", fediverse.home()),
    );
    fediverse.fault(None, "/health", Fault::Html(502), Some(2));
    for expected in [502, 502, 200] {
        assert_eq!(get(&info, None).await.status, 200);
        assert_eq!(get(&health, None).await.status, expected);
    }
    fediverse.fault(None, "", Fault::Empty(500), None);
    assert_eq!(get(&health, None).await.status, 500);
    let origin = format!("{}/nodeinfo/2.0", fediverse.origin(0));
    assert_eq!(get(&origin, None).await.status, 200, "another server");
    fediverse.heal(None);
    assert_eq!(get(&health, None).await.status, 200);
    let log = fediverse.log();
    let statuses: Vec<_> = log.path("/health").0.iter().map(|r| r.http_status).collect();
    assert_eq!(statuses, [502, 502, 200, 500, 200]);
}

#[tokio::test]
async fn every_way_to_break_a_connection_breaks_it() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let url = format!("{}/api/v2/instance", fediverse.home());
    fediverse.fault(None, "", Fault::Close, Some(1));
    assert!(try_get(&url, None, "*/*").await.is_err(), "closed");
    assert_eq!(get(&url, None).await.status, 200);
    fediverse.fault(None, "", Fault::Truncated, Some(1));
    assert!(try_get(&url, None, "*/*").await.is_err(), "truncated");
    fediverse.fault(None, "", Fault::Endless, Some(1));
    assert!(
        try_get(&url, None, "*/*").await.is_err(),
        "endless: the client's own ceiling ends it"
    );
    assert_eq!(get(&url, None).await.status, 200);
}

#[tokio::test]
async fn a_silent_server_is_logged_as_unanswered() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    fediverse.fault(None, "/health", Fault::Silent, None);
    let url = format!("{}/health", fediverse.home());
    let waiting = tokio::time::timeout(Duration::from_millis(200), get(&url, None)).await;
    assert!(waiting.is_err());
    assert_eq!(fediverse.log().path("/health").0[0].http_status, 0);
    // Ends what still waits, the blocked thread of the client among it.
    drop(fediverse);
}

#[tokio::test]
async fn redirects_lead_away_or_nowhere() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let url = format!("{}/health", fediverse.home());
    fediverse.fault(
        None,
        "/health",
        Fault::Redirect(307, "http://10.0.0.1/".to_owned()),
        Some(1),
    );
    let answer = get(&url, None).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, Some("http://10.0.0.1/"))
    );
    fediverse.fault(None, "/health", Fault::Loop, None);
    for lap in 1..4 {
        let answer = get(&url, None).await;
        assert_eq!(answer.status, 302, "{lap}");
        assert!(answer.header("location").unwrap().starts_with("/health?lap="));
    }
}

#[tokio::test]
async fn a_429_tells_its_end_in_every_style() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let url = format!("{}/health", fediverse.home());
    type Check = fn(&str) -> bool;
    let styles: [(RateLimitStyle, Check); 3] = [
        (RateLimitStyle::Iso(30), |text| text.len() == 27 && text.ends_with('Z')),
        (RateLimitStyle::Epoch(30), |text| {
            text.parse::<u64>().is_ok_and(|n| n > 1_700_000_000)
        }),
        (RateLimitStyle::Delta(30), |text| text == "30"),
    ];
    for (style, right) in styles {
        fediverse.fault(None, "", Fault::RateLimited(style), Some(1));
        let answer = get(&url, None).await;
        assert_eq!(answer.status, 429);
        assert!(right(answer.header("x-ratelimit-reset").unwrap()));
        assert!(answer.header("retry-after").is_none());
    }
    fediverse.fault(None, "", Fault::RateLimited(RateLimitStyle::RetryAfter(5)), Some(1));
    let answer = get(&url, None).await;
    assert_eq!(
        (answer.header("retry-after"), answer.header("x-ratelimit-reset")),
        (Some("5"), None)
    );
}

#[tokio::test]
async fn origins_take_their_time_and_home_does_not() {
    let latency = Duration::from_millis(60);
    let fediverse = Fediverse::start(Scenario {
        latency,
        ..Scenario::small()
    })
    .await;
    let began = Instant::now();
    get(&format!("{}/nodeinfo/2.0", fediverse.origin(0)), None).await;
    assert!(began.elapsed() >= latency);
}

#[tokio::test]
async fn other_processes_have_a_side_door() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let control = format!("{}/__fake", fediverse.home());
    get(&format!("{control}/fault?path=/health&fault=html:503&times=1"), None).await;
    assert_eq!(get(&format!("{}/health", fediverse.home()), None).await.status, 503);
    let log = get(&format!("{control}/log"), None).await.json();
    assert_eq!(log.as_array().unwrap().len(), 1, "the side door itself is not logged");
    let summary = get(&format!("{control}/summary"), None).await.json();
    assert_eq!(summary["home_requests"], 1);
    assert_eq!(summary["replies_missing_before"], fediverse.missing());
    let threads = get(&format!("{control}/threads"), None).await.json();
    assert_eq!(threads.as_array().unwrap().len(), 6);
}
