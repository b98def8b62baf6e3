//! Apps, codes and tokens of home, and what each may do.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::clock;
use crate::ids;
use crate::world::AccountIx;

/// Every scope there is.
pub(crate) const SCOPES: &[&str] = &[
    "read",
    "profile",
    "write",
    "write:accounts",
    "write:blocks",
    "write:bookmarks",
    "write:collections",
    "write:conversations",
    "write:favourites",
    "write:filters",
    "write:follows",
    "write:lists",
    "write:media",
    "write:mutes",
    "write:notifications",
    "write:reports",
    "write:statuses",
    "read:accounts",
    "read:blocks",
    "read:bookmarks",
    "read:collections",
    "read:favourites",
    "read:filters",
    "read:follows",
    "read:lists",
    "read:mutes",
    "read:notifications",
    "read:search",
    "read:statuses",
    "follow",
    "push",
    "admin:read",
    "admin:read:accounts",
    "admin:read:reports",
    "admin:read:domain_allows",
    "admin:read:domain_blocks",
    "admin:read:ip_blocks",
    "admin:read:email_domain_blocks",
    "admin:read:canonical_email_blocks",
    "admin:write",
    "admin:write:accounts",
    "admin:write:reports",
    "admin:write:domain_allows",
    "admin:write:domain_blocks",
    "admin:write:ip_blocks",
    "admin:write:email_domain_blocks",
    "admin:write:canonical_email_blocks",
];

/// What a token that somebody made for themselves may do.
pub(crate) const ALL_SCOPES: &[&str] = &[
    "read",
    "write",
    "follow",
    "push",
    "profile",
    "admin:read",
    "admin:write",
];

#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// `None` for an app's token.
    pub(crate) user: Option<AccountIx>,
    pub(crate) scopes: Vec<String>,
    pub(crate) revoked: bool,
    pub(crate) app: Option<String>,
    pub(crate) issued_at: DateTime<Utc>,
}

impl Token {
    /// Whether one of `wanted` is granted, by itself or by its parent.
    pub(crate) fn allows(&self, wanted: &[&str]) -> bool {
        wanted.iter().any(|wanted| {
            self.scopes
                .iter()
                .any(|scope| wanted == scope || wanted.strip_prefix(scope.as_str()).is_some_and(|r| r.starts_with(':')))
        })
    }
}

#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) id: usize,
    pub(crate) name: String,
    pub(crate) website: Option<String>,
    pub(crate) secret: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uris: Vec<String>,
}

/// A code that waits to become a token.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) app: String,
    pub(crate) user: AccountIx,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
    pub(crate) made_at: DateTime<Utc>,
}

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) apps: HashMap<String, App>,
    pub(crate) codes: HashMap<String, Code>,
    made: u64,
    seed: u64,
}

impl Tokens {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// 43 characters that look like a secret and are the same for the same seed.
    pub(crate) fn secret(&mut self) -> String {
        self.made += 1;
        let parts: Vec<_> = (0..3)
            .map(|n| format!("{:016x}", ids::mix(self.seed.wrapping_add(n), self.made)))
            .collect();
        parts.concat()[..43].to_owned()
    }

    /// The same app, user and scopes give the same token again.
    pub(crate) fn issue(&mut self, user: Option<AccountIx>, scopes: &[String], app: Option<&str>) -> String {
        let same = |token: &Token| {
            app.is_some()
                && !token.revoked
                && token.user == user
                && token.scopes == scopes
                && token.app.as_deref() == app
        };
        if let Some((text, _)) = self.tokens.iter().find(|(_, token)| same(token)) {
            return text.clone();
        }
        let text = self.secret();
        self.tokens.insert(
            text.clone(),
            Token {
                user,
                scopes: scopes.to_vec(),
                revoked: false,
                app: app.map(str::to_owned),
                issued_at: clock::now(),
            },
        );
        text
    }
}
