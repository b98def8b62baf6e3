//! A database, a server with people who want to join, and the doors of a run.

use std::{io, net::IpAddr, sync::Arc};

use chrono::TimeDelta;
use fake_fediverse::{Applicant, Fediverse, Scenario};
use futures::future::BoxFuture;
use job::{Job, JobContext, JobError, Ledger, Login, Mode, Progress, Summary};
use mastodon::Client;
use model::{Clock, FakeClock, SystemClock};
use net::{Lookup, Net, Url};
use registrations::{Config, Name, Rule, Verdict, jobs};
use store::{
    Db,
    applicants::{self, State},
    notices,
};
use tokio_util::sync::CancellationToken;

pub(crate) struct House {
    pub(crate) fediverse: Fediverse,
    pub(crate) store: Db,
    pub(crate) clock: FakeClock,
    pub(crate) stop: CancellationToken,
    pub(crate) config: Config,
    net: Net,
    _folder: Option<tempfile::TempDir>,
}

/// `throwaway.example` takes the mail of many domains.
struct Nameserver;

impl Lookup for Nameserver {
    fn lookup(&self, _name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }

    fn mail_hosts(&self, name: String) -> BoxFuture<'static, io::Result<Vec<String>>> {
        Box::pin(async move {
            match name.as_str() {
                "silent.gov" => Err(io::ErrorKind::TimedOut.into()),
                name if name.starts_with("hidden") => Ok(vec!["mx.throwaway.example".to_owned()]),
                name => Ok(vec![format!("mx.{name}")]),
            }
        })
    }
}

/// The two lists of the handbook.
pub(crate) fn handbook() -> Vec<Rule> {
    let rule = |name: &str, verdict, domains: &[&str]| Rule {
        domains: domains.iter().map(|name| Name::parse(name).unwrap()).collect(),
        ..Rule::new(name, verdict)
    };
    vec![
        rule(
            "government",
            Verdict::Approve,
            &[".gov", ".gov.au", ".gov.uk", ".gc.ca", ".europa.eu"],
        ),
        rule("free mail", Verdict::Reject, &["=gmail.com", "=aol.com", "=yahoo.com"]),
    ]
}

pub(crate) fn scenario() -> Scenario {
    Scenario {
        threads: 0,
        replies: 0,
        origins: Vec::new(),
        ..Scenario::small()
    }
}

/// It acts, by the rules of the handbook, and waits ten minutes before a rejection.
pub(crate) fn config() -> Config {
    let mut config = Config {
        mode: Mode::Act,
        rules: handbook(),
        quota: 100_000,
        approvals_per_hour: 100_000,
        ..Config::default()
    };
    config.pending.enabled = true;
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
    Net::with_lookup(&config, Arc::new(SystemClock), Arc::new(Nameserver)).unwrap()
}

/// What a run of a process that has just started is handed.
pub(crate) fn context(net: Net, store: Db, clock: &FakeClock, config: &Config, home: &str, token: &str) -> JobContext {
    let base: Url = home.parse().unwrap();
    let client = Client::new(net.clone(), base, "home/me", token.to_owned().into());
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let login = Login {
        name: "home/me".into(),
        server: client.host().to_string(),
        client,
    };
    let ledger = Ledger::new(store.clone(), Arc::clone(&clock));
    ledger.configure("registrations", config.mode, Some(config.quota));
    JobContext {
        run: uuid::Uuid::now_v7().to_string(),
        login: Some(login.clone()),
        logins: vec![login],
        stop: CancellationToken::new(),
        net,
        store,
        clock,
        progress: Progress::default(),
        effects: ledger.of("registrations"),
    }
}

impl House {
    pub(crate) async fn build() -> Self {
        Self::of(scenario()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Scenario)) -> Self {
        let mut scenario = scenario();
        change(&mut scenario);
        Self::of(scenario).await
    }

    async fn of(scenario: Scenario) -> Self {
        let (store, folder) = store::testing::sqlite().await;
        Self {
            _folder: Some(folder),
            ..Self::on(store, scenario).await
        }
    }

    /// A server on somebody else's database: servers do not get into each other's way there.
    pub(crate) async fn on(store: Db, scenario: Scenario) -> Self {
        Self {
            fediverse: Fediverse::start(scenario).await,
            store,
            clock: FakeClock::at(SystemClock.now()),
            stop: CancellationToken::new(),
            config: config(),
            net: door(),
            _folder: None,
        }
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

    pub(crate) async fn run(&self) -> Result<Summary, JobError> {
        self.job("registrations.pending").run(&self.cx()).await
    }

    /// A run a minute later.
    pub(crate) async fn tick(&self) -> Summary {
        self.later(1);
        self.run().await.unwrap()
    }

    pub(crate) fn later(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }

    /// Somebody signs up, confirmed.
    pub(crate) fn apply(&self, name: &str, email: &str) -> String {
        self.fediverse.apply(&Applicant::new(name, email))
    }

    /// Somebody signs up and has not confirmed the address.
    pub(crate) fn apply_unconfirmed(&self, name: &str, email: &str) -> String {
        self.fediverse.apply(&Applicant {
            confirmed: false,
            ..Applicant::new(name, email)
        })
    }

    pub(crate) async fn one(&self, id: &str) -> applicants::Applicant {
        applicants::load(&self.store, &self.server(), &[id.to_owned()])
            .await
            .unwrap()
            .pop()
            .unwrap()
    }

    pub(crate) async fn state(&self, id: &str) -> State {
        self.one(id).await.state
    }

    /// How often a call was made, and how it was answered: `approve`, `reject`.
    pub(crate) fn calls(&self, verb: &str) -> Vec<u16> {
        let log = self.fediverse.log();
        let calls = log
            .0
            .iter()
            .filter(|call| call.method == "POST" && call.path.ends_with(verb));
        calls.map(|call| call.http_status).collect()
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
        let all = notices::list(&self.store, false, None, 100).await.unwrap();
        all.into_iter()
            .filter(|notice| notice.kind == kind)
            .map(|notice| notice.text)
            .collect()
    }
}
