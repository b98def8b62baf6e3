//! What the fediverse is made of.

use std::time::Duration;

/// The recipe of a fediverse. The same recipe gives the same fediverse, but for ports.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Seed of everything random.
    pub seed: u64,
    /// Threads in home's timeline.
    pub threads: usize,
    /// Replies over all threads.
    pub replies: usize,
    /// Share of replies that home already has, 0 to 1.
    pub known: f64,
    /// What home runs: Mastodon of the version that `api_version` says, or GoToSocial.
    pub home: Software,
    /// Software of each origin, in order.
    pub origins: Vec<Software>,
    /// Home's own fetching of replies.
    pub builtin: Builtin,
    /// Time every answer takes, on origins.
    pub latency: Duration,
    /// Whether home keeps rate limits (the true buckets) or none.
    pub rate_limits: bool,
    /// Home's `api_versions.mastodon`; below 2 there are no batch calls.
    pub api_version: u32,
    /// Who answers whom.
    pub trees: Trees,
    /// Some thread, if any, is this large instead of its share, this deep, with one node this wide.
    pub giant: Option<Giant>,
    /// How many people wait for home's approval.
    pub applicants: usize,
    /// Mixes in the oddities of real timelines: boosts, followers-only and direct statuses, `url: null`, local-only
    /// posts, self-replies, replies that dropped the mention.
    pub oddities: bool,
}

/// The shapes of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trees {
    /// Replies go where replies are: short branches, and three in four of the missing ones are leaves.
    Busy,
    /// Announcements, arguments and ordinary conversations, as people have them: 0.55 to 0.6 of the missing are leaves.
    Mixed,
}

/// A very large thread.
#[derive(Debug, Clone, Copy)]
pub struct Giant {
    /// Replies in it.
    pub replies: usize,
    /// Its deepest chain.
    pub depth: usize,
    /// Direct replies of its widest status.
    pub widest: usize,
}

/// What an origin runs, and so how it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// 4.5 or newer: conversation collections.
    Mastodon,
    /// 4.3: API context cut for strangers, `replies` collections, no conversation collection.
    MastodonOld,
    /// Flat contexts, `/objects/UUID` uris, `/notice/ID` pages.
    Akkoma,
    /// UUID ids, `/objects/UUID` uris that are ids in its API.
    Mitra,
    /// 401 for strangers everywhere.
    GoToSocial,
    /// No Mastodon API; ActivityPub `replies` only.
    Other,
}

/// Home's own fetching of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// None, as before 4.4.
    Off,
    /// As in 4.5+, and it works.
    Works,
    /// As in 4.5+ with the flaw: stops paging a collection after 5 items.
    FiveItems,
    /// Starts and never finishes.
    Hangs,
}

impl Scenario {
    /// A few threads on three origins: the default of tests.
    pub fn small() -> Self {
        Self {
            seed: 7,
            threads: 6,
            replies: 60,
            known: 0.25,
            home: Software::Mastodon,
            origins: vec![Software::Mastodon, Software::MastodonOld, Software::Akkoma],
            builtin: Builtin::Off,
            latency: Duration::ZERO,
            rate_limits: false,
            api_version: 6,
            trees: Trees::Busy,
            giant: None,
            applicants: 0,
            oddities: false,
        }
    }

    /// 300 threads, 6,000 replies, 20 origins of mixed software: what the budgets are measured on, and so its threads
    /// have the shapes of real ones ([`Trees::Mixed`]).
    pub fn medium() -> Self {
        let kinds = [
            Software::Mastodon,
            Software::MastodonOld,
            Software::Mastodon,
            Software::Akkoma,
            Software::Mitra,
        ];
        Self {
            threads: 300,
            replies: 6000,
            trees: Trees::Mixed,
            origins: kinds.into_iter().cycle().take(20).collect(),
            ..Self::small()
        }
    }
}
