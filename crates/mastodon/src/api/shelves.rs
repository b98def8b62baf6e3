//! Whole lists, each item as the server spelled it: what an archive reads.

use model::{AccountId, ListId, StatusId, Uri};

use super::{BATCH, is_no_batch};
use crate::{Client, Cursor, Error, Page, call::Call, page, raw};

/// A list to be kept whole.
#[derive(Debug, Clone, Copy)]
pub enum Shelf<'a> {
    /// `GET /api/v1/accounts/:id/statuses`, boosts and replies included.
    Statuses(&'a AccountId),
    /// `GET /api/v1/favourites`.
    Favourites,
    /// `GET /api/v1/bookmarks`.
    Bookmarks,
    /// `GET /api/v1/notifications`, of one type.
    Notifications(&'static str),
    /// `GET /api/v1/conversations`.
    Conversations,
    /// `GET /api/v1/accounts/:id/followers`.
    Followers(&'a AccountId),
    /// `GET /api/v1/accounts/:id/following`.
    Following(&'a AccountId),
    /// `GET /api/v1/mutes`.
    Mutes,
    /// `GET /api/v1/blocks`.
    Blocks,
    /// `GET /api/v1/domain_blocks`: plain texts.
    DomainBlocks,
    /// `GET /api/v1/followed_tags`.
    FollowedTags,
    /// `GET /api/v1/lists`.
    Lists,
    /// `GET /api/v1/lists/:id/accounts`.
    ListAccounts(&'a ListId),
    /// `GET /api/v2/filters`.
    Filters,
}

impl Shelf<'_> {
    /// What has to be granted to read it.
    pub fn scope(&self) -> &'static str {
        match self {
            Self::Statuses(_) | Self::Conversations => "read:statuses",
            Self::Favourites => "read:favourites",
            Self::Bookmarks => "read:bookmarks",
            Self::Notifications(_) => "read:notifications",
            Self::Followers(_) | Self::Following(_) => "read:accounts",
            Self::Mutes => "read:mutes",
            Self::Blocks | Self::DomainBlocks => "read:blocks",
            Self::FollowedTags => "read:follows",
            Self::Lists | Self::ListAccounts(_) => "read:lists",
            Self::Filters => "read:filters",
        }
    }

    /// Path, and the most that a page holds; 0 for lists that come whole.
    fn path(&self) -> (Vec<&str>, u32) {
        match self {
            Self::Statuses(id) => (vec!["api", "v1", "accounts", id.as_str(), "statuses"], 40),
            Self::Favourites => (vec!["api", "v1", "favourites"], 40),
            Self::Bookmarks => (vec!["api", "v1", "bookmarks"], 40),
            Self::Notifications(_) => (vec!["api", "v1", "notifications"], 80),
            Self::Conversations => (vec!["api", "v1", "conversations"], 40),
            Self::Followers(id) => (vec!["api", "v1", "accounts", id.as_str(), "followers"], 80),
            Self::Following(id) => (vec!["api", "v1", "accounts", id.as_str(), "following"], 80),
            Self::Mutes => (vec!["api", "v1", "mutes"], 80),
            Self::Blocks => (vec!["api", "v1", "blocks"], 80),
            Self::DomainBlocks => (vec!["api", "v1", "domain_blocks"], 200),
            Self::FollowedTags => (vec!["api", "v1", "followed_tags"], 200),
            Self::Lists => (vec!["api", "v1", "lists"], 0),
            Self::ListAccounts(id) => (vec!["api", "v1", "lists", id.as_str(), "accounts"], 80),
            Self::Filters => (vec!["api", "v2", "filters"], 0),
        }
    }
}

impl Client {
    /// One page of a list. Scope as [`Shelf::scope`] says.
    pub async fn shelf(&self, shelf: Shelf<'_>, after: Option<&Cursor>) -> Result<Page<String>, Error> {
        let (path, most) = shelf.path();
        let mut call = Call::get(&path).scope(shelf.scope()).after(after);
        if most > 0 {
            call = call.query("limit", most);
        }
        if let Shelf::Notifications(kind) = shelf {
            call = call.query("types[]", kind);
        }
        self.raw_page(&call).await
    }

    async fn raw_page(&self, call: &Call) -> Result<Page<String>, Error> {
        let response = self.answer(call).await?;
        let asked = self.asked(call);
        let text = std::str::from_utf8(&response.body).map_err(|_| asked.not_json("text that is no UTF-8"))?;
        let items = raw::items(text).ok_or_else(|| asked.not_json("no JSON list"))?;
        let links = page::links(&response.headers, &response.url);
        Ok(Page {
            // A page may be empty because all of it is hidden, and have a next one: only a repeated link ends a walk.
            next: links.next.filter(|next| call.cursor.as_ref() != Some(next)),
            prev: links.prev,
            items: items.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Any number of statuses as the server spells them: 20 a request where it can, one by one elsewhere. Those it does
    /// not show are left out, in no order. Scope `read:statuses`.
    pub async fn raw_statuses(&self, ids: &[StatusId]) -> Result<Vec<String>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(BATCH) {
            if self.has_batches() {
                let call = chunk.iter().fold(
                    Call::get(&["api", "v1", "statuses"]).scope("read:statuses"),
                    |call, id| call.query("id[]", id),
                );
                match self.raw_page(&call).await {
                    Ok(page) => {
                        found.extend(page.items);
                        continue;
                    }
                    Err(error) if is_no_batch(&error) => self.forget_batches(),
                    Err(error) => return Err(error),
                }
            }
            for id in chunk {
                found.extend(self.raw_status(id).await?);
            }
        }
        Ok(found)
    }

    /// How the login stands to these accounts, its private notes among it: 40 a request. Scope `read:follows`.
    pub async fn raw_relationships(&self, ids: &[AccountId]) -> Result<Vec<String>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(40) {
            let call = chunk.iter().fold(
                Call::get(&["api", "v1", "accounts", "relationships"]).scope("read:follows"),
                |call, id| call.query("id[]", id.as_str()),
            );
            found.extend(self.raw_page(&call).await?.items);
        }
        Ok(found)
    }

    /// One status as the server spells it; `None` when it is not there, or not for us. Scope `read:statuses`.
    pub async fn raw_status(&self, id: &StatusId) -> Result<Option<String>, Error> {
        let call = Call::get(&["api", "v1", "statuses", id.as_str()]).scope("read:statuses");
        match self.answer(&call).await {
            Ok(response) => Ok(Some(String::from_utf8_lossy(&response.body).into_owned())),
            Err(Error::NotFound { .. } | Error::Gone { .. }) => Ok(None),
            // How servers that are no Mastodon say so. A timeout, a limit or a proxy's refusal is nothing about the status.
            Err(Error::NotJson { reason, .. })
                if ["HTTP 400", "HTTP 422", "HTTP 451"]
                    .iter()
                    .any(|status| reason.starts_with(status)) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// `GET /api/v1/statuses/:id/history`: all versions, oldest first. `None` where the server has none. Scope
    /// `read:statuses`.
    pub async fn history(&self, id: &StatusId) -> Result<Option<Vec<String>>, Error> {
        let call = Call::get(&["api", "v1", "statuses", id.as_str(), "history"]).scope("read:statuses");
        match self.raw_page(&call).await {
            Ok(page) => Ok(Some(page.items)),
            Err(Error::NotFound { .. } | Error::Gone { .. } | Error::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `GET /api/v1/statuses/:id/context`: ancestors, root first, and descendants. `None` when the status is not there.
    /// Scope `read:statuses`.
    pub async fn raw_context(&self, id: &StatusId) -> Result<Option<(Vec<String>, Vec<String>)>, Error> {
        let call = Call::get(&["api", "v1", "statuses", id.as_str(), "context"]).scope("read:statuses");
        let response = match self.answer(&call).await {
            Ok(response) => response,
            Err(Error::NotFound { .. } | Error::Gone { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&response.body);
        let list = |name| {
            let items = raw::field(&text, name).and_then(raw::items);
            items.map(|items| items.into_iter().map(str::to_owned).collect::<Vec<_>>())
        };
        match (list("ancestors"), list("descendants")) {
            (Some(above), Some(below)) => Ok(Some((above, below))),
            _ => Err(self
                .asked(&call)
                .not_json("a context without ancestors and descendants")),
        }
    }

    /// A status by its address as our server spells it, which fetches it if need be. `None` is the server's way of
    /// saying that it failed. Scope `read:search`.
    pub async fn raw_resolve(&self, uri: &Uri) -> Result<Option<String>, Error> {
        match self.resolve(uri).await? {
            Some(status) => self.raw_status(&status.id).await,
            None => Ok(None),
        }
    }
}
