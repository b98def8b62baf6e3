//! Lists.

use model::List;

use crate::{Client, Error, call::Call};

impl Client {
    /// `GET /api/v1/lists`. Scope `read:lists`.
    pub async fn lists(&self) -> Result<Vec<List>, Error> {
        let call = Call::get(&["api", "v1", "lists"]).scope("read:lists");
        Ok(self.page(call).await?.items)
    }
}
