//! Accounts that were measured for half a year, statuses that brought something, and a server that counts itself.

use chrono::{DateTime, TimeDelta, Utc};
use model::{Clock as _, SystemClock};
use store::{
    Db,
    measures::{self, Measure},
    metered_accounts::{self, New},
    metered_events::{self, Event},
    metered_followers::{self, Follower},
    metered_points::{self, Point},
    metered_statuses::{self, Status},
};

const DAYS: i64 = 180;
const LOGIN: &str = "home.example/me";

/// The same waves each time.
fn wave(n: i64, salt: i64) -> i64 {
    (n * n * 7 + n * 13 + salt * 31) % 11
}

pub(crate) async fn grow(db: &Db) {
    let now = SystemClock.now();
    let people = [
        ("annika", "Annika Grün", 12_400, 9),
        ("birdwatcher", "The bird watcher", 9_100, 14),
        ("quiet", "", 77, 0),
        ("new.to.this", "New to this", 3, 1),
    ];
    for (salt, (name, called, first, daily)) in (1..).zip(people) {
        let new = New {
            uri: format!("https://social.example/users/{name}"),
            url: format!("https://social.example/@{name}"),
            acct: format!("{name}@social.example"),
            name: called.into(),
            host: "social.example".into(),
            remote_id: Some(salt.to_string()),
            source: "hand".into(),
            groups: if salt < 3 { vec!["birds".into()] } else { Vec::new() },
        };
        let id = metered_accounts::add(db, &new, now - TimeDelta::days(DAYS))
            .await
            .unwrap()
            .unwrap()
            .0;
        let mut followers = first;
        let mut points = Vec::new();
        let from = if name == "new.to.this" { DAYS } else { 0 };
        for n in from..=DAYS {
            followers += daily + wave(n, salt) - 4 + if n == 120 && salt == 2 { 2600 } else { 0 };
            // A week without an answer.
            if (60..67).contains(&n) && salt == 1 {
                continue;
            }
            points.push(point(
                id,
                now,
                n,
                i32::try_from(followers.max(0)).unwrap(),
                i32::try_from(n + 400).unwrap(),
            ));
        }
        metered_points::insert(db, &points).await.unwrap();
        if salt == 2 {
            let event = |id_: &str, n: i64, kind: &str, was: Option<&str>, became: Option<&str>| Event {
                id: id_.into(),
                account: id,
                at: now - TimeDelta::days(DAYS - n),
                kind: kind.into(),
                was: was.map(str::to_owned),
                became: became.map(str::to_owned),
            };
            let events = [
                event("e1", 40, "renamed", Some("Watcher"), Some("The bird watcher")),
                event("e2", 120, "spike", Some("10905 followers"), Some("13521 followers")),
            ];
            metered_events::insert(db, &events).await.unwrap();
        }
    }
    statuses(db, now).await;
    let followers: Vec<Follower> = (0..40_i64)
        .map(|n| Follower {
            login: LOGIN.into(),
            account_id: n.to_string(),
            acct: format!("follower{n}@far-away-and-long-named.example"),
            uri: format!("https://far.example/users/{n}"),
            seen: if n % 5 == 0 { 1 } else { 2 },
            came_at: (n > 5).then(|| now - TimeDelta::days(n % 25)),
            left_at: None,
        })
        .collect();
    metered_followers::see(db, &followers).await.unwrap();
    metered_followers::mark_left(db, LOGIN, 2, now - TimeDelta::days(2))
        .await
        .unwrap();
    let rows: Vec<Measure> = (0..60_i64)
        .flat_map(|day| {
            let at = now.timestamp() - day * 86_400;
            let of = |key: &str, at: i64, value: i64| Measure {
                server: "home.example".into(),
                key: key.into(),
                at,
                value,
            };
            let mut rows = vec![
                of("users", at, 2400 - day * 3),
                of("statuses", at, 812_000 - day * 900),
                of("admin.new_users", at, 3 + wave(day, 3)),
            ];
            if day % 7 == 0 {
                rows.push(of("week.logins", at, 700 + wave(day, 4) * 9));
            }
            rows
        })
        .collect();
    measures::save(db, &rows).await.unwrap();
}

fn point(account: i64, now: DateTime<Utc>, n: i64, followers: i32, statuses: i32) -> Point {
    Point {
        account,
        slot: now.timestamp() - now.timestamp() % 86_400 - (DAYS - n) * 86_400,
        lag: 7,
        span: 0,
        points: 1,
        step: 86_400,
        followers: Some(followers),
        following: Some(210),
        statuses: Some(statuses),
        last_status: None,
        gap: None,
    }
}

async fn statuses(db: &Db, now: DateTime<Utc>) {
    for look in (0..12_i64).rev() {
        let rows: Vec<Status> = (0..30_i64)
            .filter(|n| n * 20 >= look * 48)
            .map(|n| Status {
                login: LOGIN.into(),
                status_id: format!("11{n}"),
                url: format!("https://home.example/@me/11{n}"),
                created_at: now - TimeDelta::hours(n * 20 + 1),
                tags: if n % 3 == 0 {
                    vec!["birds".into(), "photography".into()]
                } else {
                    Vec::new()
                },
                replies: wave(n, 1) / 3,
                reblogs: wave(n, 2) + (12 - look) / 4,
                favourites: wave(n, 3) * 4 + (12 - look),
                seen_at: now - TimeDelta::hours(look * 48),
            })
            .collect();
        metered_statuses::save(db, &rows).await.unwrap();
    }
}
