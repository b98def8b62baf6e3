//! What is asked of the server: pages of lists, as they come.

use job::{JobContext, JobError, Login};
use mastodon::{Cursor, Page, Shelf};
use model::AccountId;
use store::cursors;

use crate::{
    item::full_acct,
    plan::{Step, Walk},
};

/// Who the login is.
#[derive(Debug, Clone)]
pub(crate) struct Me {
    pub(crate) id: AccountId,
    /// `user@domain`, lower case.
    pub(crate) acct: String,
    /// As the server counts them.
    pub(crate) statuses: Option<u64>,
}

pub(crate) async fn me(login: &Login) -> Result<Me, JobError> {
    let account = login.client.verify_credentials().await?.account;
    Ok(Me {
        acct: full_acct(&account.acct, &login.server),
        statuses: account.statuses_count,
        id: account.id,
    })
}

/// How far a list had been read. A state that cannot be read is none: the walk begins anew and changes nothing twice.
pub(crate) async fn walk(cx: &JobContext, job: &str, scope: &str) -> Result<Walk, JobError> {
    let value = cursors::load(&cx.store, job, scope).await?;
    Ok(value
        .and_then(|value| serde_json::from_str(&value).ok())
        .unwrap_or_default())
}

/// The page that comes next.
pub(crate) async fn page(login: &Login, shelf: Shelf<'_>, step: &Step) -> Result<Page<String>, JobError> {
    let cursor = match step {
        Step::Newest => None,
        Step::Older(at) | Step::Newer(at) => Some(Cursor::stored(at)),
    };
    Ok(login.client.shelf(shelf, cursor.as_ref()).await?)
}
