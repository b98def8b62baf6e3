//! After a crash: effects that were sent, or may have been, and are not on record.

use std::collections::{BTreeMap, BTreeSet};

use job::{JobContext, JobError, Login, Settled};
use mastodon::AdminDomainBlock;
use serde_json::json;
use store::{
    block_entries::{self, Entry},
    effects::{Effect, State},
};

use super::{
    Author,
    record::{has, value},
    send::record,
};
use crate::plan::{Action, Operation};

/// Domains of effects that were sent, or may have been, and of which nobody knows yet what came of them.
///
/// # Errors
/// When the store fails.
pub async fn on_their_way(cx: &JobContext, server: &str) -> Result<BTreeSet<String>, JobError> {
    let left = block_entries::unrecorded(&cx.store, server).await?;
    let domain = |effect: Effect| Some(effect.intent["operation"]["domain"].as_str()?.to_owned());
    Ok(left.into_iter().filter_map(domain).collect())
}

/// Finds out what came of effects that a run left behind, and puts them on record. Gives how many.
///
/// # Errors
/// When the store fails.
pub async fn reconcile(
    cx: &JobContext,
    login: &Login,
    live: &BTreeMap<String, AdminDomainBlock>,
) -> Result<usize, JobError> {
    let left = block_entries::unrecorded(&cx.store, &login.server).await?;
    if left.is_empty() {
        return Ok(0);
    }
    // Younger ones may still be on their way from another process: they are looked at in a later run.
    let pending: BTreeSet<String> = cx
        .effects
        .pending()
        .await?
        .into_iter()
        .map(|effect| effect.id)
        .collect();
    let mut entries: BTreeMap<String, Entry> = block_entries::list(&cx.store, &login.server)
        .await?
        .into_iter()
        .map(|entry| (entry.domain.clone(), entry))
        .collect();
    let mut found = 0;
    for effect in left {
        let Ok(operation) = serde_json::from_value::<Operation>(effect.intent["operation"].clone()) else {
            continue;
        };
        let there = live.get(&operation.domain);
        let is_open = effect.state == State::Intended;
        if is_open {
            if !pending.contains(&effect.id) {
                continue;
            }
            let arrived = match &operation.action {
                Action::Delete { id } => there.is_none_or(|block| block.id != *id),
                Action::Create { fields } | Action::Update { fields, .. } => {
                    there.is_some_and(|block| has(block, fields))
                }
            };
            let outcome = match (arrived, there) {
                (true, there) => Settled::Done(value(there).unwrap_or_else(|| json!({}))),
                (false, _) => Settled::Failed("the server shows that it did not arrive".to_owned()),
            };
            cx.effects.settle(&effect.id, outcome).await?;
            if !arrived {
                continue;
            }
        }
        let after = match effect.result.as_ref().filter(|_| !is_open) {
            Some(result) => serde_json::from_value(result.clone()).ok(),
            None => there.cloned(),
        };
        let text = |key: &str| effect.intent[key].as_str().unwrap_or_default().to_owned();
        let author = Author {
            run: text("run"),
            who: text("who"),
            at: effect.planned_at,
        };
        record(
            cx,
            &login.server,
            &operation,
            &effect.id,
            after.as_ref(),
            &author,
            &mut entries,
        )
        .await?;
        found += 1;
    }
    Ok(found)
}
