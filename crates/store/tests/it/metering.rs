//! Accounts that are measured, their points, events and wishes.

use store::{
    metered_accounts::{self, Added, Filter, New},
    metered_events::{self, Event},
    metered_hosts,
    metered_points::{self, Batch, Longer, Point},
    metered_wishes::{self, Wish},
    testing::on_each_engine,
};

use crate::{id, minute, start};

const SLOT: i64 = 1_772_323_200;
const DAY: i64 = 86_400;

fn new(name: &str) -> New {
    New {
        uri: format!("https://a.example/users/{name}"),
        url: format!("https://a.example/@{name}"),
        acct: format!("{name}@A.example"),
        name: name.to_uppercase(),
        host: "a.example".into(),
        remote_id: Some(name.into()),
        source: "hand".into(),
        groups: vec!["friends".into(), " ".into()],
    }
}

fn point(account: i64, n: i64, followers: i32) -> Point {
    Point {
        account,
        slot: SLOT + n * DAY,
        lag: 0,
        span: 0,
        points: 1,
        step: 86_400,
        followers: Some(followers),
        following: Some(1),
        statuses: Some(2),
        last_status: None,
        gap: None,
    }
}

fn batch(slot: i64, new: Vec<Point>) -> Batch {
    Batch {
        measured: new.iter().map(|point| point.account).collect(),
        new,
        longer: Vec::new(),
        slot,
    }
}

/// Check 41: adding twice gives the same id; removing and adding again restores; purging erases.
#[tokio::test]
async fn an_account_is_one_by_its_actor() {
    on_each_engine(async |db| {
        let (alice, added) = metered_accounts::add(&db, &new("alice"), start())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(added, Added::New);
        let (bob, _) = metered_accounts::add(&db, &new("bob"), start()).await.unwrap().unwrap();
        assert_ne!(alice, bob);
        assert_eq!(
            metered_accounts::add(&db, &new("alice"), start()).await.unwrap(),
            Some((alice, Added::Known))
        );
        let found = metered_accounts::find(&db, "@Alice@a.example").await.unwrap();
        assert_eq!((found.len(), found[0].acct.as_str()), (1, "alice@a.example"));
        assert_eq!(
            metered_accounts::groups(&db).await.unwrap(),
            [("friends".to_owned(), 2)]
        );

        metered_points::insert(&db, &[point(alice, 0, 5)]).await.unwrap();
        assert!(metered_accounts::remove(&db, alice).await.unwrap());
        assert_eq!(
            metered_accounts::due(&db, "a.example", SLOT + 9 * DAY, 0, 10)
                .await
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            metered_accounts::add(&db, &new("alice"), start()).await.unwrap(),
            Some((alice, Added::Restored))
        );
        assert_eq!(metered_points::count(&db, alice).await.unwrap(), 1);

        assert!(metered_accounts::purge(&db, alice).await.unwrap());
        assert!(!metered_accounts::purge(&db, alice).await.unwrap());
        assert_eq!(metered_points::rows(&db).await.unwrap(), 0);
        assert_eq!(
            metered_accounts::groups(&db).await.unwrap(),
            [("friends".to_owned(), 1)]
        );
        // A measurement that was under way comes after the end, and is nobody else's.
        let add = async |name: &str| {
            metered_accounts::add(&db, &new(name), start())
                .await
                .unwrap()
                .unwrap()
                .0
        };
        let carol = add("carol").await;
        assert!(metered_accounts::purge(&db, carol).await.unwrap());
        metered_points::insert(&db, &[point(carol, 0, 5)]).await.unwrap();
        let dora = add("dora").await;
        assert_eq!(metered_points::count(&db, dora).await.unwrap(), 0);
        let long = New {
            uri: format!("https://a.example/{}", "x".repeat(3000)),
            ..new("long")
        };
        assert_eq!(metered_accounts::add(&db, &long, start()).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn many_add_at_once_and_each_has_a_number() {
    on_each_engine(async |db| {
        let adding = (0..24).map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                metered_accounts::add(&db, &new(&format!("u{}", n % 12)), start())
                    .await
                    .unwrap()
            })
        });
        let mut ids = Vec::new();
        for added in adding.collect::<Vec<_>>() {
            ids.push(added.await.unwrap().unwrap().0);
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 12);
    })
    .await;
}

/// Check 45: a slot has one point, however often it is written.
#[tokio::test]
async fn a_slot_has_one_point() {
    on_each_engine(async |db| {
        let (alice, _) = metered_accounts::add(&db, &new("alice"), start())
            .await
            .unwrap()
            .unwrap();
        metered_points::save(&db, &batch(SLOT, vec![point(alice, 0, 5)]))
            .await
            .unwrap();
        metered_points::save(&db, &batch(SLOT, vec![point(alice, 0, 7)]))
            .await
            .unwrap();
        let longer = Longer {
            account: alice,
            slot: SLOT,
            span: 86_400,
        };
        for _ in 0..2 {
            let batch = Batch {
                longer: vec![longer],
                measured: vec![alice],
                slot: SLOT + DAY,
                ..Batch::default()
            };
            metered_points::save(&db, &batch).await.unwrap();
        }
        let points = metered_points::newest(&db, &[alice]).await.unwrap();
        assert_eq!(
            points,
            [Point {
                span: 86_400,
                points: 2,
                ..point(alice, 0, 5)
            }]
        );
        let account = metered_accounts::load(&db, alice).await.unwrap().unwrap();
        assert_eq!((account.measured_slot, account.newest), (SLOT + DAY, SLOT));
        assert!(metered_accounts::due_hosts(&db, SLOT + DAY).await.unwrap().is_empty());
        assert_eq!(
            metered_accounts::due_hosts(&db, SLOT + 2 * DAY).await.unwrap(),
            [("a.example".to_owned(), 1)]
        );
    })
    .await;
}

#[tokio::test]
async fn a_gap_that_goes_on_is_one_row() {
    on_each_engine(async |db| {
        let (alice, _) = metered_accounts::add(&db, &new("alice"), start())
            .await
            .unwrap()
            .unwrap();
        metered_points::insert(&db, &[point(alice, 0, 5)]).await.unwrap();
        for n in [1, 1, 2, 3] {
            metered_points::save_gap(&db, alice, SLOT + n * DAY, 86_400, "down\0")
                .await
                .unwrap();
        }
        metered_points::save_gap(&db, alice, SLOT + 4 * DAY, 86_400, "gone")
            .await
            .unwrap();
        let points = metered_points::range(&db, alice, 0, i64::MAX, 100).await.unwrap();
        assert_eq!(points.len(), 3, "{points:?}");
        assert_eq!(
            (points[1].points, points[1].span, points[1].gap.as_deref()),
            (3, 2 * 86_400, Some("down\u{fffd}"))
        );
        assert_eq!(metered_points::count(&db, alice).await.unwrap(), 1);
    })
    .await;
}

/// Check 49: more than a hundred points are all there, in order, in pages.
#[tokio::test]
async fn a_range_is_whole_and_in_order() {
    on_each_engine(async |db| {
        let (alice, _) = metered_accounts::add(&db, &new("alice"), start())
            .await
            .unwrap()
            .unwrap();
        let points: Vec<Point> = (0..2500)
            .rev()
            .map(|n| point(alice, n, i32::try_from(n).unwrap()))
            .collect();
        assert_eq!(metered_points::insert(&db, &points).await.unwrap(), 2500);
        assert_eq!(metered_points::insert(&db, &points).await.unwrap(), 0);
        let all = metered_points::range(&db, alice, 0, i64::MAX, 10_000).await.unwrap();
        assert_eq!(all.len(), 2500);
        assert!(all.windows(2).all(|pair| pair[0].slot < pair[1].slot));
        let page = metered_points::range(&db, alice, all[99].slot + 1, i64::MAX, 100)
            .await
            .unwrap();
        assert_eq!(page, all[100..200]);
        assert_eq!(metered_points::newest(&db, &[alice]).await.unwrap(), all[2499..]);

        let mut around = metered_points::around(&db, &[alice], SLOT + 10 * DAY + 5)
            .await
            .unwrap();
        around.sort_by_key(|point| point.slot);
        assert_eq!(around, all[10..12]);

        // A run that began before reaches in.
        let longer = Longer {
            account: alice,
            slot: all[2499].slot,
            span: 5 * 86_400,
        };
        metered_points::save(
            &db,
            &Batch {
                longer: vec![longer],
                ..Batch::default()
            },
        )
        .await
        .unwrap();
        let late = metered_points::range(&db, alice, all[2499].slot + DAY, i64::MAX, 10)
            .await
            .unwrap();
        assert_eq!(late.len(), 1);

        let (delete, keep): (Vec<i64>, Vec<i64>) =
            all[..10].iter().map(|point| point.slot).partition(|slot| slot % 2 == 1);
        assert!(delete.is_empty());
        metered_points::thin(&db, alice, &keep[..9], &keep[9..], 604_800)
            .await
            .unwrap();
        assert_eq!(
            metered_points::finer(&db, alice, all[11].slot, 604_800).await.unwrap(),
            all[10..11]
        );
    })
    .await;
}

#[tokio::test]
async fn who_failed_is_tried_again() {
    on_each_engine(async |db| {
        let (alice, _) = metered_accounts::add(&db, &new("alice"), start())
            .await
            .unwrap()
            .unwrap();
        for tries in 1..=2 {
            metered_accounts::mark_failed(&db, &[alice], SLOT, "down", minute(10))
                .await
                .unwrap();
            let account = metered_accounts::load(&db, alice).await.unwrap().unwrap();
            assert_eq!((account.tries, account.trouble.as_deref()), (tries, Some("down")));
        }
        assert!(
            metered_accounts::due(&db, "a.example", SLOT, 0, 10)
                .await
                .unwrap()
                .is_empty(),
            "tried in this slot"
        );
        assert_eq!(
            metered_accounts::due(&db, "a.example", SLOT + DAY, 0, 10)
                .await
                .unwrap()
                .len(),
            1
        );
        assert!(
            metered_accounts::again(&db, SLOT, minute(9), 10)
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            metered_accounts::again(&db, SLOT, minute(10), 10).await.unwrap().len(),
            1
        );
        assert!(
            metered_accounts::again(&db, SLOT + DAY, minute(10), 10)
                .await
                .unwrap()
                .is_empty(),
            "another slot's run"
        );
        metered_points::save(&db, &batch(SLOT, vec![point(alice, 0, 5)]))
            .await
            .unwrap();
        let account = metered_accounts::load(&db, alice).await.unwrap().unwrap();
        assert_eq!((account.tries, account.trouble, account.next_try_at), (0, None, None));
    })
    .await;
}

/// Check 49: more than a hundred accounts are all there.
#[tokio::test]
async fn a_list_is_whole_and_filtered() {
    on_each_engine(async |db| {
        for n in 0..130 {
            metered_accounts::add(&db, &new(&format!("u_{n}")), start())
                .await
                .unwrap();
        }
        let mut filter = Filter::default();
        let mut seen = 0;
        loop {
            let page = metered_accounts::list(&db, &filter, 50).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.windows(2).all(|pair| pair[0].id < pair[1].id));
            filter.after = last.id;
            seen += page.len();
        }
        assert_eq!(seen, 130);
        let search = Filter {
            search: Some("U_12".into()),
            group: Some("friends".into()),
            ..Filter::default()
        };
        assert_eq!(metered_accounts::list(&db, &search, 50).await.unwrap().len(), 11);
        let none = Filter {
            search: Some("u%12".into()),
            ..Filter::default()
        };
        assert!(metered_accounts::list(&db, &none, 50).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn events_wishes_and_hosts_are_kept() {
    on_each_engine(async |db| {
        let event = Event {
            id: id(),
            account: 7,
            at: minute(5),
            kind: "moved".into(),
            was: Some("a\0".into()),
            became: None,
        };
        metered_events::insert(&db, &[event.clone(), event.clone()])
            .await
            .unwrap();
        let kept = metered_events::range(&db, 7, start(), minute(9), 10).await.unwrap();
        assert_eq!(
            kept,
            [Event {
                was: Some("a\u{fffd}".into()),
                ..event
            }]
        );
        let later = [6, 7].map(|at| Event {
            id: id(),
            at: minute(at),
            ..kept[0].clone()
        });
        metered_events::insert(&db, &later).await.unwrap();
        let newest = metered_events::range(&db, 7, start(), minute(9), 2).await.unwrap();
        assert_eq!(newest, later, "of many the newest, oldest first");

        let mut wish = Wish {
            id: id(),
            address: "@a@a.example".into(),
            groups: vec!["x".into()],
            source: "import".into(),
            state: "asked".into(),
            account: None,
            reason: None,
            tries: 0,
            not_before: minute(1),
            asked_at: start(),
        };
        metered_wishes::insert(&db, &[wish.clone()]).await.unwrap();
        assert!(metered_wishes::due(&db, start(), 10).await.unwrap().is_empty());
        assert_eq!(metered_wishes::due(&db, minute(1), 10).await.unwrap(), [wish.clone()]);
        wish.state = "refused".into();
        wish.reason = Some("nobody".into());
        metered_wishes::save(&db, &wish).await.unwrap();
        assert_eq!(metered_wishes::open(&db, 10).await.unwrap(), [wish]);
        assert_eq!(metered_wishes::delete_older(&db, minute(9)).await.unwrap(), 1);

        assert!(!metered_hosts::is_single(&db, "a.example", start()).await.unwrap());
        metered_hosts::mark_single(&db, "a.example", minute(60)).await.unwrap();
        assert!(metered_hosts::is_single(&db, "a.example", minute(59)).await.unwrap());
        assert!(!metered_hosts::is_single(&db, "a.example", minute(60)).await.unwrap());
    })
    .await;
}

/// What a server tells for a day that is not over is told again.
#[tokio::test]
async fn a_measure_is_kept_by_its_moment() {
    use store::measures::{self, Measure};
    on_each_engine(async |db| {
        let row = |key: &str, at: i64, value: i64| Measure {
            server: "home.example".into(),
            key: key.into(),
            at,
            value,
        };
        measures::save(&db, &[row("users", 1, 10), row("users", 2, 11), row("users", 2, 12)])
            .await
            .unwrap();
        measures::save(&db, &[row("users", 2, 13), row("week.logins", 1, 5)])
            .await
            .unwrap();
        let users = measures::range(&db, "home.example", "users", 0, 9).await.unwrap();
        assert_eq!(users, [row("users", 1, 10), row("users", 2, 13)]);
        let keys = measures::keys(&db).await.unwrap();
        assert_eq!(
            keys.iter().map(|(_, key)| key.as_str()).collect::<Vec<_>>(),
            ["users", "week.logins"]
        );
        let newest = measures::newest(&db, "home.example").await.unwrap();
        assert_eq!(newest, [row("users", 2, 13), row("week.logins", 1, 5)]);
        assert!(measures::newest(&db, "other.example").await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn followers_come_and_leave() {
    use store::metered_followers::{self as followers, Follower};
    on_each_engine(async |db| {
        let seen = |name: &str, walk: i64, came| Follower {
            login: "home/me".into(),
            account_id: name.into(),
            acct: format!("{name}@a.example"),
            uri: String::new(),
            seen: walk,
            came_at: came,
            left_at: None,
        };
        followers::see(&db, &[seen("a", 1, None), seen("b", 1, None)])
            .await
            .unwrap();
        assert_eq!(followers::mark_left(&db, "home/me", 1, minute(1)).await.unwrap(), 0);
        followers::see(&db, &[seen("a", 2, Some(minute(2))), seen("c", 2, Some(minute(2)))])
            .await
            .unwrap();
        assert_eq!(followers::mark_left(&db, "home/me", 2, minute(3)).await.unwrap(), 1);
        let names = |rows: Vec<Follower>| rows.into_iter().map(|row| row.account_id).collect::<Vec<_>>();
        assert_eq!(
            names(followers::came(&db, "home/me", start(), 10).await.unwrap()),
            ["c"],
            "a was there before"
        );
        assert_eq!(
            names(followers::left(&db, "home/me", start(), 10).await.unwrap()),
            ["b"]
        );
        followers::see(&db, &[seen("b", 3, Some(minute(4)))]).await.unwrap();
        assert_eq!(
            names(followers::came(&db, "home/me", minute(4), 10).await.unwrap()),
            ["b"],
            "back"
        );
        assert!(followers::left(&db, "home/me", start(), 10).await.unwrap().is_empty());
        assert_eq!(followers::logins(&db).await.unwrap(), ["home/me"]);
    })
    .await;
}

#[tokio::test]
async fn a_status_has_a_point_where_it_brought_something() {
    use store::metered_statuses::{self as statuses, Status};
    on_each_engine(async |db| {
        let status = |favourites: i64, minutes: i64| Status {
            login: "home/me".into(),
            status_id: "1".into(),
            url: "https://home.example/@me/1".into(),
            created_at: start(),
            tags: vec!["caturday".into()],
            replies: 0,
            reblogs: 0,
            favourites,
            seen_at: minute(minutes),
        };
        assert_eq!(statuses::save(&db, &[status(0, 1)]).await.unwrap(), 1);
        assert_eq!(statuses::save(&db, &[status(0, 2)]).await.unwrap(), 0);
        assert_eq!(statuses::save(&db, &[status(7, 3)]).await.unwrap(), 1);
        assert_eq!(
            statuses::since(&db, "home/me", start(), 10).await.unwrap(),
            [status(7, 3)]
        );
        assert_eq!(statuses::logins(&db).await.unwrap(), ["home/me"]);
        assert_eq!(statuses::load(&db, "home/me", "1").await.unwrap(), Some(status(7, 3)));
        assert_eq!(statuses::load(&db, "other/me", "1").await.unwrap(), None);
        let told = |points: Vec<statuses::StatusPoint>| {
            let told = points.into_iter().map(|point| (point.at, point.favourites));
            told.collect::<Vec<_>>()
        };
        let (first, last) = ((minute(1).timestamp(), 0), (minute(3).timestamp(), 7));
        assert_eq!(
            told(statuses::points_of(&db, "home/me", "1").await.unwrap()),
            [first, last]
        );
        // What brought something lately comes whole, what did not comes not at all.
        let since = async |at: i64| told(statuses::points(&db, "home/me", at, 10).await.unwrap());
        assert_eq!(since(minute(3).timestamp()).await, [first, last]);
        assert!(since(minute(4).timestamp()).await.is_empty());
    })
    .await;
}
