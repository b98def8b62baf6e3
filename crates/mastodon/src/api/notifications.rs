//! Notifications.

use chrono::{DateTime, Utc};
use model::Account;
use serde::Deserialize;

use super::PAGE;
use crate::{Client, Cursor, Error, Page};

/// The part of a notification that says who did it, and when.
#[derive(Debug, Clone, Deserialize)]
pub struct Notification {
    /// When. Servers of other software may leave it out.
    #[serde(default)]
    pub created_at: Option<DateTime<Utc>>,
    /// Who; moderation warnings and the like have nobody.
    #[serde(default)]
    pub account: Option<Account>,
}

impl Client {
    /// `GET /api/v1/notifications`, newest first. Scope `read:notifications`.
    pub async fn notifications(&self, after: Option<&Cursor>) -> Result<Page<Notification>, Error> {
        let path = ["api", "v1", "notifications"];
        self.page(Self::paged(&path, "read:notifications", PAGE, after)).await
    }
}
