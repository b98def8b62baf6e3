//! What a run over one server needs, and what runs share.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use job::{JobContext, JobError, Login, News, Summary};
use rules::{AccountFacts, Subject};
use store::notices::Severity;

use super::{circles::Circles, counts::Counts};
use crate::{Config, FEATURE, book::Book, book::Effective, jobs::Room};

/// Who decided, when it was not a person.
pub(crate) const US: &str = "egret";

/// Who runs a server is asked anew after this.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Failures in a row after which a server is left alone until the next run.
pub(crate) const PATIENCE: u32 = 3;

/// What the runs of a process share.
pub(crate) struct House {
    /// Which process this is, for what several of them keep together.
    pub(crate) id: String,
    pub(crate) book: Book,
    servers: Mutex<BTreeMap<String, Known>>,
}

impl Default for House {
    fn default() -> Self {
        Self {
            id: uuid::Uuid::now_v7().to_string(),
            book: Book::default(),
            servers: Mutex::default(),
        }
    }
}

/// What is known of a server and need not be asked each time.
#[derive(Default)]
pub(crate) struct Known {
    /// Our own accounts there, and who runs the place.
    people: Option<(People, DateTime<Utc>)>,
    /// What was posted lately; `None` while no rule counts.
    pub(crate) counts: Option<Counts>,
    /// Who follows whom was asked about.
    pub(crate) circles: Circles,
}

/// Accounts that rules leave alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    pub(crate) own: BTreeSet<String>,
    staff: BTreeSet<String>,
}

impl House {
    pub(crate) fn servers(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Known>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run over one server.
pub(crate) struct Pass<'a> {
    pub(crate) cx: &'a JobContext,
    pub(crate) config: &'a Config,
    pub(crate) house: &'a House,
    pub(crate) login: &'a Login,
    pub(crate) rules: Arc<Effective>,
    pub(crate) people: People,
    pub(crate) summary: Summary,
    /// Reports in a row without an answer; after a few the server is left alone until the next run.
    pub(crate) failures: u32,
    /// Accounts in a row whose statuses it could not ask for.
    pub(crate) unread: u32,
    /// Set once the ledger holds effects: those that somebody let pass all the same, by their keys. No other is tried again
    /// in this run, since each try asks the server first.
    pub(crate) held: Option<BTreeSet<String>>,
    /// How often it asked who follows somebody.
    pub(crate) asked_circles: u32,
}

impl<'a> Pass<'a> {
    pub(crate) async fn begin(cx: &'a JobContext, room: &'a Room) -> Result<Self, JobError> {
        let mut pass = Self {
            cx,
            config: &room.config,
            house: &room.house,
            login: cx.login()?,
            rules: room.house.book.now(&cx.store, &*cx.clock, &room.config).await?,
            people: People::default(),
            summary: Summary::default(),
            failures: 0,
            unread: 0,
            held: None,
            asked_circles: 0,
        };
        pass.people = pass.who_is_who().await?;
        pass.remember().await?;
        Ok(pass)
    }

    pub(crate) fn server(&self) -> &'a str {
        &self.login.server
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.cx.clock.now()
    }

    /// A run that judges.
    pub(crate) async fn begin_to_judge(cx: &'a JobContext, room: &'a Room) -> Result<Self, JobError> {
        let pass = Self::begin(cx, room).await?;
        pass.rules_can_be_used()?;
        Ok(pass)
    }

    /// Rules may change while a long run goes on: each judgement is made by one version, and this asks for the newest.
    pub(crate) async fn read_rules_again(&mut self) -> Result<(), JobError> {
        self.rules = self
            .house
            .book
            .now(&self.cx.store, &*self.cx.clock, self.config)
            .await?;
        self.rules_can_be_used()?;
        self.remember().await
    }

    /// By rules that cannot be used nobody is judged: whoever was would be taken for somebody against whom there is nothing.
    fn rules_can_be_used(&self) -> Result<(), JobError> {
        match &self.rules.broken {
            Some(why) => Err(JobError::Transient(anyhow::anyhow!(
                "the rules in place cannot be used: {why}"
            ))),
            None => Ok(()),
        }
    }

    /// The ledger holds effects.
    pub(crate) async fn hold(&mut self) -> Result<(), JobError> {
        if self.held.is_none() {
            self.held = Some(self.cx.effects.released(self.server()).await?);
        }
        Ok(())
    }

    /// Whether no effect of a case is worth a try in this run.
    pub(crate) fn is_held(&self, case_id: &str) -> bool {
        let released = |keys: &BTreeSet<String>| keys.iter().any(|key| key.starts_with(case_id));
        self.held.as_ref().is_some_and(|keys| !released(keys))
    }

    /// Our own accounts and the staff of the server.
    async fn who_is_who(&self) -> Result<People, JobError> {
        let now = self.now();
        let known = self
            .house
            .servers()
            .get(self.server())
            .and_then(|known| known.people.clone());
        if let Some((people, at)) = &known
            && now - *at < FRESH
        {
            return Ok(people.clone());
        }
        let mut people = People::default();
        for login in self
            .cx
            .logins
            .iter()
            .filter(|login| login.server == self.server())
            .chain([self.login])
        {
            match login.client.verify_credentials().await {
                Ok(own) => drop(people.own.insert(own.account.id.to_string())),
                // It is still somebody's: those known before stay known.
                Err(error) => {
                    tracing::debug!(login = login.name, %error, "cannot tell whose a login is");
                    people.own.extend(known.iter().flat_map(|(known, _)| known.own.clone()));
                }
            }
        }
        match self.login.client.with_roles().await {
            Ok(roles) => {
                let staff = roles
                    .iter()
                    .filter_map(AccountFacts::from_json)
                    .filter(AccountFacts::is_staff);
                people.staff = staff.map(|account| account.id).collect();
            }
            Err(error) => match known {
                Some((known, _)) => people.staff = known.staff,
                // Who runs the place is not known: judging could hit them.
                None => return Err(error.into()),
            },
        }
        let mut servers = self.house.servers();
        servers.entry(self.server().to_owned()).or_default().people = Some((people.clone(), now));
        Ok(people)
    }

    /// What is known of an account beside what the server shows everybody.
    pub(crate) fn complete(&self, account: &mut AccountFacts) {
        account.is_own |= self.people.own.contains(&account.id);
        if self.people.staff.contains(&account.id) && !account.is_staff() {
            // To manage users and reports: what makes somebody staff.
            account.permissions = 0x410.to_string();
        }
    }

    /// Writes down what counts and judges, by one version of the rules.
    pub(crate) fn judge_now(&self, subject: &Subject) -> rules::Verdict {
        let now = self.now();
        let mut servers = self.house.servers();
        match servers.get_mut(self.server()).and_then(|known| known.counts.as_mut()) {
            Some(counts) => {
                counts.memory.observe(subject, now);
                self.rules.ruleset.judge(subject, &counts.memory, now)
            }
            None => self.rules.ruleset.judge(subject, &rules::NoCounters, now),
        }
    }

    /// Keeps a notice and logs it, once a day of each kind and subject.
    pub(crate) async fn tell(&self, kind: &'static str, about: &str, severity: Severity, text: &str) {
        let news = News {
            feature: FEATURE,
            kind,
            about,
            severity,
            text,
        };
        job::tell(&self.cx.store, &*self.cx.clock, news).await;
    }
}
