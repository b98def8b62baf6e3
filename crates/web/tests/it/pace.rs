//! How quick the pages are on a full store; `cargo xtask bench` asks for it.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{body::Body, http::Request};
use chrono::TimeDelta;
use model::{Clock, SystemClock};
use store::{
    Db,
    backfills::{self, Backfill},
    job_runs::{self, JobRun, Outcome},
    wanted::{self, Wanted},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::house::{House, text};

/// What is in the store.
const STATUSES: usize = 1_000_000;
const RUNS: usize = 10_000;
const ACCOUNTS: usize = 5_000;

/// What is asked for.
const PAGES: [&str; 13] = [
    "/",
    "/jobs",
    "/jobs/replies.home",
    "/replies",
    "/replies/wanted?state=done",
    "/replies/origins",
    "/backfill",
    "/backfill/accounts?state=done",
    "/effects",
    "/settings",
    "/api/v1/overview",
    "/api/v1/replies",
    "/api/v1/replies/wanted?state=done&limit=200",
];

/// Each page is asked for so often.
const TIMES: usize = 40;

async fn fill(db: &Db) {
    let now = SystemClock.now();
    let hosts = 5000;
    for chunk in 0..STATUSES / 2000 {
        let rows: Vec<Wanted> = (0..2000)
            .map(|n| chunk * 2000 + n)
            .map(|n| Wanted {
                server: "mastodon.example".to_owned(),
                uri: format!("https://{}.example/users/a/statuses/{n}", n % hosts),
                host: format!("{}.example", n % hosts),
                feature: "replies".to_owned(),
                thread: None,
                in_reply_to: None,
                state: wanted::State::Wanted,
                status_id: None,
                tries: 0,
                reason: None,
                next_try_at: now,
                found_at: now - TimeDelta::seconds(i64::try_from(n).unwrap()),
                ended_at: None,
            })
            .collect();
        wanted::insert(db, &rows).await.unwrap();
        // Nine of ten have arrived.
        let arrived: Vec<_> = rows
            .iter()
            .skip(200)
            .map(|row| (row.uri.clone(), Some(row.uri.clone())))
            .collect();
        let at = now - TimeDelta::seconds(i64::try_from(chunk).unwrap());
        wanted::mark_done(db, "mastodon.example", &arrived, at).await.unwrap();
    }
    let accounts: Vec<Backfill> = (0..ACCOUNTS)
        .map(|n| Backfill {
            server: "mastodon.example".to_owned(),
            acct: format!("user{n}@{}.example", n % hosts),
            source: "followings".to_owned(),
            cursor: None,
            listed: 40,
            wanted: 30,
            failures: i64::from(n % 10 == 0),
            trouble: (n % 10 == 0).then(|| "its server rests".to_owned()),
            started_at: None,
            finished_at: Some(now - TimeDelta::seconds(i64::try_from(n).unwrap())),
            next_at: None,
        })
        .collect();
    backfills::insert(db, &accounts).await.unwrap();
    for n in 0..RUNS {
        let started_at = now - TimeDelta::minutes(i64::try_from(RUNS - n).unwrap());
        let run = JobRun {
            id: format!("01880000-0000-7000-8000-{n:012}"),
            job: ["replies.home", "replies.bookmarks", "wanted.drain"][n % 3].to_owned(),
            scope: "mastodon.example/ada".to_owned(),
            holder: "one".to_owned(),
            started_at,
            finished_at: Some(started_at + TimeDelta::seconds(20)),
            outcome: Outcome::Finished,
            counters: [("threads".to_owned(), 200), ("arrived".to_owned(), 40)].into(),
            requests: (0..40).map(|host| (format!("{host}.example"), 3)).collect(),
            error: None,
        };
        job_runs::start(db, &run).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "fills a store with a million statuses; run by `cargo xtask bench`"]
async fn pages_on_a_full_store() {
    let house = House::furnished().await;
    fill(&house.state.store).await;
    let mut slowest = ("/", Duration::ZERO);
    let mut all = Vec::new();
    let app = web::router(house.state.clone());
    for page in PAGES {
        let mut took = Vec::new();
        for _ in 0..TIMES {
            let begun = Instant::now();
            let request = Request::get(page).body(Body::empty()).unwrap();
            let response = tower::ServiceExt::oneshot(app.clone(), request).await.unwrap();
            assert_eq!(response.status(), 200, "{page}");
            assert!(!text(response).await.is_empty());
            took.push(begun.elapsed());
        }
        took.sort();
        let p95 = took[TIMES * 95 / 100 - 1];
        eprintln!(
            "page {page}: median {:?}, p95 {p95:?}, worst {:?}",
            took[TIMES / 2],
            took[TIMES - 1]
        );
        if p95 > slowest.1 {
            slowest = (page, p95);
        }
        all.extend(took);
    }
    all.sort();
    eprintln!("FIGURE page answer p95 {:.3}", millis(all[all.len() * 95 / 100 - 1]));
    eprintln!("FIGURE slowest page p95 {:.3}", millis(slowest.1));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(web::serve(listener, house.state.clone(), stop.clone()));
    let crowd: Vec<_> = (0..50).map(|_| tokio::spawn(ask(address, slowest.0))).collect();
    let mut worst = Duration::ZERO;
    while crowd.iter().any(|one| !one.is_finished()) {
        let begun = Instant::now();
        ask(address, "/livez").await;
        worst = worst.max(begun.elapsed());
    }
    for one in crowd {
        one.await.unwrap();
    }
    eprintln!("FIGURE livez while 50 ask for {} {:.3}", slowest.0, millis(worst));
    stop.cancel();
    serving.await.unwrap().unwrap();
}

/// Check 49: fifty pictures of ten years at once, and somebody who asks whether we are alive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "draws fifty large pictures; run by `cargo xtask bench`"]
async fn livez_while_pictures_are_drawn() {
    let house = House::empty().await;
    let account = crate::metering::years(&house).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(web::serve(listener, house.state.clone(), stop.clone()));
    let crowd: Vec<_> = (0..50)
        .map(|n| {
            tokio::spawn(async move {
                let path = format!(
                    "/api/v1/metering/accounts/{account}/graphs/common?format=png&width={}",
                    1000 + n
                );
                ask(address, &path).await;
            })
        })
        .collect();
    let mut worst = Duration::ZERO;
    while crowd.iter().any(|one| !one.is_finished()) {
        let begun = Instant::now();
        ask(address, "/livez").await;
        worst = worst.max(begun.elapsed());
    }
    for one in crowd {
        one.await.unwrap();
    }
    eprintln!("FIGURE livez while 50 pictures {:.3}", millis(worst));
    stop.cancel();
    serving.await.unwrap().unwrap();
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

async fn ask(address: SocketAddr, path: &str) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{path}: {}",
        String::from_utf8_lossy(&answer[..80])
    );
}
