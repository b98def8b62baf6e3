//! Blocklists: what lists said, whose a block is, what was changed, which plan waits.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use store::{
    block_entries::{self, Change, Entry, State},
    block_plans::{self, Output, Plan, State as Is},
    block_sources::{self, Leaving, Source},
    effects::{self, Effect},
    testing::on_each_engine,
};

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn source() -> Source {
    Source {
        name: "tier0".into(),
        body: Some("a.social\n".into()),
        pending: None,
        sha256: "x".into(),
        row_count: 1,
        bad_count: 0,
        etag: Some("\"1\"".into()),
        modified: None,
        trouble: None,
        held: None,
        failures: 0,
        checked_at: now(),
        good_at: Some(now()),
        changed_at: Some(now()),
        cursor: Some("https://lists.social/changes?since=7".into()),
        whole_at: Some(now()),
        place: Some("1f".into()),
    }
}

fn leaving(domain: &str) -> Leaving {
    Leaving {
        source: "tier0".into(),
        domain: domain.into(),
        said: json!({ "severity": "suspend" }),
        missed: 2,
        since: now(),
    }
}

#[tokio::test]
async fn a_list_and_what_it_lost_arrive_together() {
    on_each_engine(async |db| {
        assert_eq!(block_sources::load(&db, "tier0").await.unwrap(), None);
        block_sources::save(&db, &source(), Some(&[leaving("b.social"), leaving("a.social")]))
            .await
            .unwrap();
        assert_eq!(block_sources::load(&db, "tier0").await.unwrap().unwrap(), source());
        let rows = block_sources::leavings(&db, "tier0").await.unwrap();
        assert_eq!(rows, [leaving("a.social"), leaving("b.social")]);

        let troubled = Source {
            trouble: Some("HTTP 404\0".into()),
            failures: 1,
            ..source()
        };
        block_sources::save(&db, &troubled, None).await.unwrap();
        assert_eq!(
            block_sources::leavings(&db, "tier0").await.unwrap().len(),
            2,
            "left as they are"
        );
        let health = block_sources::health(&db).await.unwrap();
        assert_eq!(
            (health[0].body.as_deref(), health[0].trouble.as_deref()),
            (None, Some("HTTP 404\u{fffd}"))
        );
        block_sources::save(&db, &source(), Some(&[])).await.unwrap();
        assert!(block_sources::leavings(&db, "tier0").await.unwrap().is_empty());
    })
    .await;
}

fn entry(domain: &str, change: &str) -> Entry {
    Entry {
        server: "home.social".into(),
        domain: domain.into(),
        state: State::Ours,
        block_id: Some("7".into()),
        written: Some(json!({ "id": "7", "severity": "suspend" })),
        before: None,
        reason: json!({ "rule": "max" }),
        change: Some(change.into()),
        capped_since: None,
        told_at: Some(now()),
        note: None,
        created_at: now(),
        changed_at: now(),
    }
}

fn change(id: &str, domain: &str, action: &str) -> Change {
    Change {
        id: id.into(),
        run: "run".into(),
        server: "home.social".into(),
        domain: domain.into(),
        action: action.into(),
        before: None,
        after: Some(json!({ "id": "7" })),
        reason: json!({ "rule": "max" }),
        follows: Some(3),
        who: "ada".into(),
        undone_by: None,
        changed_at: now(),
    }
}

#[tokio::test]
async fn a_change_and_what_is_known_after_it_arrive_together() {
    on_each_engine(async |db| {
        block_entries::record(&db, &change("1", "a.social", "create"), Some(&entry("a.social", "1")))
            .await
            .unwrap();
        block_entries::record(
            &db,
            &change("2", "a_b.social", "create"),
            Some(&entry("a_b.social", "2")),
        )
        .await
        .unwrap();
        assert_eq!(block_entries::list(&db, "home.social").await.unwrap().len(), 2);
        assert_eq!(
            block_entries::of_domain(&db, "a.social").await.unwrap(),
            [entry("a.social", "1")]
        );
        assert_eq!(
            block_entries::search(&db, None, "A_B", ("", ""), 9).await.unwrap(),
            [entry("a_b.social", "2")],
            "no wildcard"
        );
        assert_eq!(block_entries::search(&db, None, "%", ("", ""), 9).await.unwrap(), []);
        for (servers, found) in [(vec!["home.social"], 1), (vec!["else.social"], 0), (vec![], 0)] {
            let servers: Vec<String> = servers.into_iter().map(str::to_owned).collect();
            let there = block_entries::search(&db, Some(&servers), "a_b", ("", ""), 9)
                .await
                .unwrap();
            assert_eq!(there.len(), found, "{servers:?}");
            let runs = block_entries::runs(&db, Some(&servers), None, 9).await.unwrap();
            assert_eq!(runs.len(), found, "{servers:?}");
        }

        block_entries::record(&db, &change("3", "a.social", "delete"), None)
            .await
            .unwrap();
        assert_eq!(block_entries::of_domain(&db, "a.social").await.unwrap(), []);
        assert_eq!(
            block_entries::last_change(&db, "home.social", "a.social")
                .await
                .unwrap()
                .as_deref(),
            Some("3")
        );
        let ids: Vec<String> = block_entries::of_run(&db, "run")
            .await
            .unwrap()
            .into_iter()
            .map(|it| it.id)
            .collect();
        assert_eq!(ids, ["1", "2", "3"]);
        block_entries::mark_undone(&db, "1", "later").await.unwrap();
        let runs = block_entries::runs(&db, None, None, 9).await.unwrap();
        assert_eq!(
            (runs[0].created, runs[0].deleted, runs[0].undone, &*runs[0].who),
            (2, 1, 1, "ada")
        );
        assert_eq!(
            block_entries::changes(&db, "a.social", 9).await.unwrap()[0].action,
            "delete"
        );

        let drifted = Entry {
            state: State::Drifted,
            note: Some("x".into()),
            ..entry("a_b.social", "2")
        };
        block_entries::save(&db, &drifted).await.unwrap();
        assert_eq!(block_entries::of_domain(&db, "a_b.social").await.unwrap(), [drifted]);
        block_entries::delete(&db, "home.social", "a_b.social").await.unwrap();
        assert_eq!(block_entries::list(&db, "home.social").await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn effects_without_a_record_are_found() {
    on_each_engine(async |db| {
        let effect = |id: &str, state| Effect {
            id: id.into(),
            feature: "blocklists".into(),
            server: "home.social".into(),
            kind: "domain_block.create".into(),
            key: id.into(),
            intent: json!({}),
            reason: json!({}),
            state,
            note: None,
            result: None,
            planned_at: now(),
            changed_at: now(),
        };
        for (id, state) in [
            ("1", effects::State::Done),
            ("2", effects::State::Done),
            ("3", effects::State::Intended),
            ("4", effects::State::Failed),
        ] {
            effects::insert(&db, &effect(id, state)).await.unwrap();
        }
        block_entries::record(&db, &change("1", "a.social", "create"), None)
            .await
            .unwrap();
        let left = block_entries::unrecorded(&db, "home.social").await.unwrap();
        assert_eq!(left.iter().map(|it| &*it.id).collect::<Vec<_>>(), ["2", "3"]);
        assert!(block_entries::unrecorded(&db, "other.social").await.unwrap().is_empty());
    })
    .await;
}

fn plan(hash: &str, policy: &str) -> Plan {
    Plan {
        server: "home.social".into(),
        hash: hash.into(),
        policy: policy.into(),
        state: block_plans::State::Open,
        plan: json!({ "operations": [1] }),
        who: None,
        run: None,
        made_at: now(),
        changed_at: now(),
    }
}

#[tokio::test]
async fn the_newest_plan_of_a_policy_is_the_open_one() {
    on_each_engine(async |db| {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        assert!(block_plans::save(&db, &plan(&a, "default")).await.unwrap());
        assert!(!block_plans::save(&db, &plan(&a, "default")).await.unwrap());
        assert!(block_plans::save(&db, &plan(&b, "default")).await.unwrap());
        assert!(block_plans::save(&db, &plan("undo 1", "undo 1")).await.unwrap());
        let open: Vec<String> = block_plans::open(&db)
            .await
            .unwrap()
            .into_iter()
            .map(|it| it.hash)
            .collect();
        assert_eq!(open.len(), 2);
        assert!(!open.contains(&a));
        assert_eq!(
            block_plans::load(&db, "aaaaaaaaaaaa").await.unwrap().unwrap().state,
            block_plans::State::Stale
        );
        assert_eq!(block_plans::load(&db, "aaa").await.unwrap(), None, "too short");
        assert_eq!(block_plans::load(&db, "%%%%%%%%").await.unwrap(), None);

        let (dismissed, applied) = (block_plans::State::Dismissed, block_plans::State::Applied);
        assert!(
            block_plans::advance(&db, "home.social", &b, dismissed, Some("ada"), None, now())
                .await
                .unwrap()
        );
        assert!(
            !block_plans::advance(&db, "home.social", &b, applied, None, Some("run"), now())
                .await
                .unwrap()
        );
        block_plans::save(&db, &plan(&b, "default")).await.unwrap();
        assert_eq!(
            block_plans::load(&db, &b).await.unwrap().unwrap().state,
            dismissed,
            "a no stays a no"
        );
        block_plans::save(&db, &plan(&a, "default")).await.unwrap();
        assert_eq!(
            block_plans::load(&db, &a).await.unwrap().unwrap().state,
            block_plans::State::Open,
            "back again"
        );
        assert_eq!(
            block_plans::delete_older(&db, now() + TimeDelta::days(1))
                .await
                .unwrap(),
            0
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_published_is_replaced_whole() {
    on_each_engine(async |db| {
        let output = Output {
            name: "merged.csv".into(),
            kind: "text/csv".into(),
            body: "a".into(),
            signature: None,
            made_at: now(),
        };
        block_plans::publish(&db, &output).await.unwrap();
        let signed = Output {
            signature: Some("s".into()),
            ..output
        };
        block_plans::publish(&db, &signed).await.unwrap();
        assert_eq!(block_plans::output(&db, "merged.csv").await.unwrap(), Some(signed));
        assert_eq!(block_plans::output(&db, "other").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn where_a_server_stands_is_told_when_nothing_waits_too() {
    on_each_engine(async |db| {
        let plan = |hash: &str, policy: &str, state: Is, minutes: i64| Plan {
            server: "home.social".into(),
            hash: hash.into(),
            policy: policy.into(),
            state,
            plan: json!({}),
            who: None,
            run: None,
            made_at: now() + TimeDelta::minutes(minutes),
            changed_at: now(),
        };
        for row in [
            plan("1", "default", Is::Applied, 0),
            plan("2", "default", Is::Applied, 1),
            plan("3", "clear", Is::Applied, 2),
            plan("undo 4", "undo 4", Is::Applied, 3),
        ] {
            block_plans::save(&db, &row).await.unwrap();
        }
        let hashes = async || -> Vec<String> {
            let current = block_plans::current(&db).await.unwrap();
            current.into_iter().map(|plan| plan.hash).collect()
        };
        assert_eq!(hashes().await, ["2"]);
        block_plans::save(&db, &plan("5", "default", Is::Open, 4))
            .await
            .unwrap();
        assert_eq!(hashes().await, ["5"]);
        assert_eq!(block_plans::config(&db).await.unwrap(), None);
        for value in [json!({ "policies": [] }), json!({ "policies": [{ "name": "a" }] })] {
            block_plans::save_config(&db, &value, now()).await.unwrap();
            assert_eq!(block_plans::config(&db).await.unwrap(), Some(value));
        }
    })
    .await;
}
