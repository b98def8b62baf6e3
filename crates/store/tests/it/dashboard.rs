//! What the dashboard reads and keeps.

use serde_json::json;
use store::{
    effects::{self, Effect, Filter, State},
    hosts, job_runs,
    job_runs::{JobRun, Outcome},
    modes::{self, Switched},
    run_logs::{self, Line},
    testing::on_each_engine,
    threads::{self, Thread},
    wanted::{self, Before, Wanted},
};

use crate::{id, minute, start};

fn run(job: &str, counters: &[(&str, i64)], requests: &[(&str, u64)]) -> JobRun {
    JobRun {
        id: id(),
        job: job.to_owned(),
        scope: "home.example/me".to_owned(),
        holder: "one".to_owned(),
        started_at: start(),
        finished_at: None,
        outcome: Outcome::Running,
        counters: counters
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect(),
        requests: requests
            .iter()
            .map(|(host, count)| ((*host).to_owned(), *count))
            .collect(),
        error: None,
    }
}

#[tokio::test]
async fn a_log_is_kept_as_long_as_its_run() {
    on_each_engine(async |db| {
        let one = run("replies.home", &[], &[]);
        job_runs::start(&db, &one).await.unwrap();
        let line = |text: &str| Line {
            at: start(),
            level: "warn".to_owned(),
            text: text.to_owned(),
        };
        run_logs::save(&db, &one.id, &[line("a"), line("b\0c")]).await.unwrap();
        run_logs::save(&db, "gone", &[line("x")]).await.unwrap();
        assert_eq!(
            run_logs::load(&db, &one.id).await.unwrap(),
            [line("a"), line("b\u{fffd}c")]
        );
        assert_eq!(run_logs::delete_orphans(&db).await.unwrap(), 1);
        assert!(run_logs::load(&db, "gone").await.unwrap().is_empty());
        assert_eq!(run_logs::load(&db, &one.id).await.unwrap().len(), 2);
        assert_eq!(job_runs::load(&db, &one.id).await.unwrap().as_ref(), Some(&one));
        assert_eq!(job_runs::load(&db, "none").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn costs_are_read_out_of_the_rows() {
    on_each_engine(async |db| {
        for one in [
            run(
                "replies.home",
                &[("arrived", 7)],
                &[("home.example:8443", 3), ("b.example", 9)],
            ),
            run("replies.lists", &[], &[]),
            run("blocklists.apply", &[("arrived", 1)], &[("home.example:8443", 1)]),
        ] {
            job_runs::start(&db, &one).await.unwrap();
        }
        let jobs = ["replies.home".to_owned(), "replies.lists".to_owned()];
        let costs = job_runs::costs(&db, &jobs, "home.example:8443", "arrived", 9)
            .await
            .unwrap();
        let told: Vec<_> = costs.iter().map(|cost| (cost.requests, cost.counted)).collect();
        assert_eq!(told, [(None, None), (Some(3), Some(7))], "newest first");
        assert!(job_runs::costs(&db, &[], "h", "c", 9).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_switched_mode_is_one_row() {
    on_each_engine(async |db| {
        let switched = |mode: &str, who: &str| Switched {
            feature: "blocklists".to_owned(),
            mode: mode.to_owned(),
            who: who.to_owned(),
            set_at: start(),
        };
        modes::save(&db, &switched("act", "ada")).await.unwrap();
        modes::save(&db, &switched("observe", "bob")).await.unwrap();
        assert_eq!(modes::list(&db).await.unwrap(), [switched("observe", "bob")]);
        assert_eq!(modes::load(&db, "moderation").await.unwrap(), None);
        modes::delete(&db, "blocklists").await.unwrap();
        assert_eq!(modes::load(&db, "blocklists").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn effects_are_found_by_what_they_are() {
    on_each_engine(async |db| {
        let effect = |feature: &str, server: &str, state| Effect {
            id: id(),
            feature: feature.to_owned(),
            server: server.to_owned(),
            kind: "report.create".to_owned(),
            key: id(),
            intent: json!({}),
            reason: json!({}),
            state,
            note: None,
            result: None,
            planned_at: start(),
            changed_at: start(),
        };
        let all = [
            effect("moderation", "a.example", State::Held),
            effect("blocklists", "a.example", State::Done),
            effect("blocklists", "b.example", State::Held),
        ];
        for one in &all {
            effects::insert(&db, one).await.unwrap().unwrap();
        }
        let find = async |filter: Filter| -> Vec<usize> {
            let found = effects::search(&db, &filter, 9).await.unwrap();
            found
                .iter()
                .map(|it| all.iter().position(|one| one.id == it.id).unwrap())
                .collect()
        };
        assert_eq!(find(Filter::default()).await, [2, 1, 0]);
        let features = Some(vec!["blocklists".to_owned()]);
        assert_eq!(
            find(Filter {
                features,
                ..Filter::default()
            })
            .await,
            [2, 1]
        );
        assert_eq!(
            find(Filter {
                features: Some(Vec::new()),
                ..Filter::default()
            })
            .await,
            [0; 0]
        );
        assert_eq!(
            find(Filter {
                state: Some(State::Held),
                ..Filter::default()
            })
            .await,
            [2, 0]
        );
        assert_eq!(
            find(Filter {
                server: Some("a.example".to_owned()),
                ..Filter::default()
            })
            .await,
            [1, 0]
        );
        assert_eq!(
            find(Filter {
                before: Some(all[1].id.clone()),
                ..Filter::default()
            })
            .await,
            [0]
        );
        let waiting = effects::waiting(&db).await.unwrap();
        assert_eq!(waiting, [("blocklists".to_owned(), 1), ("moderation".to_owned(), 1)]);
    })
    .await;
}

#[tokio::test]
async fn pages_of_what_the_replies_feature_keeps_show_each_row_once() {
    on_each_engine(async |db| {
        for n in 0..5_i64 {
            let row = Wanted {
                server: "home.example".to_owned(),
                uri: format!("https://a.example/{n}"),
                host: format!("{n}.example"),
                feature: "replies".to_owned(),
                thread: None,
                in_reply_to: None,
                state: wanted::State::Wanted,
                status_id: None,
                tries: 0,
                reason: None,
                next_try_at: start(),
                found_at: minute(n / 2),
                ended_at: None,
            };
            let thread = Thread {
                server: row.server.clone(),
                uri: row.uri.clone(),
                status_id: n.to_string(),
                host: row.host.clone(),
                created_at: start(),
                replies_seen: None,
                origin_replies: None,
                listed: 0,
                missing: 0,
                quiet_visits: 0,
                digest: None,
                visited_at: Some(minute(n / 2)),
                next_visit_at: start(),
                trouble: None,
            };
            wanted::insert(&db, &[row]).await.unwrap();
            threads::save(&db, &thread).await.unwrap();
            hosts::mark_failed(&db, &thread.host, "no", minute(1), start())
                .await
                .unwrap();
        }
        let (mut wishes, mut visits, mut origins) = (Vec::new(), Vec::new(), Vec::new());
        let mut before = None;
        while let Some(last) = wanted::page(&db, wanted::State::Wanted, before.as_ref(), 2)
            .await
            .unwrap()
            .last()
        {
            wishes.extend(
                wanted::page(&db, wanted::State::Wanted, before.as_ref(), 2)
                    .await
                    .unwrap(),
            );
            before = Some(Before {
                at: last.found_at,
                uri: last.uri.clone(),
            });
        }
        let mut before: Option<(_, String)> = None;
        loop {
            let from = before.as_ref().map(|(at, uri)| (*at, uri.as_str()));
            let page = threads::page(&db, from, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            before = last.visited_at.map(|at| (at, last.uri.clone()));
            visits.extend(page);
        }
        let mut after: Option<String> = None;
        loop {
            let page = hosts::page(&db, after.as_deref(), 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.host.clone());
            origins.extend(page);
        }
        let order = ["4", "2", "3", "0", "1"].map(|n| format!("https://a.example/{n}"));
        assert_eq!(wishes.iter().map(|row| row.uri.clone()).collect::<Vec<_>>(), order);
        assert_eq!(visits.iter().map(|row| row.uri.clone()).collect::<Vec<_>>(), order);
        assert_eq!(origins.len(), 5);
    })
    .await;
}
