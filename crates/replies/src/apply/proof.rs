//! Proof that what was not asked for arrived as well: the ancestors that come along with a fetched reply.
//!
//! Home's own words are the proof, never the origin's: each answer of home names the parent that *home* has, by id, and
//! home shows 20 ids a request, of whatever thread, each with its uri and its own parent. So one walks up from what
//! was fetched until what was known before.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem,
};

use job::JobError;
use model::{StatusId, Uri};
use store::wanted;

use super::Pass;
use crate::gather::{self, Known};

/// Generations walked up 20 ids at a time; a longer line of ancestors is cheaper in one context.
const GENERATIONS: usize = 4;
/// From so many ids on, the context of the thread, one request, is cheaper.
const MANY: usize = 20;

/// What home was seen to have of a thread, and which of it to look at for more.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) known: Known,
    /// What may be an answer to any older one, where the whole list was at hand to tell.
    pub(crate) loose: Option<HashSet<String>>,
    /// Ids that home named as parents and has not shown yet.
    fresh: Vec<StatusId>,
    /// Statuses whose parent home had not found yet when it showed them.
    orphans: Vec<StatusId>,
}

impl View {
    pub(crate) fn new(known: Known) -> Self {
        Self {
            known,
            ..Self::default()
        }
    }

    /// Home answered with a status that it was asked for. `told` is what its origin calls its parent.
    pub(crate) fn arrived(&mut self, uri: Uri, told: Option<&str>, id: StatusId, parent: Option<StatusId>) {
        self.known.seen.insert(id.clone());
        self.known.ids.insert(uri, id.clone());
        match parent {
            Some(parent) if self.known.seen.contains(&parent) => {}
            Some(parent) => self.fresh.push(parent),
            None => {
                let told = told.and_then(|told| Uri::parse(told).ok());
                if told.is_none_or(|told| !self.known.ids.contains_key(&told)) {
                    self.orphans.push(id);
                }
            }
        }
    }

    /// Whether looking would tell something.
    pub(crate) fn has_news(&self) -> bool {
        !self.fresh.is_empty() || !self.orphans.is_empty()
    }

    /// What to look at, each once.
    fn take_tips(&mut self) -> Vec<StatusId> {
        let mut tips = mem::take(&mut self.fresh);
        tips.retain(|id| !self.known.seen.contains(id));
        tips.append(&mut self.orphans);
        tips.sort_unstable();
        tips.dedup();
        tips
    }

    /// Home shows a status; gives the parent to look at next.
    fn show(&mut self, status: &model::Status) -> Option<StatusId> {
        self.known.add(status);
        let parent = status.in_reply_to_id.clone();
        if parent.is_none() && self.known.root.as_ref() != Some(&status.id) {
            self.orphans.push(status.id.clone());
        }
        parent.filter(|parent| !self.known.seen.contains(parent))
    }

    /// Home shows the thread.
    fn replace(&mut self, known: Known) {
        self.known.ids.extend(known.ids);
        self.known.seen.extend(known.seen);
        self.fresh.clear();
        self.orphans.clear();
    }
}

/// Looks at once, for a thread whose next question depends on the answer.
pub(crate) async fn look(pass: &Pass<'_>, view: &mut View) -> Result<(), JobError> {
    let mut tips = view.take_tips();
    for _ in 0..GENERATIONS {
        if tips.is_empty() {
            return Ok(());
        }
        let Some(statuses) = pass.client.batch(&tips).await? else {
            break;
        };
        pass.is_well();
        pass.mark_done(&identities(&statuses)).await?;
        tips = statuses.iter().filter_map(|status| view.show(status)).collect();
        tips.sort_unstable();
        tips.dedup();
    }
    if let Some(root) = view.known.root.clone().filter(|_| !tips.is_empty()) {
        let known = gather::known(pass.client, &root).await?;
        pass.mark_done(&everything(&known)).await?;
        view.replace(known);
    }
    Ok(())
}

/// Looks for what came along in all threads of the pass. What is not there yet stays wanted.
pub(crate) async fn prove(pass: &Pass<'_>) -> Result<(), JobError> {
    let mut views: BTreeMap<StatusId, View> = BTreeMap::new();
    for (thread, view) in pass.unproven() {
        if wanted::open(&pass.cx.store, &pass.server, thread.as_str()).await? > 0 {
            views.insert(thread, view);
        }
    }
    let mut whole: Vec<StatusId> = Vec::new();
    let mut tips: HashMap<StatusId, StatusId> = HashMap::new();
    for (thread, view) in &mut views {
        let ids = view.take_tips();
        if ids.len() >= MANY {
            whole.push(thread.clone());
        } else {
            tips.extend(ids.into_iter().map(|id| (id, thread.clone())));
        }
    }
    for _ in 0..GENERATIONS {
        if tips.is_empty() || pass.halted() {
            break;
        }
        let mut ids: Vec<StatusId> = tips.keys().cloned().collect();
        ids.sort_unstable();
        let mut next = HashMap::new();
        for chunk in ids.chunks(20) {
            let Some(statuses) = pass.client.batch(chunk).await? else {
                whole.extend(tips.values().cloned());
                tips.clear();
                break;
            };
            pass.is_well();
            pass.mark_done(&identities(&statuses)).await?;
            for status in &statuses {
                let Some(thread) = tips.get(&status.id) else { continue };
                if let Some(parent) = views.get_mut(thread).and_then(|view| view.show(status)) {
                    next.insert(parent, thread.clone());
                }
            }
        }
        tips = next;
    }
    whole.extend(tips.into_values());
    let whole: HashSet<StatusId> = whole.into_iter().collect();
    for thread in whole {
        if pass.halted() {
            break;
        }
        // In small threads everything may have been shown meanwhile.
        if wanted::open(&pass.cx.store, &pass.server, thread.as_str()).await? == 0 {
            continue;
        }
        match gather::known(pass.client, &thread).await {
            Ok(known) => pass.mark_done(&everything(&known)).await?,
            Err(mastodon::Error::NotFound { .. } | mastodon::Error::Gone { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn identities(statuses: &[model::Status]) -> Vec<(String, Option<String>)> {
    statuses
        .iter()
        .filter_map(|status| Some((status.identity()?.to_string(), Some(status.id.to_string()))))
        .collect()
}

/// All that home was seen to have.
pub(crate) fn everything(known: &Known) -> Vec<(String, Option<String>)> {
    known
        .ids
        .iter()
        .map(|(uri, id)| (uri.to_string(), Some(id.to_string())))
        .collect()
}
