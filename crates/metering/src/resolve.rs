//! From an address to an account: asked for once, when it is added.

use job::{
    JobContext, JobError,
    origins::{self, Trouble},
};
use mastodon::{
    Error,
    remote::{self, Flavour, Measured, Shape, Whom},
};
use model::Uri;
use net::Url;
use store::metered_accounts::New;

use crate::address::{Address, AddressError};

/// Why an account is not measured.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Names no account.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nobody is called that there.
    #[error("{host} knows nobody at {address}; check the spelling")]
    Nobody {
        /// Who was asked.
        host: String,
        /// As it was given.
        address: String,
    },
    /// Does not answer, or not in the fediverse's way.
    #[error("{host} is no server of the fediverse: {reason}")]
    NoServer {
        /// Who was asked.
        host: String,
        /// What came.
        reason: String,
    },
    /// Does not answer now.
    #[error("{host} does not answer: {reason}; try again later")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What happened.
        reason: String,
    },
    /// We do not ask there.
    #[error("{reason}; only public servers can be asked")]
    Forbidden {
        /// Why.
        reason: String,
    },
    /// An id without a server of our own.
    #[error("an id belongs to a server, and there is no login in [[servers]]; write @user@host instead")]
    NoLogin,
}

impl Refusal {
    /// Whether another try may end otherwise.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    fn of(error: Error, host: &str, address: &str) -> Self {
        let host = host.to_owned();
        match error {
            Error::NotFound { .. } | Error::Gone { .. } => Self::Nobody {
                host,
                address: address.to_owned(),
            },
            Error::Net(error @ (net::Error::Refused { .. } | net::Error::Blocked(_) | net::Error::Redirect { .. })) => {
                Self::Forbidden {
                    reason: error.to_string(),
                }
            }
            Error::NotJson { reason, .. } => Self::NoServer { host, reason },
            error => Self::Unreachable {
                host,
                reason: error.to_string(),
            },
        }
    }

    fn of_trouble(trouble: Trouble, host: &str) -> Result<Self, JobError> {
        let host = host.to_owned();
        Ok(match trouble {
            Trouble::Run(error) => return Err(error),
            Trouble::Blocked => Self::Forbidden {
                reason: format!("{host} may not be asked"),
            },
            Trouble::Robots => Self::Forbidden {
                reason: format!("robots.txt of {host} asks us to stay away"),
            },
            Trouble::Gone | Trouble::Closed => Self::NoServer {
                host,
                reason: "it tells nothing".to_owned(),
            },
            Trouble::Odd(reason) => Self::NoServer { host, reason },
            Trouble::Host(reason, _) => Self::Unreachable {
                host,
                reason: if reason.is_empty() {
                    "it rests after failures".to_owned()
                } else {
                    reason
                },
            },
        })
    }
}

/// Somebody who can be measured, and what was measured on the way.
#[derive(Debug)]
pub struct Resolved {
    /// Whom to add. Groups and source are the caller's.
    pub new: New,
    /// The first counts.
    pub measured: Option<Measured>,
}

/// Finds the account that an address names.
///
/// # Errors
/// Only when the run is to stop; all else is a [`Refusal`].
pub async fn resolve(cx: &JobContext, text: &str) -> Result<Result<Resolved, Refusal>, JobError> {
    let address = match Address::parse(text) {
        Ok(address) => address,
        Err(error) => return Ok(Err(error.into())),
    };
    let (acct, uri) = match find(cx, &address, text).await? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let host = uri.host();
    let software = match origins::software(cx, &uri).await {
        Ok(software) => software,
        Err(trouble) => return Ok(Err(Refusal::of_trouble(trouble, host.as_str())?)),
    };
    let username = acct.split('@').next().unwrap_or_default();
    let own = cx
        .logins
        .iter()
        .find(|login| login.server == software.api_host.as_str());
    let answer = match own {
        Some(login) => login.client.measured_by_name(username).await,
        None => {
            let whom = Whom {
                uri: &uri,
                id: None,
                username,
            };
            remote::measure(&cx.net, &software, whom).await
        }
    };
    let measured = match answer {
        Ok(measured) => Some(measured),
        Err(Error::Net(net::Error::Stopped)) => return Err(JobError::Stopped),
        // It exists, as WebFinger says; our own server may know what it shows nobody.
        Err(Error::NoToken { .. } | Error::Forbidden { .. }) => None,
        Err(_) if software.flavour == Flavour::Closed => None,
        Err(error) => return Ok(Err(Refusal::of(error, host.as_str(), text))),
    };
    let told = measured.as_ref();
    Ok(Ok(Resolved {
        new: New {
            url: told.and_then(|told| told.url.as_ref()).unwrap_or(&uri).to_string(),
            uri: uri.to_string(),
            name: told.map(|told| told.name.clone()).unwrap_or_default(),
            acct,
            host: software.api_host.to_string(),
            remote_id: told.and_then(|told| told.id.clone()),
            source: String::new(),
            groups: Vec::new(),
        },
        measured,
    }))
}

/// Whom an address names: `user@domain` and the actor.
async fn find(cx: &JobContext, address: &Address, text: &str) -> Result<Result<(String, Uri), Refusal>, JobError> {
    let stopped = |error: &Error| matches!(error, Error::Net(net::Error::Stopped));
    match address {
        Address::Name { user, host } => {
            // Domains are asked over TLS. A bare address with a port has no certificate; `net` decides whether it may
            // be asked at all.
            let scheme = if model::Domain::parse(host).is_ok() {
                "https"
            } else {
                "http"
            };
            let Ok(at) = Url::parse(&format!("{scheme}://{host}/")) else {
                return Ok(Err(Refusal::NoServer {
                    host: host.clone(),
                    reason: "it is no address".to_owned(),
                }));
            };
            let resource = format!("acct:{user}@{host}");
            Ok(match remote::webfinger(&cx.net, &resource, &at).await {
                Ok(found) => Ok((found.acct, found.uri)),
                Err(error) if stopped(&error) => return Err(JobError::Stopped),
                Err(error) => Err(Refusal::of(error, host, text)),
            })
        }
        Address::Page(uri) => {
            let host = uri.host();
            let mut base = uri.url();
            base.set_path("/");
            base.set_query(None);
            base.set_fragment(None);
            // Most addresses tell the name; the others are asked.
            let name = match remote::read(uri) {
                Shape::Profile { name } => Some(name),
                _ => None,
            };
            if let Some(name) = name {
                let resource = format!("acct:{name}@{host}");
                match remote::webfinger(&cx.net, &resource, &base).await {
                    Ok(found) => return Ok(Ok((found.acct, found.uri))),
                    Err(error) if stopped(&error) => return Err(JobError::Stopped),
                    // An account of a domain that is not its server's, or a page that only looks like a profile.
                    Err(Error::NotFound { .. } | Error::Gone { .. } | Error::NotJson { .. }) => {}
                    Err(error) => return Ok(Err(Refusal::of(error, host.as_str(), text))),
                }
            }
            let (actor, name) = match remote::actor(&cx.net, uri).await {
                Ok(found) => found,
                Err(error) if stopped(&error) => return Err(JobError::Stopped),
                Err(error) => return Ok(Err(Refusal::of(error, host.as_str(), text))),
            };
            let mut acct = format!("{}@{host}", name.to_lowercase());
            // The domain in its name may be another one than its server's: WebFinger knows.
            if let Ok(found) = remote::webfinger(&cx.net, &format!("acct:{acct}"), &base).await
                && found.uri == actor
            {
                acct = found.acct;
            }
            Ok(Ok((acct, actor)))
        }
        Address::Id(id) => {
            let Some(login) = cx.logins.first() else {
                return Ok(Err(Refusal::NoLogin));
            };
            match login.client.measured_one(id).await {
                Ok(account) => match account.uri.or(account.url) {
                    Some(uri) => Box::pin(find(cx, &Address::Page(uri), text)).await,
                    None => Ok(Err(Refusal::Nobody {
                        host: login.server.clone(),
                        address: text.to_owned(),
                    })),
                },
                Err(error) if stopped(&error) => Err(JobError::Stopped),
                Err(error) => Ok(Err(Refusal::of(error, &login.server, text))),
            }
        }
    }
}
