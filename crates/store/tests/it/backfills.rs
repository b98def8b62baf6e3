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
        let accts = ["alice@a.example", "bob@a.example"].map(str::to_owned);
        assert_eq!(backfills::load(&db, "home.example", &accts).await.unwrap(), [for_ever]);
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

#[tokio::test]
async fn the_page_shows_how_far_each_account_is() {
    on_each_engine(async |db| {
        let blank = |server: &str, acct: &str| Backfill {
            server: server.to_owned(),
            acct: acct.to_owned(),
            source: "followings".to_owned(),
            cursor: None,
            listed: 2,
            wanted: 1,
            failures: 0,
            trouble: None,
            started_at: None,
            finished_at: None,
            next_at: None,
        };
        let rows = [
            blank("a.example", "new@x.example"),
            Backfill {
                started_at: Some(start()),
                finished_at: Some(start()),
                ..blank("a.example", "again@x.example")
            },
            Backfill {
                finished_at: Some(start()),
                ..blank("a.example", "read@y.example:8443")
            },
            Backfill {
                trouble: Some("closed".to_owned()),
                failures: 1,
                started_at: Some(start()),
                ..blank("b.example", "shut@y.example:8443")
            },
            Backfill {
                trouble: Some("not to be found".to_owned()),
                ..blank("b.example", "shy@x.example")
            },
        ];
        for row in &rows {
            backfills::save(&db, row).await.unwrap();
        }
        let (a, b) = (["a.example".to_owned()], ["b.example".to_owned()]);
        let mut seen = Vec::new();
        let mut after: Option<(String, String)> = None;
        loop {
            let from = after.as_ref().map(|(server, acct)| (server.as_str(), acct.as_str()));
            let page = backfills::page(&db, None, None, from, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.server.clone(), last.acct.clone()));
            seen.extend(page.into_iter().map(|row| row.acct));
        }
        let order = [
            "again@x.example",
            "new@x.example",
            "read@y.example:8443",
            "shut@y.example:8443",
            "shy@x.example",
        ];
        assert_eq!(seen, order);
        for row in &rows {
            let is = backfills::page(&db, None, Some(row.state()), None, 9).await.unwrap();
            assert_eq!(is, std::slice::from_ref(row), "the two ways to say how far agree");
            assert_eq!(backfills::newest(&db, None, row.state(), 9).await.unwrap(), is);
        }
        assert_eq!(backfills::page(&db, Some(&b), None, None, 9).await.unwrap().len(), 2);
        assert!(backfills::page(&db, Some(&[]), None, None, 9).await.unwrap().is_empty());
        let counts = backfills::counts(&db, Some(&a)).await.unwrap();
        let sums = counts.iter().fold((0, 0, 0), |all, one| {
            (all.0 + one.accounts, all.1 + one.listed, all.2 + one.wanted)
        });
        assert_eq!((counts.len(), sums), (3, (3, 6, 3)));
        store::hosts::mark_failed(&db, "x.example", "no", start(), start())
            .await
            .unwrap();
        let origins = backfills::origins(&db, None, 9).await.unwrap();
        let told: Vec<_> = origins
            .iter()
            .map(|it| (it.domain.as_str(), it.accounts, it.done, it.trouble, it.failures))
            .collect();
        assert_eq!(
            told,
            [("y.example:8443", 2, 1, 1, None), ("x.example", 3, 1, 0, Some(1))]
        );
    })
    .await;
}
