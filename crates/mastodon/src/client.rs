//! One server, one token.

use std::time::Duration;

use model::{
    Account, AccountId, AsyncRefresh, Context, CredentialAccount, Domain, Host, Instance, List, ListId, Status,
    StatusId, Uri,
};
use net::{Bearer, Net, Secret, Url};

use crate::{Cursor, Error, Page};

/// One server through one token. Clone it freely.
#[derive(Debug, Clone)]
pub struct Client {
    net: Net,
    base: Url,
    bearer: Bearer,
}

/// A context, and the refresh that reading it set off.
#[derive(Debug, Clone)]
pub struct Known {
    /// What the server knows.
    pub context: Context,
    /// The server's own fetch of replies, if one runs.
    pub refresh: Option<Refresh>,
}

/// The `Mastodon-Async-Refresh` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// Opaque.
    pub id: String,
    /// Ask again no sooner than this.
    pub retry: Duration,
}

impl Client {
    /// A client of the server at `base` for the login named `server/login`.
    pub fn new(net: Net, base: Url, login: impl Into<String>, token: Secret) -> Self {
        Self {
            bearer: Bearer {
                origin: base.clone(),
                token,
                login: login.into(),
            },
            net,
            base,
        }
    }

    /// The same client spending through another handle of the pool (see [`Net::for_run`]).
    #[must_use]
    pub fn with_net(&self, net: Net) -> Self {
        Self { net, ..self.clone() }
    }

    /// The server.
    pub fn host(&self) -> Host {
        todo!("{:?} {:?}", self.net, self.base)
    }

    /// `server/login`.
    pub fn login(&self) -> &str {
        &self.bearer.login
    }

    /// `GET /api/v2/instance`, else v1. Public.
    pub async fn instance(&self) -> Result<Instance, Error> {
        todo!()
    }

    /// `GET /api/v1/accounts/verify_credentials`: is the token good, and whose is it.
    pub async fn verify_credentials(&self) -> Result<CredentialAccount, Error> {
        todo!()
    }

    /// Asks a cheap endpoint for each of `scopes` and says which the token lacks.
    pub async fn missing_scopes(&self, scopes: &[&'static str]) -> Result<Vec<&'static str>, Error> {
        todo!("{scopes:?}")
    }

    /// `GET /api/v1/timelines/home`, 40 a page. 206 (being rebuilt) is an empty page.
    pub async fn home_timeline(&self, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        todo!("{after:?}")
    }

    /// `GET /api/v1/bookmarks`. Scope `read:bookmarks`.
    pub async fn bookmarks(&self, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        todo!("{after:?}")
    }

    /// `GET /api/v1/favourites`. Scope `read:favourites`.
    pub async fn favourites(&self, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        todo!("{after:?}")
    }

    /// `GET /api/v1/lists`. Scope `read:lists`.
    pub async fn lists(&self) -> Result<Vec<List>, Error> {
        todo!()
    }

    /// `GET /api/v1/timelines/list/:id`. Scope `read:lists`.
    pub async fn list_timeline(&self, list: &ListId, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        todo!("{list:?} {after:?}")
    }

    /// Local accounts, `GET /api/v2/admin/accounts?origin=local&status=active`. Scope `admin:read:accounts`.
    pub async fn local_accounts(&self, after: Option<&Cursor>) -> Result<Page<Account>, Error> {
        todo!("{after:?}")
    }

    /// `GET /api/v1/accounts/:id/statuses`, replies included, boosts not.
    pub async fn account_statuses(&self, account: &AccountId, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        todo!("{account:?} {after:?}")
    }

    /// `GET /api/v1/statuses/:id`.
    pub async fn status(&self, id: &StatusId) -> Result<Status, Error> {
        todo!("{id:?}")
    }

    /// Up to any number of statuses: 20 a request where the server has batches (4.3+), one by one elsewhere; those
    /// it does not show are left out, in no order.
    pub async fn statuses(&self, ids: &[StatusId]) -> Result<Vec<Status>, Error> {
        todo!("{ids:?}")
    }

    /// `GET /api/v1/statuses/:id/context`.
    pub async fn context(&self, id: &StatusId) -> Result<Known, Error> {
        todo!("{id:?}")
    }

    /// `GET /api/v1_alpha/async_refreshes/:id`; `None` when unknown or the server has no such call.
    pub async fn async_refresh(&self, id: &str) -> Result<Option<AsyncRefresh>, Error> {
        todo!("{id:?}")
    }

    /// Makes the server fetch `uri` through search with `resolve` and gives what it found. `None` is the server's
    /// way of saying that it failed. Needs `read:search`. Takes up to two minutes and is not repeated by itself.
    pub async fn resolve(&self, uri: &Uri) -> Result<Option<Status>, Error> {
        todo!("{uri:?}")
    }

    /// Domains that the server suspends, from the admin list where the token may, else from the public one, else
    /// nothing (an obfuscated entry is left out).
    pub async fn suspended_domains(&self) -> Result<Vec<Domain>, Error> {
        todo!()
    }
}
