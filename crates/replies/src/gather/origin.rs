//! What origins say, and what their refusals mean for us.

use chrono::TimeDelta;
use job::{JobContext, JobError};
use mastodon::remote::{self, Flavour, Listing, Software, Walk};
use model::{Host, Uri};
use store::{hosts, walks};

use crate::plan;

/// Why an origin did not answer, by what is to be done.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The run ends.
    Run(JobError),
    /// The status is deleted.
    Gone,
    /// Shows nothing to strangers.
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
            E::NotJson { .. } | E::Invalid { .. } | E::Net(_) => Self::Odd(error.to_string()),
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
pub(crate) async fn software(cx: &JobContext, uri: &Uri) -> Result<Software, Trouble> {
    let host = uri.host();
    if cx.net.is_blocked(&host) {
        return Err(Trouble::Blocked);
    }
    let now = cx.clock.now();
    let stored = hosts::load(&cx.store, &[host.to_string()]).await?.pop();
    if let Some(origin) = stored {
        if let Some(until) = origin.rests_until.filter(|until| *until > now) {
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

/// A walk that nobody continued for so long begins anew: what it listed may be gone.
const STALE: TimeDelta = TimeDelta::days(3);

/// The replies that the origin lists, from where the last listing for `server` stopped. What an origin told before it
/// failed is listed; the failure is the host's all the same.
pub(crate) async fn listing(cx: &JobContext, server: &str, software: &Software, uri: &Uri) -> Result<Listing, Trouble> {
    let host = uri.host();
    if software.flavour == Flavour::Closed {
        return Err(Trouble::Closed);
    }
    let now = cx.clock.now();
    let walk = walks::load(&cx.store, server, uri.as_str(), now - STALE).await?;
    let walk = walk.as_deref().and_then(Walk::from_text);
    let resumed = walk.is_some();
    match remote::resume_replies(&cx.net, software, uri, walk).await {
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

/// The origin's own `replies_count` of up to 20 statuses; none where it has no such call.
pub(crate) async fn counts(cx: &JobContext, software: &Software, uris: &[Uri]) -> Result<Vec<(Uri, u64)>, Trouble> {
    if software.flavour != Flavour::Mastodon {
        return Ok(Vec::new());
    }
    let Some(host) = uris.first().map(Uri::host) else {
        return Ok(Vec::new());
    };
    match remote::replies_counts(&cx.net, software, uris).await {
        Ok(statuses) => Ok(statuses
            .unwrap_or_default()
            .into_iter()
            .filter_map(|status| Some((status.uri?, status.replies_count?)))
            .collect()),
        Err(error) => match failed(cx, &host, error.into()).await {
            // The call is refused; the listing may not be.
            Trouble::Gone | Trouble::Closed | Trouble::Odd(_) => Ok(Vec::new()),
            trouble => Err(trouble),
        },
    }
}

/// Lets a host rest whose failure was its own, longer with each.
async fn failed(cx: &JobContext, host: &Host, trouble: Trouble) -> Trouble {
    let Trouble::Host(reason, None) = trouble else {
        return trouble;
    };
    let now = cx.clock.now();
    let failures = match hosts::load(&cx.store, &[host.to_string()]).await {
        Ok(rows) => rows.first().map_or(0, |origin| origin.failures),
        Err(error) => return error.into(),
    };
    let rest = plan::rest(failures);
    match hosts::mark_failed(&cx.store, host.as_str(), &reason, now + rest, now).await {
        Ok(()) => Trouble::Host(reason, Some(rest)),
        Err(error) => error.into(),
    }
}
