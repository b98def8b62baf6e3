//! Accounts.

use model::{Account, AccountId, CredentialAccount, Status};

use serde_json::Value;

use super::{BATCH, PAGE, is_no_batch};
use crate::{
    Client, Cursor, Error, Page, answer,
    call::Call,
    remote::{ACCOUNTS_BATCH, Measured},
};

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

    /// `GET /api/v1/directory`: accounts of this server that let themselves be found, newest first. Public.
    pub async fn directory(&self, offset: usize) -> Result<Vec<Account>, Error> {
        let call = Call::get(&["api", "v1", "directory"]);
        let call = call
            .query("local", "true")
            .query("order", "new")
            .query("limit", 80)
            .query("offset", offset);
        Ok(self.page(call).await?.items)
    }

    /// What up to 40 accounts have, as the server counts; those it does not show are left out. `None` where it does not
    /// answer for several at once. Scope `read:accounts`.
    pub async fn measured(&self, ids: &[&str]) -> Result<Option<Vec<Measured>>, Error> {
        let call = Call::get(&["api", "v1", "accounts"]).scope("read:accounts");
        let call = ids
            .iter()
            .take(ACCOUNTS_BATCH)
            .fold(call, |call, id| call.query("id[]", id));
        match self.answer(&call).await {
            Ok(response) => {
                let items: Vec<Value> = answer::list(&response, &self.asked(&call))?;
                Ok(Some(items.iter().filter_map(Measured::read).collect()))
            }
            Err(error) if is_no_batch(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What one account has, as the server counts. Scope `read:accounts`.
    pub async fn measured_one(&self, id: &str) -> Result<Measured, Error> {
        let call = Call::get(&["api", "v1", "accounts", id]).scope("read:accounts");
        let (value, _) = self.value(&call).await?;
        Measured::read(&value).ok_or_else(|| self.asked(&call).not_json("JSON without an id"))
    }

    /// What an account has as far as this server knows: `user` or `user@domain`. Scope `read:accounts`.
    pub async fn measured_by_name(&self, acct: &str) -> Result<Measured, Error> {
        let call = Call::get(&["api", "v1", "accounts", "lookup"])
            .scope("read:accounts")
            .query("acct", acct);
        let (value, _) = self.value(&call).await?;
        Measured::read(&value).ok_or_else(|| self.asked(&call).not_json("JSON without an id"))
    }

    /// `GET /api/v1/accounts/:id/statuses`, replies included, boosts not. Scope `read:statuses`.
    pub async fn account_statuses(&self, account: &AccountId, after: Option<&Cursor>) -> Result<Page<Status>, Error> {
        let path = ["api", "v1", "accounts", account.as_str(), "statuses"];
        let call = Self::paged(&path, "read:statuses", PAGE, after).query("exclude_reblogs", "true");
        self.page(call).await
    }

    /// The newest statuses of an account that this login sees, as the server spells them, boosts left out. It carries no
    /// cursor. Scope `read:statuses`.
    pub async fn newest_statuses(&self, account: &AccountId, limit: u32) -> Result<Vec<Value>, Error> {
        let path = ["api", "v1", "accounts", account.as_str(), "statuses"];
        let call = Call::get(&path)
            .scope("read:statuses")
            .query("limit", limit.min(PAGE))
            .query("exclude_reblogs", "true");
        Ok(self.page(call).await?.items)
    }

    /// An account as the server spells it; `None` when there is none (any more). Scope `read:accounts`.
    pub async fn shown_account(&self, id: &AccountId) -> Result<Option<Value>, Error> {
        let call = Call::get(&["api", "v1", "accounts", id.as_str()]).scope("read:accounts");
        match self.value(&call).await {
            Ok((value, _)) => Ok(Some(value)),
            Err(Error::NotFound { .. } | Error::Gone { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
