//! Statuses.

use model::{Status, StatusId};
use net::http::Method;
use serde_json::{Value, json};

use super::{BATCH, is_no_batch};
use crate::{Client, Error, Known, Permit, answer, call::Call, refresh};

impl Client {
    /// Writes to those whom the text mentions, and to nobody else. A second try under the same key is the same status.
    /// Scope `write:statuses`.
    pub async fn post_direct(&self, text: &str, key: &str, _permit: Permit) -> Result<Value, Error> {
        let body = json!({ "status": text, "visibility": "direct" });
        let mut call = Call::sending(Method::POST, &["api", "v1", "statuses"], &body).scope("write:statuses");
        call.idempotency = Some(key.to_owned());
        let asked = self.asked(&call);
        let response = answer::written(self.any_answer(&call).await?, &asked)?;
        let status = answer::json(&response, &asked)?;
        Ok(json!({ "id": status["id"], "uri": status["uri"] }))
    }

    /// `GET /api/v1/statuses/:id`. Scope `read:statuses`.
    pub async fn status(&self, id: &StatusId) -> Result<Status, Error> {
        let call = Call::get(&["api", "v1", "statuses", id.as_str()]).scope("read:statuses");
        self.object(&call).await
    }

    /// Up to any number of statuses: 20 a request where the server has batches (4.3+), one by one elsewhere; those
    /// it does not show are left out, in no order.
    pub async fn statuses(&self, ids: &[StatusId]) -> Result<Vec<Status>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(BATCH) {
            if let Some(some) = self.batch(chunk).await? {
                found.extend(some);
                continue;
            }
            for id in chunk {
                match self.status(id).await {
                    Ok(status) => found.push(status),
                    Err(Error::NotFound { .. } | Error::Gone { .. } | Error::Forbidden { .. }) => {}
                    // Mitra answers 400 to an id that is no UUID.
                    Err(Error::NotJson { reason, .. }) if reason.starts_with("HTTP 4") => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(found)
    }

    /// As [`Self::statuses`], but only where it costs one request for 20: `None` where the server has no batches.
    pub async fn batch(&self, ids: &[StatusId]) -> Result<Option<Vec<Status>>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(BATCH) {
            if !self.has_batches() {
                return Ok(None);
            }
            let call = chunk.iter().fold(
                Call::get(&["api", "v1", "statuses"]).scope("read:statuses"),
                |call, id| call.query("id[]", id),
            );
            match self.page(call).await {
                Ok(page) => found.extend(page.items),
                Err(error) if is_no_batch(&error) => self.forget_batches(),
                Err(error) => return Err(error),
            }
        }
        Ok(self.has_batches().then_some(found))
    }

    /// `GET /api/v1/statuses/:id/context`. Scope `read:statuses`.
    pub async fn context(&self, id: &StatusId) -> Result<Known, Error> {
        let call = Call::get(&["api", "v1", "statuses", id.as_str(), "context"]).scope("read:statuses");
        let (value, response) = self.value(&call).await?;
        let asked = self.asked(&call);
        // Taken for an empty context, a wrong answer would have every reply fetched again.
        if !value["ancestors"].is_array() || !value["descendants"].is_array() {
            return Err(asked.not_json("a context without ancestors and descendants"));
        }
        Ok(Known {
            context: answer::object(value, &asked)?,
            refresh: refresh::read(&response.headers),
        })
    }
}
