//! The tokens we hold: read at start and reload, checked side by side, each disabled alone when it is no good.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::future::join_all;
use job::{Job, News, tell};
use mastodon::Client;
use model::{Clock, Role};
use net::Net;
use store::{Db, notices::Severity};
use tracing::{info, warn};

use crate::{
    config::{Config, read_token},
    doors::Doors,
};

/// How a login fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Not asked yet.
    Unknown,
    /// The server takes the token, which lacks these scopes of those that jobs want.
    Good {
        /// Whose it is.
        acct: String,
        /// What its owner may do on the server, where the server says so.
        role: Option<Role>,
        /// Scopes it lacks.
        missing: Vec<&'static str>,
    },
    /// The server did not say: its jobs run, and find out.
    Unreachable(String),
    /// No good until the config is reloaded, and why.
    Bad(String),
}

/// A token we hold.
#[derive(Debug)]
pub struct Login {
    /// `server/login`.
    pub name: String,
    /// The name in the config.
    pub short: String,
    /// `host[:port]`.
    pub server: String,
    /// The client; `None` when the token could not be read.
    pub client: Option<Client>,
    /// What may be shown of the token.
    pub masked: String,
    standing: Mutex<Standing>,
    changes: AtomicU64,
}

impl Login {
    /// How it fares.
    pub fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Goes up with each change of its standing.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether a job's section means this login: by its name, or by `server/name`; an empty list means all.
    pub fn is_meant(&self, names: &[String]) -> bool {
        names.is_empty() || names.iter().any(|name| *name == self.short || *name == self.name)
    }

    /// Why a job cannot run with it, if it cannot.
    pub fn hindrance(&self, job: &dyn Job) -> Option<String> {
        match self.standing() {
            Standing::Bad(reason) => Some(reason),
            Standing::Good { acct, role, .. } => {
                let (scopes, permissions) = (self.scopes_lacked(job), self.permissions_lacked(job));
                let mut reasons = Vec::new();
                if !scopes.is_empty() {
                    reasons.push(format!(
                        "the token of {} lacks the scope {}; make a token that has it, and reload",
                        self.name,
                        quoted(&scopes)
                    ));
                }
                if !permissions.is_empty() {
                    // The role of everybody has no name.
                    let role = match role.map(|role| role.name).filter(|name| !name.is_empty()) {
                        Some(name) => format!("role {name:?}"),
                        None => "role".to_owned(),
                    };
                    reasons.push(format!(
                        "the {role} of {acct} lacks the permission {}; ask for a role that has it, and reload",
                        quoted(&permissions)
                    ));
                }
                (!reasons.is_empty()).then(|| reasons.join("; and "))
            }
            Standing::Unknown | Standing::Unreachable(_) => None,
        }
    }

    /// Scopes that a job wants and the token lacks.
    pub fn scopes_lacked(&self, job: &dyn Job) -> Vec<&'static str> {
        match self.standing() {
            Standing::Good { missing, .. } => {
                let wanted = job.scopes().iter().copied();
                wanted.filter(|scope| missing.contains(scope)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Permissions behind the scopes of a job that the owner's role lacks. A server without roles is not judged.
    pub fn permissions_lacked(&self, job: &dyn Job) -> Vec<&'static str> {
        let Standing::Good { role: Some(role), .. } = self.standing() else {
            return Vec::new();
        };
        let behind = job
            .scopes()
            .iter()
            .filter_map(|scope| mastodon::permission_behind(scope));
        let lacked: BTreeSet<u64> = behind.filter(|bit| !role.can(*bit)).collect();
        lacked.into_iter().map(Role::name_of).collect()
    }

    /// As a job is handed it.
    pub fn ready(&self, net: &Net) -> Option<job::Login> {
        Some(job::Login {
            name: self.name.clone(),
            server: self.server.clone(),
            client: self.client.as_ref()?.with_net(net.clone()),
        })
    }

    /// A run found the token refused: no other run needs to find out.
    pub async fn mark_bad(&self, doors: &Doors, reason: &str) {
        self.set(Standing::Bad(reason.to_owned()));
        self.record(&doors.store, &*doors.clock).await;
        self.tell(doors, reason).await;
    }

    /// Somebody has to make a new token. True when nobody was told today.
    async fn tell(&self, doors: &Doors, reason: &str) -> bool {
        let news = News {
            feature: "logins",
            kind: "token",
            about: &self.name,
            severity: Severity::Error,
            text: reason,
        };
        tell(&doors.store, &*doors.clock, news).await
    }

    async fn record(&self, store: &Db, clock: &dyn Clock) {
        let (acct, trouble) = match self.standing() {
            Standing::Good { acct, missing, .. } => (
                Some(acct),
                (!missing.is_empty()).then(|| format!("lacks the scope {}", missing.join(", "))),
            ),
            Standing::Unreachable(reason) | Standing::Bad(reason) => (None, Some(reason)),
            Standing::Unknown => (None, None),
        };
        let row = store::servers::Login {
            login: self.name.clone(),
            acct,
            masked: self.masked.clone(),
            trouble,
            checked_at: clock.now(),
        };
        if let Err(error) = store::servers::save_login(store, &row).await {
            warn!(login = self.name, error = %chain(&error), "cannot record how a login fares");
        }
    }
}

/// Reads every token. An unreadable one is an error where `strict`, else a login that is no good.
///
/// # Errors
/// One line that names the file and the login.
pub fn read(config: &Config, net: &Net, strict: bool) -> anyhow::Result<Vec<Arc<Login>>> {
    let mut logins = Vec::new();
    for server in &config.servers {
        let host = server.host();
        for login in &server.logins {
            let name = format!("{host}/{}", login.name);
            let (client, masked, standing) = match read_token(&name, login) {
                Ok(token) => {
                    if let Some(warning) = &token.warning {
                        warn!(login = name, "{warning}");
                    }
                    let client = Client::new(net.clone(), server.url.clone(), &name, token.secret);
                    (Some(client), token.masked, Standing::Unknown)
                }
                Err(error) if strict => return Err(error),
                Err(error) => (None, String::new(), Standing::Bad(format!("{error:#}"))),
            };
            logins.push(Arc::new(Login {
                name,
                short: login.name.clone(),
                server: host.clone(),
                client,
                masked,
                standing: Mutex::new(standing),
                changes: AtomicU64::default(),
            }));
        }
    }
    Ok(logins)
}

/// Asks every server about every login, side by side, and records the answers.
pub async fn check(logins: &[Arc<Login>], jobs: &[Arc<dyn Job>], doors: &Doors) {
    let (store, clock) = (&doors.store, &*doors.clock);
    let mut by_server: BTreeMap<&str, Vec<&Arc<Login>>> = BTreeMap::new();
    for login in logins {
        by_server.entry(&login.server).or_default().push(login);
    }
    join_all(by_server.into_iter().map(|(host, logins)| async move {
        if let Err(reason) = check_server(host, &logins, store, clock).await {
            warn!(server = host, "{reason}");
            for login in &logins {
                login.set(Standing::Bad(reason.clone()));
            }
        }
        join_all(logins.iter().map(|login| async move {
            if !matches!(login.standing(), Standing::Bad(_)) {
                check_login(login, jobs).await;
            }
            login.record(store, clock).await;
            if let Standing::Bad(reason) = login.standing()
                && !login.tell(doors, &reason).await
            {
                // People were told today; the log of this process was not.
                warn!(login = login.name, "{reason}");
            }
            // Its jobs waited for this.
            doors.board.nudge();
        }))
        .await;
    }))
    .await;
}

/// What the server says of itself; `Err` when it is certainly nothing that we can talk to.
async fn check_server(host: &str, logins: &[&Arc<Login>], store: &Db, clock: &dyn Clock) -> Result<(), String> {
    let Some(client) = logins.iter().find_map(|login| login.client.as_ref()) else {
        return Ok(());
    };
    match client.instance().await {
        Ok(instance) => {
            let server = store::servers::Server {
                host: host.to_owned(),
                domain: instance.domain.clone(),
                version: instance.version.clone(),
                api_version: instance.api_versions.mastodon.map(i64::from),
                checked_at: clock.now(),
            };
            if let Err(error) = store::servers::save(store, &server).await {
                warn!(server = host, error = %chain(&error), "cannot record what a server says of itself");
            }
            info!(
                server = host,
                version = instance.version,
                "{host} runs {}",
                instance.version
            );
            Ok(())
        }
        Err(error) => match not_mastodon(host, &error) {
            Some(reason) => Err(reason),
            // Down for now: each login's own check says so.
            None => Ok(()),
        },
    }
}

/// Says so if an answer to "what are you" means that this is no Mastodon.
pub fn not_mastodon(host: &str, error: &mastodon::Error) -> Option<String> {
    use mastodon::Error as E;
    match error {
        E::NotJson { .. } | E::NotFound { .. } | E::Gone { .. } => Some(format!(
            "{host} is not a Mastodon server ({error}); mend the url of this [[servers]]"
        )),
        E::Net(net::Error::Refused { .. }) => Some(format!(
            "{error}; [net] allow names addresses that may be asked all the same"
        )),
        E::Net(net::Error::Blocked(_)) => Some(format!("{error}; take it out of [net] blocklist")),
        _ => None,
    }
}

async fn check_login(login: &Login, jobs: &[Arc<dyn Job>]) {
    let Some(client) = &login.client else { return };
    let standing = match client.verify_credentials().await {
        Ok(owner) => {
            let wanted: BTreeSet<&'static str> = jobs
                .iter()
                .filter(|job| login.is_meant(job.logins()))
                .flat_map(|job| job.scopes().iter().copied())
                .collect();
            let wanted: Vec<&'static str> = wanted.into_iter().collect();
            match client.missing_scopes(&wanted, owner.role.as_ref()).await {
                Ok(missing) => {
                    if !missing.is_empty() {
                        warn!(
                            login = login.name,
                            "the token of {} lacks the scope {}; the jobs that need it rest for this login",
                            login.name,
                            missing.join(", ")
                        );
                    }
                    Standing::Good {
                        acct: acct(&owner.account.acct, &client.host().to_string()),
                        role: owner.role,
                        missing,
                    }
                }
                Err(error) => Standing::Unreachable(error.to_string()),
            }
        }
        Err(error) => bad(&error).map_or_else(|| Standing::Unreachable(error.to_string()), Standing::Bad),
    };
    if let Standing::Unreachable(reason) = &standing {
        warn!(login = login.name, "cannot check the token of {}: {reason}", login.name);
    }
    login.set(standing);
}

/// In words, if an error means that the token is no good for anything.
pub fn bad(error: &mastodon::Error) -> Option<String> {
    use mastodon::Error as E;
    match error {
        E::Revoked { host, login } => Some(format!(
            "{host} refuses the token of {login} (revoked?); put a new one into its token_file and reload"
        )),
        E::NoToken { .. } => Some(error.to_string()),
        E::Scope { .. } => Some(format!("{error}; make a token that has it, and reload")),
        _ => None,
    }
}

/// `a`, `b`.
fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// An account as people write it: `user@host`.
pub(crate) fn acct(acct: &str, host: &str) -> String {
    if acct.contains('@') {
        acct.to_owned()
    } else {
        format!("{acct}@{host}")
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
