//! The `[archive.…]` sections.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// `[archive]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where files are kept. Default: `archive` beside the SQLite file, else in the state folder.
    pub folder: Option<PathBuf>,
    /// Also each status as a JSON file below the folder, as LAMA lays them out.
    pub save_json: bool,
    /// `[archive.statuses]`.
    pub statuses: Statuses,
    /// `[archive.favourites]`.
    pub favourites: Favourites,
    /// `[archive.bookmarks]`.
    pub bookmarks: Bookmarks,
    /// `[archive.mentions]`.
    pub mentions: Mentions,
    /// `[archive.polls]`.
    pub polls: Polls,
    /// `[archive.conversations]`.
    pub conversations: Conversations,
    /// `[archive.context]`.
    pub context: Context,
    /// `[archive.lists]`.
    pub lists: Lists,
    /// `[archive.media]`.
    pub media: Media,
    /// `[archive.recheck]`.
    pub recheck: Recheck,
    /// `[archive.audit]`.
    pub audit: Audit,
}

job::section! {
    /// `[archive.statuses]`: own statuses and boosts.
    pub struct Statuses(enabled = true, every = "30m", timeout = "12h") {}
}

job::section! {
    /// `[archive.favourites]`.
    pub struct Favourites(enabled = true, every = "30m", timeout = "12h") {}
}

job::section! {
    /// `[archive.bookmarks]`.
    pub struct Bookmarks(enabled = true, every = "30m", timeout = "12h") {}
}

job::section! {
    /// `[archive.mentions]`.
    pub struct Mentions(enabled = true, every = "30m", timeout = "12h") {}
}

job::section! {
    /// `[archive.polls]`: polls voted in, and results after their end.
    pub struct Polls(enabled = true, every = "1h", timeout = "2h") {}
}

job::section! {
    /// `[archive.conversations]`: direct messages.
    pub struct Conversations(enabled = true, every = "30m", timeout = "12h") {}
}

job::section! {
    /// `[archive.context]`: what statuses reply to.
    pub struct Context(enabled = true, every = "30m", timeout = "6h") {
        /// Parents of one status that one run keeps; those further up wait for the next run.
        pub depth: usize = 100,
        /// Statuses whose parents one run asks for.
        pub per_run: u32 = 200,
        /// Also the replies below and beside.
        pub whole_threads: bool = false,
        /// Also statuses that kept ones link to; the server fetches those it does not know.
        pub links: bool = true,
        /// Addresses that one run asks for, those that an imported archive names among them.
        pub links_per_run: u32 = 40,
    }
}

job::section! {
    /// `[archive.lists]`: followers, following, mutes, blocks, lists, filters, tags.
    pub struct Lists(enabled = true, every = "1d", timeout = "2h") {}
}

job::section! {
    /// `[archive.media]`: pictures, sounds and videos.
    pub struct Media(enabled = true, every = "15m", timeout = "6h") {
        /// Those of own statuses.
        pub own: bool = true,
        /// Those of others' statuses.
        pub others: bool = true,
        /// Portraits.
        pub avatars: bool = true,
        /// Custom emoji.
        pub emoji: bool = true,
        /// Pictures of links.
        pub cards: bool = true,
        /// Larger files are not kept, in MiB.
        pub largest: u64 = 256,
        /// A file whose server sends nothing for so long is tried again later.
        #[serde(with = "job::section::duration")]
        pub patience: Duration = Duration::from_secs(30),
        /// Tries before a file is given up; the pause doubles from an hour on.
        pub tries: i64 = 8,
        /// Files that one run asks for.
        pub per_run: u32 = 2000,
        /// Files fetched at the same time.
        pub at_once: usize = 4,
    }
}

job::section! {
    /// `[archive.recheck]`: edits, deletions, what was taken back.
    pub struct Recheck(enabled = true, every = "1h", timeout = "1h") {
        /// A status is looked at again once it was not for so long.
        #[serde(with = "job::section::duration")]
        pub after: Duration = Duration::from_secs(30 * 24 * 3600),
        /// Statuses that one run looks at.
        pub per_run: u32 = 400,
    }
}

job::section! {
    /// `[archive.audit]`: compares what is kept with what the server counts.
    pub struct Audit(enabled = true, every = "1d", timeout = "10m") {}
}

impl Config {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// One line that names the key and what to do.
    pub fn validate(&self) -> Result<(), String> {
        for (name, section) in [
            ("archive.statuses", self.statuses.section()),
            ("archive.favourites", self.favourites.section()),
            ("archive.bookmarks", self.bookmarks.section()),
            ("archive.mentions", self.mentions.section()),
            ("archive.polls", self.polls.section()),
            ("archive.conversations", self.conversations.section()),
            ("archive.context", self.context.section()),
            ("archive.lists", self.lists.section()),
            ("archive.media", self.media.section()),
            ("archive.recheck", self.recheck.section()),
            ("archive.audit", self.audit.section()),
        ] {
            section.validate(name)?;
        }
        for (key, value) in [
            ("context] depth", self.context.depth),
            ("context] per_run", self.context.per_run as usize),
            ("context] links_per_run", self.context.links_per_run as usize),
            ("media] per_run", self.media.per_run as usize),
            ("media] at_once", self.media.at_once),
            ("recheck] per_run", self.recheck.per_run as usize),
        ] {
            if value == 0 {
                return Err(format!(
                    "[archive.{key}: must be 1 or more; to switch a job off set `enabled = false`"
                ));
            }
        }
        if self.media.largest == 0 || self.media.patience.is_zero() || self.media.tries < 1 {
            return Err("[archive.media] largest, patience, tries: must be more than nothing".to_owned());
        }
        Ok(())
    }

    /// Where files are kept: beside an SQLite file unless the config says otherwise.
    pub fn folder(&self, db: &store::Db) -> PathBuf {
        let beside = || db.folder().or_else(|| store::state_folder().ok()).unwrap_or_default();
        self.folder.clone().unwrap_or_else(|| beside().join("archive"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_on() {
        let config = Config::default();
        config.validate().unwrap();
        assert!(config.statuses.enabled && config.media.enabled && !config.media.every.is_zero());
    }

    #[test]
    fn nothing_is_no_setting() {
        let mut config = Config::default();
        config.context.depth = 0;
        assert!(config.validate().unwrap_err().contains("[archive.context] depth"));
    }
}
