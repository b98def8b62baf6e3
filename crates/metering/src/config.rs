//! The `[metering.…]` sections.

use std::time::Duration;

use chrono_tz::Tz;
use job::{Schedule, Section};
use serde::{Deserialize, Serialize};

/// `[metering]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Hosts asked at the same time; politeness to each is `[net]`'s business.
    pub concurrency: usize,
    /// Goes on with the account that one moved to, in the same groups.
    pub follow_moves: bool,
    /// A row that stays the same is written anew after this long.
    #[serde(with = "humantime_serde")]
    pub anchor: Duration,
    /// Points older than this are thinned to one a day. Zero: never.
    #[serde(with = "humantime_serde")]
    pub days_after: Duration,
    /// Points older than this are thinned to one a week. Zero: never.
    #[serde(with = "humantime_serde")]
    pub weeks_after: Duration,
    /// Whether reports show `(±0)`.
    pub show_zero: bool,
    /// A change of followers, or of accounts followed, between two points that is news: at least this many and this
    /// share. Zero: never.
    pub spike: u32,
    /// In percent of the count before.
    pub spike_percent: u32,
    /// Tells of round numbers of followers.
    pub milestones: bool,
    /// An account that wrote nothing for this long is news. Zero: never.
    #[serde(with = "humantime_serde")]
    pub silence: Duration,
    /// `[metering.accounts]`.
    pub accounts: Accounts,
    /// `[metering.retries]`.
    pub retries: Retries,
    /// `[metering.wishes]`.
    pub wishes: Wishes,
    /// `[metering.thinning]`.
    pub thinning: Thinning,
    /// `[metering.server]`.
    pub server: Server,
    /// `[metering.posts]`.
    pub posts: Posts,
    /// `[metering.followers]`.
    pub followers: Followers,
    /// `[metering.sources]`.
    pub sources: Sources,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            concurrency: 32,
            follow_moves: false,
            anchor: days(30),
            days_after: days(90),
            weeks_after: Duration::ZERO,
            show_zero: false,
            spike: 1000,
            spike_percent: 50,
            milestones: true,
            silence: Duration::ZERO,
            accounts: Accounts::default(),
            retries: Retries::default(),
            wishes: Wishes::default(),
            thinning: Thinning::default(),
            server: Server::default(),
            posts: Posts::default(),
            followers: Followers::default(),
            sources: Sources::default(),
        }
    }
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 60 * 60)
}

job::section! {
    /// `[metering.accounts]`: measures every account once in each slot.
    pub struct Accounts(enabled = true, every = "1d", timeout = "20h") {
        /// The time of day of the slot, where `every` is a day; in `timezone`.
        pub at: String = "03:00".to_owned(),
    }
}

job::section! {
    /// `[metering.retries]`: tries again, within the slot, what could not be measured.
    pub struct Retries(enabled = true, every = "5m", timeout = "1h") {
        /// Accounts that one run tries at most.
        pub per_run: u32 = 2000,
    }
}

job::section! {
    /// `[metering.wishes]`: looks up the accounts that were asked for on the page, through the API or in a file.
    pub struct Wishes(enabled = true, every = "5m", timeout = "1h") {
        /// Accounts that one run looks up at most.
        pub per_run: u32 = 500,
    }
}

job::section! {
    /// `[metering.thinning]`: thins old points.
    pub struct Thinning(enabled = true, every = "1d", timeout = "2h") {
        /// Accounts that one run looks at at most; the next goes on from there.
        pub per_run: u32 = 50000,
    }
}

job::section! {
    /// `[metering.server]`: what a server of ours counts of itself.
    pub struct Server(enabled = false, every = "6h", timeout = "10m") {
        /// Days of the admins' measures that are asked for each time.
        pub days: u32 = 30,
    }
}

job::section! {
    /// `[metering.posts]`: what the recent statuses of a login's owner brought.
    pub struct Posts(enabled = false, every = "1h", timeout = "10m") {
        /// Newest statuses to look at.
        pub length: u32 = 80,
    }
}

job::section! {
    /// `[metering.followers]`: who came and who left.
    pub struct Followers(enabled = false, every = "1d", timeout = "6h") {
        /// Followers after which the walk ends, and nobody is said to have left.
        pub most: u32 = 100000,
    }
}

job::section! {
    /// `[metering.sources]`: accounts that are measured unasked.
    pub struct Sources(enabled = false, every = "1d", timeout = "2h") {
        /// Everybody whom the logins' owners follow, in the group `followed`.
        pub followed: bool = true,
        /// The accounts of our servers that let themselves be found, in the group `server`.
        pub server: bool = false,
        /// Accounts of each that are added at most.
        pub most: u32 = 10000,
    }
}

impl Accounts {
    /// When slots are. An interval that divides the hour or the day goes by the clock, so that it does not drift; one
    /// of a day by [`Accounts::at`].
    pub fn slots(&self) -> Schedule {
        if self.cron.is_some() || !self.enabled {
            return self.section().schedule;
        }
        let cron = |cron: String, timezone: &str| Schedule::Cron {
            cron,
            timezone: timezone.to_owned(),
        };
        let seconds = self.every.as_secs();
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        match seconds {
            86_400 => match self.time_of_day() {
                Some((hour, minute)) => cron(format!("{minute} {hour} * * *"), &self.timezone),
                None => Schedule::Every(self.every),
            },
            3600..86_400 if seconds.is_multiple_of(3600) && 24_u64.is_multiple_of(hours) => {
                cron(format!("0 */{hours} * * *"), "UTC")
            }
            60..3600 if seconds.is_multiple_of(60) && 60_u64.is_multiple_of(minutes) => {
                cron(format!("*/{minutes} * * * *"), "UTC")
            }
            _ => Schedule::Every(self.every),
        }
    }

    fn time_of_day(&self) -> Option<(u32, u32)> {
        let (hour, minute) = self.at.split_once(':')?;
        let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some((hour, minute))
    }

    /// What the runner needs to know.
    pub(crate) fn timed(&self) -> Section {
        Section {
            schedule: self.slots(),
            ..self.section()
        }
    }

    /// Whose midnight counts.
    pub fn zone(&self) -> Tz {
        self.timezone.trim().parse().unwrap_or(Tz::UTC)
    }
}

impl Config {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// One line that names the key and what to do.
    pub fn validate(&self) -> Result<(), String> {
        for (name, section) in [
            ("metering.accounts", self.accounts.section()),
            ("metering.retries", self.retries.section()),
            ("metering.wishes", self.wishes.section()),
            ("metering.thinning", self.thinning.section()),
            ("metering.server", self.server.section()),
            ("metering.posts", self.posts.section()),
            ("metering.followers", self.followers.section()),
            ("metering.sources", self.sources.section()),
        ] {
            section.validate(name)?;
        }
        if self.accounts.timezone.trim().parse::<Tz>().is_err() {
            return Err(format!(
                "[metering.accounts] timezone: `{}` is no IANA time zone such as `Europe/Berlin`",
                self.accounts.timezone
            ));
        }
        if self.accounts.time_of_day().is_none() {
            return Err(format!(
                "[metering.accounts] at: `{}` is no time of day such as \"03:00\"",
                self.accounts.at
            ));
        }
        if self.accounts.every < Duration::from_secs(60) {
            return Err("[metering.accounts] every: servers are asked once a minute at most".to_owned());
        }
        if !(1..=256).contains(&self.concurrency) {
            return Err("[metering] concurrency: must be between 1 and 256".to_owned());
        }
        for (key, per_run) in [
            ("retries", self.retries.per_run),
            ("wishes", self.wishes.per_run),
            ("thinning", self.thinning.per_run),
        ] {
            if per_run == 0 {
                return Err(format!(
                    "[metering.{key}] per_run: must be 1 or more; to switch it off set `enabled = false`"
                ));
            }
        }
        if self.anchor < self.accounts.every {
            return Err("[metering] anchor: must be at least as long as [metering.accounts] every".to_owned());
        }
        if !self.weeks_after.is_zero() && self.weeks_after < self.days_after {
            return Err("[metering] weeks_after: must be longer than days_after".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(every: u64) -> String {
        let accounts = Accounts {
            every: Duration::from_secs(every),
            timezone: "Europe/Berlin".to_owned(),
            ..Accounts::default()
        };
        accounts.slots().to_string()
    }

    #[test]
    fn slots_go_by_the_clock_where_they_can() {
        Config::default().validate().unwrap();
        assert_eq!(Accounts::default().slots().to_string(), "0 3 * * * UTC");
        assert_eq!(slots(86_400), "0 3 * * * Europe/Berlin");
        assert_eq!(slots(3600), "0 */1 * * * UTC");
        assert_eq!(slots(6 * 3600), "0 */6 * * * UTC");
        assert_eq!(slots(300), "*/5 * * * * UTC");
        assert_eq!(slots(7 * 60), "every 7m");
        assert_eq!(slots(7 * 3600), "every 7h");
        assert_eq!(slots(2 * 86_400), "every 2days");
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let mut config = Config::default();
        config.accounts.at = "25:00".to_owned();
        assert!(config.validate().unwrap_err().contains("at"));
        let mut config = Config::default();
        config.accounts.timezone = "Mars".to_owned();
        assert!(config.validate().unwrap_err().contains("timezone"));
        let mut config = Config::default();
        config.accounts.every = Duration::from_secs(10);
        assert!(config.validate().unwrap_err().contains("every"));
    }
}
