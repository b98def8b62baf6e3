//! Filing a report.

use model::AccountId;
use net::http::Method;
use serde::Serialize;
use serde_json::Value;

use crate::{Client, Error, Permit, answer, call::Call};

/// A report to file. Servers keep no more than 1,000 characters of comment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewReport {
    /// Whom.
    pub account_id: String,
    /// Of theirs alone: one that is not, or is not there any more, and nothing is filed.
    pub status_ids: Vec<String>,
    /// For moderators.
    pub comment: String,
    /// `spam`, `legal` (4.2+), `violation`, `other`. Servers before 4.7 fall over any other.
    pub category: String,
    /// Of the server's own rules. They make it a violation, whatever was said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rule_ids: Vec<String>,
    /// Tell the account's own server as well. It cannot be recalled.
    pub forward: bool,
}

impl Client {
    /// `POST /api/v1/reports`; gives the report's id. Scope `write:reports`. `NotFound` when the account is suspended
    /// or gone, or one of the statuses is.
    pub async fn file_report(&self, report: &NewReport, _permit: Permit) -> Result<String, Error> {
        let body = serde_json::to_value(report).unwrap_or_default();
        let call = Call::sending(Method::POST, &["api", "v1", "reports"], &body).scope("write:reports");
        let asked = self.asked(&call);
        let response = answer::written(self.any_answer(&call).await?, &asked)?;
        let value: Value = answer::json(&response, &asked)?;
        match &value["id"] {
            Value::String(id) => Ok(id.clone()),
            Value::Number(id) => Ok(id.to_string()),
            _ => Err(asked.not_json("a report without an id")),
        }
    }

    /// Whether the login's owner follows these accounts and they follow back: `(id, following, followed_by)`.
    /// `GET /api/v1/accounts/relationships`. Scope `read:follows`.
    pub async fn relationships(&self, ids: &[AccountId]) -> Result<Vec<(String, bool, bool)>, Error> {
        let call = Call::get(&["api", "v1", "accounts", "relationships"]).scope("read:follows");
        let call = ids.iter().take(40).fold(call, |call, id| call.query("id[]", id));
        let page: crate::Page<Value> = self.page(call).await?;
        let is = |one: &Value, key: &str| one[key].as_bool() == Some(true);
        Ok(page
            .items
            .iter()
            .filter_map(|one| {
                Some((
                    one["id"].as_str()?.to_owned(),
                    is(one, "following"),
                    is(one, "followed_by"),
                ))
            })
            .collect())
    }
}
