//! What was heard, and what origins say of how many replies there are.

use chrono::{DateTime, TimeDelta, Utc};
use store::{
    heard::{self, Heard},
    reply_counts::{self, ReplyCount},
    testing::on_each_engine,
};

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00.000001Z".parse().unwrap()
}

fn one(n: i64) -> Heard {
    Heard {
        server: "home.example".into(),
        uri: format!("https://a.example/{n}"),
        status_id: n.to_string(),
        created_at: now() - TimeDelta::hours(n),
        replies: (n > 1).then_some(n),
        heard_at: now() + TimeDelta::seconds(n),
    }
}

#[tokio::test]
async fn what_was_heard_again_is_not_forgotten_with_the_first() {
    on_each_engine(async |db| {
        for n in [2, 1, 3] {
            heard::save(&db, &one(n)).await.unwrap();
        }
        let first = heard::list(&db, "home.example", 2).await.unwrap();
        assert_eq!(first, [one(1), one(2)]);
        assert!(heard::list(&db, "other.example", 9).await.unwrap().is_empty());
        let again = Heard {
            heard_at: now() + TimeDelta::hours(1),
            ..one(2)
        };
        heard::save(&db, &again).await.unwrap();
        heard::delete(&db, &first).await.unwrap();
        assert_eq!(heard::list(&db, "home.example", 9).await.unwrap(), [one(3), again]);
        assert_eq!(
            heard::delete_older(&db, now() + TimeDelta::minutes(1)).await.unwrap(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn counts_are_remembered_with_the_time_of_the_next_question() {
    on_each_engine(async |db| {
        let row = |n: i64, replies: Option<i64>| ReplyCount {
            server: "home.example".into(),
            uri: format!("https://a.example/{n}"),
            replies,
            changed_at: now(),
            next_at: now() + TimeDelta::minutes(n),
        };
        reply_counts::save(&db, &[row(1, Some(1)), row(2, None)]).await.unwrap();
        reply_counts::save(&db, &[row(1, Some(4))]).await.unwrap();
        reply_counts::save(&db, &[]).await.unwrap();
        let uris: Vec<String> = (1..4).map(|n| format!("https://a.example/{n}")).collect();
        let mut found = reply_counts::load(&db, "home.example", &uris).await.unwrap();
        found.sort_by_key(|row| row.next_at);
        assert_eq!(found, [row(1, Some(4)), row(2, None)]);
        assert_eq!(
            reply_counts::delete_older(&db, now() + TimeDelta::minutes(2))
                .await
                .unwrap(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn a_list_says_what_it_says_now() {
    on_each_engine(async |db| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        store::shunned::replace(&db, "one", &owned(&["b.example", "a.example", "a.example"]))
            .await
            .unwrap();
        store::shunned::replace(&db, "two", &owned(&["a.example", "c.example"]))
            .await
            .unwrap();
        assert_eq!(
            store::shunned::list(&db).await.unwrap(),
            ["a.example", "b.example", "c.example"]
        );
        store::shunned::replace(&db, "one", &owned(&["d.example"]))
            .await
            .unwrap();
        assert_eq!(
            store::shunned::list(&db).await.unwrap(),
            ["a.example", "c.example", "d.example"]
        );
        store::shunned::keep_only(&db, &["one"]).await.unwrap();
        assert_eq!(store::shunned::list(&db).await.unwrap(), ["d.example"]);
        store::shunned::keep_only(&db, &[]).await.unwrap();
        assert!(store::shunned::list(&db).await.unwrap().is_empty());
    })
    .await;
}
