//! Things counted over time, which rules ask for and others keep.
//!
//! A ruleset says which counts it wants ([`crate::Ruleset::counters`]); the keeper of counts answers through
//! [`Counters`]. [`crate::Memory`] is one that keeps them itself, and feeds on [`Event`]s, which say what of a status counts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use model::Visibility;
use serde::{Deserialize, Serialize};

use crate::{Fingerprint, StatusFacts, Subject, rule::words};

words! {
    /// What is counted.
    CounterKind {
        /// Public statuses of the account.
        Posts = "posts",
        /// Of those, replies.
        Replies = "replies",
        /// Of those, statuses with a link.
        PostsWithLinks = "posts_with_links",
        /// Of those, statuses that say the same as this one.
        SameTextPosts = "same_text_posts",
        /// Different accounts it named in public statuses.
        DistinctMentions = "distinct_mentions",
        /// Different hosts it linked to.
        DistinctHosts = "distinct_hosts",
        /// Accounts, this one included, that wrote the very text of this status, as [`Fingerprint`] reads it.
        SameTextAccounts = "same_text_accounts",
        /// Accounts, this one included, that wrote nearly the text of this status.
        SimilarTextAccounts = "similar_text_accounts",
        /// Accounts, this one included, that linked to an address of this status.
        SameLinkAccounts = "same_link_accounts",
        /// Accounts, this one included, that posted a file of this status, by its hash.
        SameMediaAccounts = "same_media_accounts",
    }
}

impl CounterKind {
    /// Whether it is about a status, and not only about its account.
    pub fn is_of_status(self) -> bool {
        matches!(
            self,
            Self::SameTextPosts
                | Self::SameTextAccounts
                | Self::SimilarTextAccounts
                | Self::SameLinkAccounts
                | Self::SameMediaAccounts
        )
    }
}

/// One count over one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Counter {
    /// What.
    pub kind: CounterKind,
    /// How long back.
    pub window: Duration,
}

/// Who keeps counts.
pub trait Counters {
    /// The count for this subject and status up to `now`, the status itself included once it was written down; `None`
    /// when nobody counted, which is never a hit.
    fn count(
        &self,
        counter: Counter,
        subject: &Subject,
        status: Option<&StatusFacts>,
        now: DateTime<Utc>,
    ) -> Option<u64>;
}

/// Nobody counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCounters;

impl Counters for NoCounters {
    fn count(&self, _: Counter, _: &Subject, _: Option<&StatusFacts>, _: DateTime<Utc>) -> Option<u64> {
        None
    }
}

/// What of a status counts.
///
/// Boosts give none. An unlisted status gives one that does not count for rates; private and direct ones give none
/// unless they are asked for. A time in the future is taken for now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// `user` or `user@domain`.
    pub acct: String,
    /// The status.
    pub status: String,
    /// When.
    pub at: DateTime<Utc>,
    /// It counts for `posts` and the like: public.
    pub counts_for_rates: bool,
    /// It answers another.
    pub is_reply: bool,
    /// What it says, if that is enough to compare.
    pub fingerprint: Option<Fingerprint>,
    /// Who is named, lower case.
    pub mentions: Vec<String>,
    /// Its links' addresses, normalised.
    pub links: Vec<String>,
    /// Its links' hosts.
    pub hosts: Vec<String>,
    /// Hashes of its files.
    pub media: Vec<String>,
}

impl Event {
    /// What of this status counts, if anything. `private` asks for statuses not everybody may see.
    pub fn of(subject: &Subject, status: &StatusFacts, private: bool, now: DateTime<Utc>) -> Option<Self> {
        Self::by(&subject.account.acct(), status, private, now)
    }

    /// The same where nothing but the author's name is known.
    pub fn by(acct: &str, status: &StatusFacts, private: bool, now: DateTime<Utc>) -> Option<Self> {
        if status.is_reblog || (!status.visibility.is_open() && !private) {
            return None;
        }
        let links = crate::facts::links(status);
        let mut hosts: Vec<String> = links.iter().filter_map(|link| crate::document::host_of(link)).collect();
        hosts.sort();
        hosts.dedup();
        Some(Self {
            acct: acct.to_owned(),
            status: status.id.clone(),
            at: status.created_at.map_or(now, |at| at.min(now)),
            counts_for_rates: status.visibility == Visibility::Public,
            is_reply: status.is_reply,
            fingerprint: Fingerprint::of(status),
            mentions: status
                .mentions
                .iter()
                .map(|mention| mention.acct.to_lowercase())
                .collect(),
            links: links.iter().map(|link| crate::facts::same_link(link)).collect(),
            hosts,
            media: status.media.iter().flat_map(|media| media.hashes.clone()).collect(),
        })
    }
}
