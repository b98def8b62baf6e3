//! A database, a fediverse and the doors of a run.

use std::{io, net::IpAddr, sync::Arc};

use chrono::TimeDelta;
use fake_fediverse::{Fediverse, Scenario};
use futures::future::BoxFuture;
use job::{Job, JobContext, JobError, Ledger, Login, Progress, Summary};
use mastodon::Client;
use model::{Clock, FakeClock, SystemClock};
use net::{Config, Lookup, Net, Url};
use replies::jobs;
use store::Db;
use tokio_util::sync::CancellationToken;

/// Every name leads home.
struct Loopback;

impl Lookup for Loopback {
    fn lookup(&self, _name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

/// Without limits, which would only make tests slow.
pub(crate) fn net_config() -> Config {
    Config {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        origin_per_minute: 100_000,
        token_per_five_minutes: 1_000_000,
        paging_per_fifteen_minutes: 1_000_000,
        ..Config::default()
    }
}

pub(crate) fn pool(config: &Config) -> Net {
    Net::with_lookup(config, Arc::new(SystemClock), Arc::new(Loopback)).unwrap()
}

pub(crate) struct House {
    pub(crate) fediverse: Fediverse,
    pub(crate) store: Db,
    pub(crate) stop: CancellationToken,
    pub(crate) clock: FakeClock,
    pub(crate) net: Net,
    _folder: tempfile::TempDir,
}

impl House {
    pub(crate) async fn build(scenario: Scenario) -> Self {
        Self::around(Fediverse::start(scenario).await, &net_config()).await
    }

    /// A house whose origins have names.
    pub(crate) async fn named(scenario: Scenario, config: &Config) -> Self {
        Self::around(Fediverse::start_named(scenario).await, config).await
    }

    async fn around(fediverse: Fediverse, config: &Config) -> Self {
        // Who runs the daemon here administers home: one job looks at the whole server, and all ask what home blocks.
        fediverse.set_permissions("me", 0x1);
        let (store, folder) = store::testing::sqlite().await;
        let clock = FakeClock::at(SystemClock.now());
        let net = pool(config);
        Self {
            fediverse,
            store,
            stop: CancellationToken::new(),
            clock,
            net,
            _folder: folder,
        }
    }

    pub(crate) fn cx(&self) -> JobContext {
        self.cx_of("run")
    }

    /// The doors of a run of this name: what one run holds is not another's.
    fn cx_of(&self, run: &str) -> JobContext {
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
            run: run.into(),
            login: Some(login.clone()),
            logins: vec![login],
            net,
            store: self.store.clone(),
            clock: Arc::clone(&clock),
            stop: self.stop.clone(),
            progress: Progress::default(),
            effects: Ledger::new(self.store.clone(), clock).of("replies"),
        }
    }

    /// Our server as the store names it.
    pub(crate) fn server(&self) -> String {
        self.fediverse.home().trim_start_matches("http://").to_owned()
    }

    pub(crate) fn later(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }

    pub(crate) async fn run(&self, name: &str) -> Result<Summary, JobError> {
        self.run_with(name, &replies::Config::default()).await
    }

    pub(crate) async fn run_with(&self, name: &str, config: &replies::Config) -> Result<Summary, JobError> {
        let job: Arc<dyn Job> = jobs(config).into_iter().find(|job| job.name() == name).unwrap();
        job.run(&self.cx()).await
    }

    /// A run of its own beside others.
    pub(crate) async fn run_as(&self, run: &str, name: &str) -> Result<Summary, JobError> {
        let config = replies::Config::default();
        let job: Arc<dyn Job> = jobs(&config).into_iter().find(|job| job.name() == name).unwrap();
        job.run(&self.cx_of(run)).await
    }

    /// A pass over the home timeline and what is left of it a few minutes later.
    pub(crate) async fn pass(&self) -> Summary {
        let summary = self.run("replies.home").await.unwrap();
        for _ in 0..4 {
            self.later(2);
            self.run("replies.wanted").await.unwrap();
        }
        summary
    }
}
