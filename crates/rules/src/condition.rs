//! When a rule hits: conditions as they were read, before they are made ready.

use std::{collections::BTreeSet, time::Duration};

use model::Domain;

use crate::{CounterKind, Fields, rule::words};

/// When a rule hits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    AtLeast(usize, Vec<Condition>),
    Words(Words),
    Phrases {
        phrases: Vec<Vec<String>>,
        gap: u32,
        look: Look,
    },
    Patterns {
        patterns: Vec<String>,
        look: Look,
    },
    Fuzzy {
        words: Vec<String>,
        distance: usize,
        look: Look,
    },
    Similar {
        texts: Vec<String>,
        percent: u32,
        look: Look,
    },
    Domains {
        names: BTreeSet<Domain>,
        sets: Vec<String>,
        of: DomainOf,
    },
    /// The whole of a field is one of these.
    OneOf {
        values: Vec<String>,
        fields: Fields,
    },
    Visibility(Vec<model::Visibility>),
    MediaHashes {
        hashes: Vec<String>,
        distance: u32,
    },
    Number {
        fact: Fact,
        range: Range,
    },
    Counter {
        kind: CounterKind,
        window: Duration,
        range: Range,
    },
    Is(Is),
}

/// Words to look for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Words {
    pub(crate) words: Vec<String>,
    pub(crate) look: Look,
}

/// How texts are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    pub(crate) fields: Fields,
    /// Not inside of other words.
    pub(crate) whole: bool,
    /// Upper and lower case are different.
    pub(crate) cased: bool,
    /// Letters with blanks or signs between them are read as words, too.
    pub(crate) spaced: bool,
    /// Letters that pass for others are not read as those.
    pub(crate) exact: bool,
}

/// Numbers within bounds, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) least: Option<i64>,
    pub(crate) most: Option<i64>,
}

impl Range {
    pub(crate) fn holds(self, number: i64) -> bool {
        self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
    }

    /// The same of a number that is no smaller and no larger than these; `None` when it depends on which it is.
    pub(crate) fn holds_of(self, smallest: i64, largest: i64) -> Option<bool> {
        let apart = self.least.is_some_and(|least| largest < least) || self.most.is_some_and(|most| smallest > most);
        match self.holds(smallest) && self.holds(largest) {
            true => Some(true),
            false if apart => Some(false),
            false => None,
        }
    }
}

words! {
    /// Whose domain is compared.
    DomainOf {
        /// Links' hosts.
        Links = "links",
        /// The account's.
        Account = "account",
        /// Those of accounts named.
        Mentions = "mentions",
    }
}

words! {
    /// A number that rules can ask for.
    Fact {
        /// Since the account was made.
        AccountAge = "account_age",
        /// Who follows it.
        Followers = "followers",
        /// Whom it follows.
        Following = "following",
        /// What it wrote, ever.
        StatusesCount = "statuses_count",
        /// Rows of the profile's table.
        FieldsCount = "fields_count",
        /// Letters of the bio, as people see it.
        BioLength = "bio_length",
        /// Letters of the name shown.
        DisplayNameLength = "display_name_length",
        /// Digits in the username.
        UsernameDigits = "username_digits",
        /// Links of the profile.
        ProfileLinks = "profile_links",
        /// Letters of the status, as people see it.
        ContentLength = "content_length",
        /// Upper case letters of a hundred letters in the status.
        Capitals = "capitals",
        /// Links of the status.
        Links = "links",
        /// Different registered domains they lead to.
        LinkDomains = "link_domains",
        /// Accounts named.
        Mentions = "mentions",
        /// Accounts named that do not know the author.
        StrangerMentions = "stranger_mentions",
        /// Accounts of this server that are named.
        LocalMentions = "local_mentions",
        /// Hashtags.
        Tags = "tags",
        /// Media.
        Media = "media",
        /// Media nobody described.
        MediaWithoutAlt = "media_without_alt",
        /// What can be voted for.
        PollOptions = "poll_options",
        /// Since the status was written.
        StatusAge = "status_age",
        /// Statuses that are looked at, boosts left out.
        RecentPosts = "recent_posts",
        /// How many of a hundred of them say the same as another of them, digits left out.
        RecentDuplicates = "recent_duplicates",
        /// How many of a hundred of them hold a link.
        RecentWithLinks = "recent_with_links",
        /// Different registered domains all of them link to.
        RecentLinkDomains = "recent_link_domains",
        /// Different accounts all of them name.
        RecentMentions = "recent_mentions",
    }
}

impl Fact {
    /// Whether it is a time, written `"2d"`.
    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::AccountAge | Self::StatusAge)
    }
}

words! {
    /// What is so or is not.
    Is {
        /// Of this server.
        Local = "local",
        /// Of another server.
        Remote = "remote",
        /// Says it is automated.
        Bot = "bot",
        /// Asks before somebody may follow.
        Locked = "locked",
        /// Limited already.
        Silenced = "silenced",
        /// Suspended already.
        Suspended = "suspended",
        /// Has a picture.
        HasAvatar = "has_avatar",
        /// Has a header picture.
        HasHeader = "has_header",
        /// Says something of itself.
        HasBio = "has_bio",
        /// Somebody of ours follows it.
        Followed = "followed",
        /// It follows somebody of ours.
        Follows = "follows",
        /// Staff here.
        Staff = "staff",
        /// The status answers another.
        Reply = "reply",
        /// The status was edited.
        Edited = "edited",
        /// Its media are hidden at first.
        Sensitive = "sensitive",
        /// It holds media.
        HasMedia = "has_media",
        /// It holds a link.
        HasLink = "has_link",
        /// It holds a poll.
        HasPoll = "has_poll",
        /// It names an account that does not know the author.
        MentionsStranger = "mentions_stranger",
    }
}

impl Is {
    /// Whether it is asked of the account; else of a status.
    pub(crate) fn is_of_account(self) -> bool {
        (self as usize) <= Self::Staff as usize
    }
}
