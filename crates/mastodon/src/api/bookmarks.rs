//! Bookmarks and favourites. Their cursors are ids of bookmarks and favourites, not of statuses.

use model::Status;

use super::PAGE;
use crate::{Client, Cursor, Error, Page};

impl Client {
    /// `GET /api/v1/bookmarks`. Scope `read:bookmarks`.
    pub async fn bookmarks(&self, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        let path = ["api", "v1", "bookmarks"];
        self.page(Self::paged(&path, "read:bookmarks", PAGE, after)).await
    }

    /// `GET /api/v1/favourites`. Scope `read:favourites`.
    pub async fn favourites(&self, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        let path = ["api", "v1", "favourites"];
        self.page(Self::paged(&path, "read:favourites", PAGE, after)).await
    }
}
