//! Rate limits with the true buckets: several count each request, and the headers speak of the fullest.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock;
use crate::request::{Call, Reply};
use crate::world::{AccountIx, HOME, Kind, ServerIx};

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Bucket {
    User(AccountIx),
    Token(String),
    Ip,
    UserPages(AccountIx),
    IpPages,
    Apps,
    Reports(AccountIx),
}

impl Bucket {
    /// Requests, and seconds they are counted over.
    fn size(&self) -> (u32, i64) {
        match self {
            Self::User(_) => (1500, 300),
            Self::Token(_) | Self::Ip => (300, 300),
            Self::UserPages(_) | Self::IpPages => (300, 900),
            Self::Apps => (5, 600),
            Self::Reports(_) => (400, 86_400),
        }
    }
}

/// How far each bucket of each server is filled in its window.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    used: HashMap<(ServerIx, Bucket), (i64, u32)>,
}

/// What the headers say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset: DateTime<Utc>,
    pub(crate) refused: bool,
}

impl Standing {
    pub(crate) fn onto(self, kind: Kind, reply: Reply) -> Reply {
        let reset = match kind {
            Kind::GoToSocial => clock::iso(self.reset),
            _ => clock::iso_micros(self.reset),
        };
        reply
            .header("x-ratelimit-limit", self.limit.to_string())
            .header("x-ratelimit-remaining", self.remaining.to_string())
            .header("x-ratelimit-reset", reset)
    }
}

impl Limits {
    /// Counts a request. `None` for what is not counted.
    pub(crate) fn count(&mut self, call: &Call, user: Option<AccountIx>) -> Option<Standing> {
        let api = call.path.starts_with("/api");
        let pages = ["page", "min_id", "max_id", "since_id"]
            .iter()
            .any(|name| call.param(name).is_some());
        let mut buckets = Vec::new();
        if api {
            match user {
                Some(user) => buckets.push(Bucket::User(user)),
                None => buckets.push(Bucket::Ip),
            }
            if let Some(token) = &call.bearer
                && call.server == HOME
            {
                buckets.push(Bucket::Token(token.clone()));
            }
        }
        if pages {
            buckets.push(user.map_or(Bucket::IpPages, Bucket::UserPages));
        }
        if call.method == http::Method::POST && call.path == "/api/v1/apps" {
            buckets.push(Bucket::Apps);
        }
        if let Some(user) = user
            && call.method == http::Method::POST
            && call.path == "/api/v1/reports"
        {
            buckets.push(Bucket::Reports(user));
        }
        let now = clock::now();
        buckets
            .into_iter()
            .map(|bucket| self.take(call.server, bucket, now))
            .min_by_key(|standing| (!standing.refused, standing.remaining))
    }

    fn take(&mut self, server: ServerIx, bucket: Bucket, now: DateTime<Utc>) -> Standing {
        let (limit, seconds) = bucket.size();
        let window = now.timestamp() / seconds;
        let used = self.used.entry((server, bucket)).or_insert((window, 0));
        if used.0 != window {
            *used = (window, 0);
        }
        used.1 += 1;
        Standing {
            limit,
            remaining: limit.saturating_sub(used.1),
            // The end of the window, with the fraction of now.
            reset: now + TimeDelta::seconds(seconds - now.timestamp() % seconds),
            refused: used.1 > limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_aligned_to_the_epoch_and_the_next_request_over_the_limit_is_refused() {
        let mut limits = Limits::default();
        let now = DateTime::from_timestamp(1_790_000_123, 32_044_000).unwrap();
        for left in (0..300).rev() {
            let standing = limits.take(0, Bucket::Ip, now);
            assert_eq!((standing.remaining, standing.refused), (left, false));
        }
        let standing = limits.take(0, Bucket::Ip, now);
        assert!(standing.refused);
        assert_eq!(standing.reset.timestamp() % 300, 0);
        assert_eq!(standing.reset.timestamp_subsec_micros(), 32_044);
        assert!(!limits.take(0, Bucket::Ip, standing.reset).refused, "a new window");
        assert!(!limits.take(1, Bucket::Ip, now).refused, "another server");
    }
}
