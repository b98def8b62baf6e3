//! Accounts as admins see them.

use model::Account;
use serde::Deserialize;

use crate::{Client, Cursor, Error, Page};

/// The most that a page holds.
const PAGE: u32 = 200;

/// The part of `Admin::Account` that matters here; Mitra sends hardly more.
#[derive(Deserialize)]
struct AdminAccount {
    #[serde(default)]
    domain: Option<String>,
    account: Account,
}

impl Client {
    /// Local accounts, `GET /api/v2/admin/accounts?origin=local&status=active`, else v1. Scope `admin:read:accounts`.
    pub async fn local_accounts(&self, after: Option<&Cursor>) -> Result<Page<Account>, Error> {
        let v2 = Self::paged(&["api", "v2", "admin", "accounts"], "admin:read:accounts", PAGE, after)
            .query("origin", "local")
            .query("status", "active");
        let page = match self.page::<AdminAccount>(v2).await {
            Err(Error::NotFound { .. }) => {
                let v1 = Self::paged(&["api", "v1", "admin", "accounts"], "admin:read:accounts", PAGE, after)
                    .query("local", "true")
                    .query("active", "true");
                self.page(v1).await?
            }
            other => other?,
        };
        Ok(Page {
            // Servers that ignore the filter list remote accounts too.
            items: page
                .items
                .into_iter()
                .filter(|item| item.domain.is_none() && item.account.is_local())
                .map(|item| item.account)
                .collect(),
            next: page.next,
            prev: page.prev,
        })
    }
}
