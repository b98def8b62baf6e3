//! The archive: what a page saves, what a search finds, what forgetting leaves.

use chrono::{DateTime, TimeDelta, Utc};
use store::{
    Db,
    archive::{
        self, Facet, File, Item, NewActivity, Page, Saved, Whom,
        files::{self, Blob},
        recheck::{self, Why},
        search::{Filter, Term, search},
        wanted::{self, Wanted},
    },
    cursors,
    testing::on_each_engine,
};

use crate::{minute, start};

const ME: &str = "home.example/me";

fn item(n: i64, text: &str) -> Item {
    Item {
        uri: format!("https://a.example/{n}"),
        url: None,
        author: "alice@a.example".into(),
        author_name: "Alice".into(),
        created_at: minute(n),
        version_at: minute(n),
        visibility: "public".into(),
        language: Some("en".into()),
        in_reply_to: None,
        server_id: n.to_string(),
        digest: text.into(),
        body: format!("{{\"content\":\"{text}\"}}"),
        words: text.split(' ').map(str::to_owned).collect(),
        facets: vec![Facet {
            kind: 'a',
            value: "alice@a.example".into(),
        }],
        files: Vec::new(),
        wants_context: false,
        poll_ends_at: None,
        activities: vec![NewActivity {
            kind: "post".into(),
            ..NewActivity::default()
        }],
        ..Item::default()
    }
}

async fn save_as(db: &Db, login: &str, items: &[Item], now: DateTime<Utc>) -> Saved {
    let cursor = Some(("archive.statuses", login, "{}"));
    let page = Page {
        login,
        server: "home.example",
        items,
        cursor,
        live: true,
        now,
    };
    archive::save(db, &page).await.unwrap()
}

async fn save(db: &Db, items: &[Item]) -> Saved {
    save_as(db, ME, items, start()).await
}

fn term(words: &str, prefix: bool, not: bool) -> Term {
    Term {
        words: words.split(' ').map(str::to_owned).collect(),
        prefix,
        not,
    }
}

async fn found(db: &Db, filter: Filter) -> Vec<i64> {
    let rows = search(db, &filter, 100).await.unwrap();
    rows.iter().map(|row| row.server_id.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_page_saved_twice_changes_nothing() {
    on_each_engine(async |db| {
        let items: Vec<Item> = (0..1200).map(|n| item(n, "some words")).collect();
        let saved = save(&db, &items).await;
        assert_eq!((saved.new, saved.activities), (1200, 1200));
        let again = save_as(&db, ME, &items, minute(5)).await;
        assert_eq!(
            again,
            Saved {
                known: 1200,
                ..Saved::default()
            }
        );
        assert_eq!(
            cursors::load(&db, "archive.statuses", ME).await.unwrap().as_deref(),
            Some("{}")
        );
        let all = archive::each(&db, Some(ME), 0, 2000).await.unwrap();
        assert_eq!(all.len(), 1200);
        assert!(all.iter().all(|kept| kept.first_seen == start()));
        // Odd things strangers send.
        let odd = Item {
            uri: "x".repeat(5000),
            ..item(7, "long")
        };
        let nul = Item {
            uri: "https://a.example/nul".into(),
            body: "a\0b".into(),
            server_id: "x".into(),
            ..item(8, "nul")
        };
        let twin = Item {
            uri: "https://b.example/8".into(),
            server_id: "y".into(),
            words: vec!["'\\':&!".into(), String::new()],
            ..item(8, "twin")
        };
        assert_eq!(save(&db, &[odd, nul, twin]).await.new, 2);
    })
    .await;
}

#[tokio::test]
async fn an_edit_keeps_what_was_said_before() {
    on_each_engine(async |db| {
        save(&db, &[item(1, "one")]).await;
        let edited = Item {
            version_at: minute(60),
            ..item(1, "two")
        };
        let saved = save_as(&db, ME, std::slice::from_ref(&edited), minute(61)).await;
        assert_eq!((saved.new, saved.edited), (0, 1));
        let kept = archive::find(&db, &edited.uri).await.unwrap().unwrap();
        assert_eq!(
            (kept.body.as_str(), kept.version_at),
            (edited.body.as_str(), minute(60))
        );
        let versions = archive::versions(&db, kept.id).await.unwrap();
        assert_eq!(
            versions
                .iter()
                .map(|v| (v.version_at, v.digest.as_str()))
                .collect::<Vec<_>>(),
            [(minute(1), "one")]
        );
        // An older one that comes later is a version and nothing else.
        let between = Item {
            version_at: minute(30),
            ..item(1, "between")
        };
        assert_eq!(save(&db, &[between]).await.versions, 1);
        assert_eq!(archive::load(&db, kept.id).await.unwrap().unwrap().body, edited.body);
        assert_eq!(
            found(
                &db,
                Filter {
                    terms: vec![term("one", false, false)],
                    ..Filter::default()
                }
            )
            .await,
            [0; 0]
        );
        assert_eq!(
            found(
                &db,
                Filter {
                    terms: vec![term("two", false, false)],
                    ..Filter::default()
                }
            )
            .await,
            [1]
        );
        let due = recheck::due(&db, ME, "home.example", Why::History, 10).await.unwrap();
        assert_eq!(due.len(), 1);
    })
    .await;
}

/// Check 40: the same questions have the same answers, in the same order.
#[tokio::test]
async fn both_engines_find_the_same() {
    on_each_engine(async |db| {
        let mut items = vec![
            item(1, "the quick brown fox"),
            item(2, "the brown quick dog"),
            item(3, "日本 本語 語"),
            item(4, "привет quickly"),
        ];
        items[3].author = "bob@b.example".into();
        items[3].facets = vec![
            Facet {
                kind: 'a',
                value: "bob@b.example".into(),
            },
            Facet {
                kind: 'v',
                value: "direct".into(),
            },
        ];
        items[3].activities[0].kind = "bookmark".into();
        save(&db, &items).await;
        save_as(&db, "home.example/you", &[item(5, "quick and yours")], start()).await;
        let ask = |terms: Vec<Term>| Filter {
            terms,
            ..Filter::default()
        };
        for (terms, expected) in [
            (vec![term("quick", false, false)], vec![5, 2, 1]),
            (vec![term("quick", true, false)], vec![5, 4, 2, 1]),
            (vec![term("quick brown", false, false)], vec![1]),
            (vec![term("quick bro", true, false)], vec![1]),
            (vec![term("quick", false, false), term("fox", false, true)], vec![5, 2]),
            (vec![term("fox", false, true)], vec![5, 4, 3, 2]),
            (
                vec![term("brown quick", false, true), term("brown", false, false)],
                vec![1],
            ),
            (vec![term("日本 本語", false, false)], vec![3]),
            (vec![term("語", true, false)], vec![3]),
            (vec![term("привет", false, false)], vec![4]),
            (vec![term("absent", false, false)], vec![]),
            (vec![term("\" OR *", false, false)], vec![]),
            (vec![term("'", false, false)], vec![5, 4, 3, 2, 1]),
        ] {
            assert_eq!(found(&db, ask(terms.clone())).await, expected, "{terms:?}");
        }
        let bob = Facet {
            kind: 'a',
            value: "bob@b.example".into(),
        };
        assert_eq!(
            found(
                &db,
                Filter {
                    facets: vec![bob],
                    ..Filter::default()
                }
            )
            .await,
            [4]
        );
        assert_eq!(
            found(
                &db,
                Filter {
                    kinds: vec!["bookmark".into()],
                    ..Filter::default()
                }
            )
            .await,
            [4]
        );
        let mine = Filter {
            logins: Some(vec![ME.into()]),
            ..ask(vec![term("quick", true, false)])
        };
        assert_eq!(found(&db, mine.clone()).await, [4, 2, 1]);
        assert_eq!(
            found(
                &db,
                Filter {
                    logins: Some(Vec::new()),
                    ..mine.clone()
                }
            )
            .await,
            [0; 0],
            "nobody sees nothing"
        );
        assert_eq!(
            found(
                &db,
                Filter {
                    since: Some(minute(2)),
                    until: Some(minute(4)),
                    ..mine.clone()
                }
            )
            .await,
            [2]
        );
        let first = search(&db, &mine, 1).await.unwrap();
        assert_eq!(
            found(
                &db,
                Filter {
                    before: Some(first[0].id),
                    ..mine
                }
            )
            .await,
            [2, 1]
        );
    })
    .await;
}

/// An import saves long pages: what the engine needs to take one back outgrows its memory.
#[tokio::test]
async fn a_page_of_many_long_statuses_is_kept_whole() {
    on_each_engine(async |db| {
        let long = |n: i64| {
            let words: Vec<String> = (0..300).map(|word| format!("w{}", n * 31 + word)).collect();
            item(n, &words.join(" "))
        };
        save(&db, &[long(0)]).await;
        let items: Vec<Item> = (1..3000).map(long).collect();
        assert_eq!(save(&db, &items).await.new, 2999);
    })
    .await;
}

/// However much is newer, and however seldom it was said: it is found once, and in its place.
#[tokio::test]
async fn what_is_old_and_seldom_said_is_found_behind_what_is_new() {
    on_each_engine(async |db| {
        let text = |n: i64| match n {
            0 | 7 | 4_400 => "often seldom",
            _ => "often said",
        };
        let items: Vec<Item> = (0..4_500).map(|n| item(n, text(n))).collect();
        save(&db, &items).await;
        let of = async |words: &str, limit: u32, before: Option<DateTime<Utc>>| -> Vec<i64> {
            let filter = Filter {
                terms: vec![term(words, false, false)],
                until: before,
                ..Filter::default()
            };
            let rows = search(&db, &filter, limit).await.unwrap();
            rows.iter().map(|row| row.server_id.parse().unwrap()).collect()
        };
        assert_eq!(of("seldom", 1, None).await, [4_400]);
        assert_eq!(of("seldom", 2, None).await, [4_400, 7]);
        assert_eq!(of("seldom", 9, None).await, [4_400, 7, 0]);
        assert_eq!(of("seldom", 9, Some(minute(4_300))).await, [7, 0]);
        assert_eq!(of("often", 3, None).await, [4_499, 4_498, 4_497]);
        assert_eq!(of("often", 3, Some(minute(200))).await, [199, 198, 197]);
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_back_has_an_end_and_may_begin_again() {
    on_each_engine(async |db| {
        save(&db, &[item(1, "x")]).await;
        let id = archive::find(&db, "https://a.example/1").await.unwrap().unwrap().id;
        assert_eq!(recheck::end(&db, ME, "post", &[id], minute(5)).await.unwrap(), 1);
        assert_eq!(recheck::end(&db, ME, "post", &[id], minute(6)).await.unwrap(), 0);
        assert_eq!(save_as(&db, ME, &[item(1, "x")], minute(7)).await.activities, 1);
        let all = archive::activities(&db, &[id]).await.unwrap();
        assert_eq!(
            all.iter().map(|a| (a.noticed_at, a.ended_at)).collect::<Vec<_>>(),
            [(start(), Some(minute(5))), (minute(7), None)]
        );
        recheck::mark_gone(&db, &[id], minute(8)).await.unwrap();
        recheck::mark_gone(&db, &[id], minute(9)).await.unwrap();
        assert_eq!(archive::load(&db, id).await.unwrap().unwrap().gone_at, Some(minute(8)));
        assert_eq!(
            found(
                &db,
                Filter {
                    gone: Some(true),
                    ..Filter::default()
                }
            )
            .await,
            [1]
        );
        save_as(&db, ME, &[item(1, "x")], minute(10)).await;
        assert_eq!(
            archive::load(&db, id).await.unwrap().unwrap().gone_at,
            None,
            "it is there again"
        );
    })
    .await;
}

#[tokio::test]
async fn a_thread_is_joined_as_far_as_it_is_kept() {
    on_each_engine(async |db| {
        let reply = |n: i64, to: i64| Item {
            in_reply_to: Some(to.to_string()),
            ..item(n, "x")
        };
        // Two that reply to each other, as some server once said.
        save(
            &db,
            &[
                item(1, "root"),
                reply(2, 1),
                reply(3, 2),
                reply(4, 1),
                item(9, "other"),
                reply(7, 8),
                reply(8, 7),
            ],
        )
        .await;
        for n in 1..=4 {
            let id = archive::find(&db, &format!("https://a.example/{n}"))
                .await
                .unwrap()
                .unwrap()
                .id;
            let ids: Vec<_> = archive::thread(&db, id, 100)
                .await
                .unwrap()
                .into_iter()
                .map(|k| k.server_id)
                .collect();
            assert_eq!(ids, ["1", "2", "3", "4"]);
            assert!(archive::thread(&db, id, 2).await.unwrap().len() <= 2);
        }
        let odd = archive::find(&db, "https://a.example/7").await.unwrap().unwrap().id;
        assert_eq!(archive::thread(&db, odd, 100).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn forgetting_takes_what_nobody_else_needs() {
    on_each_engine(async |db| {
        let with = |n: i64, url: &str| Item {
            files: vec![File {
                url: url.into(),
                kind: "own",
                fallback: None,
            }],
            ..item(n, "x")
        };
        save(
            &db,
            &[with(1, "https://a.example/a.png"), with(2, "https://a.example/b.png")],
        )
        .await;
        save_as(&db, "home.example/you", &[with(2, "https://a.example/b.png")], start()).await;
        let due = files::due(&db, &["own"], start(), 10).await.unwrap();
        assert_eq!(due.len(), 2);
        for (n, file) in due.iter().enumerate() {
            let blob = Blob {
                blob: format!("{n:064}"),
                bytes: 5,
                kind: "image/png".into(),
            };
            files::mark_kept(&db, &file.url, &blob, start()).await.unwrap();
        }
        let you = ["home.example/you".to_owned()];
        assert!(
            files::blob(&db, &format!("{:064}", 0), Some(&you))
                .await
                .unwrap()
                .is_none(),
            "not theirs"
        );
        assert!(
            files::blob(&db, &format!("{:064}", 1), Some(&you))
                .await
                .unwrap()
                .is_some()
        );
        let gone = archive::forget(&db, &Whom::Login(ME.into()), start()).await.unwrap();
        assert_eq!((gone.statuses, gone.activities), (1, 2));
        assert_eq!(gone.blobs, [format!("{:064}", 0)]);
        archive::forget_blobs(&db, &gone.blobs).await.unwrap();
        assert_eq!(cursors::load(&db, "archive.statuses", ME).await.unwrap(), None);
        let gone = archive::forget(&db, &Whom::Author("alice@a.example".into()), start())
            .await
            .unwrap();
        assert_eq!((gone.statuses, gone.blobs.len()), (1, 1));
        assert!(search(&db, &Filter::default(), 10).await.unwrap().is_empty());
        assert!(
            found(
                &db,
                Filter {
                    terms: vec![term("x", false, false)],
                    ..Filter::default()
                }
            )
            .await
            .is_empty()
        );
    })
    .await;
}

/// A first archive stores more than any server sends: see the bench for the figure.
/// Lists of several logins are read at the same time and hold the same statuses.
#[tokio::test]
async fn pages_that_meet_are_all_kept() {
    on_each_engine(async |db| {
        for round in 0..5 {
            let items: Vec<Item> = (0..40).map(|n| item(round * 100 + n, "the same")).collect();
            let pages = (0..6).map(|n| {
                let (db, items) = (db.clone(), items.clone());
                tokio::spawn(async move { save_as(&db, &format!("home.example/{n}"), &items, start()).await })
            });
            let mut new = 0;
            for page in pages.collect::<Vec<_>>() {
                let saved = page.await.unwrap();
                assert_eq!(saved.activities, 40);
                new += saved.new;
            }
            assert_eq!(new, 40);
        }
    })
    .await;
}

/// Not even as something that is to be asked for is a forgotten status named.
#[tokio::test]
async fn what_is_forgotten_is_wanted_no_more() {
    on_each_engine(async |db| {
        let of = |uri: &str| Wanted {
            kind: "favourite".into(),
            uri: uri.into(),
            at: None,
            visibility: None,
            tries: 0,
        };
        let (gone, kept) = (of("https://a.example/1"), of("https://a.example/2"));
        wanted::mark(&db, ME, &[gone.clone(), kept.clone()], start())
            .await
            .unwrap();
        archive::forget(&db, &Whom::Status(gone.uri), start()).await.unwrap();
        let due = wanted::due(&db, ME, &["favourite"], start(), 9).await.unwrap();
        assert_eq!(due, [kept]);
    })
    .await;
}

#[tokio::test]
async fn what_is_due_is_what_waits_longest() {
    on_each_engine(async |db| {
        save_as(&db, ME, &[item(1, "x")], minute(0)).await;
        save_as(&db, ME, &[item(2, "x")], minute(10)).await;
        let poll = Item {
            poll_ends_at: Some(minute(30)),
            ..item(3, "x")
        };
        save_as(&db, ME, &[poll], minute(20)).await;
        let due = |why| {
            let db = &db;
            async move {
                recheck::due(db, ME, "home.example", why, 10)
                    .await
                    .unwrap()
                    .into_iter()
                    .map(|d| d.server_id)
                    .collect::<Vec<_>>()
            }
        };
        assert_eq!(due(Why::Unchecked(minute(15))).await, ["1", "2"]);
        assert_eq!(due(Why::Poll(minute(30))).await, [""; 0]);
        assert_eq!(due(Why::Poll(minute(31))).await, ["3"]);
        let id = archive::find(&db, "https://a.example/1").await.unwrap().unwrap().id;
        recheck::mark_checked(&db, &[id], start() + TimeDelta::days(1))
            .await
            .unwrap();
        assert_eq!(due(Why::Unchecked(minute(15))).await, ["2"]);
    })
    .await;
}
