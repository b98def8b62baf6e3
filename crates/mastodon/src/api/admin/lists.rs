//! What moderators keep in lists, read and written alike whichever list it is: for backups, which keep rows as they are.

use net::http::Method;
use serde_json::Value;

use crate::{Client, Cursor, Error, Permit, answer, call::Call};

/// What every version allows in one page.
const PAGE: u32 = 200;

/// Far more pages than any server has.
const MOST_PAGES: usize = 5000;

/// A list of an admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AdminList {
    /// Domains that are blocked.
    DomainBlocks,
    /// Domains that are let in where all others are not.
    DomainAllows,
    /// Domains of e-mail addresses that nobody may sign up with.
    EmailDomainBlocks,
    /// Addresses and networks.
    IpBlocks,
    /// Hashes of e-mail addresses.
    CanonicalEmailBlocks,
}

impl AdminList {
    /// Every list there is.
    pub const ALL: [Self; 5] = [
        Self::DomainBlocks,
        Self::DomainAllows,
        Self::EmailDomainBlocks,
        Self::IpBlocks,
        Self::CanonicalEmailBlocks,
    ];

    /// Its name in addresses and scopes.
    pub fn name(self) -> &'static str {
        match self {
            Self::DomainBlocks => "domain_blocks",
            Self::DomainAllows => "domain_allows",
            Self::EmailDomainBlocks => "email_domain_blocks",
            Self::IpBlocks => "ip_blocks",
            Self::CanonicalEmailBlocks => "canonical_email_blocks",
        }
    }

    /// The scope to read it.
    fn read_scope(self) -> &'static str {
        match self {
            Self::DomainBlocks => "admin:read:domain_blocks",
            Self::DomainAllows => "admin:read:domain_allows",
            Self::EmailDomainBlocks => "admin:read:email_domain_blocks",
            Self::IpBlocks => "admin:read:ip_blocks",
            Self::CanonicalEmailBlocks => "admin:read:canonical_email_blocks",
        }
    }

    /// The scope to change it.
    fn write_scope(self) -> &'static str {
        match self {
            Self::DomainBlocks => "admin:write:domain_blocks",
            Self::DomainAllows => "admin:write:domain_allows",
            Self::EmailDomainBlocks => "admin:write:email_domain_blocks",
            Self::IpBlocks => "admin:write:ip_blocks",
            Self::CanonicalEmailBlocks => "admin:write:canonical_email_blocks",
        }
    }

    fn path(self) -> [&'static str; 4] {
        ["api", "v1", "admin", self.name()]
    }
}

impl Client {
    /// Every row of a list as the server shows it, newest first.
    pub async fn admin_list(&self, list: AdminList) -> Result<Vec<Value>, Error> {
        let mut rows = Vec::new();
        let mut after: Option<Cursor> = None;
        for _ in 0..MOST_PAGES {
            let mut page = self
                .page::<Value>(Self::paged(&list.path(), list.read_scope(), PAGE, after.as_ref()))
                .await?;
            rows.append(&mut page.items);
            after = page.next;
            if after.is_none() {
                return Ok(rows);
            }
        }
        let asked = self.asked(&Call::get(&list.path()));
        Err(asked.not_json("more pages than any server has"))
    }

    /// Adds a row; gives it as the server shows it.
    pub async fn add_to_admin_list(&self, list: AdminList, row: &Value, _permit: Permit) -> Result<Value, Error> {
        self.write_row(Call::sending(Method::POST, &list.path(), row), list)
            .await
    }

    /// Changes a row: domain blocks and blocks of addresses alone can be.
    pub async fn change_in_admin_list(
        &self,
        list: AdminList,
        id: &str,
        row: &Value,
        _permit: Permit,
    ) -> Result<Value, Error> {
        let path = [&list.path()[..], &[id]].concat();
        self.write_row(Call::sending(Method::PUT, &path, row), list).await
    }

    /// Takes a row out; one that is gone already counts as taken out.
    pub async fn remove_from_admin_list(&self, list: AdminList, id: &str, _permit: Permit) -> Result<(), Error> {
        let path = [&list.path()[..], &[id]].concat();
        let call = Call::sending(Method::DELETE, &path, &Value::Null);
        match self.write_row(call, list).await {
            Ok(_) | Err(Error::NotFound { .. } | Error::Gone { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn write_row(&self, call: Call, list: AdminList) -> Result<Value, Error> {
        let call = call.scope(list.write_scope());
        let asked = self.asked(&call);
        let response = answer::written(self.any_answer(&call).await?, &asked)?;
        answer::json(&response, &asked)
    }

    /// The rules of the house, as everybody sees them.
    pub async fn rules(&self) -> Result<Vec<Value>, Error> {
        Ok(self.page(Call::get(&["api", "v1", "instance", "rules"])).await?.items)
    }
}
