//! Accounts whose posts were asked for, and addresses that another program had counted.

use store::{
    backfills::{self, Backfill},
    testing::on_each_engine,
    threads::{self, Thread},
};

use crate::{minute, start};

fn row(acct: &str) -> Backfill {
    Backfill {
        server: "home.example".into(),
        acct: acct.into(),
        source: "followers".into(),
        cursor: None,
        listed: 0,
        wanted: 0,
        failures: 0,
        trouble: None,
        started_at: None,
        finished_at: Some(start()),
        next_at: Some(minute(60)),
    }
}

#[tokio::test]
async fn an_account_is_kept_as_it_was_saved() {
    on_each_engine(async |db| {
        let mut alice = row("alice@a.example");
        backfills::save(&db, &alice).await.unwrap();
        alice.cursor = Some("max_id=7\0".into());
        alice.next_at = None;
        backfills::save(&db, &alice).await.unwrap();
        let long = format!("{}@a.example", "x".repeat(3000));
        backfills::save(&db, &row(&long)).await.unwrap();
        let accts = ["alice@a.example".to_owned(), "bob@a.example".to_owned(), long];
        alice.cursor = Some("max_id=7\u{fffd}".into());
        assert_eq!(backfills::load(&db, "home.example", &accts).await.unwrap(), [alice]);
        assert_eq!(backfills::load(&db, "other.example", &accts).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn importing_twice_changes_nothing() {
    on_each_engine(async |db| {
        let rows: Vec<_> = (0..2500).map(|n| row(&format!("u{n}@a.example"))).collect();
        assert_eq!(backfills::insert(&db, &rows).await.unwrap(), 2500);
        assert_eq!(backfills::insert(&db, &rows).await.unwrap(), 0);
        assert_eq!(backfills::count(&db).await.unwrap(), 2500);
        let urls: Vec<_> = (0..25_000).map(|n| format!("https://a.example/@u/{n}")).collect();
        assert_eq!(
            backfills::insert_seen(&db, "home.example", &urls).await.unwrap(),
            25_000
        );
        assert_eq!(backfills::insert_seen(&db, "home.example", &urls).await.unwrap(), 0);
        let asked = [urls[7].clone(), "https://a.example/@u/x".to_owned()];
        assert_eq!(backfills::seen(&db, "home.example", &asked).await.unwrap(), urls[7..8]);
        assert!(backfills::seen(&db, "other.example", &asked).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_for_ever_is_not_forgotten() {
    on_each_engine(async |db| {
        let for_ever = Backfill {
            next_at: None,
            ..row("alice@a.example")
        };
        backfills::insert(&db, &[for_ever.clone(), row("bob@a.example")])
            .await
            .unwrap();
        assert_eq!(backfills::delete_older(&db, minute(60)).await.unwrap(), 0);
        assert_eq!(backfills::delete_older(&db, minute(61)).await.unwrap(), 1);
        assert_eq!(backfills::list(&db, 10).await.unwrap(), [for_ever]);
    })
    .await;
}

#[tokio::test]
async fn a_pending_thread_waits_until_it_is_visited() {
    on_each_engine(async |db| {
        let rows: Vec<_> = ["1", "2"]
            .iter()
            .map(|n| (format!("https://a.example/{n}"), "a.example".to_owned(), start()))
            .collect();
        for _ in 0..2 {
            threads::insert_pending(&db, "home.example", &rows, minute(1))
                .await
                .unwrap();
        }
        assert!(
            threads::pending(&db, "home.example", start(), 10)
                .await
                .unwrap()
                .is_empty()
        );
        let mut due = threads::pending(&db, "home.example", minute(1), 10).await.unwrap();
        assert_eq!(due.len(), 2);
        let visited = Thread {
            status_id: "7".into(),
            visited_at: Some(minute(2)),
            ..due.remove(0)
        };
        threads::save(&db, &visited).await.unwrap();
        assert_eq!(threads::pending(&db, "home.example", minute(9), 10).await.unwrap(), due);
        threads::insert_pending(&db, "home.example", &rows, minute(9))
            .await
            .unwrap();
        assert_eq!(
            threads::pending(&db, "home.example", minute(9), 10)
                .await
                .unwrap()
                .len(),
            1
        );
    })
    .await;
}
