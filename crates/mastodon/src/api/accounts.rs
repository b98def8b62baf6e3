//! Accounts.

use model::{Account, AccountId, CredentialAccount, Status};

use super::{BATCH, PAGE, is_no_batch};
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

    /// `GET /api/v1/accounts/:id`. Scope `read:accounts`.
    pub async fn account(&self, id: &AccountId) -> Result<Account, Error> {
        let call = Call::get(&["api", "v1", "accounts", id.as_str()]).scope("read:accounts");
        self.object(&call).await
    }

    /// `GET /api/v1/accounts/lookup`: `user` or `user@domain`, among those the server knows. Scope `read:accounts`.
    pub async fn lookup(&self, acct: &str) -> Result<Account, Error> {
        let call = Call::get(&["api", "v1", "accounts", "lookup"])
            .scope("read:accounts")
            .query("acct", acct);
        self.object(&call).await
    }

    /// Any number of accounts: 20 a request where the server has batches (4.3+), one by one elsewhere; those it does
    /// not show are left out, in no order. Scope `read:accounts`.
    pub async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(BATCH) {
            if self.has_batches() {
                let call = chunk.iter().fold(
                    Call::get(&["api", "v1", "accounts"]).scope("read:accounts"),
                    |call, id| call.query("id[]", id),
                );
                match self.page(call).await {
                    Ok(page) => {
                        found.extend(page.items);
                        continue;
                    }
                    Err(error) if is_no_batch(&error) => self.forget_batches(),
                    Err(error) => return Err(error),
                }
            }
            for id in chunk {
                match self.account(id).await {
                    Ok(account) => found.push(account),
                    Err(Error::NotFound { .. } | Error::Gone { .. } | Error::Forbidden { .. }) => {}
                    Err(Error::NotJson { reason, .. }) if reason.starts_with("HTTP 4") => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(found)
    }

    /// `GET /api/v1/accounts/:id/statuses`, replies included, boosts not. Scope `read:statuses`.
    pub async fn account_statuses(&self, account: &AccountId, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        let path = ["api", "v1", "accounts", account.as_str(), "statuses"];
        let call = Self::paged(&path, "read:statuses", PAGE, after).query("exclude_reblogs", "true");
        self.page(call).await
    }
}
