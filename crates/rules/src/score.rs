//! How hits add up.
//!
//! Each rule counts up to `most` times per account within the window (once, unless it says otherwise), however many
//! statuses it hit: ten copies of one weak sign are one weak sign. What different rules add sums up, and a case is
//! reached when the sum is the threshold or more.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::Ruleset;

/// When what rules add is enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scoring {
    /// A case is reached from here on.
    pub threshold: f64,
    /// How long a hit counts.
    pub window: Duration,
}

impl Default for Scoring {
    fn default() -> Self {
        Self {
            threshold: 1.0,
            window: Duration::from_secs(7 * 86_400),
        }
    }
}

/// A hit of one account, kept from an earlier judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The rule's id.
    pub rule: String,
    /// The status, or `None` for the account.
    pub status: Option<String>,
    /// When it hit.
    pub at: DateTime<Utc>,
}

/// What hits of an account add up to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// The sum.
    pub score: f64,
    /// Whether it is enough.
    pub reached: bool,
    /// What each rule adds, those that add nothing any more left out.
    pub rules: BTreeMap<String, f64>,
}

impl Ruleset {
    /// Adds up the hits of one account: those within the window, of rules that are in the set and not off, each status
    /// (and the account itself) once per rule, each rule up to its `most`. Hits of rules in shadow are left out unless
    /// `shadow` asks for them.
    pub fn add_up(&self, hits: &[Hit], shadow: bool, now: DateTime<Utc>) -> Total {
        let window = TimeDelta::from_std(self.scoring().window).unwrap_or(TimeDelta::MAX);
        let mut seen: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
        for hit in hits.iter().filter(|hit| now - hit.at < window) {
            let statuses = seen.entry(&hit.rule).or_default();
            if !statuses.contains(&hit.status.as_deref()) {
                statuses.push(hit.status.as_deref());
            }
        }
        let mut rules = BTreeMap::new();
        for (id, statuses) in seen {
            let Some((rule, state)) = self.rule(id) else { continue };
            if state == crate::State::Off || (state == crate::State::Shadow && !shadow) {
                continue;
            }
            let times = u32::try_from(statuses.len()).unwrap_or(u32::MAX).min(rule.most);
            rules.insert(id.to_owned(), rule.weight * f64::from(times));
        }
        let score = rounded(rules.values().sum());
        Total {
            score,
            reached: self.is_enough(score),
            rules,
        }
    }

    /// Whether a score is the threshold or more.
    pub fn is_enough(&self, score: f64) -> bool {
        score + 1e-9 >= self.scoring().threshold
    }
}

/// `0.1 + 0.2` is `0.3` to people.
pub(crate) fn rounded(score: f64) -> f64 {
    (score * 1e6).round() / 1e6
}

/// How often people agreed with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Precision {
    /// Its reports that were acted on.
    pub confirmed: u32,
    /// Its reports that were dismissed or taken back.
    pub dismissed: u32,
}

impl Precision {
    /// The lower bound of the share that is right (Wilson's, 95 %); `None` before anybody judged.
    pub fn lower_bound(self) -> Option<f64> {
        let all = f64::from(self.confirmed) + f64::from(self.dismissed);
        if all == 0.0 {
            return None;
        }
        let (z, share) = (1.96_f64, f64::from(self.confirmed) / all);
        let middle = share + z * z / (2.0 * all);
        let spread = z * (share * (1.0 - share) / all + z * z / (4.0 * all * all)).sqrt();
        Some(((middle - spread) / (1.0 + z * z / all)).max(0.0))
    }

    /// Whether the rule goes back to shadow: at least so many verdicts, and the bound is below.
    pub fn is_too_low(self, bound: f64, verdicts: u32) -> bool {
        self.confirmed.saturating_add(self.dismissed) >= verdicts
            && self.lower_bound().is_some_and(|lower| lower < bound)
    }
}
