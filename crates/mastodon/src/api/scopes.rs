//! Which scopes a token has. No server tells, so each is tried on a cheap call.

use tracing::debug;

use crate::{Client, Error, call::Call};

impl Client {
    /// Asks a cheap endpoint for each of `scopes` and says which the token lacks. `write` scopes cannot be tried
    /// without writing and are never reported. An admin scope is reported too when the token has it and its owner's
    /// role lacks the permission: both answer 403, and neither can do the work. An endpoint that a server does not
    /// have says nothing against the token.
    pub async fn missing_scopes(&self, scopes: &[&'static str]) -> Result<Vec<&'static str>, Error> {
        let mut missing = Vec::new();
        for &scope in scopes {
            let Some(call) = probe(scope) else { continue };
            match self.answer(&call.scope(scope)).await {
                Ok(_)
                | Err(
                    Error::NotFound { .. } | Error::Gone { .. } | Error::NotJson { .. } | Error::RateLimited { .. },
                ) => {}
                Err(Error::Scope { .. }) => missing.push(scope),
                Err(Error::Forbidden { .. }) => {
                    debug!(
                        scope,
                        login = self.login(),
                        "the scope or the permission behind it is missing"
                    );
                    missing.push(scope);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(missing)
    }
}

/// The cheap call that needs a scope.
fn probe(scope: &str) -> Option<Call> {
    let path: &[&str] = match scope {
        // The only call that takes the whole of `read`; unknown ids are 404 once the scope was checked.
        "read" => &["api", "v1_alpha", "async_refreshes", "0"],
        "read:statuses" => &["api", "v1", "timelines", "home"],
        "read:accounts" | "profile" => &["api", "v1", "accounts", "verify_credentials"],
        "read:bookmarks" => &["api", "v1", "bookmarks"],
        "read:favourites" => &["api", "v1", "favourites"],
        "read:lists" => &["api", "v1", "lists"],
        "read:notifications" => &["api", "v1", "notifications"],
        "read:follows" => &["api", "v1", "follow_requests"],
        "read:blocks" => &["api", "v1", "blocks"],
        "read:mutes" => &["api", "v1", "mutes"],
        "read:filters" => &["api", "v2", "filters"],
        "read:search" => &["api", "v2", "search"],
        "admin:read" | "admin:read:accounts" => &["api", "v2", "admin", "accounts"],
        "admin:read:reports" => &["api", "v1", "admin", "reports"],
        "admin:read:domain_blocks" => &["api", "v1", "admin", "domain_blocks"],
        _ => return None,
    };
    let call = Call::get(path).query("limit", 1);
    Some(match scope {
        "read:search" => call.query("q", "a").query("type", "hashtags"),
        "admin:read" | "admin:read:accounts" => call.query("origin", "local"),
        _ => call,
    })
}
