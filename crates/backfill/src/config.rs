//! The `[backfill.…]` sections.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `[backfill]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Newest posts of each account that home should have.
    pub posts_per_account: usize,
    /// Which of them home is asked to fetch first.
    pub order: Order,
    /// Posts younger than this are fetched once they are that old: younger ones would enter home timelines.
    #[serde(with = "humantime_serde")]
    pub hold: Duration,
    /// How long an account is remembered. Followings are for ever.
    #[serde(with = "humantime_serde")]
    pub remember: Duration,
    /// Accounts read at the same time; politeness to each server is `[net]`'s business.
    pub concurrency: usize,
    /// Accounts that one run reads at most; the rest waits for the next run.
    pub accounts_per_run: usize,
    /// Leaves accounts alone whose bio says `#nobot`.
    pub respect_nobot: bool,
    /// Leaves accounts alone that do not let their posts be searched.
    pub respect_indexable: bool,
    /// Leaves accounts alone that do not want to be found.
    pub respect_discoverable: bool,
    /// Takes an account that never said whether it wants to be found as one that does not.
    pub respect_undecided: bool,
    /// `[backfill.followings]`.
    pub followings: Followings,
    /// `[backfill.followers]`.
    pub followers: Followers,
    /// `[backfill.follow_requests]`.
    pub follow_requests: FollowRequests,
    /// `[backfill.notifications]`.
    pub notifications: Notifications,
    /// `[backfill.lists]`.
    pub lists: Lists,
    /// `[backfill.mentioned]`.
    pub mentioned: Mentioned,
    /// `[backfill.contexts]`.
    pub contexts: Contexts,
}

/// Which posts of an account come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Newest first.
    Newest,
    /// Oldest first: a profile then fills in the order it was written.
    Oldest,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            posts_per_account: 40,
            order: Order::Newest,
            hold: Duration::from_secs(6 * 60 * 60),
            remember: Duration::from_secs(7 * 24 * 60 * 60),
            concurrency: 8,
            accounts_per_run: 200,
            respect_nobot: true,
            respect_indexable: true,
            respect_discoverable: true,
            respect_undecided: true,
            followings: Followings::default(),
            followers: Followers::default(),
            follow_requests: FollowRequests::default(),
            notifications: Notifications::default(),
            lists: Lists::default(),
            mentioned: Mentioned::default(),
            contexts: Contexts::default(),
        }
    }
}

job::section! {
    /// `[backfill.followings]`.
    pub struct Followings(enabled = false, every = "30m", timeout = "2h") {
        /// Newest followed accounts to look after.
        pub length: usize = 80,
        /// Whose, as its server spells it; empty for the token's owner.
        pub user: String = String::new(),
    }
}

job::section! {
    /// `[backfill.followers]`.
    pub struct Followers(enabled = false, every = "1h", timeout = "2h") {
        /// Newest followers to look after.
        pub length: usize = 80,
        /// Whose, as its server spells it; empty for the token's owner.
        pub user: String = String::new(),
    }
}

job::section! {
    /// `[backfill.follow_requests]`.
    pub struct FollowRequests(enabled = false, every = "30m", timeout = "2h") {
        /// Newest pending requests to look after.
        pub length: usize = 80,
    }
}

job::section! {
    /// `[backfill.notifications]`.
    pub struct Notifications(enabled = false, every = "30m", timeout = "2h") {
        /// How far back notifications are looked at.
        pub hours: u32 = 1,
    }
}

job::section! {
    /// `[backfill.lists]`.
    pub struct Lists(enabled = false, every = "1h", timeout = "2h") {
        /// Accounts of each list to look after.
        pub length: usize = 10,
    }
}

job::section! {
    /// `[backfill.mentioned]`.
    pub struct Mentioned(enabled = false, every = "30m", timeout = "2h") {
        /// Statuses of the home timeline, and of each list, whose authors and mentions are looked at.
        pub length: usize = 40,
        /// Accounts after which only statuses of the last hour add more.
        pub accounts: usize = 10,
        /// Accounts at most.
        pub most_accounts: usize = 30,
    }
}

job::section! {
    /// `[backfill.contexts]`: the replies of posts that were fetched. Does nothing where no other backfill runs.
    pub struct Contexts(enabled = true, every = "10m", timeout = "1h") {
        /// Threads that one run lists at most.
        pub per_run: usize = 200,
    }
}

impl Config {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// One line that names the key and what to do.
    pub fn validate(&self) -> Result<(), String> {
        for (name, section) in [
            ("backfill.followings", self.followings.section()),
            ("backfill.followers", self.followers.section()),
            ("backfill.follow_requests", self.follow_requests.section()),
            ("backfill.notifications", self.notifications.section()),
            ("backfill.lists", self.lists.section()),
            ("backfill.mentioned", self.mentioned.section()),
            ("backfill.contexts", self.contexts.section()),
        ] {
            section.validate(name)?;
        }
        for (key, value) in [
            ("posts_per_account", self.posts_per_account),
            ("concurrency", self.concurrency),
            ("accounts_per_run", self.accounts_per_run),
        ] {
            if value == 0 {
                return Err(format!(
                    "[backfill] {key}: must be 1 or more; to switch a job off set `enabled = false`"
                ));
            }
        }
        if self.concurrency > 64 {
            return Err("[backfill] concurrency: more than 64 helps nobody".to_owned());
        }
        if self.posts_per_account > 10_000 {
            return Err("[backfill] posts_per_account: 10000 is the most".to_owned());
        }
        Ok(())
    }

    /// Whether any job adds accounts.
    pub(crate) fn any_enabled(&self) -> bool {
        self.followings.enabled
            || self.followers.enabled
            || self.follow_requests.enabled
            || self.notifications.enabled
            || self.lists.enabled
            || self.mentioned.enabled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_off() {
        let config = Config::default();
        config.validate().unwrap();
        assert!(!config.any_enabled());
        assert_eq!(config.remember.as_secs(), 168 * 3600);
    }

    #[test]
    fn nothing_is_no_setting() {
        let config = Config {
            posts_per_account: 0,
            ..Config::default()
        };
        assert!(config.validate().unwrap_err().contains("posts_per_account"));
    }
}
