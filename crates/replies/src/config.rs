//! The `[replies.…]` sections.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `[replies]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Threads whose first status is older than this are left alone.
    #[serde(with = "humantime_serde")]
    pub attention: Duration,
    /// Threads looked after at the same time; politeness to each server is `[net]`'s business.
    pub concurrency: usize,
    /// Statuses that one run asks a server to fetch, at most; the rest waits for the next run.
    pub per_run: u32,
    /// How long a server's own fetch of replies is waited for before the gap is filled.
    #[serde(with = "humantime_serde")]
    pub patience: Duration,
    /// `[replies.home]`.
    pub home: Home,
    /// `[replies.bookmarks]`.
    pub bookmarks: Bookmarks,
    /// `[replies.favourites]`.
    pub favourites: Favourites,
    /// `[replies.lists]`.
    pub lists: Lists,
    /// `[replies.joined]`.
    pub joined: Joined,
    /// `[replies.live]`.
    pub live: Live,
    /// `[replies.wanted]`.
    pub wanted: Wanted,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            attention: Duration::from_secs(7 * 24 * 60 * 60),
            concurrency: 32,
            per_run: 2000,
            patience: Duration::from_secs(60),
            home: Home::default(),
            bookmarks: Bookmarks::default(),
            favourites: Favourites::default(),
            lists: Lists::default(),
            joined: Joined::default(),
            live: Live::default(),
            wanted: Wanted::default(),
        }
    }
}

job::section! {
    /// `[replies.home]`.
    pub struct Home(enabled = true, every = "10m", timeout = "1h") {
        /// Distinct statuses of the home timeline to look after.
        pub length: usize = 200,
    }
}

job::section! {
    /// `[replies.bookmarks]`.
    pub struct Bookmarks(enabled = true, every = "1h", timeout = "1h") {
        /// Newest bookmarks to look after.
        pub length: usize = 80,
    }
}

job::section! {
    /// `[replies.favourites]`.
    pub struct Favourites(enabled = true, every = "1h", timeout = "1h") {
        /// Newest favourites to look after.
        pub length: usize = 40,
    }
}

job::section! {
    /// `[replies.lists]`.
    pub struct Lists(enabled = true, every = "20m", timeout = "1h") {
        /// Distinct statuses of each list to look after.
        pub length: usize = 100,
    }
}

job::section! {
    /// `[replies.joined]`: off until switched on, since it reads every local account and needs an admin's token.
    pub struct Joined(enabled = false, every = "30m", timeout = "2h") {
        /// How far back replies of local users are looked at.
        pub hours: u32 = 24,
    }
}

job::section! {
    /// `[replies.live]`: off until switched on, since it keeps a connection open. What arrives wakes the job; `every` is
    /// for what was left over.
    pub struct Live(enabled = false, every = "5m", timeout = "30m") {}
}

job::section! {
    /// `[replies.wanted]`.
    pub struct Wanted(enabled = true, every = "1m", timeout = "30m") {
        /// Times a status is asked for before it is given up.
        pub tries: u32 = 8,
        /// Wait after the first failed try; doubles up to a day.
        #[serde(with = "humantime_serde")]
        pub backoff: Duration = Duration::from_secs(2 * 60),
    }
}

impl Config {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// One line that names the key and what to do.
    pub fn validate(&self) -> Result<(), String> {
        for (name, section) in [
            ("replies.home", self.home.section()),
            ("replies.bookmarks", self.bookmarks.section()),
            ("replies.favourites", self.favourites.section()),
            ("replies.lists", self.lists.section()),
            ("replies.joined", self.joined.section()),
            ("replies.live", self.live.section()),
            ("replies.wanted", self.wanted.section()),
        ] {
            section.validate(name)?;
        }
        let at_least_one = [
            ("[replies] concurrency", self.concurrency),
            ("[replies] per_run", self.per_run as usize),
            ("[replies.wanted] tries", self.wanted.tries as usize),
        ];
        for (key, value) in at_least_one {
            if value == 0 {
                return Err(format!(
                    "{key}: must be 1 or more; to switch a job off set `enabled = false`"
                ));
            }
        }
        if self.concurrency > 256 {
            return Err("[replies] concurrency: more than 256 helps nobody".to_owned());
        }
        if self.wanted.backoff.is_zero() {
            return Err("[replies.wanted] backoff: must be longer than nothing, such as \"2m\"".to_owned());
        }
        if self.attention.is_zero() {
            return Err("[replies] attention: must be longer than nothing, such as \"7d\"".to_owned());
        }
        if self.joined.enabled && self.joined.hours == 0 {
            return Err("[replies.joined] hours: must be 1 or more".to_owned());
        }
        Ok(())
    }
}
