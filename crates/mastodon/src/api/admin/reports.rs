//! Reports as moderators see them.

use model::AccountId;
use serde_json::Value;

use crate::{Client, Error, Page, call::Call};

const READ: &str = "admin:read:reports";
const PATH: [&str; 4] = ["api", "v1", "admin", "reports"];

/// `Admin::Report`, as far as anybody asked. The accounts in it hold e-mail addresses, so it prints its id alone.
#[derive(Clone, PartialEq)]
pub struct AdminReport {
    /// Its id there.
    pub id: String,
    /// Resolved.
    pub action_taken: bool,
    /// What who filed it wrote.
    pub comment: String,
    /// Who filed it.
    pub by: String,
    /// Who resolved it.
    pub resolved_by: Option<String>,
    /// `Admin::Account`.
    pub target: Value,
    /// With those that were deleted.
    pub statuses: Vec<Value>,
}

impl std::fmt::Debug for AdminReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminReport")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl AdminReport {
    /// Reads what servers send, by call or by webhook.
    pub fn read(value: &Value) -> Option<Self> {
        let id = |value: &Value| match value {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        };
        Some(Self {
            id: id(value.get("id")?)?,
            action_taken: value["action_taken"].as_bool().unwrap_or_default(),
            comment: value["comment"].as_str().unwrap_or_default().to_owned(),
            by: id(&value["account"]["id"]).unwrap_or_default(),
            resolved_by: id(&value["action_taken_by_account"]["id"]),
            target: value.get("target_account").cloned().unwrap_or_default(),
            statuses: value["statuses"].as_array().cloned().unwrap_or_default(),
        })
    }

    /// Whether something stands against the account: what a moderator does when a report is right.
    pub fn target_is_limited(&self) -> bool {
        ["suspended", "silenced", "sensitized", "disabled"]
            .iter()
            .any(|key| self.target[key].as_bool() == Some(true))
    }
}

impl Client {
    /// Reports against an account: the open ones, or those that are resolved. Without a cursor, so it spends nothing
    /// of the paging budget. Scope `admin:read:reports`.
    pub async fn reports_against(&self, target: &AccountId, resolved: bool) -> Result<Vec<AdminReport>, Error> {
        let mut call = Call::get(&PATH)
            .scope(READ)
            .query("limit", 200)
            .query("target_account_id", target);
        if resolved {
            // Up to 4.5 its presence alone counts, so nothing is sent for the open ones.
            call = call.query("resolved", "true");
        }
        let page: Page<Value> = self.page(call).await?;
        Ok(page.items.iter().filter_map(AdminReport::read).collect())
    }

    /// A report as it is now; `None` when there is none (any more). Scope `admin:read:reports`.
    pub async fn admin_report(&self, id: &str) -> Result<Option<AdminReport>, Error> {
        let call = Call::get(&[&PATH[..], &[id]].concat()).scope(READ);
        match self.value(&call).await {
            Ok((value, _)) => Ok(AdminReport::read(&value)),
            Err(Error::NotFound { .. } | Error::Gone { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
