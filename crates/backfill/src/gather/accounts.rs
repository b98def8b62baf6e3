//! Accounts by their relation to the login: follows, requests, notifications, lists.

use chrono::TimeDelta;
use job::{JobContext, JobError};
use mastodon::{Client, Cursor, Page};
use model::{Account, AccountId, ListId};

use super::Found;

enum Source<'a> {
    Following(&'a AccountId),
    Followers(&'a AccountId),
    Requests,
    List(&'a ListId),
}

impl Source<'_> {
    async fn page(&self, client: &Client, after: Option<&Cursor>) -> Result<Page<Account>, mastodon::Error> {
        match self {
            Self::Following(id) => client.following(id, after).await,
            Self::Followers(id) => client.followers(id, after).await,
            Self::Requests => client.follow_requests(after).await,
            Self::List(id) => client.list_accounts(id, after).await,
        }
    }

    /// Looks at the newest `length`, which is counted before any of them is left out.
    async fn read(&self, cx: &JobContext, length: usize, found: &mut Found) -> Result<(), JobError> {
        let client = &cx.login()?.client;
        let (mut looked_at, mut cursor) = (0, None);
        while looked_at < length {
            cx.check_stop()?;
            let page = self.page(client, cursor.as_ref()).await?;
            let end = page.items.is_empty() || page.next.is_none() || page.next == cursor;
            for account in page.items.into_iter().take(length - looked_at) {
                looked_at += 1;
                found.take(account);
            }
            if end {
                break;
            }
            cursor = page.next;
        }
        Ok(())
    }
}

/// The newest accounts that `user` follows.
pub(crate) async fn followings(cx: &JobContext, user: &str, length: usize) -> Result<Found, JobError> {
    let mut found = Found::default();
    if length > 0 {
        let id = whose(cx, user).await?;
        Source::Following(&id).read(cx, length, &mut found).await?;
    }
    Ok(found)
}

/// The newest followers of `user`.
pub(crate) async fn followers(cx: &JobContext, user: &str, length: usize) -> Result<Found, JobError> {
    let mut found = Found::default();
    if length > 0 {
        let id = whose(cx, user).await?;
        Source::Followers(&id).read(cx, length, &mut found).await?;
    }
    Ok(found)
}

/// The newest who ask to follow the token's owner.
pub(crate) async fn follow_requests(cx: &JobContext, length: usize) -> Result<Found, JobError> {
    let mut found = Found::default();
    Source::Requests.read(cx, length, &mut found).await?;
    Ok(found)
}

/// The newest `length` of each list.
pub(crate) async fn lists(cx: &JobContext, length: usize) -> Result<Found, JobError> {
    let mut found = Found::default();
    if length > 0 {
        for list in cx.login()?.client.lists().await? {
            Source::List(&list.id).read(cx, length, &mut found).await?;
        }
    }
    Ok(found)
}

/// Everybody in the notifications of the last `hours`.
pub(crate) async fn notifications(cx: &JobContext, hours: u32) -> Result<Found, JobError> {
    let client = &cx.login()?.client;
    let since = cx.clock.now() - TimeDelta::hours(i64::from(hours));
    let mut found = Found::default();
    let mut cursor: Option<Cursor> = None;
    if hours == 0 {
        return Ok(found);
    }
    loop {
        cx.check_stop()?;
        let page = client.notifications(cursor.as_ref()).await?;
        let older = page
            .items
            .iter()
            .any(|item| item.created_at.is_some_and(|time| time < since));
        let end = older || page.items.is_empty() || page.next.is_none() || page.next == cursor;
        for item in page.items {
            if let Some(account) = item.account
                && item.created_at.is_none_or(|time| time >= since)
            {
                found.take(account);
            }
        }
        if end {
            break;
        }
        cursor = page.next;
    }
    Ok(found)
}

/// The account whose follows are read: the token's owner unless somebody else is named.
async fn whose(cx: &JobContext, user: &str) -> Result<AccountId, JobError> {
    let client = &cx.login()?.client;
    let user = user.trim().trim_start_matches('@');
    if user.is_empty() {
        return Ok(client.verify_credentials().await?.account.id);
    }
    match client.lookup(user).await {
        Ok(account) => Ok(account.id),
        Err(mastodon::Error::NotFound { .. }) => Err(JobError::Permanent(anyhow::anyhow!(
            "{} knows no account {user:?}; mend `user`",
            client.host()
        ))),
        Err(error) => Err(error.into()),
    }
}
