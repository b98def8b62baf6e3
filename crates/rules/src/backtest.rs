//! What rules would have done: they are played over what is stored, before they do anything.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Counters, Evidence, Ruleset, State, Subject, fingerprint};

/// Samples of a rule.
const SAMPLES: usize = 20;

/// Rules on their way over what is stored.
///
/// It takes one subject after the other and keeps numbers and samples only, so it can go over any number of them, in
/// parts on several threads ([`Backtest::merge`]). Rules that are off are left out; the others count alike.
#[derive(Debug, Clone)]
pub struct Backtest {
    ruleset: Ruleset,
    subjects: u64,
    statuses: u64,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    accounts: HashSet<u64>,
    rules: BTreeMap<String, Tally>,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    hits: u64,
    exempt: u64,
    accounts: HashSet<u64>,
    acted_on: HashSet<u64>,
    alone: HashSet<u64>,
    /// By a number that chance gave it, the smallest first: the same samples in whatever order subjects come.
    samples: BTreeMap<u64, Sample>,
}

/// One hit of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Whose.
    pub acct: String,
    /// The account's id.
    pub account: String,
    /// The status, or `None` for the account.
    pub status: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// What matched.
    pub evidence: Vec<Evidence>,
}

/// What rules would have done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backtested {
    /// The ruleset.
    pub version: String,
    /// Subjects judged.
    pub subjects: u64,
    /// Statuses judged.
    pub statuses: u64,
    /// Different accounts among them.
    pub accounts: u64,
    /// The oldest.
    pub from: Option<DateTime<Utc>>,
    /// The newest.
    pub to: Option<DateTime<Utc>>,
    /// Each rule that is not off, in the ruleset's order.
    pub rules: Vec<Played>,
}

/// What one rule would have done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Played {
    /// Its id.
    pub rule: String,
    /// Statuses and accounts it hit, those spared left out.
    pub hits: u64,
    /// Different accounts.
    pub accounts: u64,
    /// Of those, accounts that people acted on already.
    pub acted_on: u64,
    /// Of those, accounts that no other rule hit.
    pub alone: u64,
    /// Hits on accounts that are spared.
    pub exempt: u64,
    /// Hits on a day like those.
    pub per_day: f64,
    /// Some hits, picked by chance.
    pub samples: Vec<Sample>,
}

impl Backtest {
    /// Over nothing yet.
    pub fn new(ruleset: &Ruleset) -> Self {
        Self {
            ruleset: ruleset.clone(),
            subjects: 0,
            statuses: 0,
            first: None,
            last: None,
            accounts: HashSet::new(),
            rules: BTreeMap::new(),
        }
    }

    /// Judges a subject as it was at `at`. `acted_on` says whether people acted on the account.
    pub fn add(&mut self, subject: &Subject, counters: &dyn Counters, at: DateTime<Utc>, acted_on: bool) {
        let verdict = self.ruleset.judge(subject, counters, at);
        let acct = subject.account.acct();
        let account = fingerprint::hash(acct.as_bytes());
        self.subjects += 1;
        self.statuses += subject.statuses.iter().filter(|status| !status.context).count() as u64;
        self.accounts.insert(account);
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        let rules: HashSet<&str> = verdict.contributions.iter().map(|hit| hit.rule.as_str()).collect();
        let alone = rules.len() == 1;
        for hit in verdict.contributions {
            let tally = self.rules.entry(hit.rule).or_default();
            if hit.exempt.is_some() {
                tally.exempt += 1;
                continue;
            }
            tally.hits += 1;
            tally.accounts.insert(account);
            if acted_on {
                tally.acted_on.insert(account);
            }
            if alone {
                tally.alone.insert(account);
            }
            let place = hit.status.as_deref().unwrap_or_default();
            let lot = fingerprint::hash(format!("{acct} {place}").as_bytes());
            tally.sample(
                lot,
                Sample {
                    acct: acct.clone(),
                    account: subject.account.id.clone(),
                    status: hit.status,
                    at,
                    evidence: hit.evidence,
                },
            );
        }
    }

    /// Adds what another one counted, over other subjects by the same ruleset.
    pub fn merge(&mut self, other: Self) {
        self.subjects += other.subjects;
        self.statuses += other.statuses;
        self.accounts.extend(other.accounts);
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        for (rule, theirs) in other.rules {
            let tally = self.rules.entry(rule).or_default();
            tally.hits += theirs.hits;
            tally.exempt += theirs.exempt;
            tally.accounts.extend(theirs.accounts);
            tally.acted_on.extend(theirs.acted_on);
            tally.alone.extend(theirs.alone);
            for (lot, sample) in theirs.samples {
                tally.sample(lot, sample);
            }
        }
    }

    /// What came of it.
    pub fn result(&self) -> Backtested {
        let seconds = self
            .first
            .zip(self.last)
            .map_or(0, |(first, last)| (last - first).num_seconds());
        // An hour is the least that says something of a day.
        let days = seconds.max(3_600) as f64 / 86_400.0;
        let rules = self.ruleset.rules().filter(|(_, state)| *state != State::Off);
        Backtested {
            version: self.ruleset.version().to_owned(),
            subjects: self.subjects,
            statuses: self.statuses,
            accounts: self.accounts.len() as u64,
            from: self.first,
            to: self.last,
            rules: rules
                .map(|(rule, _)| {
                    let nothing = Tally::default();
                    let tally = self.rules.get(&rule.id).unwrap_or(&nothing);
                    Played {
                        rule: rule.id.clone(),
                        hits: tally.hits,
                        accounts: tally.accounts.len() as u64,
                        acted_on: tally.acted_on.len() as u64,
                        alone: tally.alone.len() as u64,
                        exempt: tally.exempt,
                        per_day: (tally.hits as f64 / days * 100.0).round() / 100.0,
                        samples: tally.samples.values().cloned().collect(),
                    }
                })
                .collect(),
        }
    }
}

impl Tally {
    fn sample(&mut self, lot: u64, sample: Sample) {
        self.samples.insert(lot, sample);
        if self.samples.len() > SAMPLES {
            self.samples.pop_last();
        }
    }
}
