//! Timelines.

use model::{ListId, Status};

use super::PAGE;
use crate::{Client, Cursor, Error, Page};

impl Client {
    /// `GET /api/v1/timelines/home`, 40 a page. 206 (being rebuilt) is an empty page. Scope `read:statuses`.
    pub async fn home_timeline(&self, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        let path = ["api", "v1", "timelines", "home"];
        self.page(Self::paged(&path, "read:statuses", PAGE, after)).await
    }

    /// `GET /api/v1/timelines/list/:id`. Scope `read:lists`.
    pub async fn list_timeline(&self, list: &ListId, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        let path = ["api", "v1", "timelines", "list", list.as_str()];
        self.page(Self::paged(&path, "read:lists", PAGE, after)).await
    }

    /// `GET /api/v1/timelines/public`, the federated timeline, only of other servers where `remote`; as the server spells
    /// it. Scope `read:statuses`.
    pub async fn public_timeline(
        &self,
        remote: bool,
        after: Option<&Cursor>,
    ) -> Result<Page<serde_json::Value>, Error> {
        let path = ["api", "v1", "timelines", "public"];
        let mut call = Self::paged(&path, "read:statuses", PAGE, after);
        if remote {
            call = call.query("remote", "true");
        }
        self.page(call).await
    }
}
