//! The `[moderation]` sections.

use std::{path::PathBuf, time::Duration};

use job::Mode;
use serde::{Deserialize, Serialize};

/// `[moderation]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `observe` judges and shows, `act` files reports.
    pub mode: Mode,
    /// Effects in any 24 hours; past it they wait.
    pub quota: u32,
    /// Reports by rules in an hour; past it cases wait for a person.
    pub reports_per_hour: u32,
    /// Every report waits for a person.
    pub review: bool,
    /// Reports on accounts of other servers are told to these servers, too.
    pub forward: bool,
    /// What to do where somebody else reported an account that a rule wants reported.
    pub when_reported: WhenReported,
    /// What rules may do beyond a report, where they say so themselves as well.
    pub allow: Vec<Allowed>,
    /// A folder with rules, `*.toml`.
    pub rules: Option<PathBuf>,
    /// A rule goes live only once it was tried on what was seen, or somebody says why not.
    pub backtest: bool,
    /// Statuses for followers and the like are judged as well, by rules that ask for them. They are never kept.
    pub private: bool,
    /// A rule that people took back or found wrong leaves that account alone for so long.
    #[serde(with = "humantime_serde")]
    pub immunity: Duration,
    /// A live rule returns to shadow when people agree with less than this share of its reports.
    pub precision: f64,
    /// Once they have said what they think of so many.
    pub verdicts: u32,
    /// So many bad accounts of one domain are worth a thought of a block.
    pub suggest_after: u32,
    /// What was seen is kept so long, for rules that count and for trying rules.
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
    /// The words in evidence are kept so long.
    #[serde(with = "humantime_serde")]
    pub keep_evidence: Duration,
    /// Cases that are over are kept so long. That they were, and who did what, stays.
    #[serde(with = "humantime_serde")]
    pub keep_cases: Duration,
    /// `[moderation.inbox]`.
    pub inbox: Inbox,
    /// `[moderation.accounts]`.
    pub accounts: Accounts,
    /// `[moderation.stream]`.
    pub stream: Stream,
    /// `[moderation.media]`.
    pub media: Media,
    /// `[moderation.cases]`.
    pub cases: Cases,
    /// `[moderation.backtests]`.
    pub backtests: Backtests,
    /// `[moderation.tidy]`.
    pub tidy: Tidy,
    /// Where our pages are, for links in reports: from `[web] url`.
    #[serde(skip)]
    pub pages: String,
}

/// What to do where somebody else reported an account already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenReported {
    /// The case waits for a person, who sees both.
    #[default]
    Wait,
    /// A report is filed all the same.
    File,
}

/// What rules may do beyond a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// Tell the account what is wrong.
    Warn,
    /// Hide its media at first.
    Sensitive,
    /// Limit it.
    Silence,
    /// Suspend it.
    Suspend,
}

impl Allowed {
    /// As in the config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Sensitive => "sensitive",
            Self::Silence => "silence",
            Self::Suspend => "suspend",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            mode: Mode::Observe,
            quota: 200,
            reports_per_hour: 30,
            review: false,
            forward: false,
            when_reported: WhenReported::Wait,
            allow: Vec::new(),
            rules: None,
            backtest: true,
            private: false,
            immunity: Duration::from_secs(30 * DAY),
            precision: 0.5,
            verdicts: 20,
            suggest_after: 3,
            keep: Duration::from_secs(30 * DAY),
            keep_evidence: Duration::from_secs(90 * DAY),
            keep_cases: Duration::from_secs(365 * DAY),
            inbox: Inbox::default(),
            accounts: Accounts::default(),
            stream: Stream::default(),
            media: Media::default(),
            cases: Cases::default(),
            backtests: Backtests::default(),
            tidy: Tidy::default(),
            pages: String::new(),
        }
    }
}

job::section! {
    /// `[moderation.inbox]`: judges what servers push. Off until somebody wants it; it switches all of moderation.
    pub struct Inbox(enabled = false, every = "1m", timeout = "30m") {
        /// After the last note it waits so long for another one, which is then judged at once.
        #[serde(with = "humantime_serde")]
        pub linger: std::time::Duration = std::time::Duration::from_secs(1),
    }
}

job::section! {
    /// `[moderation.accounts]`: walks through the accounts that a server knows.
    pub struct Accounts(enabled = true, every = "1m", timeout = "30m") {
        /// The server's own people.
        pub local: bool = true,
        /// Those of other servers.
        pub remote: bool = true,
        /// Pages that one walk may read with a cursor, in a quarter of an hour; servers allow 300 to all of a login's jobs.
        pub paging_budget: u32 = 60,
        /// Accounts of which one run reads what they wrote lately.
        pub looks: u32 = 40,
    }
}

job::section! {
    /// `[moderation.stream]`: listens to the public timeline.
    pub struct Stream(enabled = false, every = "1m", timeout = "90m") {
        /// Only what comes from other servers: the server's own statuses are pushed.
        pub remote: bool = true,
    }
}

job::section! {
    /// `[moderation.media]`: hashes files of statuses while rules ask for it, and keeps no file.
    pub struct Media(enabled = true, every = "1m", timeout = "30m") {
        /// The largest file, in MiB.
        pub largest: u32 = 16,
        /// Files read at once.
        pub at_once: u8 = 2,
        /// Also says what pictures show, by PDQ; else files are the same or are not.
        pub pictures: bool = true,
    }
}

job::section! {
    /// `[moderation.cases]`: looks after cases.
    pub struct Cases(enabled = true, every = "30s", timeout = "30m") {
        /// How a report fares is asked so often, in case the server does not push it.
        #[serde(with = "humantime_serde")]
        pub ask: std::time::Duration = std::time::Duration::from_secs(6 * 60 * 60),
    }
}

job::section! {
    /// `[moderation.backtests]`: tries rules on what was seen.
    pub struct Backtests(enabled = true, every = "1m", timeout = "30m") {
    }
}

job::section! {
    /// `[moderation.tidy]`: forgets what is old, and looks how rules fare.
    pub struct Tidy(enabled = true, every = "1h", timeout = "30m") {
    }
}

impl Config {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// One line that names the key and what to do.
    pub fn validate(&self) -> Result<(), String> {
        for (name, section) in [
            ("moderation.inbox", self.inbox.section()),
            ("moderation.accounts", self.accounts.section()),
            ("moderation.stream", self.stream.section()),
            ("moderation.media", self.media.section()),
            ("moderation.cases", self.cases.section()),
            ("moderation.backtests", self.backtests.section()),
            ("moderation.tidy", self.tidy.section()),
        ] {
            section.validate(name)?;
        }
        if self.accounts.paging_budget == 0 || self.accounts.paging_budget > 300 {
            return Err("[moderation.accounts] paging_budget: must be 1 to 300, all that a server allows".to_owned());
        }
        if !(1..=1024).contains(&self.media.largest) || !(1..=16).contains(&self.media.at_once) {
            return Err("[moderation.media] largest: must be 1 to 1024, and at_once 1 to 16".to_owned());
        }
        if !(0.0..=1.0).contains(&self.precision) {
            return Err("[moderation] precision: must be between 0 and 1".to_owned());
        }
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        for (key, kept) in [
            ("keep", self.keep),
            ("keep_evidence", self.keep_evidence),
            ("keep_cases", self.keep_cases),
        ] {
            if kept < DAY {
                return Err(format!("[moderation] {key}: must be a day or more"));
            }
        }
        if self.keep_cases < self.keep_evidence {
            return Err("[moderation] keep_cases: must be no shorter than keep_evidence".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            config.validate().unwrap();
            change(&mut config);
            config.validate().unwrap_err()
        };
        assert!(refused(|config| config.accounts.paging_budget = 301).contains("paging_budget"));
        assert!(refused(|config| config.media.at_once = 0).contains("at_once"));
        assert!(refused(|config| config.precision = 1.5).contains("precision"));
        assert!(refused(|config| config.keep = Duration::ZERO).contains("keep"));
        assert!(refused(|config| config.keep_cases = config.keep_evidence / 2).contains("keep_cases"));
        assert!(refused(|config| config.inbox.timeout = Duration::ZERO).contains("moderation.inbox"));
    }
}
