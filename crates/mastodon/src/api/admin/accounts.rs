//! Accounts as admins see them.

use model::{Account, AccountId, AdminAccount};
use net::http::Method;
use serde_json::Value;

use crate::{Client, Cursor, Error, Page, Permit, answer, call::Call};

/// The most that a page holds.
const PAGE: u32 = 200;

const READ: &str = "admin:read:accounts";
const WRITE: &str = "admin:write:accounts";
const PATH: [&str; 4] = ["api", "v1", "admin", "accounts"];

impl Client {
    /// Local accounts, `GET /api/v2/admin/accounts?origin=local&status=active`, else v1. Scope `admin:read:accounts`.
    pub async fn local_accounts(&self, after: Option<&Cursor>) -> Result<Page<Account>, Error> {
        let page = self.admin_accounts("active", after).await?;
        Ok(Page {
            // Servers that ignore the filter list remote accounts too.
            items: page
                .items
                .into_iter()
                .filter(AdminAccount::is_local)
                .filter_map(|item| item.account)
                .collect(),
            next: page.next,
            prev: page.prev,
        })
    }

    /// Accounts that the server knows at exactly this domain: `GET /api/v2/admin/accounts?origin=remote&by_domain=`.
    /// Scope `admin:read:accounts`.
    pub async fn known_accounts(&self, domain: &str, after: Option<&Cursor>) -> Result<Page<Account>, Error> {
        let call = Self::paged(&["api", "v2", "admin", "accounts"], READ, PAGE, after)
            .query("origin", "remote")
            .query("by_domain", domain);
        let page: Page<AdminAccount> = self.page(call).await?;
        Ok(Page {
            items: page.items.into_iter().filter_map(|item| item.account).collect(),
            next: page.next,
            prev: page.prev,
        })
    }

    /// Local people who wait for approval, confirmed or not: `GET /api/v2/admin/accounts?origin=local&status=pending`,
    /// else v1. Scope `admin:read:accounts`.
    pub async fn pending_accounts(&self, after: Option<&Cursor>) -> Result<Page<AdminAccount>, Error> {
        let page = self.admin_accounts("pending", after).await?;
        Ok(Page {
            // Servers that ignore the filter list those who are in as well.
            items: page
                .items
                .into_iter()
                .filter(|item| item.is_local() && !item.approved)
                .collect(),
            ..page
        })
    }

    /// Somebody as they are now; `None` when there is nobody (any more). Scope `admin:read:accounts`.
    pub async fn admin_account(&self, id: &AccountId) -> Result<Option<AdminAccount>, Error> {
        let call = Call::get(&[&PATH[..], &[id.as_str()]].concat()).scope(READ);
        match self.object(&call).await {
            Ok(account) => Ok(Some(account)),
            Err(Error::NotFound { .. } | Error::Gone { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets somebody in. Scope `admin:write:accounts`. A server answers 403 also when they are not waiting any more.
    pub async fn approve_account(&self, id: &AccountId, _permit: Permit) -> Result<(), Error> {
        self.post(id, "approve").await
    }

    /// Turns somebody away: the account is deleted at once and for good. Scope `admin:write:accounts`. A server answers
    /// 403, 404 or 422 also when they are not waiting any more.
    pub async fn reject_account(&self, id: &AccountId, _permit: Permit) -> Result<(), Error> {
        self.post(id, "reject").await
    }

    async fn post(&self, id: &AccountId, verb: &str) -> Result<(), Error> {
        let path = [&PATH[..], &[id.as_str(), verb]].concat();
        let call = Call::sending(Method::POST, &path, &Value::Null).scope(WRITE);
        answer::written(self.any_answer(&call).await?, &self.asked(&call)).map(drop)
    }

    /// A page of accounts, by v2 and where that is missing by v1, whose flags count when they are there at all.
    async fn admin_accounts(&self, status: &'static str, after: Option<&Cursor>) -> Result<Page<AdminAccount>, Error> {
        let v2 = Self::paged(&["api", "v2", "admin", "accounts"], READ, PAGE, after)
            .query("origin", "local")
            .query("status", status);
        match self.page(v2).await {
            Err(Error::NotFound { .. }) => {
                let v1 = Self::paged(&PATH, READ, PAGE, after)
                    .query("local", "true")
                    .query(status, "true");
                self.page(v1).await
            }
            other => other,
        }
    }
}
