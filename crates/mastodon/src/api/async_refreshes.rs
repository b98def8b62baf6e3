//! The server's own background work (alpha in Mastodon's API, so everything about it may be missing).

use model::AsyncRefresh;

use crate::{Client, Error, answer, call::Call};

impl Client {
    /// `GET /api/v1_alpha/async_refreshes/:id`; `None` when unknown, when the server has no such call, or when the
    /// token may not ask (it takes the whole `read`).
    pub async fn async_refresh(&self, id: &str) -> Result<Option<AsyncRefresh>, Error> {
        let call = Call::get(&["api", "v1_alpha", "async_refreshes", id]).scope("read");
        let (mut value, _) = match self.value(&call).await {
            Ok(answer) => answer,
            Err(Error::NotFound { .. } | Error::Gone { .. } | Error::Scope { .. } | Error::Forbidden { .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        answer::object(value["async_refresh"].take(), &self.asked(&call)).map(Some)
    }
}
