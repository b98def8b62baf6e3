//! The queue of wanted statuses.

use std::collections::BTreeSet;

use store::{
    Db,
    testing::on_each_engine,
    wanted::{self, State, Wanted},
};

use crate::{minute, start};

const HOME: &str = "home.example";

fn row(n: i64) -> Wanted {
    Wanted {
        server: HOME.to_owned(),
        uri: format!("https://a.example/{n}"),
        host: "a.example".to_owned(),
        feature: "replies".to_owned(),
        thread: Some("https://a.example/thread".to_owned()),
        in_reply_to: None,
        state: State::Wanted,
        status_id: None,
        tries: 0,
        reason: None,
        next_try_at: minute(0),
        found_at: minute(0),
        ended_at: None,
    }
}

async fn one(db: &Db, n: i64) -> Wanted {
    wanted::load(db, HOME, &[row(n).uri]).await.unwrap().pop().unwrap()
}

async fn claim(db: &Db, limit: u32, at: i64) -> Vec<Wanted> {
    wanted::claim(db, HOME, None, "me", limit, minute(at), minute(at + 10))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_row_is_inserted_once_and_never_revived() {
    on_each_engine(async |db| {
        let rows = [row(1), row(2), row(2)];
        assert_eq!(wanted::insert(&db, &rows).await.unwrap(), 2);
        assert_eq!(wanted::insert(&db, &[row(1), row(3)]).await.unwrap(), 1);
        assert_eq!(wanted::insert(&db, &[]).await.unwrap(), 0);
        assert_eq!(one(&db, 1).await, row(1));
        wanted::mark_failed(&db, HOME, &row(1).uri, "no", minute(1), Some(State::Failed), minute(1))
            .await
            .unwrap();
        assert_eq!(wanted::insert(&db, &[row(1)]).await.unwrap(), 0);
        assert_eq!(one(&db, 1).await.state, State::Failed);
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_rows_go_in_and_come_out() {
    on_each_engine(async |db| {
        let rows: Vec<_> = (0..10_000).map(row).collect();
        assert_eq!(wanted::insert(&db, &rows).await.unwrap(), 10_000);
        assert_eq!(wanted::insert(&db, &rows).await.unwrap(), 0);
        let uris: Vec<_> = rows.iter().map(|row| row.uri.clone()).collect();
        assert_eq!(wanted::load(&db, HOME, &uris).await.unwrap().len(), 10_000);
        let arrived: Vec<_> = uris.into_iter().map(|uri| (uri, None)).collect();
        assert_eq!(wanted::mark_done(&db, HOME, &arrived, minute(1)).await.unwrap(), 10_000);
        assert_eq!(
            wanted::counts(&db).await.unwrap(),
            [(HOME.to_owned(), State::Done, 10_000)]
        );
    })
    .await;
}

#[tokio::test]
async fn what_no_key_can_hold_is_left_out_and_a_nul_replaced() {
    on_each_engine(async |db| {
        let (mut long, mut of_long, mut nul, mut odd) = (row(1), row(3), row(4), row(2));
        long.uri = format!("https://a.example/{}", "y2W".repeat(4000));
        of_long.thread = Some(long.uri.clone());
        nul.uri.push('\0');
        odd.reason = Some("a\0b".to_owned());
        odd.in_reply_to = Some("\0".to_owned());
        assert_eq!(wanted::insert(&db, &[long, of_long, nul, odd]).await.unwrap(), 1);
        assert_eq!(one(&db, 2).await.reason.as_deref(), Some("a\u{fffd}b"));
    })
    .await;
}

#[tokio::test]
async fn a_claim_counts_the_try_takes_the_oldest_and_runs_out() {
    on_each_engine(async |db| {
        let mut rows = [row(1), row(2), row(3), row(4)];
        rows[0].next_try_at = minute(3);
        rows[1].next_try_at = minute(1);
        rows[2].next_try_at = minute(2);
        rows[3].next_try_at = minute(90);
        wanted::insert(&db, &rows).await.unwrap();

        let first = claim(&db, 2, 5).await;
        let uris: Vec<_> = first.iter().map(|row| &row.uri).collect();
        assert_eq!(uris, [&rows[1].uri, &rows[2].uri]);
        assert!(first.iter().all(|row| row.tries == 0));
        assert_eq!(one(&db, 2).await.tries, 1);
        assert_eq!(claim(&db, 9, 5).await.len(), 1);
        assert_eq!(claim(&db, 9, 14).await, []);

        // The holder died: its claims run out, and the next one sees that the row was tried.
        let again = claim(&db, 9, 15).await;
        assert_eq!(again.len(), 3);
        assert!(again.iter().all(|row| row.tries == 1));
    })
    .await;
}

#[tokio::test]
async fn a_claim_keeps_to_its_server_and_thread() {
    on_each_engine(async |db| {
        let (mut elsewhere, mut other) = (row(1), row(2));
        elsewhere.server = "b.example".to_owned();
        other.thread = None;
        wanted::insert(&db, &[elsewhere, other, row(3)]).await.unwrap();
        let thread = row(3).thread;
        let of_thread = wanted::claim(&db, HOME, thread.as_deref(), "me", 9, minute(1), minute(2))
            .await
            .unwrap();
        assert_eq!(of_thread.iter().map(|row| &row.uri).collect::<Vec<_>>(), [&row(3).uri]);
        let rest = claim(&db, 9, 1).await;
        assert_eq!(rest.iter().map(|row| &row.uri).collect::<Vec<_>>(), [&row(2).uri]);
    })
    .await;
}

#[tokio::test]
async fn thirty_two_claimers_get_each_row_once() {
    on_each_engine(async |db| {
        let rows: Vec<_> = (0..1000).map(row).collect();
        wanted::insert(&db, &rows).await.unwrap();
        let tasks: Vec<_> = (0..32)
            .map(|n| {
                let db = db.clone();
                tokio::spawn(async move {
                    let (holder, mut mine) = (format!("holder {n}"), Vec::new());
                    loop {
                        let claimed = wanted::claim(&db, HOME, None, &holder, 7, minute(1), minute(9))
                            .await
                            .unwrap();
                        assert!(claimed.len() <= 7);
                        if claimed.is_empty() {
                            return mine;
                        }
                        mine.extend(claimed.into_iter().map(|row| row.uri));
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        assert_eq!(all.len(), 1000);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 1000);
    })
    .await;
}

#[tokio::test]
async fn writers_in_each_others_way_all_get_through() {
    on_each_engine(async |db| {
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut rows: Vec<_> = (0..300).map(row).collect();
                    if n % 2 == 0 {
                        rows.reverse();
                    }
                    let new = wanted::insert(&db, &rows).await.unwrap();
                    let arrived: Vec<_> = rows.into_iter().map(|row| (row.uri, Some("1".to_owned()))).collect();
                    (new, wanted::mark_done(&db, HOME, &arrived, minute(1)).await.unwrap())
                })
            })
            .collect();
        let (mut new, mut done) = (0, 0);
        for task in tasks {
            let counted = task.await.unwrap();
            new += counted.0;
            done += counted.1;
        }
        assert_eq!((new, done), (300, 300));
    })
    .await;
}

#[tokio::test]
async fn a_failed_try_waits_or_ends_and_frees_the_claim() {
    on_each_engine(async |db| {
        wanted::insert(&db, &[row(1), row(2)]).await.unwrap();
        assert_eq!(claim(&db, 9, 1).await.len(), 2);
        wanted::mark_failed(&db, HOME, &row(1).uri, "503", minute(3), None, minute(1))
            .await
            .unwrap();
        wanted::mark_failed(&db, HOME, &row(2).uri, "410", minute(3), Some(State::Gone), minute(1))
            .await
            .unwrap();
        assert_eq!(claim(&db, 9, 2).await, []);
        let again = claim(&db, 9, 3).await;
        assert_eq!(again.len(), 1);
        assert_eq!((again[0].tries, again[0].reason.as_deref()), (1, Some("503")));
        let gone = one(&db, 2).await;
        assert_eq!(
            (gone.state, gone.ended_at, gone.reason.as_deref()),
            (State::Gone, Some(minute(1)), Some("410"))
        );
    })
    .await;
}

#[tokio::test]
async fn what_arrived_is_done_whatever_was_thought_of_it() {
    on_each_engine(async |db| {
        wanted::insert(&db, &[row(1), row(2), row(3)]).await.unwrap();
        wanted::mark_failed(&db, HOME, &row(2).uri, "no", minute(1), Some(State::Failed), minute(1))
            .await
            .unwrap();
        let arrived = [
            (row(1).uri, Some("11".to_owned())),
            (row(1).uri, None),
            (row(2).uri, None),
            ("https://a.example/never-wanted".to_owned(), None),
        ];
        assert_eq!(wanted::mark_done(&db, HOME, &arrived, minute(2)).await.unwrap(), 2);
        assert_eq!(wanted::mark_done(&db, HOME, &arrived, minute(3)).await.unwrap(), 0);
        let done = one(&db, 1).await;
        assert_eq!(
            (done.state, done.status_id.as_deref(), done.ended_at),
            (State::Done, Some("11"), Some(minute(2)))
        );
        assert_eq!(one(&db, 2).await.reason, None);
        // A late report of a failure does not undo it.
        wanted::mark_failed(&db, HOME, &row(1).uri, "no", minute(9), None, minute(4))
            .await
            .unwrap();
        assert_eq!(one(&db, 1).await, done);
        assert_eq!(
            wanted::counts(&db).await.unwrap(),
            [(HOME.to_owned(), State::Done, 2), (HOME.to_owned(), State::Wanted, 1)]
        );
    })
    .await;
}

#[tokio::test]
async fn a_released_claim_was_no_try() {
    on_each_engine(async |db| {
        wanted::insert(&db, &[row(1)]).await.unwrap();
        claim(&db, 9, 1).await;
        wanted::release(&db, HOME, "somebody else", &[row(1).uri])
            .await
            .unwrap();
        assert_eq!(one(&db, 1).await.tries, 1, "theirs alone");
        for _ in 0..2 {
            wanted::release(&db, HOME, "me", &[row(1).uri]).await.unwrap();
            assert_eq!(one(&db, 1).await, row(1));
        }
        assert_eq!(claim(&db, 9, 1).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn people_may_revive_what_was_given_up() {
    on_each_engine(async |db| {
        wanted::insert(&db, &[row(1), row(2)]).await.unwrap();
        claim(&db, 1, 1).await;
        wanted::mark_failed(&db, HOME, &row(1).uri, "no", minute(2), Some(State::Failed), minute(2))
            .await
            .unwrap();
        assert!(wanted::revive(&db, HOME, &row(1).uri, minute(3)).await.unwrap());
        assert!(!wanted::revive(&db, HOME, &row(2).uri, minute(3)).await.unwrap());
        let revived = one(&db, 1).await;
        assert_eq!(
            (revived.state, revived.tries, revived.next_try_at),
            (State::Wanted, 0, minute(3))
        );
    })
    .await;
}

#[tokio::test]
async fn ended_rows_are_listed_newest_first_and_forgotten() {
    on_each_engine(async |db| {
        wanted::insert(&db, &(1..5).map(row).collect::<Vec<_>>()).await.unwrap();
        for n in 1..4 {
            let uri = row(n).uri;
            wanted::mark_failed(&db, HOME, &uri, "no", minute(n), Some(State::Failed), minute(n))
                .await
                .unwrap();
        }
        let listed = wanted::list(&db, State::Failed, 2).await.unwrap();
        assert_eq!(
            listed.iter().map(|row| &row.uri).collect::<Vec<_>>(),
            [&row(3).uri, &row(2).uri]
        );
        assert_eq!(wanted::delete_older(&db, minute(3)).await.unwrap(), 2);
        assert_eq!(wanted::list(&db, State::Failed, 9).await.unwrap().len(), 1);
        assert_eq!(wanted::list(&db, State::Wanted, 9).await.unwrap().len(), 1);
        assert_eq!(wanted::list(&db, State::Wanted, 9).await.unwrap()[0].found_at, start());
    })
    .await;
}
