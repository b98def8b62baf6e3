//! What other rules would have said of those who came: history read again before a ruleset goes live.

use serde::Serialize;
use serde_json::Value;
use store::{Db, applicants};

use crate::{Facts, Ruleset, Verdict};

/// Verdicts read at a time.
const PAGE: u32 = 500;

/// What other rules would have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// Hash of the other rules.
    pub ruleset: String,
    /// Applicants whose facts are still known.
    pub judged: u64,
    /// Of those, whose verdict would be the same.
    pub same: u64,
    /// The others, newest first; the first thousand.
    pub changes: Vec<Change>,
    /// How many there are of them.
    pub changed: u64,
}

/// Somebody of whom the other rules say something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `host[:port]`.
    pub server: String,
    /// There.
    pub account_id: String,
    /// The name asked for.
    pub username: String,
    /// What was said.
    pub was: String,
    /// By which rule.
    pub was_rule: Option<String>,
    /// What would be said.
    pub would_be: Verdict,
    /// And why.
    pub why: String,
}

/// Changes that are listed.
const LISTED: usize = 1000;

/// Judges everybody whose facts are still known by other rules. The newest facts of each count, as they were when they
/// were judged: the crowd around them and all.
///
/// # Errors
/// When the store cannot be read.
pub async fn replay(db: &Db, rules: &Ruleset) -> Result<Replay, store::Error> {
    let mut replay = Replay {
        ruleset: rules.hash().to_owned(),
        ..Replay::default()
    };
    let mut seen = std::collections::HashSet::new();
    let mut before: Option<String> = None;
    loop {
        let page = applicants::verdicts(db, before.as_deref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(replay);
        };
        before = Some(last.id.clone());
        for one in page {
            let Ok(facts) = serde_json::from_value::<Facts>(one.inputs) else {
                continue;
            };
            if !seen.insert((one.server.clone(), one.account_id.clone())) {
                continue;
            }
            let text = |key: &str| one.detail.get(key).and_then(Value::as_str).map(str::to_owned);
            let was = text("verdict").unwrap_or_default();
            let judged = rules.judge(&facts);
            replay.judged += 1;
            if judged.verdict.as_str() == was {
                replay.same += 1;
                continue;
            }
            replay.changed += 1;
            if replay.changes.len() < LISTED {
                replay.changes.push(Change {
                    server: one.server,
                    account_id: one.account_id,
                    username: facts.username,
                    was,
                    was_rule: text("rule"),
                    would_be: judged.verdict,
                    why: judged.why,
                });
            }
        }
    }
}

/// The lists that are known, for rules that are only tried.
///
/// # Errors
/// When the store cannot be read.
pub async fn known_lists(db: &Db) -> Result<crate::Lists, store::Error> {
    let lists = applicants::lists(db).await?;
    let good = lists.into_iter().filter(|list| list.fetched_at.is_some());
    Ok(good
        .map(|list| (list.source, crate::Names::read_list(&list.body).0))
        .collect())
}
