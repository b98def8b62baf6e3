//! Threads.

use chrono::TimeDelta;
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
        assert_eq!(threads::count(&db).await.unwrap(), 1);
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

#[tokio::test]
async fn a_uri_too_long_for_a_key_is_left_out() {
    on_each_engine(async |db| {
        let one = thread(&format!("https://a.example/{}", "x1Z".repeat(4000)));
        threads::save(&db, &one).await.unwrap();
        assert_eq!(threads::count(&db).await.unwrap(), 0);
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
        let listed: Vec<_> = threads::list(&db, 2)
            .await
            .unwrap()
            .into_iter()
            .map(|one| one.uri)
            .collect();
        assert_eq!(listed, ["https://a.example/2", "https://a.example/4"]);
        assert_eq!(threads::delete_older(&db, minute(3)).await.unwrap(), 2);
        assert_eq!(threads::delete_older(&db, minute(20)).await.unwrap(), 2);
    })
    .await;
}
