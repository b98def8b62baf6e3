//! Rules tried on the past: what they would have matched, and of whom.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rules::{
    AccountFacts, Backtest, Backtested, Explained, Explanation, Holds, Memory, NoCounters, Ruleset, StatusFacts,
    Subject, Verdict,
};
use serde::Serialize;
use store::{
    Db, cases,
    seen::{self, SeenStatus},
};

/// Rows read at a time.
const PAGE: u32 = 500;

/// Statuses that rules that count look back on.
const MEMORY: usize = 50_000;

/// `(server, account id)`.
type Who = (String, String);

/// A subject judged, and every rule taken apart: for testers.
#[derive(Debug, Serialize)]
pub struct Tried {
    /// What the rules say together.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Each rule with each of its conditions, those that hit first.
    pub rules: Vec<Explanation>,
}

/// Judges one status or account, and says of each condition of each rule whether it holds. Counters know nothing here.
pub fn try_out(ruleset: &Ruleset, subject: &Subject, now: DateTime<Utc>) -> Tried {
    let mut rules = ruleset.explain(subject, &NoCounters, now, |_| true);
    rules.sort_by_key(|rule| !rule.hit());
    Tried {
        verdict: ruleset.judge(subject, &NoCounters, now),
        rules,
    }
}

/// What came of a rule, in words.
pub fn outcome(rule: &Explanation) -> String {
    let stands = format!("{:?}", rule.state).to_lowercase();
    match &rule.skipped {
        Some(why) => format!("is not judged here: {why} ({stands})"),
        None if rule.hit() => format!("hits, adds {} ({stands})", rule.weight),
        None => format!("does not hit ({stands})"),
    }
}

/// A rule's conditions one below the other: how deep each stands, whether it holds, and what it says.
pub fn conditions(rule: &Explanation) -> Vec<(usize, Holds, String)> {
    fn walk(one: &Explained, depth: usize, lines: &mut Vec<(usize, Holds, String)>) {
        let pieces: Vec<String> = one.evidence.iter().map(ToString::to_string).collect();
        let says = if pieces.is_empty() {
            one.says.clone()
        } else {
            pieces.join("; ")
        };
        lines.push((depth, one.holds, says));
        for part in &one.parts {
            walk(part, depth + 1, lines);
        }
    }
    let mut lines = Vec::new();
    walk(&rule.when, 0, &mut lines);
    lines
}

/// Plays rules over everything that was seen since `since`, in the order it came, and over the profiles of those who wrote
/// nothing.
///
/// # Errors
/// When the store cannot be read.
pub async fn replay(
    db: &Db,
    ruleset: &Ruleset,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Backtested, store::Error> {
    let longest = ruleset.counters().iter().map(|counter| counter.window).max();
    let mut memory = longest.map(|longest| Memory::new(MEMORY, longest.max(Duration::from_secs(3600))));
    let mut test = Backtest::new(ruleset);
    let known = acted_on(db).await?;
    let mut wrote: HashSet<Who> = HashSet::new();
    let mut after: Option<(DateTime<Utc>, String, String)> = None;
    loop {
        let from = after
            .as_ref()
            .map(|(at, server, id)| (*at, server.as_str(), id.as_str()));
        let page = seen::past(db, since, from, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.seen_at, last.server.clone(), last.status_id.clone()));
        let accounts = authors(db, &page).await?;
        for row in page {
            let who = (row.server, row.account_id);
            let Ok(status) = serde_json::from_value::<StatusFacts>(row.facts) else {
                continue;
            };
            let account = accounts.get(&who).cloned().unwrap_or_else(|| AccountFacts {
                id: who.1.clone(),
                ..AccountFacts::default()
            });
            let subject = Subject {
                account,
                statuses: vec![status],
            };
            let is_known = known.contains(&who);
            match &mut memory {
                Some(memory) => {
                    memory.observe(&subject, row.seen_at);
                    test.add(&subject, memory, row.seen_at, is_known);
                }
                None => test.add(&subject, &NoCounters, row.seen_at, is_known),
            }
            wrote.insert(who);
        }
        tokio::task::yield_now().await;
    }
    profiles(db, &mut test, since, now, &known, &wrote).await?;
    Ok(test.result())
}

/// The profiles of those who wrote nothing in that time.
async fn profiles(
    db: &Db,
    test: &mut Backtest,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    known: &HashSet<Who>,
    wrote: &HashSet<Who>,
) -> Result<(), store::Error> {
    let mut after = (String::new(), String::new());
    loop {
        let page = seen::all_accounts(db, (&after.0, &after.1), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.server.clone(), last.account_id.clone());
        for row in page {
            let who = (row.server, row.account_id);
            let Ok(account) = serde_json::from_value::<AccountFacts>(row.facts) else {
                continue;
            };
            if wrote.contains(&who) || row.seen_at < since {
                continue;
            }
            let subject = Subject {
                account,
                statuses: Vec::new(),
            };
            test.add(&subject, &NoCounters, row.seen_at.min(now), known.contains(&who));
        }
        tokio::task::yield_now().await;
    }
}

/// Accounts that were reported, and nobody said that it was wrong.
async fn acted_on(db: &Db) -> Result<HashSet<Who>, store::Error> {
    let mut known = HashSet::new();
    let mut filter = cases::Filter {
        states: vec![cases::State::Reported, cases::State::Resolved],
        ..cases::Filter::default()
    };
    loop {
        let page = cases::list(db, &filter, PAGE).await?;
        let Some(last) = page.last() else { return Ok(known) };
        filter.before = Some(last.id.clone());
        let agreed = page
            .into_iter()
            .filter(|case| case.verdict.as_deref() != Some("rejected"));
        known.extend(agreed.map(|case| (case.server, case.account_id)));
    }
}

/// The authors of a page of statuses.
async fn authors(db: &Db, page: &[SeenStatus]) -> Result<BTreeMap<Who, AccountFacts>, store::Error> {
    let mut by_server: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in page {
        by_server.entry(&row.server).or_default().insert(&row.account_id);
    }
    let mut found = BTreeMap::new();
    for (server, ids) in by_server {
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        for row in seen::accounts(db, server, &ids).await? {
            if let Ok(account) = serde_json::from_value::<AccountFacts>(row.facts) {
                found.insert((server.to_owned(), row.account_id), account);
            }
        }
    }
    Ok(found)
}

/// Asks for the rules in place (or these) to be tried on what was seen since; gives the id to look it up by.
///
/// # Errors
/// When they are no good rules.
pub async fn ask_backtest(
    db: &Db,
    pages: Option<Vec<crate::Page>>,
    since: DateTime<Utc>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<String, crate::BookError> {
    let pages = match pages {
        Some(pages) => pages,
        None => store::rulesets::newest(db)
            .await?
            .as_ref()
            .map(crate::book::pages_of)
            .unwrap_or_default(),
    };
    crate::book::compile(db, &pages).await?;
    let asked = store::rulesets::Backtest {
        id: uuid::Uuid::now_v7().to_string(),
        state: "asked".to_owned(),
        rules: serde_json::to_string(&pages).unwrap_or_default(),
        digests: serde_json::json!(crate::book::digests(&pages)),
        since,
        result: None,
        by: by.to_owned(),
        at: now,
        ended_at: None,
    };
    store::rulesets::save_backtest(db, &asked).await?;
    store::job_states::wake(db, crate::BACKTESTS, "", now).await?;
    Ok(asked.id)
}
