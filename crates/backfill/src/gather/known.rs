//! What home has of an account's posts.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use job::{JobContext, JobError};
use mastodon::{Client, Cursor, remote::Post};
use model::{AccountId, Uri};
use store::backfills;

/// Home's own list of an account's posts, read as far down as was needed so far.
#[derive(Debug, Default)]
pub(crate) struct Known {
    uris: HashSet<Uri>,
    cursor: Option<Cursor>,
    oldest: Option<DateTime<Utc>>,
    begun: bool,
    ended: bool,
    /// Home gives no list.
    hidden: bool,
}

impl Known {
    /// What home has of `posts`. Home's list is read until it is older than the oldest of them: both lists go by time.
    pub(crate) async fn of(
        &mut self,
        cx: &JobContext,
        client: &Client,
        server: &str,
        account: &AccountId,
        posts: &[Post],
        most_pages: usize,
    ) -> Result<&HashSet<Uri>, JobError> {
        // A pinned post may be years old, and one answer from home about it is cheaper than years of pages.
        let down_to = posts
            .iter()
            .filter(|post| !post.pinned)
            .filter_map(|post| post.created_at)
            .min();
        let mut pages = 0;
        while !self.ended && !self.covers(down_to) && pages < most_pages {
            cx.check_stop()?;
            let page = match client.account_statuses(account, self.cursor.as_ref()).await {
                Ok(page) => page,
                Err(
                    mastodon::Error::NotFound { .. } | mastodon::Error::Gone { .. } | mastodon::Error::Forbidden { .. },
                ) => {
                    self.hidden = true;
                    self.ended = true;
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            pages += 1;
            self.begun = true;
            for status in &page.items {
                // Both, since some software lists a post by its page.
                self.uris.extend(status.uri.iter().chain(&status.url).cloned());
                if let Some(time) = status.created_at {
                    self.oldest = Some(self.oldest.map_or(time, |oldest| oldest.min(time)));
                }
            }
            self.ended = page.items.is_empty() || page.next.is_none() || page.next == self.cursor;
            self.cursor = page.next;
        }
        if self.hidden {
            let uris: Vec<String> = posts.iter().map(|post| post.uri.to_string()).collect();
            let seen = backfills::seen(&cx.store, server, &uris).await?;
            self.uris.extend(seen.iter().filter_map(|text| Uri::parse(text).ok()));
        }
        Ok(&self.uris)
    }

    fn covers(&self, down_to: Option<DateTime<Utc>>) -> bool {
        match (down_to, self.oldest) {
            (Some(down_to), Some(oldest)) => oldest < down_to,
            // What tells no times is compared with the first page alone.
            (None, _) => self.begun,
            (Some(_), None) => false,
        }
    }
}
