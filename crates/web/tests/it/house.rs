//! A store with something in it, and the router over it.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    http::{Request, Response},
};
use chrono::{TimeDelta, Utc};
use job::{Board, Ledger, Live, Mode, Progress, RunLogs};
use metrics_exporter_prometheus::PrometheusBuilder;
use model::{Clock, SystemClock};
use store::{
    Db,
    backfills::Backfill,
    effects::{Effect, State as Is},
    hosts, job_runs,
    job_runs::{JobRun, Outcome},
    run_logs::Line,
    servers, threads,
    threads::Thread,
    wanted,
    wanted::Wanted,
};
use tower::ServiceExt;
use web::{Counts, Effective, Setting, SignIn, State};

pub(crate) struct House {
    pub(crate) state: State,
    folder: tempfile::TempDir,
}

impl House {
    /// A house whose visitors need not say who they are.
    pub(crate) async fn empty() -> Self {
        let (store, folder) = store::testing::sqlite().await;
        let config = web::Config {
            open_to_everybody: true,
            ..web::Config::default()
        };
        let net = net::Net::new(&net::Config::default(), Arc::new(SystemClock)).unwrap();
        let sign_in = SignIn::new(&config, config.listen, net, Vec::new(), Arc::new(SystemClock)).unwrap();
        let state = State {
            sign_in,
            board: Board::default(),
            ledger: Ledger::new(store.clone(), Arc::new(SystemClock)),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            hosts: Vec::new(),
            logs: RunLogs::default(),
            settings: Effective::default(),
            counts: Counts::default(),
            webhooks: web::Webhooks::default(),
            actor: web::Actor::default(),
            archive: folder.path().join("archive"),
            store,
        };
        Self { state, folder }
    }

    pub(crate) async fn furnished() -> Self {
        let house = Self::empty().await;
        furnish(&house.state).await;
        crate::growth::grow(&house.state.store).await;
        house
    }

    /// Where its database is.
    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("egret.db")
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Response<Body> {
        web::router(self.state.clone()).oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let response = self.ask(Request::get(path).body(Body::empty()).unwrap()).await;
        (response.status().as_u16(), text(response).await)
    }
}

pub(crate) async fn text(response: Response<Body>) -> String {
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

async fn furnish(state: &State) {
    let now = SystemClock.now();
    board(&state.board, now);
    state.ledger.configure("blocklists", Mode::Observe, Some(100));
    effects(&state.store, now).await;
    settings(state);
    people(&state.store, now).await;
    runs(&state.store, now).await;
    statuses(&state.store, now).await;
}

fn board(board: &Board, now: chrono::DateTime<Utc>) {
    let live = |job: &str, scope: &str| Live {
        job: job.to_owned(),
        scope: scope.to_owned(),
        schedule: "every 10m".to_owned(),
        due_at: Some(now + TimeDelta::minutes(4)),
        running_since: None,
        progress: None,
        paused: false,
        rests: None,
    };
    let home = Live {
        due_at: None,
        running_since: Some(now - TimeDelta::seconds(41)),
        ..live("replies.home", "mastodon.example/ada")
    };
    let paused = Live {
        paused: true,
        due_at: None,
        ..live("replies.lists", "mastodon.example/ada")
    };
    let resting = Live {
        rests: Some("the token of mastodon.example/old is refused; run `egret init`".to_owned()),
        due_at: None,
        ..live("replies.home", "mastodon.example/old")
    };
    let cron = Live {
        schedule: "*/5 * * * * Europe/Berlin".to_owned(),
        ..live("replies.bookmarks", "mastodon.example/ada")
    };
    board.reset(vec![home, paused, resting, cron, live("wanted.drain", "")]);
    let progress = Progress::default();
    board.follow("replies.home", "mastodon.example/ada", progress.clone());
    progress.begin("threads", Some(200));
    progress.advance(83);
}

async fn effects(db: &Db, now: chrono::DateTime<Utc>) {
    let states = [
        (Is::Rehearsed, None),
        (Is::Held, Some("quota of 100 a day used up")),
        (Is::Done, None),
        (Is::Failed, Some("mastodon.example says: not allowed")),
    ];
    for (n, (state, note)) in states.into_iter().enumerate() {
        let effect = Effect {
            id: format!("01900000-0000-7000-8000-0000000001{n:02}"),
            feature: "blocklists".to_owned(),
            server: "mastodon.example".to_owned(),
            kind: "domain_block.create".to_owned(),
            key: format!("<i>bad{n}.example"),
            intent: serde_json::json!({"domain": format!("bad{n}.example"), "severity": "suspend", "reject_media": true}),
            reason: serde_json::json!({"lists": ["oliphant-tier0", "garden-fence"], "agreed": 2, "comment": "<b>spam"}),
            state,
            note: note.map(str::to_owned),
            result: (state == Is::Done).then(|| serde_json::json!({"id": "4711"})),
            planned_at: now - TimeDelta::hours(2),
            changed_at: now - TimeDelta::minutes(14),
        };
        store::effects::insert(db, &effect).await.unwrap().unwrap();
    }
}

fn settings(state: &State) {
    let setting = |key: &str, value: &str, source: &str| Setting {
        key: key.to_owned(),
        value: value.to_owned(),
        source: source.to_owned(),
    };
    state.settings.replace(vec![
        setting("net.robots", "true", "default"),
        setting(
            "net.concurrency",
            "32",
            "the environment variable EGRET__NET__CONCURRENCY",
        ),
        setting("replies.home.every", "10m", "egret.toml"),
        setting("replies.home.length", "200", "default"),
        setting("servers[0].url", "https://mastodon.example/", "egret.toml"),
    ]);
    for (level, text) in [
        ("info", "200 threads to look at"),
        ("warn", "<em>social.example answers slowly"),
    ] {
        let line = Line {
            at: SystemClock.now(),
            level: level.to_owned(),
            text: text.to_owned(),
        };
        state.logs.add("01900000-0000-7000-8000-000000000011", line);
    }
}

async fn people(db: &Db, now: chrono::DateTime<Utc>) {
    let server = servers::Server {
        host: "mastodon.example".to_owned(),
        domain: "mastodon.example".to_owned(),
        version: "4.5.3".to_owned(),
        api_version: Some(7),
        checked_at: now,
    };
    servers::save(db, &server).await.unwrap();
    for (name, masked, trouble) in [
        ("ada", "ab…yz", None),
        ("old", "q1…7x", Some("revoked: ask for a new token")),
    ] {
        let login = servers::Login {
            login: format!("mastodon.example/{name}"),
            acct: Some(format!("{name}@mastodon.example")),
            masked: masked.to_owned(),
            trouble: trouble.map(str::to_owned),
            checked_at: now - TimeDelta::minutes(12),
        };
        servers::save_login(db, &login).await.unwrap();
    }
}

async fn runs(db: &Db, now: chrono::DateTime<Utc>) {
    for n in 0..12_i32 {
        let failed = n == 5;
        let started_at = now - TimeDelta::minutes(i64::from(12 - n) * 10);
        let run = JobRun {
            id: format!("01900000-0000-7000-8000-0000000000{n:02}"),
            job: (if n % 3 == 1 {
                "replies.bookmarks"
            } else {
                "replies.home"
            })
            .to_owned(),
            scope: "mastodon.example/ada".to_owned(),
            holder: "one".to_owned(),
            started_at,
            finished_at: Some(started_at + TimeDelta::milliseconds(8_400 + i64::from(n) * 900)),
            outcome: if failed { Outcome::Failed } else { Outcome::Finished },
            counters: [
                ("threads", 200 - n),
                ("resolved", 31 + n),
                ("arrived", 58 + n),
                ("failed", 0),
            ]
            .map(|(name, count)| (name.to_owned(), i64::from(count)))
            .into(),
            requests: [
                ("mastodon.example", 36_u64),
                ("social.example", 21),
                ("tech.example", 12),
                ("<b>odd.example", 3),
            ]
            .map(|(host, count)| (host.to_owned(), count))
            .into(),
            error: failed.then(|| "social.example has trouble (HTTP 502)".to_owned()),
        };
        job_runs::start(db, &run).await.unwrap();
        job_runs::finish(db, &run).await.unwrap();
    }
}

async fn statuses(db: &Db, now: chrono::DateTime<Utc>) {
    for n in 0..6_i64 {
        let thread = Thread {
            server: "mastodon.example".to_owned(),
            uri: format!("https://social.example/users/grace/statuses/1124{n}8830017{n}"),
            status_id: format!("11{n}"),
            host: "social.example".to_owned(),
            created_at: now - TimeDelta::hours(3),
            replies_seen: Some(14 + n),
            origin_replies: Some(20 + n),
            listed: 20 + n,
            missing: 6,
            quiet_visits: 0,
            visited_at: Some(now - TimeDelta::minutes(n)),
            next_visit_at: now + TimeDelta::minutes(30 * (n + 1)),
            trouble: (n == 3).then(|| "closed".to_owned()),
            digest: None,
        };
        threads::save(db, &thread).await.unwrap();
    }
    let wish = |n: i64| Wanted {
        server: "mastodon.example".to_owned(),
        uri: format!("https://tech.example/@lin/{n}0092"),
        host: "tech.example".to_owned(),
        feature: "replies".to_owned(),
        thread: None,
        in_reply_to: None,
        state: wanted::State::Wanted,
        status_id: None,
        tries: 0,
        reason: None,
        next_try_at: now,
        found_at: now - TimeDelta::minutes(9),
        ended_at: None,
    };
    let wishes: Vec<_> = (0..48).map(wish).collect();
    wanted::insert(db, &wishes).await.unwrap();
    let arrived: Vec<_> = wishes[4..].iter().map(|one| (one.uri.clone(), None)).collect();
    wanted::mark_done(db, "mastodon.example", &arrived, now).await.unwrap();
    let end = |n: usize, reason, state| {
        wanted::mark_failed(db, "mastodon.example", &wishes[n].uri, reason, now, Some(state), now)
    };
    end(0, "tech.example does not answer; tried 5 times", wanted::State::Failed)
        .await
        .unwrap();
    end(1, "<script>alert(1)</script>", wanted::State::Gone).await.unwrap();
    backfills(db, now).await;
    hosts::mark_failed(
        db,
        "tech.example",
        "connection refused",
        now + TimeDelta::minutes(20),
        now,
    )
    .await
    .unwrap();
}

async fn backfills(db: &Db, now: chrono::DateTime<Utc>) {
    let account = |acct: &str| Backfill {
        server: "mastodon.example".to_owned(),
        acct: acct.to_owned(),
        source: "followings".to_owned(),
        cursor: None,
        listed: 40,
        wanted: 31,
        failures: 0,
        trouble: None,
        started_at: None,
        finished_at: Some(now - TimeDelta::minutes(31)),
        next_at: Some(now + TimeDelta::days(7)),
    };
    let rows = [
        account("lin@tech.example"),
        account("grace@social.example"),
        Backfill {
            trouble: Some("<b>needs a signed fetch".to_owned()),
            failures: 2,
            finished_at: None,
            ..account("odd@gts.example")
        },
        Backfill {
            trouble: Some("not to be found".to_owned()),
            finished_at: None,
            ..account("shy@social.example")
        },
        Backfill {
            started_at: Some(now),
            finished_at: None,
            next_at: None,
            ..account("new@social.example")
        },
        Backfill {
            finished_at: None,
            listed: 0,
            wanted: 0,
            ..account("later@social.example")
        },
    ];
    for row in &rows {
        store::backfills::save(db, row).await.unwrap();
    }
}
