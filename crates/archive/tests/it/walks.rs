//! Walks through lists: all of it, once, whatever happens in between.

use fake_fediverse::Fault;
use job::JobError;
use model::Clock;
use serde_json::json;
use store::{
    archive::{
        Whom, entries,
        recheck::{self, Why},
    },
    cursors,
};

use crate::house::{House, LOGIN};

/// Check 30, first part.
#[tokio::test(flavor = "multi_thread")]
async fn does_its_work() {
    let house = House::build().await;
    let uris = house.posts(120);
    let summary = house.run("statuses").await;
    let all = house.all().await;
    assert_eq!(
        all.iter().map(|kept| kept.uri.clone()).collect::<Vec<_>>(),
        uris,
        "{summary:?}"
    );
    assert!(all.iter().all(|kept| kept.body.contains("\"media_attachments\"")));
    assert_eq!(house.kinds(&uris[7]).await.0, ["post"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn does_nothing_the_second_time() {
    let house = House::build().await;
    house.posts(50);
    house.run("statuses").await;
    house.fediverse.clear_log();
    let summary = house.run("statuses").await;
    assert_eq!(
        (summary.get("new"), summary.get("activities"), summary.get("pages")),
        (0, 0, 1)
    );
    let late = house.fediverse.post("late", house.clock.now(), json!({}));
    let summary = house.run("statuses").await;
    assert_eq!(summary.get("new"), 1);
    assert!(house.kept(&late).await.is_some());
}

/// Check 30: the server fails on every request in turn, and the rows are the same in the end.
#[tokio::test(flavor = "multi_thread")]
async fn survives_a_busy_server() {
    let house = House::build().await;
    let uris = house.posts(120);
    let mut tries = 0;
    // Of each run one page gets through: the first request is for the login, the second for a page.
    loop {
        tries += 1;
        assert!(tries < 20, "it ends");
        let watch = async {
            let pages = || house.fediverse.log().home().path("/statuses").len();
            let before = pages();
            while pages() == before {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            house.fediverse.fault(None, "/statuses", Fault::Html(502), None);
        };
        let ended = tokio::select! {
            ended = house.try_run("statuses") => ended,
            ended = async { watch.await; std::future::pending().await } => ended,
        };
        house.fediverse.heal(None);
        match ended {
            Ok(_) => break,
            Err(error) => assert!(matches!(error, JobError::Transient(_)), "{error:?}"),
        }
    }
    house.run("statuses").await;
    let kept: Vec<_> = house.all().await.into_iter().map(|kept| kept.uri).collect();
    assert_eq!(kept, uris, "all, and each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_between_pages() {
    let mut house = House::build().await;
    house.posts(10);
    house.stop.cancel();
    assert!(matches!(house.try_run("statuses").await, Err(JobError::Stopped)));
    house.stop = Default::default();
    house.run("statuses").await;
    assert_eq!(house.all().await.len(), 10);
}

/// Check 31.
#[tokio::test(flavor = "multi_thread")]
async fn empty_lists_are_no_error() {
    let house = House::build().await;
    for noun in [
        "statuses",
        "favourites",
        "bookmarks",
        "mentions",
        "polls",
        "conversations",
    ] {
        house.run(noun).await;
        let job = format!("archive.{noun}");
        assert_eq!(
            store::cursors::load(&house.store, &job, LOGIN).await.unwrap(),
            None,
            "{noun}"
        );
    }
}

/// Check 32.
#[tokio::test(flavor = "multi_thread")]
async fn a_bookmark_made_meanwhile_is_not_missed() {
    let house = House::build().await;
    let uris = house.posts(130);
    for uri in &uris[..100] {
        house.fediverse.bookmark(uri);
    }
    let run = house.run("bookmarks");
    let meanwhile = async {
        for uri in &uris[100..] {
            house.fediverse.bookmark(uri);
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::join!(run, meanwhile);
    house.run("bookmarks").await;
    assert_eq!(house.all().await.len(), 130);
}

/// Check 35.
#[tokio::test(flavor = "multi_thread")]
async fn one_status_and_an_activity_for_each_thing_done_with_it() {
    let house = House::build().await;
    let person = house.fediverse.writer(0, 1, 1);
    let uri = &person.posts[0];
    house.fediverse.boost_it(uri, house.ago(5));
    house.fediverse.bookmark(uri);
    house.fediverse.favourite(uri);
    for noun in ["statuses", "bookmarks", "favourites"] {
        house.run(noun).await;
    }
    assert_eq!(house.all().await.len(), 1);
    assert_eq!(house.kinds(uri).await.0, ["bookmark", "boost", "favourite"]);
}

/// Check 36.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_written_is_found() {
    let house = House::build().await;
    let fields = json!({
        "spoiler_text": "herons ahead", "sensitive": true, "visibility": "private", "language": "de",
        "media_attachments": [{"id": "1", "type": "image", "url": null, "description": "a grey bird"}],
        "poll": {"id": "1", "expires_at": "2099-01-01T00:00:00.000Z", "expired": false,
                 "options": [{"title": "perhaps"}]},
        "quote": {"state": "revoked", "quoted_status": null},
    });
    let uri = house.fediverse.post("Grüße aus 東京都", house.ago(9), fields);
    house.posts(5);
    house.run("statuses").await;
    for query in [
        "heron*",
        "grusse",
        "GRÜSSE",
        "grey bird",
        "perhaps",
        "東京",
        "京都",
        "\"aus 東京\"",
        "is:private",
        "lang:de",
        "has:poll",
        "has:quote",
        "grüße -number",
        "from:me@x OR",
        "has:image kind:post",
    ] {
        let found = house.search(query).await;
        if query.starts_with("from:me@x") {
            assert!(found.is_empty(), "{query}");
        } else {
            assert_eq!(found.iter().map(|f| &f.uri).collect::<Vec<_>>(), [&uri], "{query}");
        }
    }
    assert!(house.search("kind:bookmark").await.is_empty());
    let newest = house.search("number").await;
    assert_eq!(newest.len(), 5);
    assert!(newest.is_sorted_by(|a, b| a.created_at > b.created_at), "newest first");
    assert!(
        newest[0]
            .snippet
            .iter()
            .any(|piece| piece.hit && piece.text == "number")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mentions_and_conversations() {
    let house = House::build().await;
    let person = house.fediverse.writer(0, 0, 0);
    let mention = house.fediverse.tell(&person, "mention", "hello you", house.ago(50));
    let first = house.fediverse.whisper(Some(&person), None, "psst", house.ago(40));
    let answer = house.fediverse.whisper(None, Some(&first), "what", house.ago(30));
    house.run("mentions").await;
    house.run("conversations").await;
    assert_eq!(house.kinds(&mention).await.0, ["mention"]);
    assert_eq!(house.kinds(&first).await.0, ["conversation"]);
    assert_eq!(house.kinds(&answer).await.0, ["conversation"]);
    let later = house
        .fediverse
        .whisper(Some(&person), Some(&answer), "never mind", house.ago(20));
    house.run("conversations").await;
    assert_eq!(house.kinds(&later).await.0, ["conversation"]);
    let thread = store::archive::thread(&house.store, house.kept(&answer).await.unwrap().id, 100)
        .await
        .unwrap();
    assert_eq!(
        thread.into_iter().map(|kept| kept.uri).collect::<Vec<_>>(),
        [first, answer, later]
    );
}

/// Check 37.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_chain_is_kept_in_pieces() {
    let house = House::build().await;
    let person = house.fediverse.writer(0, 0, 0);
    let chain = house.fediverse.chain(&person, 601);
    house.run("statuses").await;
    for n in 1..=6 {
        let summary = house.run("context").await;
        assert_eq!(summary.get("parents"), 100, "{n}");
        assert_eq!(house.all().await.len(), 1 + n * 100);
    }
    assert_eq!(house.run("context").await.get("parents"), 0);
    let all: Vec<_> = house.all().await.into_iter().map(|kept| kept.uri).collect();
    assert_eq!(all, chain);
}

/// A context that a server stumbles over is left for later, and those behind it are not.
#[tokio::test(flavor = "multi_thread")]
async fn an_odd_context_keeps_no_other_waiting() {
    let house = House::build().await;
    let person = house.fediverse.writer(0, 0, 0);
    let chains = [house.fediverse.chain(&person, 3), house.fediverse.chain(&person, 3)];
    house.run("statuses").await;
    let due = recheck::due(&house.store, LOGIN, &house.server(), Why::Context, 9)
        .await
        .unwrap();
    assert_eq!(due.len(), 2);
    let path = format!("/{}/context", due[0].server_id);
    house.fediverse.fault(None, &path, Fault::Empty(500), None);
    let summary = house.run("context").await;
    assert_eq!((summary.get("failed"), summary.get("parents")), (1, 2), "{summary:?}");
    house.fediverse.heal(None);
    let summary = house.run("context").await;
    assert_eq!(
        (summary.get("failed"), summary.get("parents")),
        (0, 2),
        "it was not lost"
    );
    for uri in chains.iter().flatten() {
        assert!(house.kept(uri).await.is_some());
    }
}

/// The same for a conversation: its last message is kept, and what that answers is asked for with other parents.
#[tokio::test(flavor = "multi_thread")]
async fn an_odd_conversation_keeps_no_other_waiting() {
    let house = House::build().await;
    let person = house.fediverse.writer(0, 0, 0);
    let first = house.fediverse.whisper(Some(&person), None, "psst", house.ago(40));
    let last = house.fediverse.whisper(None, Some(&first), "what", house.ago(30));
    house.fediverse.fault(None, "/context", Fault::Empty(500), Some(1));
    house.run("conversations").await;
    assert!(house.kept(&last).await.is_some() && house.kept(&first).await.is_none());
    house.run("context").await;
    assert!(house.kept(&first).await.is_some());
}

/// Two lists of one title are one here, and nobody is on and off it in turn.
#[tokio::test(flavor = "multi_thread")]
async fn lists_of_one_title_are_one() {
    let house = House::build().await;
    let people = [house.fediverse.writer(0, 0, 0), house.fediverse.writer(0, 1, 0)];
    for person in &people {
        house.fediverse.list("Birds", &[person]);
    }
    house.run("lists").await;
    let summary = house.run("lists").await;
    assert_eq!((summary.get("added"), summary.get("removed")), (0, 0), "{summary:?}");
    let on = entries::at(&house.store, LOGIN, "list:Birds", house.clock.now())
        .await
        .unwrap();
    assert_eq!(on.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_snapshots_with_what_changed() {
    let house = House::build().await;
    let person = house.fediverse.writer(0, 0, 0);
    house.run("lists").await;
    house.fediverse.followed_by(&person);
    let before = house.clock.now();
    house.clock.advance(chrono::TimeDelta::days(1));
    let summary = house.run("lists").await;
    assert_eq!((summary.get("added"), summary.get("removed")), (1, 0));
    let acct = person.acct.to_lowercase();
    let now = house.clock.now();
    let on = entries::at(&house.store, LOGIN, "followers", now).await.unwrap();
    assert!(on.iter().any(|entry| entry.entry == acct));
    let then = entries::at(&house.store, LOGIN, "followers", before).await.unwrap();
    assert!(then.iter().all(|entry| entry.entry != acct));
}

/// Check 37, second part: what a kept status links to is kept as well, and so is its parent.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_linked_to_is_kept() {
    let house = House::build().await;
    let person = house.fediverse.writer(0, 2, 0);
    let (linked, page) = (&person.posts[0], "https://nowhere.example/@x/notanumber");
    let text = format!("see <a href=\"{linked}\">this</a> and <a href=\"{page}\">that</a>");
    let uri = house.fediverse.post(&text, house.ago(50), json!({}));
    house.run("statuses").await;
    let summary = house.run("context").await;
    assert_eq!(summary.get("links"), 1, "{summary:?}");
    assert_eq!(house.kinds(linked).await.0, ["link"]);
    assert_eq!(house.search("kind:link").await.len(), 1);
    house.fediverse.clear_log();
    house.run("context").await;
    assert!(house.fediverse.log().resolves().is_empty(), "once");
    assert!(house.kept(&uri).await.is_some());
}

/// Check 36: a quote in each of its states, and what it quotes as a row of its own.
#[tokio::test(flavor = "multi_thread")]
async fn quotes_are_rows_with_their_states() {
    let house = House::build().await;
    let quoted = json!({
        "id": "77", "uri": "https://q.example/1", "url": "https://q.example/1", "visibility": "public",
        "created_at": "2026-01-01T00:00:00.000Z", "content": "<p>quotable words</p>",
        "account": {"acct": "q@q.example"}, "media_attachments": [],
    });
    let quote = json!({"quote": {"state": "accepted", "quoted_status": quoted}});
    let uri = house.fediverse.post("look", house.ago(50), quote);
    house.run("statuses").await;
    assert_eq!(house.kinds("https://q.example/1").await.0, ["quote"]);
    assert_eq!(house.search("quotable kind:quote").await.len(), 1);
    let revoked = json!({"quote": {"state": "revoked", "quoted_status": null}});
    house.fediverse.edit_poll(&uri, revoked);
    house.clock.advance(chrono::TimeDelta::days(31));
    house.run("recheck").await;
    let id = house.kept(&uri).await.unwrap().id;
    let states = store::archive::quotes(&house.store, &[id]).await.unwrap();
    let told: Vec<_> = states
        .iter()
        .map(|one| (one.state.as_str(), one.uri.as_deref(), one.until.is_some()))
        .collect();
    let uri = Some("https://q.example/1");
    assert_eq!(told, [("accepted", uri, true), ("revoked", uri, false)]);
}

/// A gap is named with its place, and filled; one that stays is no reason to read everything every night.
#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_noticed_named_and_filled() {
    let house = House::build().await;
    let uris = house.posts(130);
    // Nothing is missing while the first walk goes on.
    let summary = house.run("audit").await;
    assert_eq!(
        (summary.get("too_early"), summary.get("missing")),
        (1, 0),
        "{summary:?}"
    );
    assert!(archive::checked(&house.store, LOGIN).await.unwrap().is_none());
    house.run("statuses").await;
    let summary = house.run("audit").await;
    assert_eq!((summary.get("told"), summary.get("missing")), (130, 0), "{summary:?}");
    // They come late and are old, as what is moved to a server is: a walk forwards does not meet them.
    let at = |n: i64| house.ago(60 + 130 - n) + chrono::TimeDelta::seconds(1);
    let late: Vec<(String, _)> = (50..53)
        .map(|n| (house.fediverse.post("late", at(n), json!({})), at(n)))
        .collect();
    assert_eq!(house.run("statuses").await.get("new"), 0);
    let under_way = cursors::load(&house.store, "archive.statuses", LOGIN)
        .await
        .unwrap()
        .unwrap();
    let summary = house.run("audit").await;
    assert_eq!(
        (summary.get("missing"), summary.get("begun_anew")),
        (3, 1),
        "{summary:?}"
    );
    // As a walk does that was under way when they were counted.
    cursors::save(&house.store, "archive.statuses", LOGIN, &under_way, house.clock.now())
        .await
        .unwrap();
    let fresh = house.fediverse.post("fresh", house.clock.now(), json!({}));
    let summary = house.run("statuses").await;
    assert_eq!((summary.get("new"), summary.get("gaps")), (4, 3), "{summary:?}");
    for uri in late.iter().map(|(uri, _)| uri).chain([&fresh, &uris[0]]) {
        assert!(house.kept(uri).await.is_some());
    }
    let summary = house.run("audit").await;
    assert_eq!(
        (summary.get("missing"), summary.get("begun_anew")),
        (0, 0),
        "{summary:?}"
    );
    let checked = archive::checked(&house.store, LOGIN).await.unwrap().unwrap();
    assert_eq!((checked.kept, checked.told, checked.missing()), (134, 134, 0));
    assert_eq!(checked.gaps.len(), 3);
    for (gap, (_, at)) in checked.gaps.iter().zip(late.iter().rev()) {
        assert_eq!((gap.count, gap.from), (1, gap.until));
        assert!((gap.from - *at).abs() < chrono::TimeDelta::seconds(1), "{gap:?} {at:?}");
    }
}

/// What is forgotten is gone, with its files, and is not kept again, not even when its list is read anew.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_stays_so() {
    let mut house = House::build().await;
    house.config.save_json = true;
    let uris = house.posts(30);
    let picture = house.fediverse.file("/system/a.gif", "image/gif", "GIF89a");
    let fields = json!({"media_attachments": [{"id": "1", "type": "image", "url": picture}]});
    let shown = house.fediverse.post("with a picture", house.ago(10), fields);
    let person = house.fediverse.writer(0, 2, 2);
    house.fediverse.bookmark(&person.posts[0]);
    for noun in ["statuses", "bookmarks", "media"] {
        house.run(noun).await;
    }
    let blobs = archive::Blobs::open(house.config.folder(&house.store)).unwrap();
    let author = house.kept(&person.posts[0]).await.unwrap().author;
    let (mut files, mut json_files) = (0, 0);
    for whom in [
        Whom::Status(uris[4].clone()),
        Whom::Status(shown.clone()),
        Whom::Author(author),
    ] {
        let gone = archive::forget(&house.store, &blobs, &whom, house.clock.now())
            .await
            .unwrap();
        assert_eq!(gone.statuses, 1, "{whom:?}");
        files += gone.files;
        json_files += gone.json_files;
    }
    assert_eq!((files, json_files), (1, 3));
    assert_eq!(house.run("audit").await.get("begun_anew"), 1);
    for noun in ["statuses", "bookmarks", "media"] {
        house.run(noun).await;
    }
    assert_eq!(house.all().await.len(), 29);
    for uri in [&uris[4], &shown, &person.posts[0]] {
        assert!(house.kept(uri).await.is_none(), "{uri}");
    }
    let login = Whom::Login(LOGIN.into());
    let gone = archive::forget(&house.store, &blobs, &login, house.clock.now())
        .await
        .unwrap();
    assert_eq!((gone.statuses, gone.json_files), (29, 29));
    house.run("statuses").await;
    assert_eq!(house.all().await.len(), 29, "a login may begin anew");
}

/// Check 33: the files of versions that nobody saw but the server's history tells of.
#[tokio::test(flavor = "multi_thread")]
async fn files_of_earlier_versions_are_kept() {
    let house = House::build().await;
    let file = |name: &str| {
        let path = format!("/system/{name}.gif");
        house.fediverse.file(&path, "image/gif", &format!("GIF89a {name}"))
    };
    let fields = |url: &str| json!({"media_attachments": [{"id": url, "type": "image", "url": url}]});
    let (first, second) = (file("first"), file("second"));
    let uri = house.fediverse.post("one", house.ago(90), fields(&first));
    house.fediverse.edit_to(&uri, "two", house.ago(80), fields(&second));
    for noun in ["statuses", "recheck", "media"] {
        house.run(noun).await;
    }
    let id = house.kept(&uri).await.unwrap().id;
    let kept = store::archive::files::of_status(&house.store, id).await.unwrap();
    for url in [first, second] {
        let is_there = kept.iter().any(|file| file.url == url && file.blob.is_some());
        assert!(is_there, "{url}: {kept:?}");
    }
}

/// With `whole_threads`, what others answer to own statuses is kept, also what came after the thread was read.
#[tokio::test(flavor = "multi_thread")]
async fn whole_threads_around_own_statuses() {
    let mut house = House::build().await;
    house.config.context.whole_threads = true;
    let uris = house.posts(2);
    let answer = || {
        let uri = house.fediverse.reply(&uris[0], 0);
        house.fediverse.deliver(&uri);
        uri
    };
    let first = answer();
    for noun in ["statuses", "context"] {
        house.run(noun).await;
    }
    assert_eq!(house.kinds(&first).await.0, ["thread"]);
    let second = answer();
    house.clock.advance(chrono::TimeDelta::days(31));
    for noun in ["statuses", "recheck", "context"] {
        house.run(noun).await;
    }
    assert_eq!(house.kinds(&second).await.0, ["thread"]);
}
