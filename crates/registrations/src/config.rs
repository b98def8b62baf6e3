//! The `[registrations]` sections.

use std::{path::PathBuf, time::Duration};

use job::Mode;
use net::mail::Tls;
use serde::{Deserialize, Serialize};

use crate::{Address, Lists, Rule, Ruleset};

/// `[registrations]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `observe` judges and shows, `act` lets in and turns away.
    pub mode: Mode,
    /// Effects in any 24 hours; past it they wait.
    pub quota: u32,
    /// Approvals by rules in an hour; past it the rest waits for a person.
    pub approvals_per_hour: u32,
    /// How long somebody may stop a rejection; `"0s"`: not at all.
    #[serde(with = "humantime_serde")]
    pub veto: Duration,
    /// What is kept of those who are through: `clear`, or `hashed` for a hash of the address alone.
    pub record: Record,
    /// After this long even that is forgotten. That a rule decided, and when, stays.
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
    /// Whoever waits for a person longer than this is mentioned in the digest.
    #[serde(with = "humantime_serde")]
    pub remind: Duration,
    /// How far apart sign-ups from one network may lie to be counted together.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
    /// `[registrations.pending]`.
    pub pending: Pending,
    /// `[registrations.lists]`.
    pub lists: ListsJob,
    /// `[registrations.mail]`.
    pub mail: Mail,
    /// `[registrations.digest]`.
    pub digest: Digest,
    /// `[[registrations.rules]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// What is kept of those who are through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Everything that was judged.
    #[default]
    Clear,
    /// A hash of the address, by which somebody is recognised who comes again.
    Hashed,
}

impl Default for Config {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            mode: Mode::Observe,
            quota: 500,
            approvals_per_hour: 60,
            veto: Duration::from_secs(10 * 60),
            record: Record::Clear,
            keep: Duration::from_secs(90 * DAY),
            remind: Duration::from_secs(3 * DAY),
            window: Duration::from_secs(60 * 60),
            pending: Pending::default(),
            lists: ListsJob::default(),
            mail: Mail::default(),
            digest: Digest::default(),
            rules: Vec::new(),
        }
    }
}

job::section! {
    /// `[registrations.pending]`: off until somebody's token may look after users.
    pub struct Pending(enabled = false, every = "1m", timeout = "30m") {
        /// Pages of a server's list that one pass may read with a cursor, in a quarter of an hour.
        pub paging_budget: u32 = 150,
    }
}

job::section! {
    /// `[registrations.lists]`: reads the lists that rules name.
    pub struct ListsJob(enabled = true, every = "12h", timeout = "30m") {
        /// A list that loses more than this share of its names at once is not believed.
        pub shrink: f64 = 0.5,
    }
}

job::section! {
    /// `[registrations.mail]`: tells those who were turned away why, where the rule says what, and moderators what happened.
    pub struct Mail(enabled = false, every = "1m", timeout = "10m") {
        /// The mail server, `mail.example.org`.
        pub host: String = String::new(),
        /// Its port.
        pub port: u16 = 465,
        /// `auto`: TLS from the start on port 465, else after a plain beginning, and none on this machine. `always`, or
        /// `starttls` for the plain beginning.
        pub tls: Tls = Tls::Auto,
        /// Who we are to it; empty: nobody.
        pub username: String = String::new(),
        /// A file that holds the password and nothing else.
        pub password_file: Option<PathBuf> = None,
        /// Whom letters are from, `"Example <noreply@example.org>"`.
        pub from: String = String::new(),
        /// Their subject.
        pub subject: String = "Your request for an account".to_owned(),
        /// Who gets the daily digest and other notices by letter.
        pub notify: Vec<String> = Vec::new(),
        /// Times a letter is tried.
        pub tries: u32 = 8,
    }
}

job::section! {
    /// `[registrations.digest]`: once a day, what was decided.
    pub struct Digest(enabled = true, every = "24h", timeout = "5m") {
    }
}

impl Config {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// One line that names the key and what to do.
    pub fn validate(&self) -> Result<(), String> {
        for (name, section) in [
            ("registrations.pending", self.pending.section()),
            ("registrations.lists", self.lists.section()),
            ("registrations.mail", self.mail.section()),
            ("registrations.digest", self.digest.section()),
        ] {
            section.validate(name)?;
        }
        if self.pending.paging_budget == 0 || self.pending.paging_budget > 300 {
            return Err("[registrations.pending] paging_budget: must be 1 to 300, all that a server allows".to_owned());
        }
        if !(0.0..=1.0).contains(&self.lists.shrink) {
            return Err("[registrations.lists] shrink: must be between 0 and 1".to_owned());
        }
        if self.keep < Duration::from_secs(24 * 60 * 60) {
            return Err("[registrations] keep: must be a day or more: what was decided is looked at again".to_owned());
        }
        if self.mail.enabled {
            if self.mail.host.is_empty() || self.mail.from.is_empty() {
                return Err("[registrations.mail] host and from: must be there, or set `enabled = false`".to_owned());
            }
            if self.mail.username.is_empty() != self.mail.password_file.is_none() {
                return Err("[registrations.mail] username and password_file: write both or none".to_owned());
            }
        }
        if let Some(no) = self
            .mail
            .notify
            .iter()
            .find(|to| !Address::parse(to).is_ok_and(|to| to.odd().is_none()))
        {
            return Err(format!("[registrations.mail] notify: {no:?} is no plain address"));
        }
        if !self.mail.notify.is_empty() && !self.mail.enabled {
            return Err("[registrations.mail] notify: names people, but `enabled = true` is missing".to_owned());
        }
        Ruleset::new(&self.rules, &Lists::new())
            .map(drop)
            .map_err(|error| format!("[[registrations.rules]] {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two lists of the handbook, as the example shows them.
    #[test]
    fn the_shipped_example_is_a_good_ruleset() {
        let text = include_str!("../../../config/example.toml");
        let lines: Vec<&str> = text.lines().collect();
        let start = lines
            .iter()
            .position(|line| *line == "# [[registrations.rules]]")
            .unwrap();
        let example: Vec<&str> = lines[start..]
            .iter()
            .take_while(|line| line.starts_with('#'))
            .map(|line| line.trim_start_matches('#').trim_start())
            .collect();
        #[derive(Deserialize)]
        struct Root {
            registrations: Config,
        }
        let root: Root = toml::from_str(&example.join("\n")).unwrap();
        root.registrations.validate().unwrap();
        assert_eq!(root.registrations.rules.len(), 2);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            config.validate().unwrap();
            change(&mut config);
            config.validate().unwrap_err()
        };
        assert!(refused(|config| config.mail.enabled = true).contains("host"));
        assert!(refused(|config| config.pending.paging_budget = 301).contains("paging_budget"));
        assert!(refused(|config| config.keep = Duration::ZERO).contains("keep"));
        assert!(refused(|config| config.mail.notify.push("mods@example.org".into())).contains("enabled"));
        assert!(refused(|config| config.mail.notify.push("mods".into())).contains("notify"));
        assert!(refused(|config| config.rules.push(Rule::new("x", crate::Verdict::Hold))).contains("rules"));
    }
}
