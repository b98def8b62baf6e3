//! A database, a server and the doors of a run.

use std::{path::PathBuf, sync::Arc};

use chrono::TimeDelta;
use fake_fediverse::{Fediverse, Scenario};
use job::{Job, JobContext, JobError, Ledger, Login, Mode, Progress, Summary};
use mastodon::Client;
use model::{Clock, FakeClock, SystemClock};
use net::{Net, Url};
use operations::Config;
use store::Db;
use tokio_util::sync::CancellationToken;

pub(crate) struct House {
    pub(crate) fediverse: Option<Fediverse>,
    pub(crate) store: Db,
    pub(crate) stop: CancellationToken,
    pub(crate) clock: FakeClock,
    pub(crate) config: Config,
    pub(crate) ledger: Ledger,
    net: Net,
    folder: tempfile::TempDir,
}

impl House {
    /// Without a server.
    pub(crate) async fn empty() -> Self {
        let (store, folder) = store::testing::sqlite().await;
        let clock = FakeClock::at(SystemClock.now());
        let config = net::Config {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            token_per_five_minutes: 1_000_000,
            paging_per_fifteen_minutes: 1_000_000,
            attempts: 1,
            ..net::Config::default()
        };
        let net = Net::new(&config, Arc::new(SystemClock)).unwrap();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let ledger = Ledger::new(store.clone(), shared);
        ledger.configure("operations", Mode::Act, None);
        Self {
            fediverse: None,
            store,
            stop: CancellationToken::new(),
            clock,
            config: Config {
                mode: Mode::Act,
                ..Config::default()
            },
            ledger,
            net,
            folder,
        }
    }

    /// With a Mastodon.
    pub(crate) async fn build() -> Self {
        let fediverse = Fediverse::start(Scenario::small()).await;
        Self {
            fediverse: Some(fediverse),
            ..Self::empty().await
        }
    }

    pub(crate) fn fediverse(&self) -> &Fediverse {
        self.fediverse.as_ref().unwrap()
    }

    /// Where backups lie.
    pub(crate) fn backups(&self) -> PathBuf {
        self.config.folder(&self.store)
    }

    /// A file with this text.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A program: a shell script of this text.
    pub(crate) fn script(&self, name: &str, text: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.file(name, &format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    pub(crate) fn login(&self) -> Login {
        let base: Url = self.fediverse().home().parse().unwrap();
        let token = self.fediverse().admin_token();
        let client = Client::new(self.net.clone(), base, "home/me", token.into());
        Login {
            name: "home/me".into(),
            server: client.host().to_string(),
            client,
        }
    }

    pub(crate) fn cx(&self) -> JobContext {
        let net = self.net.for_run("test", self.stop.clone());
        let login = self.fediverse.as_ref().map(|_| self.login());
        JobContext {
            run: uuid::Uuid::now_v7().to_string(),
            logins: login.iter().cloned().collect(),
            login,
            net,
            store: self.store.clone(),
            clock: Arc::new(self.clock.clone()),
            stop: self.stop.clone(),
            progress: Progress::default(),
            effects: self.ledger.of("operations"),
        }
    }

    pub(crate) async fn job(&self, name: &str) -> Result<Summary, JobError> {
        let job: Arc<dyn Job> = operations::jobs(&self.config)
            .into_iter()
            .find(|job| job.name() == name)
            .unwrap();
        job.run(&self.cx()).await
    }

    pub(crate) fn later(&self, hours: i64) {
        self.clock.advance(TimeDelta::hours(hours));
    }

    /// What people were told: kind and subject, oldest first.
    pub(crate) async fn told(&self) -> Vec<(String, String)> {
        let notices = store::notices::undelivered(&self.store, 100).await.unwrap();
        notices.into_iter().map(|notice| (notice.kind, notice.about)).collect()
    }
}
