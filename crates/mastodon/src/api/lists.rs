//! Lists.

use model::{Account, List, ListId};

use super::PAGE;
use crate::{Client, Cursor, Error, Page, call::Call};

impl Client {
    /// `GET /api/v1/lists`. Scope `read:lists`.
    pub async fn lists(&self) -> Result<Vec<List>, Error> {
        let call = Call::get(&["api", "v1", "lists"]).scope("read:lists");
        Ok(self.page(call).await?.items)
    }

    /// `GET /api/v1/lists/:id/accounts`. Scope `read:lists`.
    pub async fn list_accounts(&self, list: &ListId, after: Option<&Cursor>) -> Result<Page<Account>, Error> {
        let path = ["api", "v1", "lists", list.as_str(), "accounts"];
        self.page(Self::paged(&path, "read:lists", PAGE, after)).await
    }
}
