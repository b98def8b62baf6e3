//! What the dashboard reads and keeps.

use serde_json::json;
use store::{
    Before,
    effects::{self, Effect, Filter, Part, State},
    hosts, job_runs,
    job_runs::{JobRun, Outcome, Whose},
    modes::{self, Switched},
    run_logs::{self, Line},
    testing::on_each_engine,
    threads::{self, Thread},
    wanted::{self, Wanted},
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
        let costs = job_runs::costs(&db, None, &jobs, "home.example:8443", "arrived", 9)
            .await
            .unwrap();
        let told: Vec<_> = costs.iter().map(|cost| (cost.requests, cost.counted)).collect();
        assert_eq!(told, [(None, None), (Some(3), Some(7))], "newest first");
        assert!(job_runs::costs(&db, None, &[], "h", "c", 9).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn runs_are_told_by_whose_they_are() {
    on_each_engine(async |db| {
        let scopes = [
            "a.example/me",
            "a.example/you",
            "a.example",
            "a_example/x",
            "axexample/x",
            "",
        ];
        for scope in scopes {
            let scope = scope.to_owned();
            let one = JobRun {
                scope,
                ..run("replies.home", &[("arrived", 1)], &[("h", 2)])
            };
            job_runs::start(&db, &one).await.unwrap();
        }
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (servers, own, expected) in [
            (
                list(&["a.example"]),
                list(&[]),
                &["a.example", "a.example/you", "a.example/me"][..],
            ),
            (list(&["a_example"]), list(&[""]), &["", "a_example/x"]),
            (
                list(&[]),
                list(&["a.example/me", "a.example"]),
                &["a.example", "a.example/me"],
            ),
            (list(&[]), list(&[]), &[]),
        ] {
            let whose = Whose { servers, scopes: own };
            let found = job_runs::page(&db, Some(&whose), Some("replies.home"), None, 9)
                .await
                .unwrap();
            let found: Vec<&str> = found.iter().map(|run| run.scope.as_str()).collect();
            assert_eq!(found, expected);
            let told: Vec<&str> = scopes.into_iter().rev().filter(|scope| whose.has(scope)).collect();
            assert_eq!(told, expected);
            let jobs = list(&["replies.home"]);
            let costs = job_runs::costs(&db, Some(&whose), &jobs, "h", "arrived", 9)
                .await
                .unwrap();
            assert_eq!(costs.len(), expected.len());
        }
        let all = job_runs::page(&db, None, None, None, 9).await.unwrap();
        let whose = Whose {
            servers: list(&["a.example"]),
            scopes: vec![],
        };
        let rest = job_runs::page(&db, Some(&whose), None, Some(&all[3].id), 9)
            .await
            .unwrap();
        assert_eq!(rest.len(), 2, "before a run");
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
        let feature = Some("blocklists".to_owned());
        assert_eq!(
            find(Filter {
                feature: feature.clone(),
                ..Filter::default()
            })
            .await,
            [2, 1]
        );
        let part = |feature: Option<&str>, servers: &[&str]| Part {
            feature: feature.map(str::to_owned),
            servers: Some(servers.iter().map(|host| (*host).to_owned()).collect()),
        };
        for (among, expected) in [
            (vec![], &[][..]),
            (vec![part(None, &[])], &[]),
            (vec![part(None, &["a.example"])], &[1, 0]),
            (vec![part(Some("blocklists"), &["b.example", "a.example"])], &[2, 1]),
            (
                vec![
                    part(Some("moderation"), &["a.example"]),
                    part(Some("blocklists"), &["b.example"]),
                ],
                &[2, 0],
            ),
        ] {
            let has = |one: &Effect| among.iter().any(|part| part.has(&one.feature, &one.server));
            let told: Vec<usize> = (0..3).rev().filter(|n| has(&all[*n])).collect();
            assert_eq!(told, expected);
            let among = Some(among);
            assert_eq!(
                find(Filter {
                    among,
                    ..Filter::default()
                })
                .await,
                expected
            );
        }
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
        let row = |feature: &str, server: &str| (feature.to_owned(), server.to_owned(), 1);
        assert_eq!(
            waiting,
            [row("blocklists", "b.example"), row("moderation", "a.example")]
        );
    })
    .await;
}

#[tokio::test]
async fn pages_of_what_the_replies_feature_keeps_show_each_row_once() {
    on_each_engine(async |db| {
        // Two servers, one of them with the same uris at the same moments.
        let servers = ["home.example".to_owned(), "second.example".to_owned()];
        for n in 0..10_i64 {
            let (server, n) = (&servers[usize::try_from(n / 5).unwrap()], n % 5);
            let row = Wanted {
                server: server.clone(),
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
        loop {
            let page = wanted::page(&db, &servers, wanted::State::Wanted, before.as_ref(), 3)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            let (at, server, uri) = (last.found_at, last.server.clone(), last.uri.clone());
            before = Some(Before { at, server, uri });
            wishes.extend(page.into_iter().map(|row| (row.server, row.uri)));
        }
        let mut before = None;
        loop {
            let page = threads::page(&db, &servers, before.as_ref(), 3).await.unwrap();
            let Some(last) = page.last() else { break };
            let (at, server, uri) = (last.visited_at.unwrap(), last.server.clone(), last.uri.clone());
            before = Some(Before { at, server, uri });
            visits.extend(page.into_iter().map(|row| (row.server, row.uri)));
        }
        let one = wanted::page(&db, &servers[..1], wanted::State::Wanted, None, 9)
            .await
            .unwrap();
        assert!(one.len() == 5 && one.iter().all(|row| row.server == servers[0]));
        assert!(
            wanted::page(&db, &[], wanted::State::Wanted, None, 9)
                .await
                .unwrap()
                .is_empty()
        );
        let mut after: Option<String> = None;
        loop {
            let page = hosts::page(&db, after.as_deref(), 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.host.clone());
            origins.extend(page);
        }
        // The newest moment first, in it server by server.
        let mut order = Vec::new();
        for moment in [&[4][..], &[2, 3], &[0, 1]] {
            for server in &servers {
                order.extend(
                    moment
                        .iter()
                        .map(|n| (server.clone(), format!("https://a.example/{n}"))),
                );
            }
        }
        assert_eq!(wishes, order);
        assert_eq!(visits, order);
        assert_eq!(origins.len(), 5);
    })
    .await;
}
