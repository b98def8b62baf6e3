//! Undo, clear, and plans that are carried out exactly or not at all.

use blocklists::{
    apply::Author,
    gather::{self, Counts},
    undo,
};
use store::block_entries;

use crate::house::{House, pairs};

async fn undone(house: &House, run: &str) -> (blocklists::plan::Plan, blocklists::apply::Done) {
    let cx = house.cx();
    let login = cx.login.clone().unwrap();
    let changes = block_entries::of_run(&house.store, run).await.unwrap();
    let guard = gather::guard(&cx, &login, &house.config.policies[0]).await.unwrap();
    let plan = undo::undo(&login.server, &changes, &house.live().await);
    let author = Author {
        run: "undo".into(),
        who: "ada".into(),
        at: cx.clock.now(),
    };
    let done = undo::carry_out(&cx, &login, &guard, &plan, author, Some(&changes))
        .await
        .unwrap();
    (plan, done)
}

/// Check 43.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_undone_to_the_letter() {
    let row = |name: &str, n: usize, comment: &str| format!("{name}{n}.social,silence,{comment}\n");
    let list = |rows: String| format!("domain,severity,public_comment\n{rows}");
    let first: String = (0..3)
        .map(|n| row("keep", n, "spam"))
        .chain((0..2).map(|n| row("gone", n, "x")))
        .collect();
    let mut house = House::build(&list(first)).await;
    house.config.sources[0].leave_copies = 1;
    house.config.sources[0].leave_after = std::time::Duration::ZERO;
    house.pass().await;
    let before = house.live().await;

    let second: String = (0..3)
        .map(|n| row("keep", n, "hate"))
        .chain((0..5).map(|n| row("new", n, "")))
        .collect();
    house.write("list", &list(second));
    house.fediverse.clear_log();
    house.pass_after(1).await;
    house.pass_after(1).await;
    let mut methods = house.methods();
    methods.sort();
    assert_eq!(
        methods,
        [
            "DELETE", "DELETE", "POST", "POST", "POST", "POST", "POST", "PUT", "PUT", "PUT"
        ]
    );

    house.fediverse.clear_log();
    let runs = block_entries::runs(&house.store, None, None, 10).await.unwrap();
    let (_, done) = undone(&house, &runs[0].run).await;
    assert!(done.astray.is_empty() && done.failed.is_empty(), "{done:?}");
    let mut methods = house.methods();
    methods.sort();
    assert_eq!(
        methods,
        [
            "DELETE", "DELETE", "DELETE", "DELETE", "DELETE", "POST", "POST", "PUT", "PUT", "PUT"
        ]
    );
    let plain = |blocks: std::collections::BTreeMap<String, mastodon::AdminDomainBlock>| -> Vec<_> {
        blocks
            .into_values()
            .map(|block| mastodon::AdminDomainBlock {
                id: String::new(),
                created_at: None,
                ..block
            })
            .collect()
    };
    assert_eq!(plain(house.live().await), plain(before));
    house.fediverse.clear_log();
    house.pass_after(30).await;
    assert_eq!(
        house.methods(),
        Vec::<String>::new(),
        "and the lists do not do it again"
    );
}

/// Check 43. What no undo brings back is said.
#[tokio::test(flavor = "multi_thread")]
async fn lost_follows_are_named() {
    let mut house = House::build("domain,severity\nbad.social,suspend\n").await;
    house.policy().max_followed_severity = model::Severity::Suspend;
    house.fediverse.set_follows("bad.social", 7, 2);
    house.pass().await;
    let run = block_entries::runs(&house.store, None, None, 1)
        .await
        .unwrap()
        .pop()
        .unwrap()
        .run;
    let (plan, done) = undone(&house, &run).await;
    assert_eq!(done.deleted, 1);
    assert!(plan.doubts[0].starts_with("9 follows"), "{:?}", plan.doubts);
}

/// Check 44.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_made_for_another_state_has_another_name() {
    let house = House::build("domain,severity\nbad.social,suspend\n").await;
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    let cx = house.cx();
    let login = cx.login.clone().unwrap();
    let policy = &house.config.policies[0];
    let plan = async || {
        blocklists::make_plan(&cx, &house.config, policy, &login, Counts::Ask)
            .await
            .unwrap()
            .plan
    };
    let first = plan().await;
    assert_eq!(plan().await.hash, first.hash);
    house.fediverse.block_domain("other.social", "silence", None);
    assert_ne!(plan().await.hash, first.hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn clearing_takes_ours_and_remembers() {
    let house = House::build("domain,severity\na.social,suspend\nb.social,silence\n").await;
    house.fediverse.block_domain("manual.social", "suspend", None);
    house.pass().await;
    let cx = house.cx();
    let login = cx.login.clone().unwrap();
    let entries = block_entries::list(&house.store, &login.server).await.unwrap();
    let entries = entries.into_iter().map(|entry| (entry.domain.clone(), entry)).collect();
    let filter = undo::Filter {
        source: Some("list".into()),
        severity: Some("Suspend".into()),
        ..Default::default()
    };
    let plan = undo::clear(&login.server, &filter, &house.live().await, &entries);
    let guard = blocklists::guard::Guard::default();
    let author = Author {
        run: "clear".into(),
        who: "ada".into(),
        at: cx.clock.now(),
    };
    let done = undo::carry_out(&cx, &login, &guard, &plan, author, None).await.unwrap();
    assert_eq!(
        (done.deleted, house.blocks()),
        (1, pairs(&[("b.social", "silence"), ("manual.social", "suspend")]))
    );
    house.pass_after(1).await;
    assert_eq!(house.blocks().len(), 2, "it is not made again");
    let (_, done) = undone(&house, "clear").await;
    assert_eq!((done.created, house.blocks().len()), (1, 3), "and may come back");
}

/// `why` tells from the store alone.
#[tokio::test(flavor = "multi_thread")]
async fn why_tells_who_said_what() {
    let house = House::build("domain,severity\nbad.social,suspend\ncf,suspend\n").await;
    house.pass().await;
    let before = house.fediverse.log().len();
    let told = blocklists::why::why(&house.store, &house.config, "X.Bad.Social")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(told.policies[0].covered_by, ["bad.social (suspend)"]);
    let told = blocklists::why::why(&house.store, &house.config, "bad.social")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (told.policies[0].severity, told.changes.len()),
        (Some(model::Severity::Suspend), 1)
    );
    assert!(told.text().contains("list says suspend"), "{}", told.text());
    let told = blocklists::why::why(&house.store, &house.config, "cf")
        .await
        .unwrap()
        .unwrap();
    assert!(
        told.policies[0].verdict.contains("public suffix"),
        "{}",
        told.policies[0].verdict
    );
    assert_eq!(house.fediverse.log().len(), before, "nobody is asked");
    assert!(
        blocklists::why::why(&house.store, &house.config, "a..b")
            .await
            .unwrap()
            .is_none()
    );
}
