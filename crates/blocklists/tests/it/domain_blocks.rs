//! `blocklists.domain_blocks`.

use blocklists::{
    apply::{Author, Done},
    gather::{self, Counts},
};
use chrono::TimeDelta;
use fake_fediverse::{Fault, RateLimitStyle, Scenario};
use job::JobError;

use crate::house::{House, pairs};

const THREE: &str = "domain,severity\na.social,suspend\nb.social,silence\nc.social,suspend\n";

fn many(range: std::ops::Range<usize>) -> String {
    let rows: Vec<String> = range.map(|n| format!("d{n}.social,suspend\n")).collect();
    format!("domain,severity\n{}", rows.concat())
}

/// Check 25. Exactly three POSTs.
#[tokio::test(flavor = "multi_thread")]
async fn does_its_work() {
    let house = House::build(THREE).await;
    let summary = house.pass().await;
    assert_eq!(summary.get("created"), 3, "{summary:?}");
    assert_eq!(house.methods(), ["POST", "POST", "POST"]);
    assert_eq!(
        house.blocks(),
        pairs(&[
            ("a.social", "suspend"),
            ("b.social", "silence"),
            ("c.social", "suspend")
        ])
    );
}

/// Check 25. The second run reads.
/// Check 33. However the list spells its names.
#[tokio::test(flavor = "multi_thread")]
async fn does_nothing_the_second_time() {
    let house =
        House::build("domain,severity,public_comment\nA.Social.,suspend,\nb\u{fc}cher.social,silence,spam\n").await;
    house.pass().await;
    house.fediverse.clear_log();
    for _ in 0..3 {
        house.pass_after(30).await;
    }
    assert_eq!(house.methods(), Vec::<String>::new());
}

/// Check 24.
#[tokio::test(flavor = "multi_thread")]
async fn writes_nothing_when_observing() {
    let mut house = House::build(THREE).await;
    house.observe();
    house.fediverse.set_follows("a.social", 5, 5);
    let summary = house.pass().await;
    house.pass().await;
    assert_eq!(house.methods(), Vec::<String>::new());
    assert!(
        house.fediverse.log().path("/measures").is_empty(),
        "nor counts follows unless asked"
    );
    assert_eq!(
        (summary.get("to_create"), summary.get("rehearsed")),
        (3, 2),
        "{summary:?}"
    );
    house.policy().count_follows = true;
    house.pass().await;
    assert_eq!(house.fediverse.log().path("/measures").len(), 1);
    let effects = store::effects::list(&house.store, None, None, None, 50).await.unwrap();
    assert!(
        effects
            .iter()
            .all(|effect| effect.state == store::effects::State::Rehearsed)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_between_pages() {
    let house = House::build(THREE).await;
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    house.stop.cancel();
    let ended = house.job("blocklists.domain_blocks", &house.cx()).await;
    assert!(matches!(ended, Err(JobError::Stopped)));
    assert!(house.blocks().is_empty());
}

/// Check 34. At the 37th the server says when to come back: that one waits and goes out again, and no other. (Requests
/// for pages have a budget of their own: that is `net`'s.)
#[tokio::test(flavor = "multi_thread")]
async fn survives_a_busy_server() {
    let house = House::build(&many(0..40)).await;
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    let (cx, mut gathered) = planned(&house).await;
    house.fediverse.clear_log();
    let refused = Fault::RateLimited(RateLimitStyle::Iso(2));
    house
        .fediverse
        .fault_after(None, "/api/v1/admin/domain_blocks", refused, 36, Some(1));
    let done = carried_out(&cx, &mut gathered).await;
    assert_eq!((done.created, done.failed.len()), (40, 0), "{done:?}");
    let log = house.fediverse.log().home().path("/admin/domain_blocks").0;
    let sent: Vec<&str> = log.iter().map(|it| value(it, "domain")).collect();
    assert_eq!((sent.len(), log[36].http_status, sent[36]), (41, 429, sent[37]));
    assert_eq!(log.iter().filter(|it| it.http_status == 429).count(), 1);
    let waited = log[37].at - log[36].at;
    assert!(waited > std::time::Duration::from_millis(900), "{waited:?}");
}

/// What a request carried under a name.
fn value<'r>(request: &'r fake_fediverse::Logged, name: &str) -> &'r str {
    let found = request.query.iter().find(|(key, _)| key == name);
    found.map_or("", |(_, value)| value)
}

async fn planned(house: &House) -> (job::JobContext, gather::Gathered) {
    let cx = house.cx();
    let login = cx.login.clone().unwrap();
    let policy = &house.config.policies[0];
    let gathered = blocklists::make_plan(&cx, &house.config, policy, &login, Counts::Ask)
        .await
        .unwrap();
    (cx, gathered)
}

async fn carried_out(cx: &job::JobContext, gathered: &mut gather::Gathered) -> Done {
    let login = cx.login.clone().unwrap();
    let author = Author {
        run: "r".into(),
        who: "test".into(),
        at: cx.clock.now(),
    };
    blocklists::carry_out(cx, &login, gathered, author, false)
        .await
        .unwrap()
}

/// Check 26.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_to_say_stays() {
    let house = House::build("domain,severity,public_comment\na.social,suspend,spam\n").await;
    house.fediverse.block_domain("a.social", "suspend", Some("court order"));
    let (cx, live) = (house.cx(), house.live().await);
    blocklists::apply::adopt(&cx, &house.server(), "a.social", &live["a.social"])
        .await
        .unwrap();
    house.fediverse.clear_log();
    house.pass().await;
    let log = house.fediverse.log().home().path("/admin/domain_blocks").0;
    let put = log.iter().find(|it| it.method == "PUT").unwrap();
    assert_eq!(
        put.query,
        [("public_comment".to_owned(), "spam".to_owned())],
        "that field and no other"
    );
    assert_eq!(house.methods(), ["PUT"]);
    let block = &house.live().await["a.social"];
    assert_eq!(
        (&*block.public_comment, &*block.private_comment),
        ("spam", "court order")
    );
}

/// Check 27. A comment that is `null` there and empty here is the same, and an empty one is no order to delete one.
#[tokio::test(flavor = "multi_thread")]
async fn no_comment_is_no_change() {
    let house = House::build("domain,severity,public_comment,private_comment\na.social,suspend,,\n").await;
    house.fediverse.block_domain("a.social", "suspend", None);
    let (cx, live) = (house.cx(), house.live().await);
    blocklists::apply::adopt(&cx, &house.server(), "a.social", &live["a.social"])
        .await
        .unwrap();
    house.pass().await;
    assert_eq!(house.methods(), Vec::<String>::new());
    house.write("list", "domain,severity,public_comment\na.social,suspend,spam\n");
    house.pass_after(1).await;
    house.write("list", "domain,severity,public_comment\na.social,suspend,\n");
    house.pass_after(30).await;
    assert_eq!(house.methods(), ["PUT"]);
}

/// Check 28. Check 41.
#[tokio::test(flavor = "multi_thread")]
async fn local_decisions_are_kept() {
    let house =
        House::build("domain,severity\nhard.social,silence\nsame.social,suspend\nsoft.social,suspend\nx.social,noop\n")
            .await;
    for (domain, severity) in [
        ("hard.social", "suspend"),
        ("same.social", "suspend"),
        ("soft.social", "silence"),
    ] {
        house.fediverse.block_domain(domain, severity, Some("court order"));
    }
    let summary = house.pass().await;
    assert_eq!((house.methods(), summary.get("suggested")), (vec![], 1));
    house.write("list", "domain,severity\nother.social,silence\n");
    for _ in 0..5 {
        house.pass_after(30).await;
    }
    assert_eq!(house.methods(), ["POST"], "dropped from the list, they stay");
    assert_eq!(house.live().await["same.social"].private_comment, "court order");
}

/// Check 29.
#[tokio::test(flavor = "multi_thread")]
async fn follows_cap_a_suspension() {
    let house = House::build("domain,severity\nbad.social,suspend\nquiet.social,suspend\n").await;
    house.fediverse.set_follows("x.bad.social", 12, 0);
    house.pass().await;
    assert_eq!(
        house.blocks(),
        pairs(&[("bad.social", "silence"), ("quiet.social", "suspend")])
    );
    house.fediverse.clear_log();
    house.pass_after(2).await;
    assert_eq!(house.methods(), Vec::<String>::new());
    assert!(house.plan().await.text().contains("12 follows"));
    // Something else changes meanwhile: the severity does not go along.
    house.write(
        "list",
        "domain,severity,public_comment\nbad.social,suspend,spam\nquiet.social,suspend,\n",
    );
    house.pass_after(2).await;
    let log = house.fediverse.log().home().path("/admin/domain_blocks").0;
    let put = log.iter().find(|it| it.method == "PUT").unwrap();
    assert_eq!((value(put, "public_comment"), value(put, "severity")), ("spam", ""));
    house.fediverse.clear_log();
    house.fediverse.set_follows("x.bad.social", 0, 0);
    house.pass_after(2).await;
    let log = house.fediverse.log().home().path("/admin/domain_blocks").0;
    let put = log.iter().find(|it| it.method == "PUT").unwrap();
    assert_eq!(put.query, [("severity".to_owned(), "suspend".to_owned())]);
    assert_eq!((house.methods().len(), &*house.blocks()[0].1), (1, "suspend"));
}

/// Check 31. The question names its days, which newer servers insist on, and asks below the domain too; only who may be
/// met is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn follows_are_asked_for_as_newer_servers_want_it() {
    let house = House::build(&many(0..5)).await;
    house.fediverse.set_follows("x.d1.social", 1, 0);
    house.pass().await;
    let asked = house.fediverse.log().path("/measures").0;
    assert_eq!(asked.len(), 1, "one request for the one peer: {asked:?}");
    for key in ["start_at", "end_at"] {
        assert_eq!(value(&asked[0], key).len(), 10, "{key}");
    }
    for key in ["instance_follows", "instance_followers"] {
        assert_eq!(value(&asked[0], &format!("{key}[domain]")), "d1.social");
        assert_eq!(value(&asked[0], &format!("{key}[include_subdomains]")), "true");
    }
}

/// Check 31. Without the right to count.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_count_holds_suspensions_of_peers() {
    let mut house = House::build("domain,severity\npeer.social,suspend\nother.social,suspend\n").await;
    house.fediverse.set_follows("peer.social", 1, 0);
    house.token = house.fediverse.token_of_with(
        "admin",
        &["read", "admin:read:domain_blocks", "admin:write:domain_blocks"],
    );
    let summary = house.pass().await;
    assert_eq!(house.blocks(), pairs(&[("other.social", "suspend")]));
    assert_eq!(summary.get("held"), 1);
}

/// Check 32.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_has_or_refuses_is_remembered() {
    let house = House::build("domain,severity\nx.bad.social,silence\n").await;
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    // Somebody blocks the parent between our look and our request: here, after the plan was made.
    let (cx, mut gathered) = planned(&house).await;
    house.fediverse.block_domain("bad.social", "suspend", None);
    let done = carried_out(&cx, &mut gathered).await;
    assert_eq!((done.created, done.covered, done.failed.len()), (0, 1, 0), "{done:?}");
    house.fediverse.clear_log();
    house.pass_after(2).await;
    assert_eq!(house.methods(), Vec::<String>::new());
}

/// Check 35. What arrived without an answer is not sent again.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_read_again() {
    let house = House::build(&many(0..3)).await;
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    let (cx, mut gathered) = planned(&house).await;
    house.fediverse.clear_log();
    house
        .fediverse
        .fault(None, "/api/v1/admin/domain_blocks", Fault::Html(504), Some(1));
    let done = carried_out(&cx, &mut gathered).await;
    assert_eq!((done.created, done.unknown), (3, 0), "{done:?}");
    let log = house.fediverse.log().home().path("/admin/domain_blocks");
    let methods: Vec<&str> = log.0.iter().map(|it| &*it.method).collect();
    assert_eq!(
        methods[..3],
        ["POST", "GET", "POST"],
        "read again before it is sent again"
    );
    assert_eq!(house.blocks().len(), 3);
}

/// Check 36. The process is gone while the 58th is on its way: 57 arrived, and exactly 43 more follow.
#[tokio::test(flavor = "multi_thread")]
async fn a_death_after_57_of_100_leaves_43() {
    let house = std::sync::Arc::new(House::build(&many(0..100)).await);
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    house.fediverse.clear_log();
    let path = "/api/v1/admin/domain_blocks";
    // The first of these is the look at what is there.
    house.fediverse.fault_after(None, path, Fault::Silent, 58, None);
    let doomed = std::sync::Arc::clone(&house);
    let run = tokio::spawn(async move { doomed.job("blocklists.domain_blocks", &doomed.cx()).await });
    while house.writes().len() < 58 {
        tokio::task::yield_now().await;
    }
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    house.fediverse.heal(None);
    assert_eq!(house.blocks().len(), 57);

    house.fediverse.clear_log();
    let summary = house.pass_after(1).await;
    assert_eq!(house.methods().len(), 43, "{summary:?}");
    assert_eq!(house.blocks().len(), 100);
    house.fediverse.clear_log();
    house.pass_after(1).await;
    assert_eq!(house.methods().len(), 0, "and the run after that writes nothing");
}

/// Check 36. The same where the last one arrived, and its answer is not on record.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_57_of_100_leaves_43() {
    let house = House::build(&many(0..100)).await;
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    let (cx, gathered) = planned(&house).await;
    let login = cx.login.clone().unwrap();
    let guard = blocklists::guard::Guard::default();
    let author = Author {
        run: "r".into(),
        who: "test".into(),
        at: cx.clock.now(),
    };
    let mut carrier = blocklists::apply::Carrier {
        cx: &cx,
        login: &login,
        author,
        guard: &guard,
        entries: Default::default(),
    };
    carrier
        .carry_out(gathered.plan.operations.iter().take(56))
        .await
        .unwrap();
    // The 57th arrives, and the process dies before its answer is on record: what its ledger says stays open.
    let last = &gathered.plan.operations[56];
    let wish = job::Wish {
        kind: "domain_block.create",
        server: login.server.clone(),
        key: format!("{}  after nothing", last.domain),
        intent: serde_json::json!({ "operation": last, "run": "r", "who": "test" }),
        reason: serde_json::json!({}),
    };
    let (client, domain) = (login.client.clone(), last.domain.clone());
    let fields = mastodon::DomainBlockFields {
        severity: Some(model::Severity::Suspend),
        ..Default::default()
    };
    let fields = match &last.action {
        blocklists::plan::Action::Create { fields } => fields.clone(),
        _ => fields,
    };
    let sent = cx.effects.carry_out(wish, |permit| async move {
        client.create_domain_block(&domain, &fields, permit).await?;
        Err(mastodon::Error::ServerDown {
            host: client.host(),
            http_status: 504,
        })
    });
    assert!(sent.await.is_err());
    assert_eq!(house.methods().len(), 57);

    house.fediverse.clear_log();
    let summary = house.pass_after(1).await;
    assert_eq!(house.methods().len(), 43, "{summary:?}");
    assert_eq!(house.blocks().len(), 100);
    let entries = store::block_entries::list(&house.store, &login.server).await.unwrap();
    assert_eq!(entries.len(), 100, "the one without an answer is ours as well");
    house.fediverse.clear_log();
    house.pass_after(1).await;
    assert_eq!(house.methods().len(), 0);
}

/// Check 37. Check 38.
#[tokio::test(flavor = "multi_thread")]
async fn a_moderators_word_is_the_last() {
    let mut house = House::build(THREE).await;
    house.config.sources[0].shrink_percent = 100;
    house.pass().await;
    let cx = house.cx();
    let client = &cx.login.as_ref().unwrap().client;
    let live = house.live().await;
    // By hand: one lifted, one changed.
    let other = job::Ledger::new(house.store.clone(), cx.clock.clone());
    other.configure("hand", job::Mode::Act, None);
    let hand = |key: &str| job::Wish {
        kind: "domain_block.update",
        server: "x".into(),
        key: key.into(),
        intent: serde_json::json!({}),
        reason: serde_json::json!({}),
    };
    let (a, b) = (live["a.social"].id.clone(), live["b.social"].id.clone());
    let lifting = other.of("hand");
    lifting
        .carry_out(hand("1"), |permit| async move {
            client.delete_domain_block(&a, permit).await?;
            Ok(serde_json::json!({}))
        })
        .await
        .unwrap();
    let fields = mastodon::DomainBlockFields {
        public_comment: Some("see us".into()),
        ..Default::default()
    };
    lifting
        .carry_out(hand("2"), |permit| async move {
            client.update_domain_block(&b, &fields, permit).await?;
            Ok(serde_json::json!({}))
        })
        .await
        .unwrap();
    house.fediverse.clear_log();
    for _ in 0..3 {
        house.pass_after(30).await;
    }
    assert_eq!(house.methods(), Vec::<String>::new());
    assert_eq!(
        house.blocks(),
        pairs(&[("b.social", "silence"), ("c.social", "suspend")])
    );
    house.write("list", "domain,severity\nz.social,silence\n");
    for _ in 0..5 {
        house.pass_after(30).await;
    }
    assert_eq!(
        house.blocks(),
        pairs(&[("b.social", "silence"), ("z.social", "silence")]),
        "theirs stays, ours goes"
    );
    let states: Vec<_> = store::block_entries::list(&house.store, &house.server())
        .await
        .unwrap()
        .into_iter()
        .map(|entry| (entry.domain, entry.state))
        .collect();
    assert_eq!(states[0], ("b.social".to_owned(), store::block_entries::State::Drifted));
}

/// Check 39. Ten thousand blocks are twenty requests, and one that finds the list at its end; a server that gives
/// smaller pages than asked for is read to its end as well.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_read() {
    let old = House::around(Scenario {
        api_version: 0,
        ..Scenario::small()
    })
    .await;
    let new = House::around(Scenario::small()).await;
    for (house, blocks, most) in [(&old, 1000, 6), (&new, 10_000, 21)] {
        for n in 0..blocks {
            house.fediverse.block_domain(&format!("d{n}.social"), "silence", None);
        }
        house.fediverse.clear_log();
        assert_eq!(house.live().await.len(), blocks);
        let pages = house.fediverse.log().path("/admin/domain_blocks").len();
        assert!(pages <= most, "{pages} pages");
    }
}

/// Check 40.
#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_its_only_list_is_lifted_once_and_late() {
    let mut house = House::build(THREE).await;
    let other = house.source("other");
    house.write("other", "domain,severity\nc.social,suspend\n");
    house.config.sources.push(other);
    house.pass().await;
    house.write("list", "domain,severity\nb.social,silence\n");
    house.fediverse.clear_log();
    house.pass_after(1).await;
    house.pass_after(1).await;
    house.pass_after(1).await;
    assert_eq!(
        house.methods(),
        Vec::<String>::new(),
        "three good copies, and no day yet"
    );
    house.pass_after(30).await;
    assert_eq!(house.methods(), ["DELETE"]);
    house.pass_after(30).await;
    assert_eq!(house.methods(), ["DELETE"], "c is on another list");
    assert_eq!(
        house.blocks(),
        pairs(&[("b.social", "silence"), ("c.social", "suspend")])
    );
}

/// Check 40. By policy a record is left that blocks nothing and says why; where another list still wants the block,
/// nothing is written, and it is that list's from then on.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_retracted_may_leave_a_note_and_moves_to_who_still_wants_it() {
    let mut house =
        House::build("domain,severity\ngone.social,suspend\nshared.social,suspend\nstays.social,suspend\n").await;
    house.policy().retract = blocklists::config::Retract::Noop;
    let other = house.source("other");
    house.write("other", "domain,severity\nshared.social,suspend\n");
    house.config.sources.push(other);
    house.pass().await;
    house.write("list", "domain,severity\nstays.social,suspend\n");
    house.fediverse.clear_log();
    for _ in 0..5 {
        house.pass_after(30).await;
    }
    assert_eq!(house.methods(), ["PUT"]);
    assert_eq!(house.blocks()[0], ("gone.social".to_owned(), "noop".to_owned()));
    let entry = &store::block_entries::of_domain(&house.store, "shared.social")
        .await
        .unwrap()[0];
    let says = entry.reason["says"].as_array().unwrap();
    assert!(says.len() == 1 && says[0]["list"] == "other", "{says:?}");
}

/// Check 21. More than a policy lets pass, or one domain with more follows than it allows: a human agrees, and then it is
/// done exactly so. They hear that something waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_human_agrees_to_what_is_held() {
    let mut house = House::build(THREE).await;
    house.policy().alone_creates = 2;
    house.pass().await;
    assert!(house.blocks().is_empty());
    assert_eq!(house.told().await, [("plan_waits".to_owned(), house.server())]);
    house.agree("ada").await;
    house.pass_after(1).await;
    assert_eq!(house.blocks().len(), 3);
    let runs = store::block_entries::runs(&house.store, None, None, 10).await.unwrap();
    assert_eq!((&*runs[0].who, runs[0].created), ("ada", 3));

    house.fediverse.set_follows("loved.social", 200, 0);
    house.write("list", &format!("{THREE}loved.social,silence\nother.social,silence\n"));
    house.pass_after(1).await;
    assert_eq!(house.blocks().len(), 4, "the other one is made");
    let held: Vec<String> = house.plan().await.held().map(|it| it.domain.clone()).collect();
    assert_eq!(held, ["loved.social"]);
    house.agree("ada").await;
    house.pass_after(1).await;
    assert_eq!(house.blocks().len(), 5);
}

/// Check 17. No path leads to our own door: neither a list, nor the web address beside the domain, nor the undoing of
/// what somebody did.
/// Check 7. Check 23. Canaries and suffixes are named with their reason, and stay where they are.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_blocks_home_or_a_country() {
    let house = House::build(
        "domain,severity\naud.invalid,suspend\ncf,suspend\nhome.social,suspend\nsocial,suspend\nx.home.social,suspend\n\
         web.home.town,suspend\nok.social,suspend\n",
    )
    .await;
    let server = store::servers::Server {
        host: house.server(),
        domain: "home.social".into(),
        version: "4.6.4".into(),
        api_version: Some(10),
        checked_at: house.clock_now(),
    };
    store::servers::save(&house.store, &server).await.unwrap();
    house.pass().await;
    assert_eq!(
        house.blocks(),
        pairs(&[("ok.social", "suspend"), ("web.home.town", "suspend")])
    );
    let notes = house.plan().await.notes;
    let refused = |domain: &str, why: &str| {
        let said = notes.iter().any(|note| {
            note.domain == domain && note.topic == blocklists::plan::Topic::Refused && note.text.contains(why)
        });
        assert!(said, "{domain}: {notes:?}");
    };
    refused("aud.invalid", "a canary: this list asks you to read its notes (list)");
    refused("cf", "public suffix");
    refused("social", "own");
    refused("x.home.social", "own");

    // Undoing brings back whatever was there, and still not this.
    let cx = house.cx();
    let login = cx.login.clone().unwrap();
    let block = house.live().await["ok.social"].clone();
    let change = |domain: &str| store::block_entries::Change {
        id: uuid::Uuid::now_v7().to_string(),
        run: "old".into(),
        server: house.server(),
        domain: domain.into(),
        action: "delete".into(),
        before: Some(serde_json::to_value(&block).unwrap()),
        after: None,
        reason: serde_json::json!({}),
        follows: None,
        who: "somebody".into(),
        undone_by: None,
        changed_at: house.clock_now(),
    };
    let changes = [change("home.social"), change("fine.social")];
    let plan = blocklists::undo::undo(&login.server, &changes, &house.live().await);
    let guard = gather::guard(&cx, &login, &house.config.policies[0]).await.unwrap();
    let author = Author {
        run: "back".into(),
        who: "ada".into(),
        at: cx.clock.now(),
    };
    let done = blocklists::undo::carry_out(&cx, &login, &guard, &plan, author, None)
        .await
        .unwrap();
    assert_eq!((done.created, done.failed.len()), (1, 1), "{done:?}");
    assert!(!house.blocks().iter().any(|(domain, _)| domain == "home.social"));
}

/// Check 15. An allowed domain is spared below a block too, by an exception that goes first.
#[tokio::test(flavor = "multi_thread")]
async fn an_exception_is_made_before_the_block() {
    let mut house = House::build("domain,severity\nbad.social,suspend\n").await;
    house.policy().allow = vec!["good.bad.social".into()];
    house.pass().await;
    assert!(house.blocks().is_empty(), "what would cover it is left out");
    assert!(
        house
            .plan()
            .await
            .notes
            .iter()
            .any(|note| note.text.contains("good.bad.social"))
    );
    house.policy().covering = blocklists::merge::Covering::Exempt;
    house.pass_after(1).await;
    assert_eq!(
        house.fediverse.domain_blocks(),
        pairs(&[("good.bad.social", "noop"), ("bad.social", "suspend")])
    );
}

/// A quota of two a day lets two through, and the rest waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_quota_lets_the_rest_wait() {
    let house = House::build(THREE).await;
    house.ledger.configure("blocklists", job::Mode::Act, Some(2));
    let summary = house.pass().await;
    assert_eq!((summary.get("created"), summary.get("waiting")), (2, 1), "{summary:?}");
    house.clock.advance(TimeDelta::hours(25));
    house.pass().await;
    assert_eq!(house.blocks().len(), 3);
}

/// What a human agreed to is agreed to until it is done, however many runs that takes.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_lasts_as_long_as_the_plan_does() {
    let mut house = House::build(THREE).await;
    house.policy().alone_creates = 1;
    house.ledger.configure("blocklists", job::Mode::Act, Some(1));
    house.pass().await;
    assert!(house.blocks().is_empty());
    house.agree("ada").await;
    for made in 1..=3 {
        house.pass_after(25).await;
        assert_eq!(house.blocks().len(), made);
    }
    let runs = store::block_entries::runs(&house.store, None, None, 10).await.unwrap();
    assert!(runs.len() == 3 && runs.iter().all(|run| run.who == "ada"), "{runs:?}");
}

/// A change of ours without an answer, seen before anybody may say what came of it, is no moderator's.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_still_be_on_its_way_is_nobodys_change() {
    let house = House::build("domain,severity\nbad.social,silence\n").await;
    house.pass().await;
    house.write("list", "domain,severity\nbad.social,suspend\n");
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    let (cx, gathered) = planned(&house).await;
    let login = cx.login.clone().unwrap();
    let update = &gathered.plan.operations[0];
    let wish = job::Wish {
        kind: "domain_block.update",
        server: login.server.clone(),
        key: "bad.social".into(),
        intent: serde_json::json!({ "operation": update, "run": "r", "who": "test" }),
        reason: serde_json::json!({}),
    };
    let blocklists::plan::Action::Update { id, fields } = update.action.clone() else {
        panic!("{update:?}");
    };
    let client = login.client.clone();
    let sent = cx.effects.carry_out(wish, |permit| async move {
        client.update_domain_block(&id, &fields, permit).await?;
        Err(mastodon::Error::ServerDown {
            host: client.host(),
            http_status: 504,
        })
    });
    assert!(sent.await.is_err());
    let entry = async || {
        let of = store::block_entries::of_domain(&house.store, "bad.social")
            .await
            .unwrap();
        (of[0].state, of[0].before.clone())
    };
    // At once, as a process does that was started again.
    for hours in [0, 1] {
        house.pass_after(hours).await;
        assert_eq!(
            entry().await,
            (store::block_entries::State::Ours, None),
            "{hours} hours later"
        );
    }
    house.write("list", "domain,severity\nother.social,silence\n");
    for _ in 0..4 {
        house.pass_after(30).await;
    }
    assert_eq!(
        house.blocks(),
        pairs(&[("other.social", "silence")]),
        "what we made is lifted"
    );
}

/// A block of what may not be blocked can still be weakened: only harder is refused.
#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_blocked_becomes_what_it_was() {
    let mut house = House::build("domain,severity\nbad.test,suspend\n").await;
    house.policy().reserved = true;
    house.policy().weaker_local = blocklists::config::WeakerLocal::Raise;
    house.fediverse.block_domain("bad.test", "silence", None);
    house.pass().await;
    assert_eq!(house.blocks(), pairs(&[("bad.test", "suspend")]));
    house.policy().reserved = false;
    let summary = house.pass_after(1).await;
    assert_eq!(
        (summary.get("failed"), house.blocks()),
        (0, pairs(&[("bad.test", "silence")]))
    );
}
