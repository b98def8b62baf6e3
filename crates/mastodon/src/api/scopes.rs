//! Which scopes a token has. No server tells, so each is tried on a cheap call: one that reads next to nothing or, for
//! a scope to write, one about a thing that does not exist. The scope is looked at first, so "there is no such thing"
//! means that the token has it.

use model::Role;
use net::http::Method;
use tracing::debug;

use crate::{Client, Error, call::Call};

/// No server gives this id to anything.
const NOTHING: &str = "0";

impl Client {
    /// Asks a cheap endpoint for each of `scopes` and says which the token lacks; nothing is changed on the server.
    ///
    /// An admin scope is worth something only with the permission behind it, and a server may answer the same 403 for
    /// both. `role`, the token owner's, tells them apart: where it lacks the permission ([`permission_behind`]), a
    /// refusal says nothing about the scope. An endpoint that a server does not have says nothing against the token.
    pub async fn missing_scopes(
        &self,
        scopes: &[&'static str],
        role: Option<&Role>,
    ) -> Result<Vec<&'static str>, Error> {
        let mut missing = Vec::new();
        for &scope in scopes {
            let mut lacks = false;
            for probe in probes(scope) {
                lacks = lacks || self.lacks(scope, &probe, role).await?;
            }
            if lacks {
                missing.push(scope);
            }
        }
        Ok(missing)
    }

    async fn lacks(&self, scope: &'static str, probe: &Probe, role: Option<&Role>) -> Result<bool, Error> {
        let mut call = probe.call.clone().scope(scope);
        call.repeatable = probe.method == Method::GET;
        call.method = probe.method.clone();
        match self.answer(&call).await {
            Ok(_)
            | Err(
                Error::NotFound { .. }
                | Error::Gone { .. }
                | Error::Invalid { .. }
                | Error::NotJson { .. }
                | Error::RateLimited { .. },
            ) => Ok(false),
            Err(Error::Scope { .. }) => Ok(true),
            Err(Error::Forbidden { .. }) => {
                let behind = probe.permission.or_else(|| permission_behind(scope));
                let explained = behind.is_some_and(|bit| role.is_some_and(|role| !role.can(bit)));
                debug!(scope, explained, login = self.login(), "refused, without saying why");
                Ok(!explained)
            }
            Err(error) => Err(error),
        }
    }
}

/// The permission that the token owner's role needs for a scope to be worth something; `None` for what everybody may.
pub fn permission_behind(scope: &str) -> Option<u64> {
    let (_, noun) = scope.strip_prefix("admin:")?.split_once(':')?;
    match noun {
        "accounts" => Some(Role::MANAGE_USERS),
        "reports" => Some(Role::MANAGE_REPORTS),
        "domain_blocks" | "domain_allows" => Some(Role::MANAGE_FEDERATION),
        "ip_blocks" | "email_domain_blocks" | "canonical_email_blocks" => Some(Role::MANAGE_BLOCKS),
        _ => None,
    }
}

/// A call that tells whether a token has a scope.
struct Probe {
    method: Method,
    call: Call,
    /// The permission that the call wants, where its scope alone does not tell.
    permission: Option<u64>,
}

/// The cheap calls that need a scope; several only for the whole of `write`, which no single endpoint asks for.
fn probes(scope: &str) -> Vec<Probe> {
    let get = |path: &[&str]| one(Method::GET, Call::get(path).query("limit", 1));
    let put = |path: &[&str]| one(Method::PUT, Call::get(path));
    let post = |path: &[&str]| one(Method::POST, Call::get(path));
    match scope {
        // The only call that takes the whole of `read`; unknown ids are 404 once the scope was checked.
        "read" => get(&["api", "v1_alpha", "async_refreshes", NOTHING]),
        "read:statuses" => get(&["api", "v1", "timelines", "home"]),
        "read:accounts" | "profile" => get(&["api", "v1", "accounts", "verify_credentials"]),
        "read:bookmarks" => get(&["api", "v1", "bookmarks"]),
        "read:favourites" => get(&["api", "v1", "favourites"]),
        "read:lists" => get(&["api", "v1", "lists"]),
        "read:notifications" => get(&["api", "v1", "notifications"]),
        "read:follows" => get(&["api", "v1", "follow_requests"]),
        "read:blocks" => get(&["api", "v1", "blocks"]),
        "read:mutes" => get(&["api", "v1", "mutes"]),
        "read:filters" => get(&["api", "v2", "filters"]),
        "read:search" => one(
            Method::GET,
            Call::get(&["api", "v2", "search"])
                .query("limit", 1)
                .query("q", "a")
                .query("type", "hashtags"),
        ),
        "write" => ["write:accounts", "write:statuses", "write:reports"]
            .into_iter()
            .flat_map(probes)
            .collect(),
        "write:accounts" => post(&["api", "v1", "accounts", NOTHING, "pin"]),
        "write:blocks" => post(&["api", "v1", "accounts", NOTHING, "block"]),
        "write:bookmarks" => post(&["api", "v1", "statuses", NOTHING, "bookmark"]),
        "write:conversations" => post(&["api", "v1", "conversations", NOTHING, "read"]),
        "write:favourites" => post(&["api", "v1", "statuses", NOTHING, "favourite"]),
        "write:filters" => put(&["api", "v2", "filters", NOTHING]),
        "write:follows" => post(&["api", "v1", "accounts", NOTHING, "follow"]),
        "write:lists" => put(&["api", "v1", "lists", NOTHING]),
        "write:media" => put(&["api", "v1", "media", NOTHING]),
        "write:mutes" => post(&["api", "v1", "accounts", NOTHING, "mute"]),
        "write:notifications" => post(&["api", "v1", "notifications", NOTHING, "dismiss"]),
        "write:reports" => one(
            Method::POST,
            Call::get(&["api", "v1", "reports"]).query("account_id", NOTHING),
        ),
        "write:statuses" => put(&["api", "v1", "statuses", NOTHING]),
        // Takes the whole of `admin:read`, unlike everything with a noun of its own.
        "admin:read" => vec![Probe {
            method: Method::GET,
            call: Call::get(&["api", "v1", "admin", "tags"]).query("limit", 1),
            permission: Some(Role::MANAGE_TAXONOMIES),
        }],
        "admin:write" => vec![Probe {
            method: Method::PUT,
            call: Call::get(&["api", "v1", "admin", "tags", NOTHING]),
            permission: Some(Role::MANAGE_TAXONOMIES),
        }],
        "admin:read:accounts" => one(
            Method::GET,
            Call::get(&["api", "v2", "admin", "accounts"])
                .query("limit", 1)
                .query("origin", "local"),
        ),
        "admin:write:accounts" => post(&["api", "v1", "admin", "accounts", NOTHING, "approve"]),
        "admin:write:reports" => post(&["api", "v1", "admin", "reports", NOTHING, "assign_to_self"]),
        _ => match scope.split(':').collect::<Vec<_>>()[..] {
            ["admin", "read", noun] => get(&["api", "v1", "admin", noun]),
            ["admin", "write", noun @ ("domain_blocks" | "ip_blocks")] => put(&["api", "v1", "admin", noun, NOTHING]),
            // Without PUT: deleting what is not there is the only call about nothing.
            ["admin", "write", noun] => one(Method::DELETE, Call::get(&["api", "v1", "admin", noun, NOTHING])),
            _ => Vec::new(),
        },
    }
}

fn one(method: Method, call: Call) -> Vec<Probe> {
    vec![Probe {
        method,
        call,
        permission: None,
    }]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fake_fediverse::{Fediverse, Scenario};
    use model::SystemClock;
    use net::Net;

    use super::*;

    const WANTED: [&str; 8] = [
        "read",
        "read:statuses",
        "write:reports",
        "write:statuses",
        "admin:read",
        "admin:read:accounts",
        "admin:read:domain_blocks",
        "admin:write:domain_blocks",
    ];

    async fn missing(fediverse: &Fediverse, scopes: &[&str]) -> Vec<&'static str> {
        let config = net::Config {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            ..net::Config::default()
        };
        let net = Net::new(&config, Arc::new(SystemClock)).unwrap();
        let token = match scopes {
            [] => fediverse.admin_token(),
            scopes => fediverse.token_of_with("admin", scopes),
        };
        let client = Client::new(net, fediverse.home().parse().unwrap(), "home/me", token.into());
        let role = client.verify_credentials().await.unwrap().role;
        client.missing_scopes(&WANTED, role.as_ref()).await.unwrap()
    }

    #[tokio::test]
    async fn each_scope_is_told_apart_from_its_parents_and_children() {
        let fediverse = Fediverse::start(Scenario::small()).await;
        let stories: [(&[&str], &[&str]); 4] = [
            (&[], &[]),
            (&["read", "write", "admin:read", "admin:write"], &[]),
            (
                &["read:statuses", "read:accounts"],
                &[
                    "read",
                    "write:reports",
                    "write:statuses",
                    "admin:read",
                    "admin:read:accounts",
                    "admin:read:domain_blocks",
                    "admin:write:domain_blocks",
                ],
            ),
            (
                &[
                    "read",
                    "write:reports",
                    "admin:read:accounts",
                    "admin:write:domain_blocks",
                ],
                &["write:statuses", "admin:read", "admin:read:domain_blocks"],
            ),
        ];
        for (has, lacks) in stories {
            assert_eq!(missing(&fediverse, has).await, lacks, "{has:?}");
        }
    }

    #[tokio::test]
    async fn a_role_without_the_permission_says_nothing_about_the_scope() {
        let fediverse = Fediverse::start(Scenario::small()).await;
        fediverse.set_permissions("admin", Role::MANAGE_USERS);
        assert_eq!(
            missing(&fediverse, &["read", "write", "admin:read", "admin:write"]).await,
            [] as [&str; 0]
        );
    }

    #[test]
    fn a_permission_stands_behind_each_admin_scope_with_a_noun() {
        for (scope, bit) in [
            ("admin:read:accounts", Some(Role::MANAGE_USERS)),
            ("admin:write:reports", Some(Role::MANAGE_REPORTS)),
            ("admin:write:domain_blocks", Some(Role::MANAGE_FEDERATION)),
            ("admin:read:ip_blocks", Some(Role::MANAGE_BLOCKS)),
            ("admin:read", None),
            ("read:accounts", None),
            ("write:reports", None),
        ] {
            assert_eq!(permission_behind(scope), bit, "{scope}");
        }
    }
}
