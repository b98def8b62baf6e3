//! What a run over one server needs, and what runs share.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use job::{JobContext, JobError, Login, News, Summary};
use rules::{AccountFacts, Memory, StatusFacts, Subject};
use store::{
    notices::Severity,
    seen::{self, SeenAccount},
};

use crate::{Config, FEATURE, book::Book, book::Effective, jobs::Room};

/// Who decided, when it was not a person.
pub(crate) const US: &str = "egret";

/// Statuses that rules that count look back on, at most.
const MEMORY: usize = 50_000;

/// Who runs a server is asked anew after this.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// What the runs of a process share.
#[derive(Default)]
pub(crate) struct House {
    pub(crate) book: Book,
    servers: Mutex<BTreeMap<String, Known>>,
}

/// What is known of a server and need not be asked each time.
#[derive(Default)]
struct Known {
    /// Our own accounts there, and who runs the place.
    people: Option<(People, DateTime<Utc>)>,
    /// What was posted lately; `None` until it was read from the store.
    memory: Option<Memory>,
}

/// Accounts that rules leave alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    pub(crate) own: BTreeSet<String>,
    staff: BTreeSet<String>,
}

impl House {
    fn servers(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Known>> {
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
    /// Failures in a row to get an answer; after a few the server is left alone until the next run.
    pub(crate) failures: u32,
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

    /// Rules may change while a long run goes on: each judgement is made by one version, and this asks for the newest.
    pub(crate) async fn read_rules_again(&mut self) -> Result<(), JobError> {
        self.rules = self
            .house
            .book
            .now(&self.cx.store, &*self.cx.clock, self.config)
            .await?;
        Ok(())
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
                // A token that lacks this scope is still somebody's: those known before stay known.
                Err(error) => tracing::debug!(login = login.name, %error, "cannot tell whose a login is"),
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

    /// Reads back what was posted lately, once in the life of a process, for rules that count.
    async fn remember(&self) -> Result<(), JobError> {
        let counters = self.rules.ruleset.counters();
        let is_read = self
            .house
            .servers()
            .get(self.server())
            .is_some_and(|known| known.memory.is_some());
        let Some(longest) = counters.iter().map(|counter| counter.window).max() else {
            return Ok(());
        };
        if is_read {
            return Ok(());
        }
        let now = self.now();
        let mut memory = Memory::new(MEMORY, longest.max(Duration::from_secs(24 * 60 * 60)));
        let since = TimeDelta::from_std(longest)
            .ok()
            .and_then(|longest| now.checked_sub_signed(longest))
            .unwrap_or(DateTime::<Utc>::MIN_UTC);
        let mut after: Option<(DateTime<Utc>, String, String)> = None;
        let mut read = 0;
        loop {
            let from = after
                .as_ref()
                .map(|(at, server, id)| (*at, server.as_str(), id.as_str()));
            let page = seen::past(&self.cx.store, since, from, 1000).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.seen_at, last.server.clone(), last.status_id.clone()));
            read += page.len();
            let mine: Vec<_> = page.into_iter().filter(|row| row.server == self.server()).collect();
            let mut ids: Vec<String> = mine.iter().map(|row| row.account_id.clone()).collect();
            ids.sort_unstable();
            ids.dedup();
            let accounts = seen::accounts(&self.cx.store, self.server(), &ids).await?;
            let accounts: BTreeMap<&str, &SeenAccount> =
                accounts.iter().map(|row| (row.account_id.as_str(), row)).collect();
            for row in mine {
                let account = accounts.get(row.account_id.as_str());
                let account = account.and_then(|row| serde_json::from_value::<AccountFacts>(row.facts.clone()).ok());
                let status = serde_json::from_value::<StatusFacts>(row.facts).ok();
                if let (Some(account), Some(status)) = (account, status) {
                    memory.observe(
                        &Subject {
                            account,
                            statuses: vec![status],
                        },
                        now,
                    );
                }
            }
            if read >= MEMORY {
                break;
            }
        }
        let mut servers = self.house.servers();
        servers
            .entry(self.server().to_owned())
            .or_default()
            .memory
            .get_or_insert(memory);
        Ok(())
    }

    /// Writes down what counts and judges, by one version of the rules.
    pub(crate) fn judge_now(&self, subject: &Subject) -> rules::Verdict {
        let now = self.now();
        let mut servers = self.house.servers();
        match servers.get_mut(self.server()).and_then(|known| known.memory.as_mut()) {
            Some(memory) => {
                memory.observe(subject, now);
                self.rules.ruleset.judge(subject, memory, now)
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
