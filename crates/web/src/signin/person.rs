//! What a server says of a person, and what that lets them do here.

use mastodon::Client;
use model::{CredentialAccount, Role};
use store::{Db, servers};

use super::{Server, SignIn};
use crate::rights::{Grant, Right};

/// Seeing and answering reports.
const MANAGE_REPORTS: u64 = 0x10;

/// Domain blocks and allows.
const MANAGE_FEDERATION: u64 = 0x20;

/// Somebody whom a server vouches for.
#[derive(Debug)]
pub(crate) struct Person {
    /// `user@host`, the host being the one that the config names: what a server says of its own domain is its word
    /// alone, and it could say another's.
    pub(crate) name: String,
    /// At their server and no other, unless `[web] admins` names them.
    pub(crate) grants: Vec<Grant>,
}

/// Why nothing is known of a person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Mastodon(#[from] mastodon::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the server answered with somebody else's account")]
    SomebodyElse,
}

impl Error {
    /// Whether the server does answer, and no longer vouches for them.
    pub(crate) fn is_final(&self) -> bool {
        use mastodon::Error as E;
        match self {
            Self::SomebodyElse => true,
            Self::Store(_) => false,
            Self::Mastodon(error) => matches!(
                error,
                E::Revoked { .. } | E::NoToken { .. } | E::Scope { .. } | E::Forbidden { .. } | E::Gone { .. }
            ),
        }
    }
}

impl SignIn {
    /// Asks the server whose token it is, and what they may. `login` is for the log and the budget.
    pub(crate) async fn person(
        &self,
        db: &Db,
        server: &Server,
        login: &str,
        token: net::Secret,
    ) -> Result<Person, Error> {
        let client = Client::new(self.net(), server.url.clone(), login, token);
        let account = client.verify_credentials().await?;
        let user = &account.account.username;
        let odd = |c: char| c == '@' || c == '/' || c.is_whitespace() || c.is_control();
        // A remote account has no say here, and a name that is none could pass for somebody else's.
        if !account.account.is_local() || user.is_empty() || user.contains(odd) {
            return Err(Error::SomebodyElse);
        }
        let name = format!("{user}@{}", server.host);
        let grants = self.grants(db, server, &name, &account).await?;
        Ok(Person { name, grants })
    }

    async fn grants(
        &self,
        db: &Db,
        server: &Server,
        name: &str,
        account: &CredentialAccount,
    ) -> Result<Vec<Grant>, Error> {
        if account.account.suspended {
            return Ok(Vec::new());
        }
        let rights = of_role(account.role.as_ref());
        let mut grants: Vec<_> = rights.into_iter().map(|right| Grant::at(right, &server.host)).collect();
        if self.config().admins.iter().any(|admin| admin == name) {
            grants.push(Grant::everywhere(Right::Admin));
        }
        grants.extend(logins_of(db, server, name).await?.iter().map(|login| Grant::own(login)));
        Ok(grants)
    }
}

/// The logins in the config that are this person's. The store also remembers logins that the config forgot.
async fn logins_of(db: &Db, server: &Server, name: &str) -> Result<Vec<String>, Error> {
    let mut logins = servers::list_logins(db).await?;
    logins.retain(|login| {
        let of_server = login.login.split_once('/').filter(|(host, _)| *host == server.host);
        of_server.is_some_and(|(_, login)| server.logins.iter().any(|known| known == login))
            && login.acct.as_deref() == Some(name)
    });
    Ok(logins.into_iter().map(|login| login.login).collect())
}

/// By the bits alone: a role's name is whatever somebody typed. Software that sends no bits gives nobody a right here;
/// `[web] admins` does.
fn of_role(role: Option<&Role>) -> Vec<Right> {
    let Some(role) = role else { return Vec::new() };
    let mut rights = Vec::new();
    if role.can(MANAGE_REPORTS) || role.can(Role::MANAGE_USERS) {
        rights.push(Right::Moderation);
    }
    if role.can(Role::MANAGE_USERS) {
        rights.push(Right::Registrations);
    }
    if role.can(MANAGE_FEDERATION) {
        rights.push(Right::Federation);
    }
    if role.can(Role::ADMINISTRATOR) {
        rights.push(Right::Admin);
    }
    rights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, permissions: &str) -> Vec<Right> {
        of_role(Some(&Role {
            name: name.to_owned(),
            permissions: permissions.to_owned(),
        }))
    }

    /// Check 39.
    #[test]
    fn bits_decide_and_names_do_not() {
        use Right::{Admin, Federation, Moderation, Registrations};
        assert_eq!(of("Admin", "0"), []);
        assert_eq!(of("Owner", ""), []);
        assert_eq!(of("Moderator", "65536"), []);
        assert_eq!(of("Gardener", "1040"), [Moderation, Registrations]);
        assert_eq!(of("x", "16"), [Moderation]);
        assert_eq!(of("x", "32"), [Federation]);
        assert_eq!(of("", "1"), [Moderation, Registrations, Federation, Admin]);
        assert_eq!(of("Owner", "8388607").last(), Some(&Admin));
        for odd in ["0x1", "-1", "1.0", " 1", "18446744073709551616"] {
            assert_eq!(of("Admin", odd), [], "{odd}");
        }
        assert_eq!(of_role(None), []);
    }
}
