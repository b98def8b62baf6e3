//! Who follows whom. Their cursors are ids of follows, not of accounts.

use model::{Account, AccountId};

use crate::{Client, Cursor, Error, Page};

/// The most that a page holds.
const PAGE: u32 = 80;

impl Client {
    /// `GET /api/v1/accounts/:id/following`, newest follow first. Sent with the token: servers hide it from strangers.
    /// Scope `read:accounts`.
    pub async fn following(&self, account: &AccountId, after: Option<&Cursor>) -> Result<Page<Account>, Error> {
        let path = ["api", "v1", "accounts", account.as_str(), "following"];
        self.page(Self::paged(&path, "read:accounts", PAGE, after)).await
    }

    /// `GET /api/v1/accounts/:id/followers`, newest first. Scope `read:accounts`.
    pub async fn followers(&self, account: &AccountId, after: Option<&Cursor>) -> Result<Page<Account>, Error> {
        let path = ["api", "v1", "accounts", account.as_str(), "followers"];
        self.page(Self::paged(&path, "read:accounts", PAGE, after)).await
    }

    /// `GET /api/v1/follow_requests`, newest first. Scope `read:follows`.
    pub async fn follow_requests(&self, after: Option<&Cursor>) -> Result<Page<Account>, Error> {
        let path = ["api", "v1", "follow_requests"];
        self.page(Self::paged(&path, "read:follows", PAGE, after)).await
    }
}
