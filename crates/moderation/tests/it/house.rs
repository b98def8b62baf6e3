//! A database, a server with people who post, and the doors of a run.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use fake_fediverse::{Event, Fediverse, Filed, Scenario};
use job::{Job, JobContext, JobError, Ledger, Login, Mode, Progress, Summary};
use mastodon::Client;
use model::{Clock, FakeClock, SystemClock};
use moderation::{Config, Edit, jobs};
use net::{Net, Url};
use rules::State;
use store::{
    Db,
    cases::{self, Case},
    effects, notices,
    webhook_events::{self, WebhookEvent},
};
use tokio_util::sync::CancellationToken;

/// What spam looks like in these stories.
pub(crate) const CASINO: &str = r#"
[[rules]]
id = "casino"
name = "Casino spam"
weight = 1.0
category = "spam"
when = { keywords = ["casino"], in = ["content", "bio"] }
"#;

pub(crate) struct House {
    pub(crate) fediverse: Fediverse,
    pub(crate) store: Db,
    pub(crate) clock: FakeClock,
    pub(crate) stop: CancellationToken,
    pub(crate) config: Config,
    net: Net,
    _folder: Option<tempfile::TempDir>,
}

pub(crate) fn scenario() -> Scenario {
    Scenario {
        threads: 0,
        replies: 0,
        ..Scenario::small()
    }
}

/// It acts, and nothing but what a story wants holds it.
pub(crate) fn config() -> Config {
    let mut config = Config {
        mode: Mode::Act,
        quota: 100_000,
        reports_per_hour: 100_000,
        pages: "https://egret.example".to_owned(),
        ..Config::default()
    };
    config.inbox.enabled = true;
    config.inbox.linger = Duration::ZERO;
    config
}

/// The way to servers of this machine, as often as a test likes.
pub(crate) fn door() -> Net {
    let config = net::Config {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        token_per_five_minutes: 1_000_000,
        paging_per_fifteen_minutes: 1_000_000,
        attempts: 1,
        ..net::Config::default()
    };
    Net::new(&config, Arc::new(SystemClock)).unwrap()
}

/// What a run of a process that has just started is handed.
pub(crate) fn context(net: Net, store: Db, clock: &FakeClock, config: &Config, home: &str, token: &str) -> JobContext {
    let base: Url = home.parse().unwrap();
    let client = Client::new(net.clone(), base, "home/mod", token.to_owned().into());
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let login = Login {
        name: "home/mod".into(),
        server: client.host().to_string(),
        client,
    };
    let ledger = Ledger::new(store.clone(), Arc::clone(&clock));
    ledger.configure("moderation", config.mode, Some(config.quota));
    JobContext {
        run: uuid::Uuid::now_v7().to_string(),
        login: Some(login.clone()),
        logins: vec![login],
        stop: CancellationToken::new(),
        net,
        store,
        clock,
        progress: Progress::default(),
        effects: ledger.of("moderation"),
    }
}

impl House {
    /// Rules that are live, and nobody has said anything yet.
    pub(crate) async fn with_rules(rules: &str) -> Self {
        let (store, folder) = store::testing::sqlite().await;
        Self {
            _folder: Some(folder),
            ..Self::on(store, rules).await
        }
    }

    /// A server on somebody else's database: servers do not get into each other's way there.
    pub(crate) async fn on(store: Db, rules: &str) -> Self {
        let house = Self {
            fediverse: Fediverse::start(scenario()).await,
            store,
            clock: FakeClock::at(SystemClock.now()),
            stop: CancellationToken::new(),
            config: config(),
            net: door(),
            _folder: None,
        };
        house.write(rules).await;
        house
    }

    /// Puts rules in place, all of them live.
    pub(crate) async fn write(&self, rules: &str) {
        let after = store::rulesets::stamp(&self.store).await.unwrap().0;
        let edit = Edit {
            name: "test.toml".into(),
            text: Some(rules.to_owned()),
            note: "for a test".into(),
            by: "ada".into(),
            after,
        };
        moderation::edit(&self.store, edit, self.clock.now()).await.unwrap();
        for id in ids(rules) {
            self.stand(&id, State::Live).await;
        }
    }

    pub(crate) async fn stand(&self, id: &str, state: State) {
        // Nothing that was said a moment ago may look as if nothing had been said.
        self.clock.advance(TimeDelta::milliseconds(1));
        moderation::stand(&self.store, true, id, state, "ada", "a test", self.clock.now())
            .await
            .unwrap();
    }

    /// The doors of a process that has just started.
    pub(crate) fn cx(&self) -> JobContext {
        let (home, token) = (&self.fediverse.home(), &self.fediverse.admin_token());
        let net = self.net.for_run("test", self.stop.clone());
        let cx = context(net, self.store.clone(), &self.clock, &self.config, home, token);
        JobContext {
            stop: self.stop.clone(),
            ..cx
        }
    }

    pub(crate) fn server(&self) -> String {
        self.fediverse.home().trim_start_matches("http://").to_owned()
    }

    pub(crate) fn job(&self, name: &str) -> Arc<dyn Job> {
        jobs(&self.config).into_iter().find(|job| job.name() == name).unwrap()
    }

    pub(crate) async fn run(&self, name: &str) -> Result<Summary, JobError> {
        Box::pin(self.job(name).run(&self.cx())).await
    }

    /// Home pushes this, and the inbox is read.
    pub(crate) async fn push(&self, event: Event, subject: &str) -> Summary {
        assert!(self.deliver(event, subject).await, "known already");
        self.inbox().await
    }

    /// Home pushes this; `false` when it is known already.
    pub(crate) async fn deliver(&self, event: Event, subject: &str) -> bool {
        let body = self.fediverse.webhook_body(event, subject);
        self.deliver_body(event.as_str(), &body, &uuid::Uuid::now_v7().to_string())
            .await
    }

    pub(crate) async fn deliver_body(&self, event: &str, body: &str, digest: &str) -> bool {
        let event = WebhookEvent {
            id: uuid::Uuid::now_v7().to_string(),
            server: self.server(),
            job: moderation::INBOX.into(),
            event: event.into(),
            object_id: "1".into(),
            digest: digest.into(),
            body: body.into(),
            received_at: self.clock.now(),
        };
        webhook_events::insert(&self.store, &event).await.unwrap()
    }

    pub(crate) async fn inbox(&self) -> Summary {
        self.run(moderation::INBOX).await.unwrap()
    }

    /// A run over the cases, a minute later.
    pub(crate) async fn tick(&self) -> Summary {
        self.later(1);
        self.run(moderation::CASES).await.unwrap()
    }

    pub(crate) fn later(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }

    /// Somebody at another server, by home's name for them.
    pub(crate) fn stranger(&self, name: &str) -> String {
        let id = self.fediverse.joins(Some(0), name);
        let host = self.fediverse.origin(0).trim_start_matches("http://").to_owned();
        assert!(!id.is_empty());
        format!("{name}@{host}")
    }

    /// Somebody posts something that rules find, and home tells of it; `acct` is one of home's own.
    pub(crate) async fn spam(&self, acct: &str) -> Summary {
        let id = self
            .fediverse
            .says(acct, &format!("<p>Best casino in town, {acct}</p>"));
        self.push(Event::StatusCreated, &id).await
    }

    pub(crate) fn filed(&self) -> Vec<Filed> {
        self.fediverse.filed()
    }

    pub(crate) async fn cases(&self) -> Vec<Case> {
        let mut all = cases::list(&self.store, &cases::Filter::default(), 5000).await.unwrap();
        all.reverse();
        all
    }

    pub(crate) async fn case(&self) -> Case {
        let mut all = self.cases().await;
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }

    pub(crate) async fn effects(&self) -> Vec<effects::Effect> {
        effects::list(&self.store, None, None, None, 10_000).await.unwrap()
    }

    pub(crate) fn writes(&self) -> usize {
        self.fediverse
            .log()
            .0
            .iter()
            .filter(|call| call.method != "GET")
            .count()
    }

    pub(crate) async fn notices(&self, kind: &str) -> Vec<String> {
        let all = notices::list(&self.store, false, None, 200).await.unwrap();
        all.into_iter()
            .filter(|notice| notice.kind == kind)
            .map(|notice| notice.text)
            .collect()
    }

    pub(crate) async fn hits(&self, rule: &str) -> Vec<store::rule_hits::Hit> {
        let mut hits = store::rule_hits::of_rule(&self.store, rule, None, 1000).await.unwrap();
        hits.reverse();
        hits
    }
}

/// The ids in rules.
fn ids(rules: &str) -> Vec<String> {
    let ids = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("id = \"")?.strip_suffix('"'));
    ids.map(str::to_owned).collect()
}

impl House {
    pub(crate) fn clock_now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }
}
