//! Threads.

use chrono::{DateTime, TimeDelta, Utc};
use store::{
    testing::on_each_engine,
    threads::{self, Thread},
};

use crate::{minute, start};

fn thread(uri: &str) -> Thread {
    Thread {
        server: "home.example".to_owned(),
        uri: uri.to_owned(),
        status_id: "1".to_owned(),
        host: "a.example".to_owned(),
        created_at: start(),
        replies_seen: Some(3),
        origin_replies: None,
        listed: 5,
        missing: 2,
        quiet_visits: 0,
        visited_at: Some(minute(1)),
        next_visit_at: minute(10),
        trouble: None,
        digest: None,
    }
}

#[tokio::test]
async fn a_thread_is_kept_by_server_and_uri() {
    on_each_engine(async |db| {
        let mut one = thread("https://a.example/1");
        threads::save(&db, &one).await.unwrap();
        one.trouble = Some("robots".to_owned());
        one.origin_replies = Some(9);
        one.visited_at = None;
        threads::save(&db, &one).await.unwrap();
        let uris = [one.uri.clone(), "https://a.example/2".to_owned()];
        assert_eq!(threads::load(&db, "home.example", &uris).await.unwrap(), [one]);
        assert_eq!(threads::load(&db, "other.example", &uris).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn finer_times_than_both_engines_keep_are_cut() {
    on_each_engine(async |db| {
        let mut one = thread("https://a.example/1");
        one.created_at += TimeDelta::nanoseconds(789);
        threads::save(&db, &one).await.unwrap();
        let kept = threads::load(&db, "home.example", &[one.uri]).await.unwrap();
        assert_eq!(kept[0].created_at, start());
    })
    .await;
}

/// RFC 3339 has four digits for a year, and offsets that lead past them; and who asks since the beginning of time means it.
#[tokio::test]
async fn times_of_no_calendar_are_the_nearest_that_sort() {
    on_each_engine(async |db| {
        for (n, (odd, near)) in [
            ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999999Z"),
            ("0000-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z"),
        ]
        .into_iter()
        .enumerate()
        {
            let mut one = thread(&format!("https://a.example/{n}"));
            one.created_at = odd.parse().unwrap();
            threads::save(&db, &one).await.unwrap();
            let kept = threads::load(&db, "home.example", &[one.uri]).await.unwrap();
            assert_eq!(kept[0].created_at, near.parse::<DateTime<Utc>>().unwrap(), "{odd}");
        }
        let beginning = DateTime::<Utc>::MIN_UTC;
        assert_eq!(store::seen::past(&db, beginning, None, 9).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_uri_too_long_for_a_key_is_left_out() {
    on_each_engine(async |db| {
        let one = thread(&format!("https://a.example/{}", "x1Z".repeat(4000)));
        threads::save(&db, &one).await.unwrap();
        assert_eq!(threads::load(&db, "home.example", &[one.uri]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn threads_are_listed_by_visit_and_forgotten_by_age() {
    on_each_engine(async |db| {
        for (n, visited) in [(1, Some(1)), (2, Some(3)), (3, None), (4, Some(2))] {
            let mut one = thread(&format!("https://a.example/{n}"));
            one.visited_at = visited.map(minute);
            threads::save(&db, &one).await.unwrap();
        }
        let page = threads::page(&db, &["home.example".to_owned()], None, 2).await.unwrap();
        let listed: Vec<_> = page.into_iter().map(|one| one.uri).collect();
        assert_eq!(listed, ["https://a.example/2", "https://a.example/4"]);
        assert_eq!(threads::delete_older(&db, minute(3)).await.unwrap(), 2);
        assert_eq!(threads::delete_older(&db, minute(20)).await.unwrap(), 2);
    })
    .await;
}
