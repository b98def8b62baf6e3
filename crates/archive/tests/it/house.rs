//! A database, a fediverse and the doors of a run.

use std::sync::Arc;

use archive::{Config, Found, jobs};
use chrono::{DateTime, TimeDelta, Utc};
use fake_fediverse::{Builtin, Fediverse, Scenario, Software};
use job::{JobContext, JobError, Ledger, Login, Progress, Summary};
use mastodon::Client;
use model::{Clock, FakeClock, SystemClock};
use net::{Net, Url};
use store::{
    Db,
    archive::{self as kept, Kept, search},
};
use tokio_util::sync::CancellationToken;

pub(crate) const LOGIN: &str = "home/me";

/// A quiet home and one origin.
pub(crate) fn quiet() -> Scenario {
    Scenario {
        threads: 0,
        replies: 0,
        builtin: Builtin::Off,
        origins: vec![Software::Mastodon],
        rate_limits: false,
        ..Scenario::small()
    }
}

/// Without the limits that servers are spared with.
fn lifted() -> net::Config {
    net::Config {
        origin_per_minute: 100_000,
        origin_concurrency: 4,
        token_per_five_minutes: 1_000_000,
        paging_per_fifteen_minutes: 1_000_000,
        ..net::Config::default()
    }
}

pub(crate) struct House {
    pub(crate) fediverse: Fediverse,
    pub(crate) store: Db,
    pub(crate) stop: CancellationToken,
    pub(crate) clock: FakeClock,
    pub(crate) config: Config,
    net: Net,
    _folder: tempfile::TempDir,
}

impl House {
    pub(crate) async fn build() -> Self {
        let (store, folder) = store::testing::sqlite().await;
        Self::with(store, folder, quiet(), lifted(), Arc::new(SystemClock)).await
    }

    /// On a database that is there.
    pub(crate) async fn on(store: Db) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::with(store, folder, quiet(), lifted(), Arc::new(SystemClock)).await
    }

    /// With the limits that servers have, and those that we keep by ourselves.
    #[cfg(feature = "simulated")]
    pub(crate) async fn polite(clock: Arc<dyn Clock>) -> Self {
        let scenario = Scenario {
            rate_limits: true,
            ..quiet()
        };
        let (store, folder) = store::testing::sqlite().await;
        Self::with(store, folder, scenario, net::Config::default(), clock).await
    }

    async fn with(
        store: Db,
        folder: tempfile::TempDir,
        scenario: Scenario,
        config: net::Config,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let fediverse = Fediverse::start(scenario).await;
        let config = net::Config {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            attempts: 1,
            ..config
        };
        Self {
            net: Net::new(&config, clock).unwrap(),
            config: Config {
                folder: Some(folder.path().join("archive")),
                ..Config::default()
            },
            clock: FakeClock::at(SystemClock.now()),
            stop: CancellationToken::new(),
            fediverse,
            store,
            _folder: folder,
        }
    }

    fn cx(&self) -> JobContext {
        let net = self.net.for_run("test", self.stop.clone());
        let base: Url = self.fediverse.home().parse().unwrap();
        let client = Client::new(net.clone(), base, LOGIN, self.fediverse.token().into());
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let login = Login {
            name: LOGIN.into(),
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
            effects: Ledger::new(self.store.clone(), clock).of("archive"),
        }
    }

    /// As the archive calls the home.
    pub(crate) fn server(&self) -> String {
        self.cx().logins[0].server.clone()
    }

    pub(crate) async fn try_run(&self, noun: &str) -> Result<Summary, JobError> {
        let name = format!("archive.{noun}");
        let job = jobs(&self.config).into_iter().find(|job| job.name() == name).unwrap();
        let summary = job.run(&self.cx()).await;
        self.clock.advance(TimeDelta::seconds(1));
        summary
    }

    pub(crate) async fn run(&self, noun: &str) -> Summary {
        self.try_run(noun).await.unwrap()
    }

    pub(crate) fn ago(&self, minutes: i64) -> DateTime<Utc> {
        self.clock.now() - TimeDelta::minutes(minutes)
    }

    /// `me` posts so often, a minute apart and the last time an hour ago; gives the uris, oldest first.
    pub(crate) fn posts(&self, count: i64) -> Vec<String> {
        let post = |n| {
            self.fediverse
                .post(&format!("number {n}"), self.ago(60 + count - n), serde_json::json!({}))
        };
        (0..count).map(post).collect()
    }

    pub(crate) async fn all(&self) -> Vec<Kept> {
        kept::each(&self.store, None, 0, 100_000).await.unwrap()
    }

    pub(crate) async fn kept(&self, uri: &str) -> Option<Kept> {
        kept::find(&self.store, uri).await.unwrap()
    }

    /// Kinds of activities that stand, and of those that ended.
    pub(crate) async fn kinds(&self, uri: &str) -> (Vec<String>, Vec<String>) {
        let id = self.kept(uri).await.unwrap().id;
        let (mut open, mut ended) = (Vec::new(), Vec::new());
        for activity in kept::activities(&self.store, &[id]).await.unwrap() {
            if activity.ended_at.is_some() {
                &mut ended
            } else {
                &mut open
            }
            .push(activity.kind);
        }
        open.sort();
        (open, ended)
    }

    pub(crate) async fn search(&self, query: &str) -> Vec<Found> {
        let filter = archive::parse(query).unwrap();
        let rows = search::search(&self.store, &filter, 100).await.unwrap();
        rows.into_iter()
            .map(|row| archive::found(row, &[], &filter.terms, None))
            .collect()
    }
}
