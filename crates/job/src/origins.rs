//! What origins run and how they fare: asked once, remembered in the store, the same for every feature that reads them.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use mastodon::{
    Client,
    remote::{self, Flavour, Listing, Software, Walk},
};
use model::{Domain, Host, Uri};
use store::{hosts, shunned, walks};
use tokio::sync::OnceCell;

use crate::{JobContext, JobError};

/// Why an origin did not answer, by what is to be done.
#[derive(Debug)]
pub enum Trouble {
    /// The run ends.
    Run(JobError),
    /// What was asked for is deleted.
    Gone,
    /// Shows nothing to strangers: it wants a token or a signed fetch.
    Closed,
    /// Asks us to stay away.
    Robots,
    /// We may not ask it.
    Blocked,
    /// The host rests for this long, or until its failures say.
    Host(String, Option<TimeDelta>),
    /// An answer that cannot be read.
    Odd(String),
}

/// A walk that nobody continued for so long begins anew: what it listed may be gone.
const STALE: TimeDelta = TimeDelta::days(3);

/// What a thread or an account is marked with that nobody can read who does not sign.
const UNSIGNED: &str = "needs a signed fetch";

/// In words, why an origin that shows nothing to strangers was not read.
pub fn closed(cx: &JobContext) -> &'static str {
    if cx.net.signs() { "shows us nothing" } else { UNSIGNED }
}

/// Whether what was marked so may be readable now: there was nobody to sign then, and there is now.
pub fn may_have_opened(cx: &JobContext, trouble: Option<&str>) -> bool {
    trouble == Some(UNSIGNED) && cx.net.signs()
}

impl From<mastodon::Error> for Trouble {
    fn from(error: mastodon::Error) -> Self {
        use mastodon::Error as E;
        match error {
            E::Gone { .. } | E::NotFound { .. } => Self::Gone,
            E::NoToken { .. } | E::Forbidden { .. } | E::Revoked { .. } | E::Scope { .. } => Self::Closed,
            E::Net(net::Error::Stopped) => Self::Run(JobError::Stopped),
            E::Net(net::Error::Robots(_)) => Self::Robots,
            E::Net(net::Error::Blocked(_) | net::Error::Refused { .. }) => Self::Blocked,
            E::Net(net::Error::Resting { wait, .. }) => Self::Host(
                String::new(),
                Some(TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(1))),
            ),
            E::Net(net::Error::Timeout { .. } | net::Error::Unreachable { .. })
            | E::RateLimited { .. }
            | E::ServerDown { .. } => Self::Host(error.to_string(), None),
            E::Invalid { .. } | E::NotJson { .. } | E::Net(_) => Self::Odd(error.to_string()),
        }
    }
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Self {
        Self::Run(error.into())
    }
}

/// Which program an origin runs: from the store for a month, an hour if it could not be told. A host that rests is
/// not asked.
///
/// # Errors
/// When it cannot be asked; a failure that is the host's own lets it rest.
pub async fn software(cx: &JobContext, uri: &Uri) -> Result<Software, Trouble> {
    let host = uri.host();
    if cx.net.is_blocked(&host) {
        return Err(Trouble::Blocked);
    }
    let now = cx.clock.now();
    let stored = hosts::load(&cx.store, &[host.to_string()]).await?.pop();
    if let Some(origin) = stored {
        // A longer rest than there is was begun by a clock that was ahead.
        let rests = |until: &DateTime<Utc>| *until > now && *until - now <= LONGEST_REST;
        if let Some(until) = origin.rests_until.filter(rests) {
            return Err(Trouble::Host(String::new(), Some(until - now)));
        }
        let keep = if origin.software.is_empty() {
            TimeDelta::hours(1)
        } else {
            TimeDelta::days(30)
        };
        if origin.checked_at.is_some_and(|checked| now - checked < keep) {
            return Ok(Software {
                flavour: Flavour::of(&origin.software, &origin.version),
                api_host: Host::stored(if origin.api_host.is_empty() {
                    &origin.host
                } else {
                    &origin.api_host
                }),
                name: origin.software,
                version: origin.version,
            });
        }
    }
    match remote::detect(&cx.net, &uri.url()).await {
        Ok(software) => {
            let (name, version) = (&software.name, &software.version);
            hosts::save_software(&cx.store, host.as_str(), software.api_host.as_str(), name, version, now).await?;
            Ok(software)
        }
        Err(error) => Err(failed(cx, &host, error.into()).await),
    }
}

/// The replies to a status that its origin lists, from where the last listing for `server` stopped. `page` is the
/// status's page for people, where known. What an origin told before it failed is listed; the failure is the host's all
/// the same.
///
/// # Errors
/// Why there is no list.
pub async fn listing(
    cx: &JobContext,
    server: &str,
    software: &Software,
    (uri, page): (&Uri, Option<&Uri>),
) -> Result<Listing, Trouble> {
    let host = uri.host();
    if software.flavour == Flavour::Closed && !cx.net.signs() {
        return Err(Trouble::Closed);
    }
    let now = cx.clock.now();
    let walk = walks::load(&cx.store, server, uri.as_str(), now - STALE).await?;
    let walk = walk.as_deref().and_then(Walk::from_text);
    let resumed = walk.is_some();
    match remote::resume_replies(&cx.net, software, (uri, page), walk).await {
        Ok(listing) => {
            match &listing.cut {
                Some(reason) => match failed(cx, &host, Trouble::Host(reason.clone(), None)).await {
                    Trouble::Run(error) => return Err(Trouble::Run(error)),
                    _ => tracing::debug!(%host, reason, "a listing was cut short"),
                },
                None => hosts::mark_well(&cx.store, host.as_str()).await?,
            }
            match listing.walk.as_ref().and_then(Walk::to_text) {
                Some(text) => walks::save(&cx.store, server, uri.as_str(), &text, now).await?,
                None if resumed => walks::delete(&cx.store, server, uri.as_str()).await?,
                None => {}
            }
            Ok(listing)
        }
        Err(error) => Err(failed(cx, &host, error.into()).await),
    }
}

/// Remembers how a host answered: its failures are forgotten once it works, and one that is its own lets it rest,
/// longer with each.
///
/// # Errors
/// What the answer's error means.
pub async fn answered<T>(cx: &JobContext, host: &Host, answer: Result<T, mastodon::Error>) -> Result<T, Trouble> {
    match answer {
        Ok(answer) => {
            hosts::mark_well(&cx.store, host.as_str()).await?;
            Ok(answer)
        }
        Err(error) => Err(failed(cx, host, error.into()).await),
    }
}

/// Lets a host rest whose failure was its own, longer with each; gives the trouble with the rest in it.
pub async fn failed(cx: &JobContext, host: &Host, trouble: Trouble) -> Trouble {
    let Trouble::Host(reason, None) = trouble else {
        return trouble;
    };
    let now = cx.clock.now();
    let failures = match hosts::load(&cx.store, &[host.to_string()]).await {
        Ok(rows) => rows.first().map_or(0, |origin| origin.failures),
        Err(error) => return error.into(),
    };
    let rest = rest(failures);
    match hosts::mark_failed(&cx.store, host.as_str(), &reason, now + rest, now).await {
        Ok(()) => Trouble::Host(reason, Some(rest)),
        Err(error) => error.into(),
    }
}

const LONGEST_REST: TimeDelta = TimeDelta::days(1);

/// How long a host rests that failed `failures` times in a row before this: ten minutes, doubling up to a day.
fn rest(failures: i64) -> TimeDelta {
    (TimeDelta::minutes(10) * (1 << failures.clamp(0, 8))).min(LONGEST_REST)
}

/// Whom our server, or the operator, will have nothing of: the operator's own list (`[net] blocklist`), subscribed lists
/// marked for it, and what the server suspends, which it is asked once per run, when it first matters.
#[derive(Debug, Default)]
pub struct Refused {
    domains: OnceCell<HashSet<Domain>>,
}

impl Refused {
    /// Whether a host is among them.
    ///
    /// # Errors
    /// When the run is to stop, or the store fails: a server that does not tell its blocks refuses the fetch itself.
    pub async fn has(&self, cx: &JobContext, client: &Client, host: &Host) -> Result<bool, JobError> {
        if cx.net.is_blocked(host) {
            return Ok(true);
        }
        let domains = self.domains.get_or_try_init(|| load(cx, client)).await?;
        let Some(domain) = host.domain().filter(|_| !domains.is_empty()) else {
            return Ok(false);
        };
        // A name has few parents, and lists have many names.
        let name = domain.as_str();
        let parents = name.match_indices('.').map(|(at, _)| &name[at + 1..]);
        Ok(std::iter::once(name)
            .chain(parents)
            .filter_map(|name| Domain::parse(name).ok())
            .any(|name| domains.contains(&name)))
    }
}

async fn load(cx: &JobContext, client: &Client) -> Result<HashSet<Domain>, JobError> {
    let mut domains: HashSet<Domain> = match client.suspended_domains().await.map_err(JobError::from) {
        Ok(domains) => domains.into_iter().collect(),
        Err(JobError::Stopped) => return Err(JobError::Stopped),
        Err(_) => HashSet::new(),
    };
    let listed = shunned::list(&cx.store).await?;
    domains.extend(listed.iter().filter_map(|name| Domain::parse(name).ok()));
    Ok(domains)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_host_is_asked_less_and_less() {
        assert_eq!(rest(0), TimeDelta::minutes(10));
        assert_eq!(rest(2), TimeDelta::minutes(40));
        assert_eq!(rest(i64::MAX), TimeDelta::days(1));
    }
}
