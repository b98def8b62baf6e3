//! Whether a newer copy of a list is believed: what it lost counts for a while longer, what it lost or gained too
//! much of waits for a human.
//!
//! ```text
//! new copy ─► lost rows ─► leaving: count until missing in K good copies over T hours
//!                    └► too many at once ─► the list is held: they count until they come back or a human agrees
//!        └► grew too much ─► pending: the old copy counts until a human agrees
//! ```

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use model::Severity;
use serde::{Deserialize, Serialize};

use crate::{
    list::{Flags, Parsed, Row, Stance},
    name::Name,
};

/// When what a list lost is lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Losing more than this share holds, in percent.
    pub shrink_percent: u32,
    /// Losing more than this many holds.
    pub shrink_rows: usize,
    /// Growing to more than this many times the size holds.
    pub grow_times: u32,
    /// Good copies in a row that a row must be missing in.
    pub copies: u32,
    /// And for how long.
    pub after: Duration,
}

/// What a list said of a domain, as kept in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// `noop`, `silence`, `suspend`.
    pub severity: String,
    /// Flags as stated.
    #[serde(flatten)]
    pub flags: Flags,
    /// For everybody.
    #[serde(default)]
    pub public_comment: String,
    /// For moderators.
    #[serde(default)]
    pub private_comment: String,
}

impl Said {
    fn of(row: &Row<'_>, severity: Severity) -> Self {
        Self {
            severity: crate::list::severity_word(severity).to_owned(),
            flags: row.flags,
            public_comment: row.public_comment.to_string(),
            private_comment: row.private_comment.to_string(),
        }
    }

    /// As a row again; `None` for what no version of ours wrote.
    pub fn row(self, domain: String) -> Option<Row<'static>> {
        Some(Row {
            name: Name::Plain(domain.into()),
            stance: Stance::Block(crate::list::severity(&self.severity)?),
            flags: self.flags,
            public_comment: self.public_comment.into(),
            private_comment: self.private_comment.into(),
            line: 0,
        })
    }

    fn severity(&self) -> Severity {
        crate::list::severity(&self.severity).unwrap_or(Severity::Noop)
    }
}

/// A row on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaving {
    /// What the list said.
    pub said: Said,
    /// Good copies in a row without it.
    pub missed: u32,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// Rows on their way out, by domain.
pub type Leavings = BTreeMap<String, Leaving>;

/// What a newer copy means.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// It counts from now on.
    Taken {
        /// What it lost, counted for a while longer.
        leavings: Leavings,
        /// Why its losses are held, if they are.
        held: Option<String>,
    },
    /// It grew too much: the old copy counts until a human agrees.
    Pending(String),
}

/// Judges a newer copy of a list against the one that counts and what is leaving already.
pub fn judge(
    old: Option<&Parsed<'_>>,
    new: &Parsed<'_>,
    before: &Leavings,
    bounds: &Bounds,
    now: DateTime<Utc>,
) -> Judged {
    let said = by_domain(new);
    let was = old.map(by_domain).unwrap_or_default();
    let grown = said
        .blocks
        .keys()
        .filter(|domain| !was.blocks.contains_key(*domain))
        .count();
    if old.is_some()
        && said.blocks.len() > was.blocks.len().max(5).saturating_mul(bounds.grow_times as usize)
        && grown > bounds.shrink_rows
    {
        return Judged::Pending(format!(
            "it grew from {} to {} rows",
            was.blocks.len(),
            said.blocks.len()
        ));
    }
    let mut leavings = Leavings::new();
    let is_lost = |domain: &str, before: Severity| match said.blocks.get(domain) {
        // Taken back by name: no need to wait whether it comes again.
        _ if said.retracted.contains(&domain) => false,
        Some((_, severity)) => *severity < before,
        None => true,
    };
    for (domain, leaving) in before {
        if is_lost(domain, leaving.said.severity()) {
            leavings.insert(
                domain.clone(),
                Leaving {
                    missed: leaving.missed.saturating_add(1),
                    ..leaving.clone()
                },
            );
        }
    }
    for (domain, (row, severity)) in &was.blocks {
        if is_lost(domain, *severity) && !leavings.contains_key(*domain) {
            let leaving = Leaving {
                said: Said::of(row, *severity),
                missed: 1,
                since: now,
            };
            leavings.insert((*domain).to_owned(), leaving);
        }
    }
    let lost = leavings.len();
    let all = said.blocks.len()
        + leavings
            .keys()
            .filter(|domain| !said.blocks.contains_key(domain.as_str()))
            .count();
    let share = lost * 100 > all * bounds.shrink_percent as usize;
    // One row of five is a fifth: a handful is nobody's accident.
    let held = (lost > bounds.shrink_rows || (share && lost > FEW))
        .then(|| format!("it lost or weakened {lost} of {all} rows"));
    if held.is_none() {
        let after = TimeDelta::from_std(bounds.after).unwrap_or(TimeDelta::MAX);
        leavings.retain(|_, leaving| leaving.missed < bounds.copies || now - leaving.since < after);
    }
    Judged::Taken { leavings, held }
}

/// Rows whose loss is a small list's ordinary life, whatever their share.
const FEW: usize = 2;

/// A list's rows by domain.
#[derive(Default)]
struct ByDomain<'p> {
    blocks: BTreeMap<&'p str, (&'p Row<'p>, Severity)>,
    retracted: std::collections::BTreeSet<&'p str>,
}

fn by_domain<'p>(parsed: &'p Parsed<'_>) -> ByDomain<'p> {
    let mut all = ByDomain::default();
    for row in &parsed.rows {
        // A hidden name goes by its pattern: it leaves like any other.
        let domain = match &row.name {
            Name::Plain(domain) => &**domain,
            Name::Hidden(hidden) => hidden.pattern.as_str(),
        };
        match row.stance {
            Stance::Block(severity) => {
                let known = all.blocks.entry(domain).or_insert((row, severity));
                if severity > known.1 {
                    *known = (row, severity);
                }
            }
            Stance::Retracted => {
                all.retracted.insert(domain);
            }
            Stance::Clear => {}
        }
    }
    all
}

#[cfg(test)]
mod tests;
