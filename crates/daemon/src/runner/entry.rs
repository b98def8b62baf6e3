//! A job and one scope it runs for.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use job::{Job, Live, Scope};
use net::Net;

use crate::logins::{Login, Standing};

/// What is run, made anew from each config.
pub struct Settings {
    /// The door to other servers.
    pub net: Net,
    /// Every job that is on.
    pub jobs: Vec<Arc<dyn Job>>,
    /// Every token we hold.
    pub logins: Vec<Arc<Login>>,
    /// Every job with every scope it runs for.
    pub entries: Vec<Arc<Entry>>,
    /// How long a lease outlives a silent owner.
    pub lease: Duration,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Gives each job its scopes.
    pub fn new(net: Net, jobs: Vec<Arc<dyn Job>>, logins: Vec<Arc<Login>>) -> Self {
        let mut entries = Vec::new();
        for job in &jobs {
            let meant: Vec<Arc<Login>> = logins
                .iter()
                .filter(|login| login.is_meant(job.logins()))
                .cloned()
                .collect();
            match job.scope() {
                Scope::Login => {
                    for login in &meant {
                        entries.push(Entry::new(job, &login.name, vec![login.clone()]));
                    }
                }
                Scope::Server => {
                    let mut servers: Vec<&str> = meant.iter().map(|login| &*login.server).collect();
                    servers.dedup();
                    for server in servers {
                        let of_server = meant.iter().filter(|login| login.server == server).cloned().collect();
                        entries.push(Entry::new(job, server, of_server));
                    }
                }
                Scope::Daemon => entries.push(Entry::new(job, "", meant)),
            }
        }
        Self {
            net,
            jobs,
            logins,
            entries,
            lease: Duration::from_secs(60),
        }
    }
}

/// When an entry last started, and how many runs in a row failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Past {
    /// Whether the last run was cut off by the end of its process, and so goes on at once.
    pub cut_off: bool,
    /// Until when another process has it, unless it renews its lease: then it is asked again.
    pub taken_until: Option<DateTime<Utc>>,
    /// Of any outcome.
    pub last_start: Option<DateTime<Utc>>,
    /// Runs in a row.
    pub failures: u32,
}

/// A job and one scope it runs for.
pub struct Entry {
    /// The job.
    pub job: Arc<dyn Job>,
    /// `server/login`, a server, or empty for the daemon.
    pub scope: String,
    /// The logins it can run with, the first that suffices wins.
    pub logins: Vec<Arc<Login>>,
    past: Mutex<Option<Past>>,
    quiet: Mutex<Option<Quiet>>,
}

/// Nothing is to be done for an entry until a time, as long as its logins stay what they are.
#[derive(Debug, Clone, Copy)]
struct Quiet {
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    changes: u64,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} {:?})", self.job.name(), self.scope)
    }
}

impl Entry {
    pub(super) fn new(job: &Arc<dyn Job>, scope: &str, logins: Vec<Arc<Login>>) -> Arc<Self> {
        Arc::new(Self {
            job: job.clone(),
            scope: scope.to_owned(),
            logins,
            past: Mutex::default(),
            quiet: Mutex::default(),
        })
    }

    /// Job and scope.
    pub fn key(&self) -> (String, String) {
        (self.job.name().to_owned(), self.scope.clone())
    }

    /// Name of its lease.
    pub fn lease(&self) -> String {
        format!("{}/{}", self.job.name(), self.scope)
    }

    /// Why it cannot run, if it cannot.
    pub fn hindrance(&self) -> Option<String> {
        if self.job.scope() == Scope::Daemon {
            return None;
        }
        let mut reason = None;
        for login in &self.logins {
            match login.hindrance(&*self.job) {
                None => return None,
                Some(found) => reason = reason.or(Some(found)),
            }
        }
        reason
    }

    /// Whether it is known well enough which of its logins are good.
    pub fn is_checked(&self) -> bool {
        let known = |login: &Arc<Login>| login.standing() != Standing::Unknown;
        match self.job.scope() {
            Scope::Daemon => self.logins.iter().all(known),
            Scope::Login | Scope::Server => self.logins.iter().any(known),
        }
    }

    /// The login that a run is for.
    pub fn login(&self) -> Option<&Arc<Login>> {
        if self.job.scope() == Scope::Daemon {
            return None;
        }
        self.logins
            .iter()
            .filter(|login| login.standing() != Standing::Unknown)
            .find(|login| login.hindrance(&*self.job).is_none())
    }

    /// As the board shows it at rest.
    pub fn live(&self) -> Live {
        Live {
            job: self.job.name().to_owned(),
            scope: self.scope.clone(),
            schedule: self.job.schedule().to_string(),
            due_at: None,
            running_since: None,
            progress: None,
            paused: false,
            rests: None,
        }
    }

    /// What is remembered of earlier runs; `None` before the store was asked.
    pub fn past(&self) -> Option<Past> {
        *self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers it.
    pub fn set_past(&self, past: Past) {
        *self.past.lock().unwrap_or_else(PoisonError::into_inner) = Some(past);
        self.set_quiet(DateTime::UNIX_EPOCH, None, 0);
    }

    /// Goes up with each change of what its logins may.
    pub(super) fn changes(&self) -> u64 {
        self.logins.iter().map(|login| login.changes()).sum()
    }

    /// Whether nothing can have changed since somebody last decided about it. All entries are looked at whenever a run
    /// ends, which with hundreds of logins happens every second.
    pub(super) fn is_quiet(&self, now: DateTime<Utc>) -> bool {
        let quiet = *self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was put back makes everything that was decided by it worth another thought.
        quiet.is_some_and(|quiet| (quiet.since..quiet.until).contains(&now) && quiet.changes == self.changes())
    }

    /// Nothing is to be done from `since` on before `until`, unless its logins are no longer what they were at `changes`.
    pub(super) fn set_quiet(&self, since: DateTime<Utc>, until: Option<DateTime<Utc>>, changes: u64) {
        let quiet = until.map(|until| Quiet { since, until, changes });
        *self.quiet.lock().unwrap_or_else(PoisonError::into_inner) = quiet;
    }
}
