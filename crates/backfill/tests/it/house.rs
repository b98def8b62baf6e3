//! A database, a fediverse and the doors of a run.

use std::{io, net::IpAddr, sync::Arc};

use backfill::{Config, jobs};
use chrono::{DateTime, TimeDelta, Utc};
use fake_fediverse::{Builtin, Fediverse, Scenario, Software, Writer};
use futures::future::BoxFuture;
use job::{JobContext, JobError, Ledger, Login, Progress, Summary};
use mastodon::Client;
use model::{Clock, FakeClock, SystemClock};
use net::{Lookup, Net, Url};
use store::{
    Db,
    backfills::Backfill,
    wanted::{State, Wanted},
};
use tokio_util::sync::CancellationToken;

/// Every name leads home.
struct Loopback;

impl Lookup for Loopback {
    fn lookup(&self, _name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

/// An empty timeline, and origins of these kinds.
pub(crate) fn origins(origins: &[Software]) -> Scenario {
    Scenario {
        threads: 0,
        replies: 0,
        builtin: Builtin::Off,
        origins: origins.to_vec(),
        ..Scenario::small()
    }
}

/// Without limits, which would only make tests slow.
fn unlimited() -> net::Config {
    net::Config {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        attempts: 1,
        origin_per_minute: 100_000,
        token_per_five_minutes: 1_000_000,
        paging_per_fifteen_minutes: 1_000_000,
        ..net::Config::default()
    }
}

/// Every job on, nothing held, no opt-out by silence.
pub(crate) fn config() -> Config {
    let mut config = Config {
        hold: std::time::Duration::ZERO,
        ..Config::default()
    };
    config.followings.enabled = true;
    config.followers.enabled = true;
    config.follow_requests.enabled = true;
    config.notifications.enabled = true;
    config.lists.enabled = true;
    config.mentioned.enabled = true;
    config
}

pub(crate) struct House {
    pub(crate) fediverse: Fediverse,
    pub(crate) store: Db,
    pub(crate) stop: CancellationToken,
    pub(crate) clock: FakeClock,
    /// When the clock began.
    pub(crate) began: DateTime<Utc>,
    pub(crate) net: Net,
    _folder: tempfile::TempDir,
}

impl House {
    pub(crate) async fn build(scenario: Scenario) -> Self {
        Self::around(Fediverse::start(scenario).await, |_| {}).await
    }

    /// Origins have names, and `[net]` is as told.
    pub(crate) async fn named(scenario: Scenario, change: impl FnOnce(&mut net::Config)) -> Self {
        Self::around(Fediverse::start_named(scenario).await, change).await
    }

    /// Another process goes on with the database.
    pub(crate) fn restart(&mut self) {
        self.net = Net::with_lookup(&unlimited(), Arc::new(SystemClock), Arc::new(Loopback)).unwrap();
    }

    /// From now on requests are signed.
    pub(crate) fn sign(&mut self, actor: net::ActorConfig) {
        let config = net::Config { actor, ..unlimited() };
        self.net = Net::with_lookup(&config, Arc::new(SystemClock), Arc::new(Loopback)).unwrap();
    }

    async fn around(fediverse: Fediverse, change: impl FnOnce(&mut net::Config)) -> Self {
        let (store, folder) = store::testing::sqlite().await;
        let clock = FakeClock::at(SystemClock.now());
        let mut config = unlimited();
        change(&mut config);
        Self {
            net: Net::with_lookup(&config, Arc::new(SystemClock), Arc::new(Loopback)).unwrap(),
            fediverse,
            store,
            stop: CancellationToken::new(),
            began: clock.now(),
            clock,
            _folder: folder,
        }
    }

    fn cx(&self) -> JobContext {
        let net = self.net.for_run("test", self.stop.clone());
        let base: Url = self.fediverse.home().parse().unwrap();
        let client = Client::new(net.clone(), base, "home/me", self.fediverse.token().into());
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let login = Login {
            name: "home/me".into(),
            server: client.host().to_string(),
            client,
        };
        JobContext {
            run: "run".into(),
            login: Some(login.clone()),
            logins: vec![login],
            net,
            store: self.store.clone(),
            clock: Arc::clone(&clock),
            stop: self.stop.clone(),
            progress: Progress::default(),
            effects: Ledger::new(self.store.clone(), clock).of("backfill"),
        }
    }

    pub(crate) async fn try_run(&self, name: &str, config: &Config) -> Result<Summary, JobError> {
        let job = jobs(config).into_iter().find(|job| job.name() == name).unwrap();
        job.run(&self.cx()).await
    }

    pub(crate) async fn run(&self, name: &str, config: &Config) -> Summary {
        self.try_run(name, config).await.unwrap()
    }

    /// Our server as the store names it.
    pub(crate) fn server(&self) -> String {
        self.fediverse.home().trim_start_matches("http://").to_owned()
    }

    pub(crate) fn later(&self, hours: i64) {
        self.clock.advance(TimeDelta::hours(hours));
    }

    /// What is wanted of somebody's posts, the first to be fetched first.
    pub(crate) async fn wanted(&self, person: &Writer) -> Vec<Wanted> {
        let mut rows = store::wanted::load(&self.store, &self.server(), &person.posts)
            .await
            .unwrap();
        rows.sort_by_key(|row| row.next_try_at);
        rows
    }

    /// What is remembered of somebody.
    pub(crate) async fn remembered(&self, person: &Writer) -> Option<Backfill> {
        let accts = [person.acct.to_lowercase()];
        store::backfills::load(&self.store, &self.server(), &accts)
            .await
            .unwrap()
            .pop()
    }

    /// Home fetched these, as `replies.wanted` would have made it.
    pub(crate) async fn fetched(&self, rows: &[Wanted]) {
        let mut done = Vec::new();
        for row in rows {
            assert_eq!(row.state, State::Wanted);
            self.fediverse.deliver(&row.uri);
            done.push((row.uri.clone(), self.fediverse.home_id(&row.uri)));
        }
        store::wanted::mark_done(&self.store, &self.server(), &done, self.clock.now())
            .await
            .unwrap();
    }
}
