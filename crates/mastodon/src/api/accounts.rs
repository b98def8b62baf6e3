//! Accounts.

use model::{AccountId, CredentialAccount, Status};

use super::PAGE;
use crate::{Client, Cursor, Error, Page, answer, call::Call};

impl Client {
    /// `GET /api/v1/accounts/verify_credentials`: is the token good, and whose is it. The one call to check a token
    /// with: on public endpoints Mastodon ignores a token that it does not know.
    pub async fn verify_credentials(&self) -> Result<CredentialAccount, Error> {
        let call = Call::get(&["api", "v1", "accounts", "verify_credentials"]).scope("read:accounts");
        let asked = self.asked(&call);
        let revoked = || Error::Revoked {
            host: asked.host.clone(),
            login: self.login().to_owned(),
        };
        match self.value(&call).await {
            Ok((value, _)) => answer::object(value, &asked),
            // Disabled, unconfirmed or moved: nothing this token asks for will be given.
            Err(Error::Forbidden { .. }) => Err(revoked()),
            // Takahē answers 400 with a text, snac 422 with nothing, Mastodon 422 to a token without a user.
            Err(Error::NotJson { reason, .. }) if reason.starts_with("HTTP 400") || reason.starts_with("HTTP 422") => {
                Err(revoked())
            }
            Err(error) => Err(error),
        }
    }

    /// `GET /api/v1/accounts/:id/statuses`, replies included, boosts not. Scope `read:statuses`.
    pub async fn account_statuses(&self, account: &AccountId, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        let path = ["api", "v1", "accounts", account.as_str(), "statuses"];
        let call = Self::paged(&path, "read:statuses", PAGE, after).query("exclude_reblogs", "true");
        self.page(call).await
    }
}
