//! Every decision about hits and cases: facts in, what to do out. No I/O and no clock.

use chrono::{DateTime, Utc};
use model::Domain;
use rules::{Action, Category, Contribution, Rule, State, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    cases::{Case, State as Is},
    exemptions::Exemption,
    rule_hits::Hit,
};

use crate::{Allowed, Config, book::Effective};

/// Statuses that go into one report.
pub(crate) const MOST_STATUSES: usize = 20;

/// Evidence that is kept of one rule on one thing.
const PIECES: usize = 5;

/// Letters of what somebody wrote that are kept as evidence.
const EXCERPT: usize = 300;

/// What a rule wants done beyond a report, and may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) action: Allowed,
    pub(crate) rule: String,
    /// Seconds after which it is taken back.
    pub(crate) undo_after: Option<u64>,
    pub(crate) tell: String,
    pub(crate) may_resolve_reports: bool,
}

/// Whether a rule leaves this account alone, and why.
pub(crate) fn spared(exemptions: &[Exemption], rule: &str, domain: &str) -> Option<String> {
    let domain = Domain::parse(domain).ok();
    let within = |parent: &str| {
        Domain::parse(parent).is_ok_and(|parent| domain.as_ref().is_some_and(|domain| domain.is_within(&parent)))
    };
    exemptions
        .iter()
        .filter(|one| one.rule.is_empty() || one.rule == rule)
        .find(|one| !one.account_id.is_empty() || within(&one.domain))
        .map(|one| one.why.clone())
}

/// As what a hit is kept: `live` hits alone lead to anything.
pub(crate) fn standing(
    effective: &Effective,
    verdict: &Verdict,
    hit: &Contribution,
    spared: Option<&str>,
) -> &'static str {
    match effective.standing(&hit.rule) {
        State::Live if verdict.exempt.is_some() || hit.exempt.is_some() => "exempt",
        State::Live if spared.is_some() => "immune",
        State::Live => "live",
        State::Shadow | State::Off => "shadow",
    }
}

/// What is kept of a hit: where, what was written there, and what it was read as.
pub(crate) fn evidence(verdict: &Verdict, hit: &Contribution, spared: Option<&str>) -> serde_json::Value {
    let cut = |text: &str| text.chars().take(EXCERPT).collect::<String>();
    let pieces: Vec<_> = hit
        .evidence
        .iter()
        .take(PIECES)
        .map(|piece| {
            json!({
                "condition": cut(&piece.condition),
                "field": piece.field.map(rules::Field::name),
                "status": piece.status,
                "original": cut(&piece.original),
                "matched": cut(&piece.matched),
            })
        })
        .collect();
    let first = pieces.first().cloned().unwrap_or_else(|| json!({}));
    json!({
        "condition": first["condition"],
        "field": first["field"],
        "original": first["original"],
        "matched": first["matched"],
        "pieces": pieces,
        "spared": hit.exempt.as_deref().or(verdict.exempt.as_deref()).or(spared),
    })
}

/// What there is against an account now.
#[derive(Debug)]
pub(crate) struct Against<'a> {
    pub(crate) account_id: &'a str,
    pub(crate) acct: &'a str,
    pub(crate) domain: &'a str,
    /// Live hits within the window.
    pub(crate) hits: &'a [Hit],
    /// The time.
    pub(crate) now: DateTime<Utc>,
}

/// What to do about a case.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// Nothing is new, or it is not enough.
    Nothing,
    /// Open one.
    Open(Box<Case>),
    /// More evidence for the one there is.
    Merge(Box<Case>),
}

/// Looks whether live hits add up to a case, or to more of the one there is.
pub(crate) fn step(
    config: &Config,
    effective: &Effective,
    server: &str,
    current: Option<&Case>,
    against: &Against<'_>,
) -> Step {
    let counted: Vec<rules::Hit> = against
        .hits
        .iter()
        .filter(|hit| {
            effective
                .rule(&hit.rule)
                .is_some_and(|rule| rule.action != Action::Record)
        })
        .map(|hit| rules::Hit {
            rule: hit.rule.clone(),
            status: (!hit.status_id.is_empty()).then(|| hit.status_id.clone()),
            at: hit.at,
        })
        .collect();
    // Live is what we kept as live: what the file says of itself was weighed before.
    let total = effective.ruleset.add_up(&counted, true, against.now);
    if !total.reached {
        return Step::Nothing;
    }
    let mut weights: Vec<(&String, f64)> = total.rules.iter().map(|(id, weight)| (id, *weight)).collect();
    weights.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let rules: Vec<&Rule> = weights.iter().filter_map(|(id, _)| effective.rule(id)).collect();
    let mut statuses: Vec<String> = Vec::new();
    for hit in against.hits.iter().rev().filter(|hit| !hit.status_id.is_empty()) {
        if !statuses.contains(&hit.status_id) && statuses.len() < MOST_STATUSES {
            statuses.push(hit.status_id.clone());
        }
    }
    let violation = rules
        .iter()
        .find(|rule| rule.category == Category::Violation && !rule.server_rules.is_empty());
    let category = match (rules.first(), violation) {
        (Some(first), Some(_)) if first.category == Category::Violation => Category::Violation,
        (Some(first), _) if first.category != Category::Violation => first.category,
        _ => Category::Other,
    };
    let rule_ids = match (category, violation) {
        (Category::Violation, Some(_)) => {
            let mut ids: Vec<String> = rules.iter().flat_map(|rule| rule.server_rules.clone()).collect();
            ids.sort();
            ids.dedup();
            ids
        }
        _ => Vec::new(),
    };
    let wanted: Vec<Wanted> = rules.iter().filter_map(|rule| wanted(config, rule)).collect();
    let fresh = Case {
        reference: reference(),
        acct: against.acct.to_owned(),
        domain: against.domain.to_owned(),
        state: if config.review { Is::Open } else { Is::Ready },
        score: total.score,
        rules: rules.iter().map(|rule| rule.id.clone()).collect(),
        statuses,
        category: category.name().to_owned(),
        rule_ids,
        forward: config.forward && !against.domain.is_empty(),
        actions: json!(wanted),
        why: if config.review {
            "every report waits for a person".to_owned()
        } else {
            String::new()
        },
        stopped: config.review.then(|| "review".to_owned()),
        ruleset: effective.version,
        look_at: Some(against.now),
        ..Case::new(server, against.account_id, against.now)
    };
    match current {
        None => Step::Open(Box::new(fresh)),
        Some(current) => {
            let merged = Case {
                score: fresh.score,
                rules: fresh.rules,
                // What was reported stays what was reported.
                statuses: if current.report_id.is_some() {
                    current.statuses.clone()
                } else {
                    fresh.statuses
                },
                category: if current.report_id.is_some() {
                    current.category.clone()
                } else {
                    fresh.category
                },
                rule_ids: if current.report_id.is_some() {
                    current.rule_ids.clone()
                } else {
                    fresh.rule_ids
                },
                actions: fresh.actions,
                ruleset: fresh.ruleset,
                acct: fresh.acct,
                updated_at: against.now,
                ..current.clone()
            };
            let same = merged.rules == current.rules
                && merged.statuses == current.statuses
                && (merged.score - current.score).abs() < 1e-9;
            if same {
                Step::Nothing
            } else {
                Step::Merge(Box::new(merged))
            }
        }
    }
}

/// What a rule wants beyond a report, if both it and the config allow it.
fn wanted(config: &Config, rule: &Rule) -> Option<Wanted> {
    let action = match rule.action {
        Action::Warn => Allowed::Warn,
        Action::Sensitive => Allowed::Sensitive,
        Action::Silence => Allowed::Silence,
        Action::Suspend => Allowed::Suspend,
        Action::Record | Action::Report | Action::Disable => return None,
    };
    (rule.allow.contains(&rule.action) && config.allow.contains(&action)).then(|| Wanted {
        action,
        rule: rule.id.clone(),
        undo_after: rule.undo_after.map(|after| after.as_secs()),
        tell: rule.tell.clone(),
        may_resolve_reports: rule.may_resolve_reports,
    })
}

/// By which a report is known again: short enough to be told on the phone, and nobody else's.
pub(crate) fn reference() -> String {
    const LETTERS: &[u8] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
    let mut random = rand::random::<u64>();
    let mut text = String::from("EG-");
    for _ in 0..10 {
        let letters = LETTERS.len() as u64;
        text.push(char::from(LETTERS[usize::try_from(random % letters).unwrap_or(0)]));
        random /= letters;
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn case() -> Case {
        Case {
            reference: reference(),
            why: String::new(),
            ..store::testing::case("0198", "7", DateTime::from_timestamp(1_800_000_000, 0).unwrap())
        }
    }

    pub(crate) fn hit(rule: &str, evidence: serde_json::Value) -> Hit {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Hit {
            id: uuid::Uuid::now_v7().to_string(),
            server: "home.example".into(),
            account_id: "7".into(),
            acct: "eve@bad.example".into(),
            domain: "bad.example".into(),
            status_id: "1".into(),
            digest: "d".into(),
            rule: rule.into(),
            standing: "live".into(),
            weight: 1.0,
            ruleset: 1,
            evidence,
            case_id: None,
            at: now,
        }
    }

    #[test]
    fn exemptions_are_of_one_rule_or_all_and_of_an_account_or_a_domain() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let one = |account_id: &str, domain: &str, rule: &str| Exemption {
            id: String::new(),
            server: String::new(),
            account_id: account_id.into(),
            domain: domain.into(),
            rule: rule.into(),
            until: None,
            why: "because".into(),
            by: "ada".into(),
            at: now,
        };
        let whole = [one("", "friends.example", "")];
        assert_eq!(
            spared(&whole, "casino", "a.friends.example").as_deref(),
            Some("because")
        );
        assert_eq!(spared(&whole, "casino", "notfriends.example"), None);
        assert_eq!(spared(&whole, "casino", ""), None);
        let narrow = [one("7", "", "casino")];
        assert!(spared(&narrow, "casino", "x.example").is_some());
        assert!(spared(&narrow, "other", "x.example").is_none());
    }

    #[test]
    fn references_are_short_and_plain() {
        let one = reference();
        assert_eq!(one.len(), 13);
        assert_ne!(one, reference());
        assert!(
            one.bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
        );
    }
}
