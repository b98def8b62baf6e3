//! Staged suspension: silence, tell, wait, suspend. Here the telling: the time counts from it.

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use job::{JobContext, JobError, News};
use mastodon::Ties;
use store::{
    block_entries::{self, Entry, State},
    notices::Severity,
};

/// Domains that a notice names.
const NAMED: usize = 5;

/// Tells of blocks that will be suspensions once their time has come, each once. Gives how many.
///
/// # Errors
/// When the store fails.
pub async fn tell(
    cx: &JobContext,
    server: &str,
    stage: Option<Duration>,
    ties: &BTreeMap<String, Ties>,
    entries: &mut BTreeMap<String, Entry>,
) -> Result<usize, JobError> {
    let Some(stage) = stage.and_then(|stage| TimeDelta::from_std(stage).ok()) else {
        return Ok(0);
    };
    let now = cx.clock.now();
    let waits =
        |entry: &&mut Entry| entry.state == State::Ours && entry.capped_since.is_some() && entry.told_at.is_none();
    let mut told: Vec<&mut Entry> = entries.values_mut().filter(waits).collect();
    let Some(first) = told.first() else { return Ok(0) };
    let about = format!("{server} {}", first.domain);
    let mut names: Vec<String> = told.iter().take(NAMED).map(|entry| name(entry, ties)).collect();
    if told.len() > NAMED {
        names.push(format!("and {} more", told.len() - NAMED));
    }
    let day = now.checked_add_signed(stage).unwrap_or(now).format("%Y-%m-%d");
    let text = format!(
        "{server} suspends on {day}, and silences until then: {}. `egret blocks affected DOMAIN` names whom it concerns, \
         so that they can be told",
        names.join(", ")
    );
    let news = News {
        feature: "blocklists",
        kind: "stage",
        about: &about,
        severity: Severity::Warning,
        text: &text,
    };
    job::tell(&cx.store, &*cx.clock, news).await;
    for entry in &mut told {
        entry.told_at = Some(now);
        block_entries::save(&cx.store, entry).await?;
    }
    Ok(told.len())
}

fn name(entry: &Entry, ties: &BTreeMap<String, Ties>) -> String {
    match ties.get(&entry.domain) {
        Some(ties) => format!(
            "{} ({} follows, {} followers)",
            entry.domain, ties.follows, ties.followers
        ),
        None => entry.domain.clone(),
    }
}
