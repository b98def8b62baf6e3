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

/// What moderators do to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// A warning, and nothing else.
    None,
    /// Its media are hidden at first.
    Sensitive,
    /// Limited: only its followers see it.
    Silence,
    /// Nobody sees it, and after 30 days it is deleted.
    Suspend,
}

impl Action {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sensitive => "sensitive",
            Self::Silence => "silence",
            Self::Suspend => "suspend",
        }
    }

    /// From how the API spells it.
    pub fn named(text: &str) -> Option<Self> {
        [Self::None, Self::Sensitive, Self::Silence, Self::Suspend]
            .into_iter()
            .find(|action| action.as_str() == text)
    }

    /// The call that takes it back; a warning stays said.
    fn undo(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Sensitive => Some("unsensitive"),
            Self::Silence => Some("unsilence"),
            Self::Suspend => Some("unsuspend"),
        }
    }
}

impl Client {
    /// A page of accounts as moderators see them, newest first: `GET /api/v2/admin/accounts?origin=…&status=active`.
    /// They come as the server spells them. Scope `admin:read:accounts`.
    pub async fn active_accounts(&self, local: bool, after: Option<&Cursor>) -> Result<Page<Value>, Error> {
        let call = Self::paged(&["api", "v2", "admin", "accounts"], READ, PAGE, after)
            .query("origin", if local { "local" } else { "remote" })
            .query("status", "active");
        self.page(call).await
    }

    /// Those who have a role of their own: `GET /api/v2/admin/accounts?permissions=staff`, the first two hundred, as the
    /// server spells them. What a role lets them do stands in its permissions. Scope `admin:read:accounts`.
    pub async fn with_roles(&self) -> Result<Vec<Value>, Error> {
        let call = Call::get(&["api", "v2", "admin", "accounts"])
            .scope(READ)
            .query("limit", PAGE)
            .query("origin", "local")
            .query("permissions", "staff");
        Ok(self.page(call).await?.items)
    }

    /// Acts on an account. Scope `admin:write:accounts`. All but a warning also resolve every open report against it;
    /// a warning resolves the report it names. Every call adds a strike, so look first whether it is done already.
    pub async fn act_on_account(
        &self,
        id: &AccountId,
        action: Action,
        text: &str,
        report: Option<&str>,
        _permit: Permit,
    ) -> Result<(), Error> {
        let mut body = serde_json::json!({ "type": action.as_str(), "text": text, "send_email_notification": true });
        if let Some(report) = report {
            body["report_id"] = report.into();
        }
        let path = [&PATH[..], &[id.as_str(), "action"]].concat();
        let call = Call::sending(Method::POST, &path, &body).scope(WRITE);
        answer::written(self.any_answer(&call).await?, &self.asked(&call)).map(drop)
    }

    /// Takes an action back; a warning cannot be. Scope `admin:write:accounts`.
    pub async fn undo_action(&self, id: &AccountId, action: Action, _permit: Permit) -> Result<(), Error> {
        match action.undo() {
            Some(verb) => self.post(id, verb).await,
            None => Ok(()),
        }
    }

    /// Somebody as moderators see them, as the server spells it; `None` when there is nobody (any more). Scope
    /// `admin:read:accounts`.
    pub async fn moderated_account(&self, id: &AccountId) -> Result<Option<Value>, Error> {
        let call = Call::get(&[&PATH[..], &[id.as_str()]].concat()).scope(READ);
        match self.value(&call).await {
            Ok((value, _)) => Ok(Some(value)),
            Err(Error::NotFound { .. } | Error::Gone { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Local accounts, `GET /api/v2/admin/accounts?origin=local&status=active`, else v1. A page of which none is local is
    /// empty, and not the last for that. Scope `admin:read:accounts`.
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
