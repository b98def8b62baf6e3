//! How quick the archive is; `cargo xtask bench` asks for these, and says what they have to reach.

#[cfg(feature = "simulated")]
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
#[cfg(feature = "simulated")]
use model::FakeClock;
use serde_json::json;
use store::{
    Db,
    archive::{self as kept, Page, search},
};

use crate::house::{House, LOGIN};

/// Statuses of the first archive.
const FIRST: usize = 50_000;
/// Statuses that are searched.
const MANY: usize = 1_000_000;
/// As many as a page of the server holds.
const PAGE: usize = 40;

/// `BENCH_DIVISOR=100` measures a hundredth: whether it runs at all, where time is short. Figures mean nothing then.
pub(crate) fn divisor() -> usize {
    std::env::var("BENCH_DIVISOR")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}

/// The most memory that this process ever held, in MiB; nothing where the system does not say.
pub(crate) fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Words of which some are in every second status and most in few, as in languages.
fn words(seed: usize) -> String {
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = String::new();
    for _ in 0..28 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let part = (state >> 40) as f64 / f64::from(1 << 24);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of a word"
        )]
        let word = (40_000_f64.powf(part) - 1.0) as u64;
        out.push_str(&format!("w{word} "));
    }
    out
}

/// The `n`th status, by one of so many authors.
fn body(n: usize, authors: usize, begin: DateTime<Utc>) -> String {
    let at = begin + TimeDelta::seconds(i64::try_from(n).unwrap() * 97);
    let author = n % authors;
    json!({
        "id": (110_000_000_000_000_000 + n).to_string(), "created_at": at.to_rfc3339(), "in_reply_to_id": null,
        "sensitive": false, "spoiler_text": "", "visibility": "public", "language": "en",
        "uri": format!("https://h{author}.example/users/u{author}/statuses/{n}"),
        "url": format!("https://h{author}.example/@u{author}/{n}"),
        "replies_count": 1, "reblogs_count": 2, "favourites_count": 3, "edited_at": null, "favourited": false,
        "content": format!("<p>{}</p>", words(n)), "reblog": null,
        "account": {
            "id": author.to_string(), "username": format!("u{author}"), "acct": format!("u{author}@h{author}.example"),
            "display_name": format!("Person {author}"), "avatar": format!("https://h{author}.example/a.png"),
            "note": "<p>About me, and a few words more than one would read.</p>", "emojis": [], "fields": [],
        },
        "media_attachments": [], "mentions": [], "emojis": [], "card": null, "poll": null,
        "tags": [{"name": format!("tag{}", n % 300), "url": "https://h.example/t"}],
    })
    .to_string()
}

/// Saves statuses as a walk does, a page and its cursor at once. Gives the time it took, their making left out.
async fn save(db: &Db, server: &str, from: usize, to: usize, page: usize) -> Duration {
    save_of(500, db, server, from, to, page).await
}

/// The same of so many authors.
async fn save_of(authors: usize, db: &Db, server: &str, from: usize, to: usize, page: usize) -> Duration {
    let (begin, today) = (begin(), model::Clock::now(&model::SystemClock));
    let mut took = Duration::ZERO;
    for first in (from..to).step_by(page) {
        let bodies: Vec<String> = (first..to.min(first + page)).map(|n| body(n, authors, begin)).collect();
        let now = Instant::now();
        let items: Vec<_> = bodies
            .iter()
            .filter_map(|body| archive::read(body, server, "post", today))
            .collect();
        let cursor = first.to_string();
        let page = Page {
            login: LOGIN,
            server,
            items: &items,
            cursor: Some(("archive.statuses", LOGIN, &cursor)),
            live: true,
            now: today,
        };
        kept::save(db, &page).await.unwrap();
        took += now.elapsed();
    }
    took
}

/// What runs many times a day. The nightly audit counts, which takes the longer the more there is.
const NOUNS: [&str; 7] = [
    "statuses",
    "favourites",
    "bookmarks",
    "mentions",
    "conversations",
    "context",
    "recheck",
];

/// What an incremental run of every job takes: one new status, and nothing else to do. The median of a few, after one that
/// does what had piled up.
async fn runs(house: &House) -> Duration {
    let mut took = Vec::new();
    for round in 0..8 {
        house.posts(1);
        let mut all = Duration::ZERO;
        for noun in NOUNS {
            let now = Instant::now();
            house.run(noun).await;
            all += now.elapsed();
        }
        if round > 0 {
            took.push(all);
        }
    }
    took.sort();
    took[took.len() / 2]
}

fn begin() -> DateTime<Utc> {
    "2023-01-01T00:00:00Z".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "stores 50,000 statuses; run by `cargo xtask bench`"]
async fn storing() {
    let first = FIRST / divisor();
    // Somebody's own, and as many of other people's, as favourites are: their addresses stand all over the indexes.
    for (authors, whose) in [(1, "own"), (500, "others")] {
        let (db, _folder) = store::testing::sqlite().await;
        let took = save_of(authors, &db, "h.example", 0, first, PAGE).await;
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = first as f64 / took.as_secs_f64();
        eprintln!("FIGURE archive stored a second {whose} {rate:.0}");
    }
}

/// Check 40: three words, an account and dates, on a million statuses; and what a page costs then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "stores a million statuses on each engine; run by `cargo xtask bench`"]
async fn searching() {
    store::testing::on_each_engine(async |db: Db| {
        let engine = if matches!(db, Db::Postgres(_)) {
            "postgres"
        } else {
            "sqlite"
        };
        let (many, few, some) = (MANY / divisor(), 2000 / divisor(), 4000 / divisor());
        let house = House::on(db.clone()).await;
        let server = house.server();
        save(&db, &server, 0, few, PAGE).await;
        let early = save(&db, &server, few, few + some, PAGE).await;
        let early_runs = runs(&house).await;
        save(&db, &server, few + some, many - some, 500).await;
        let late = save(&db, &server, many - some, many, PAGE).await;
        let late_runs = runs(&house).await;
        let mut took = Vec::new();
        let mut found = 0;
        for n in 0..200_usize {
            let text = words(n * 4999);
            let mut three = text.split(' ').filter(|word| word.len() > 2);
            let (a, b, c) = (three.next().unwrap(), three.next().unwrap(), three.next().unwrap());
            // Common words, which is what takes long, and some that are rare.
            let query = match n % 4 {
                0 => format!("{a} {b} {c} since:2023-06-01 until:2025-12-31"),
                1 => format!("w0 w1 w2 from:u{0}@h{0}.example since:2023-03-01", n % 500),
                2 => "w0 w1 w3 kind:post".to_owned(),
                _ => format!("w{} w1 w{} is:public lang:en until:2025-06-30", n % 7, n % 5),
            };
            let filter = search::Filter {
                logins: Some(vec![LOGIN.to_owned()]),
                ..archive::parse(&query).unwrap()
            };
            let now = Instant::now();
            let rows = search::search(&db, &filter, 20).await.unwrap();
            took.push(now.elapsed());
            found += rows.len();
            if n < 4 {
                let again = search::search(&db, &filter, 20).await.unwrap();
                assert_eq!(rows, again, "the order is stable");
            }
        }
        assert!(found > 1000 / divisor().pow(2), "{found}");
        took.sort();
        let p95 = took[took.len() * 95 / 100].as_secs_f64() * 1000.0;
        eprintln!("FIGURE archive search {engine} p95 ms {p95:.1}");
        let ratio = late.as_secs_f64() / early.as_secs_f64();
        eprintln!("FIGURE archive page {engine} late to early {ratio:.2}");
        let ratio = late_runs.as_secs_f64() / early_runs.as_secs_f64();
        eprintln!("FIGURE archive run {engine} late to early {ratio:.2}");
        eprintln!(
            "archive run {engine}: {early_runs:?} with {}, {late_runs:?} with {many}",
            few + some
        );
        if let Some(mib) = peak_memory() {
            eprintln!("FIGURE archive memory {engine} MiB {mib:.1}");
        }
    })
    .await;
}

/// Files of a server that takes its time, each for itself and a few at once: how much shorter it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "waits for slow files; run by `cargo xtask bench`"]
async fn files_at_once() {
    let mut took = Vec::new();
    for at_once in [1, archive::Config::default().media.at_once] {
        let mut house = House::build().await;
        house.config.media.at_once = at_once;
        house.config.media.avatars = false;
        for n in 0..100 {
            let url = house
                .fediverse
                .file(&format!("/system/{n}.gif"), "image/gif", &format!("GIF89a {n}"));
            let fields = json!({"media_attachments": [{"id": "1", "type": "image", "url": url}]});
            house.fediverse.post("with a picture", house.ago(200 - n), fields);
        }
        house.run("statuses").await;
        house.fediverse.fault(
            None,
            "/system/",
            fake_fediverse::Fault::Slow(Duration::from_millis(80)),
            None,
        );
        let now = Instant::now();
        assert_eq!(house.run("media").await.get("kept"), 100);
        took.push(now.elapsed().as_secs_f64());
    }
    eprintln!("FIGURE archive files at once part {:.3}", took[1] / took[0]);
}

/// A first archive under the limits that servers really have. Time is simulated: it goes on while nothing is asked.
#[cfg(feature = "simulated")]
#[tokio::test]
#[ignore = "an hour of simulated time; run by `cargo xtask bench`"]
async fn first_archive() {
    let clock = FakeClock::at(model::Clock::now(&model::SystemClock));
    let house = House::polite(Arc::new(clock.clone())).await;
    let first = FIRST / divisor();
    let uris = house.posts(i64::try_from(first).unwrap());
    house.fediverse.clear_log();
    // Not before: what waits for another thread, such as a database that opens, would see its deadline come at once.
    tokio::time::pause();
    let ended = std::sync::atomic::AtomicBool::new(false);
    let time = async {
        let step = Duration::from_millis(500);
        let (mut seen, mut simulated) = (0, Duration::ZERO);
        while !ended.load(std::sync::atomic::Ordering::Relaxed) {
            // A request under way is not waited for in simulated time: only when none came for a while, time goes on.
            let mut still = 0;
            while still < 3 && !ended.load(std::sync::atomic::Ordering::Relaxed) {
                let real = Instant::now();
                while real.elapsed() < Duration::from_millis(2) {
                    tokio::task::yield_now().await;
                }
                let now = house.fediverse.log().len();
                still = if now == seen { still + 1 } else { 0 };
                seen = now;
            }
            fake_fediverse::advance(step);
            clock.advance(TimeDelta::milliseconds(500));
            tokio::time::advance(step).await;
            simulated += step;
        }
        simulated
    };
    let work = async {
        let summary = house.run("statuses").await;
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
        summary
    };
    let (simulated, summary) = tokio::join!(time, work);
    assert_eq!(summary.get("new"), i64::try_from(uris.len()).unwrap(), "{summary:?}");
    // 40 a page, 300 pages in 15 minutes.
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    let reached = (first as f64 / simulated.as_secs_f64()) / (40.0 * 300.0 / 900.0);
    eprintln!("FIGURE archive part of the paging limit {reached:.3}");
}
