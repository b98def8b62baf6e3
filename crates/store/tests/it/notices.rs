//! What somebody should hear of, once.

use store::{
    notices::{self, Notice, Severity},
    testing::on_each_engine,
};

use crate::{id, minute, start};

fn notice(feature: &str, about: &str, minutes: i64) -> Notice {
    Notice {
        id: id(),
        feature: feature.into(),
        kind: "quota".into(),
        about: about.into(),
        severity: Severity::Warning,
        text: "used up\0".into(),
        created_at: minute(minutes),
        seen_at: None,
        delivered_at: None,
    }
}

#[tokio::test]
async fn the_same_subject_is_told_once_a_day() {
    on_each_engine(async |db| {
        let first = notice("blocklists", "", 0);
        assert!(notices::insert(&db, &first).await.unwrap());
        for _ in 0..3 {
            assert!(!notices::insert(&db, &notice("blocklists", "", 5)).await.unwrap());
        }
        // The next day begins at midnight, 12 hours after the start of the story.
        for told in [
            notice("blocklists", "", 12 * 60),
            notice("blocklists", "s/me", 5),
            notice("moderation", "", 5),
        ] {
            assert!(notices::insert(&db, &told).await.unwrap(), "{told:?}");
        }
        let all = notices::list(&db, false, None, 10).await.unwrap();
        assert_eq!(all.len(), 4);
        assert_eq!(all[3].text, "used up\u{fffd}");
        assert_eq!((all[3].severity, all[3].created_at), (Severity::Warning, start()));
        let older = notices::list(&db, false, Some(&all[1].id), 1).await.unwrap();
        assert_eq!(older, all[2..3]);
    })
    .await;
}

#[tokio::test]
async fn a_notice_is_seen_once_and_delivered_once() {
    on_each_engine(async |db| {
        let (a, b) = (notice("a", "", 0), notice("b", "", 0));
        for notice in [&a, &b] {
            notices::insert(&db, notice).await.unwrap();
        }
        assert_eq!(notices::undelivered(&db, 10).await.unwrap()[0].id, a.id, "oldest first");
        assert!(notices::mark_delivered(&db, &a.id, minute(1)).await.unwrap());
        assert!(!notices::mark_delivered(&db, &a.id, minute(2)).await.unwrap());
        assert!(notices::mark_seen(&db, &b.id, minute(1)).await.unwrap());
        assert!(!notices::mark_seen(&db, &b.id, minute(2)).await.unwrap());
        assert!(!notices::mark_seen(&db, "no such", minute(2)).await.unwrap());
        let ids = |list: Vec<Notice>| list.into_iter().map(|notice| notice.id).collect::<Vec<_>>();
        assert_eq!(
            ids(notices::undelivered(&db, 10).await.unwrap()),
            std::slice::from_ref(&b.id)
        );
        assert_eq!(
            ids(notices::undelivered_of(&db, "b", minute(0), 10).await.unwrap()),
            std::slice::from_ref(&b.id)
        );
        for (feature, since) in [("a", 0), ("b", 1)] {
            let waits = notices::undelivered_of(&db, feature, minute(since), 10).await.unwrap();
            assert_eq!(waits, [], "delivered, or too old");
        }
        assert_eq!(ids(notices::list(&db, true, None, 10).await.unwrap()), [a.id]);
        assert_eq!(
            notices::list(&db, false, None, 1).await.unwrap()[0].seen_at,
            Some(minute(1))
        );
        assert_eq!(notices::delete_older(&db, minute(1)).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn many_who_notice_at_once_tell_it_once() {
    on_each_engine(async |db| {
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { notices::insert(&db, &notice("blocklists", "", 0)).await.unwrap() })
            })
            .collect();
        let mut told = 0;
        for task in tasks {
            told += usize::from(task.await.unwrap());
        }
        assert_eq!(told, 1);
    })
    .await;
}
