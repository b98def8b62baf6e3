//! A database, a server and the doors of a run; lists are files of this machine unless a test serves them.

use std::{path::PathBuf, sync::Arc};

use blocklists::{
    Config,
    config::{Policy, Source},
};
use chrono::TimeDelta;
use fake_fediverse::{Fediverse, Scenario};
use job::{Job, JobContext, JobError, Ledger, Login, Mode, Progress, Summary};
use mastodon::Client;
use model::{Clock, FakeClock, SystemClock};
use net::{Net, Url};
use store::Db;
use tokio_util::sync::CancellationToken;

pub(crate) struct House {
    pub(crate) fediverse: Fediverse,
    pub(crate) store: Db,
    pub(crate) stop: CancellationToken,
    pub(crate) clock: FakeClock,
    pub(crate) config: Config,
    pub(crate) ledger: Ledger,
    pub(crate) token: String,
    net: Net,
    folder: tempfile::TempDir,
}

impl House {
    /// A Mastodon that acts, with one list.
    pub(crate) async fn build(list: &str) -> Self {
        let house = Self::around(Scenario::small()).await;
        house.with_list(list)
    }

    /// From now on nobody is waited for.
    pub(crate) fn impatient(&mut self) {
        let config = net::Config {
            timeout: std::time::Duration::from_millis(100),
            attempts: 1,
            ..Self::net()
        };
        self.net = Net::new(&config, Arc::new(SystemClock)).unwrap();
    }

    fn net() -> net::Config {
        net::Config {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            origin_per_minute: 100_000,
            token_per_five_minutes: 1_000_000,
            paging_per_fifteen_minutes: 1_000_000,
            ..net::Config::default()
        }
    }

    pub(crate) async fn around(scenario: Scenario) -> Self {
        let fediverse = Fediverse::start(scenario).await;
        let (store, folder) = store::testing::sqlite().await;
        let clock = FakeClock::at(SystemClock.now());
        let net = Net::new(&Self::net(), Arc::new(SystemClock)).unwrap();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let ledger = Ledger::new(store.clone(), shared);
        ledger.configure("blocklists", Mode::Act, None);
        Self {
            token: fediverse.admin_token(),
            fediverse,
            store,
            stop: CancellationToken::new(),
            clock,
            config: Config {
                mode: Mode::Act,
                policies: vec![Policy::default()],
                ..Config::default()
            },
            ledger,
            net,
            folder,
        }
    }

    fn with_list(mut self, text: &str) -> Self {
        let source = self.source("list");
        self.write("list", text);
        self.config.sources.push(source);
        self
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.csv"))
    }

    /// What a list says from now on.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    /// A list in a file.
    pub(crate) fn source(&self, name: &str) -> Source {
        let text = toml::toml! { name = "list" file = "x" };
        let mut source: Source = text.try_into().unwrap();
        name.clone_into(&mut source.name);
        source.file = Some(self.file(name));
        source
    }

    pub(crate) fn policy(&mut self) -> &mut Policy {
        &mut self.config.policies[0]
    }

    pub(crate) fn observe(&mut self) {
        self.config.mode = Mode::Observe;
        self.ledger.configure("blocklists", Mode::Observe, None);
    }

    pub(crate) fn login(&self, net: &Net) -> Login {
        Self::login_at(net, &self.fediverse, &self.token)
    }

    fn login_at(net: &Net, fediverse: &Fediverse, token: &str) -> Login {
        let base: Url = fediverse.home().parse().unwrap();
        let client = Client::new(net.clone(), base, "home/me", token.to_owned().into());
        Login {
            name: "home/me".into(),
            server: client.host().to_string(),
            client,
        }
    }

    pub(crate) fn server(&self) -> String {
        self.login(&self.net).server
    }

    pub(crate) fn cx(&self) -> JobContext {
        self.cx_at(&self.fediverse, &self.token)
    }

    /// A run for another server, on the same database.
    pub(crate) fn cx_at(&self, fediverse: &Fediverse, token: &str) -> JobContext {
        let net = self.net.for_run("test", self.stop.clone());
        let login = Self::login_at(&net, fediverse, token);
        JobContext {
            run: uuid::Uuid::now_v7().to_string(),
            login: Some(login.clone()),
            logins: vec![login],
            net,
            store: self.store.clone(),
            clock: Arc::new(self.clock.clone()),
            stop: self.stop.clone(),
            progress: Progress::default(),
            effects: self.ledger.of("blocklists"),
        }
    }

    pub(crate) async fn job(&self, name: &str, cx: &JobContext) -> Result<Summary, JobError> {
        let job: Arc<dyn Job> = blocklists::jobs(&self.config)
            .into_iter()
            .find(|job| job.name() == name)
            .unwrap();
        job.run(cx).await
    }

    /// Reads the lists and brings the server in line.
    pub(crate) async fn pass(&self) -> Summary {
        self.job("blocklists.lists", &self.cx()).await.unwrap();
        self.job("blocklists.domain_blocks", &self.cx()).await.unwrap()
    }

    /// The same, some hours later.
    pub(crate) async fn pass_after(&self, hours: i64) -> Summary {
        self.clock.advance(TimeDelta::hours(hours));
        self.pass().await
    }

    /// Writes on the server since the log was cleared: method, status.
    pub(crate) fn writes(&self) -> Vec<(String, u16)> {
        let log = self.fediverse.log().home().path("/admin/domain_blocks");
        log.0
            .into_iter()
            .filter(|it| it.method != "GET")
            .map(|it| (it.method, it.http_status))
            .collect()
    }

    pub(crate) fn methods(&self) -> Vec<String> {
        self.writes().into_iter().map(|(method, _)| method).collect()
    }

    /// What a human says to the plan that waits.
    pub(crate) async fn agree(&self, who: &str) {
        use store::block_plans::{State, advance, open};
        let plan = open(&self.store).await.unwrap().pop().unwrap();
        let (agreed, now) = (State::Approved, self.clock_now());
        let moved = advance(&self.store, &plan.server, &plan.hash, agreed, Some(who), None, now).await;
        assert!(moved.unwrap());
    }

    /// The plan as it stands.
    pub(crate) async fn plan(&self) -> blocklists::plan::Plan {
        let stored = store::block_plans::current(&self.store).await.unwrap().pop().unwrap();
        serde_json::from_value(stored.plan).unwrap()
    }

    /// What people were told: kind and subject, oldest first.
    pub(crate) async fn told(&self) -> Vec<(String, String)> {
        let notices = store::notices::undelivered(&self.store, 100).await.unwrap();
        notices.into_iter().map(|notice| (notice.kind, notice.about)).collect()
    }

    /// Domain and severity of the server's blocks, sorted.
    pub(crate) fn blocks(&self) -> Vec<(String, String)> {
        let mut blocks = self.fediverse.domain_blocks();
        blocks.sort();
        blocks
    }

    /// The server's blocks in full.
    pub(crate) async fn live(&self) -> std::collections::BTreeMap<String, mastodon::AdminDomainBlock> {
        blocklists::gather::blocks(&self.login(&self.net)).await.unwrap()
    }
}

pub(crate) fn pairs(blocks: &[(&str, &str)]) -> Vec<(String, String)> {
    blocks
        .iter()
        .map(|(domain, severity)| ((*domain).to_owned(), (*severity).to_owned()))
        .collect()
}

impl House {
    pub(crate) fn clock_now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }
}
