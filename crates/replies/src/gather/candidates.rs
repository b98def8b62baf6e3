//! Which statuses to look after: timelines and collections, each original once.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use job::{JobContext, JobError};
use mastodon::{Client, Cursor, Page};
use model::{Host, ListId, Status, StatusId, Uri};

/// A public status of another server that our server knows.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) uri: Uri,
    /// Its page for people, which may tell the id that its origin's API knows it by.
    pub(crate) page: Option<Uri>,
    pub(crate) host: Host,
    pub(crate) status_id: StatusId,
    pub(crate) created_at: DateTime<Utc>,
    /// Replies that our server knows of.
    pub(crate) replies: Option<u64>,
}

/// What a source held.
#[derive(Debug)]
pub(crate) struct Found {
    home: Host,
    seen: HashSet<StatusId>,
    uris: HashSet<Uri>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) skipped_private: u64,
}

impl Found {
    pub(crate) fn new(home: Host) -> Self {
        Self {
            home,
            seen: HashSet::new(),
            uris: HashSet::new(),
            candidates: Vec::new(),
            skipped_private: 0,
        }
    }

    /// Distinct originals met, those left out included.
    pub(crate) fn looked_at(&self) -> usize {
        self.seen.len()
    }

    /// Takes a status, or what it boosts, unless it is private, our server's own, or known already.
    pub(crate) fn take(&mut self, status: &Status, now: DateTime<Utc>) {
        let status = status.original();
        if !self.seen.insert(status.id.clone()) {
            return;
        }
        if !status.visibility.is_open() || status.local_only {
            self.skipped_private += 1;
            return;
        }
        let Some(uri) = status.identity() else { return };
        let host = uri.host();
        // Replies to what was written here are delivered here.
        let local = host == self.home || status.account.as_ref().is_some_and(model::Account::is_local);
        if local || !self.uris.insert(uri.clone()) {
            return;
        }
        self.candidates.push(Candidate {
            uri: uri.clone(),
            page: status.url.clone().filter(|page| page != uri),
            host,
            status_id: status.id.clone(),
            created_at: status.created_at.unwrap_or(now),
            replies: status.replies_count,
        });
    }

    /// Takes one that was judged before.
    pub(crate) fn add(&mut self, candidate: Candidate) {
        if self.seen.insert(candidate.status_id.clone()) && self.uris.insert(candidate.uri.clone()) {
            self.candidates.push(candidate);
        }
    }
}

enum Source<'a> {
    Home,
    Bookmarks,
    Favourites,
    List(&'a ListId),
}

impl Source<'_> {
    async fn page(&self, client: &Client, after: Option<&Cursor>) -> Result<Page<Status>, mastodon::Error> {
        match self {
            Self::Home => client.home_timeline(after).await,
            Self::Bookmarks => client.bookmarks(after).await,
            Self::Favourites => client.favourites(after).await,
            Self::List(id) => client.list_timeline(id, after).await,
        }
    }

    /// Adds up to `length` distinct originals.
    async fn read(&self, cx: &JobContext, length: usize, found: &mut Found) -> Result<(), JobError> {
        let client = &cx.login()?.client;
        let most = found.looked_at().saturating_add(length);
        let mut cursor: Option<Cursor> = None;
        while found.looked_at() < most {
            cx.check_stop()?;
            let page = self.page(client, cursor.as_ref()).await?;
            let now = cx.clock.now();
            for status in &page.items {
                if found.looked_at() < most {
                    found.take(status, now);
                }
            }
            // An empty page is the end, whatever link it carries; so is a page that is its own next.
            if page.items.is_empty() || page.next.is_none() || page.next == cursor {
                break;
            }
            cursor = page.next;
        }
        Ok(())
    }
}

/// The newest `length` of the home timeline.
pub(crate) async fn home(cx: &JobContext, length: usize) -> Result<Found, JobError> {
    one(cx, &Source::Home, length).await
}

/// The newest `length` bookmarks.
pub(crate) async fn bookmarks(cx: &JobContext, length: usize) -> Result<Found, JobError> {
    one(cx, &Source::Bookmarks, length).await
}

/// The newest `length` favourites.
pub(crate) async fn favourites(cx: &JobContext, length: usize) -> Result<Found, JobError> {
    one(cx, &Source::Favourites, length).await
}

/// The newest `length` of each list.
pub(crate) async fn lists(cx: &JobContext, length: usize) -> Result<Found, JobError> {
    let client = &cx.login()?.client;
    let mut found = Found::new(client.host());
    if length == 0 {
        return Ok(found);
    }
    for list in client.lists().await? {
        Source::List(&list.id).read(cx, length, &mut found).await?;
    }
    Ok(found)
}

async fn one(cx: &JobContext, source: &Source<'_>, length: usize) -> Result<Found, JobError> {
    let mut found = Found::new(cx.login()?.client.host());
    source.read(cx, length, &mut found).await?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(json: &str) -> Status {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn originals_once_and_nothing_private() {
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let mut found = Found::new(Host::stored("home.example"));
        for json in [
            r#"{"id":"1","uri":"https://a.example/1","visibility":"public","replies_count":3}"#,
            r#"{"id":"2","reblog":{"id":"1","uri":"https://a.example/1","visibility":"public"}}"#,
            r#"{"id":"3","uri":"https://a.example/3","visibility":"private"}"#,
            r#"{"id":"4","uri":"https://a.example/4","visibility":"direct"}"#,
            r#"{"id":"5","uri":"https://a.example/5","visibility":"public","local_only":true}"#,
            r#"{"id":"6","uri":"https://home.example/6","visibility":"public"}"#,
            r#"{"id":"7","visibility":"public"}"#,
        ] {
            found.take(&status(json), now);
        }
        assert_eq!(found.candidates.len(), 1);
        assert_eq!((found.looked_at(), found.skipped_private), (6, 3));
    }
}
