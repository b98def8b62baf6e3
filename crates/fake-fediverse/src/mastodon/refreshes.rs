//! Home's own fetching of replies, which starts when somebody reads a context.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Routed, auth};
use crate::ids;
use crate::request::{Call, Reply};
use crate::scenario::{Builtin, Software};
use crate::state::State;
use crate::world::{HOME, StatusIx, World};

/// Replies brought by one refresh at most.
const MOST: usize = 1000;
/// A refresh that nobody polls is through after this.
const UNWATCHED: Duration = Duration::from_secs(2);

/// One refresh.
#[derive(Debug)]
pub(crate) struct Refresh {
    of: StatusIx,
    begun: Instant,
    polls: u32,
    /// How many it brought, once finished.
    result: Option<usize>,
}

/// Starts a refresh where home would, and gives the header that says so; one that still runs is named again.
pub(super) fn begin(state: &State, of: StatusIx) -> Option<String> {
    if state.scenario.builtin == Builtin::Off {
        return None;
    }
    {
        let world = state.world();
        if world.origin(of) == HOME || !world.is_public(of) || world.statuses[of].boost_of.is_some() {
            return None;
        }
    }
    let now = Instant::now();
    let knobs = state.knobs().clone();
    let named = |id: &str| Some(format!("id=\"{id}\", retry={}, result_count=0", knobs.refresh_retry));
    if let Some((id, _)) = state
        .refreshes()
        .iter()
        .find(|(_, refresh)| refresh.of == of && refresh.result.is_none())
    {
        return named(id);
    }
    let mut refreshed = state.refreshed();
    if refreshed
        .get(&of)
        .is_some_and(|last| now.duration_since(*last) < knobs.refresh_every)
    {
        return None;
    }
    refreshed.insert(of, now);
    let mut refreshes = state.refreshes();
    let id = ids::uuid(of as u64, refreshes.len() as u64);
    refreshes.insert(
        id.clone(),
        Refresh {
            of,
            begun: now,
            polls: 0,
            result: None,
        },
    );
    named(&id)
}

/// Finishes what has had its time without being polled.
pub(super) fn settle(state: &State, of: StatusIx) {
    if state.scenario.builtin == Builtin::Hangs {
        return;
    }
    let mut refreshes = state.refreshes();
    for refresh in refreshes.values_mut() {
        if refresh.of == of && refresh.result.is_none() && refresh.begun.elapsed() > UNWATCHED {
            refresh.result = Some(fetch(state, of));
        }
    }
}

/// `GET /api/v1_alpha/async_refreshes/:id`, which wants the whole `read`.
pub(super) fn answer(state: &State, call: &Call, id: &str) -> Routed {
    Some(auth::user(state, call, &["read"]).and_then(|_| {
        let patience = state.knobs().running_polls;
        let mut refreshes = state.refreshes();
        let refresh = refreshes
            .get_mut(id)
            .ok_or_else(|| Reply::error(404, "Record not found"))?;
        refresh.polls += 1;
        if refresh.result.is_none() && refresh.polls > patience && state.scenario.builtin != Builtin::Hangs {
            refresh.result = Some(fetch(state, refresh.of));
        }
        let status = if refresh.result.is_some() {
            "finished"
        } else {
            "running"
        };
        Ok(Reply::json(&json!({
            "async_refresh": { "id": id, "status": status, "result_count": refresh.result.unwrap_or(0) }
        })))
    }))
}

/// Fetches what home would, and gives how many replies were new.
fn fetch(state: &State, of: StatusIx) -> usize {
    let mut world = state.world();
    let origin = world.origin(of);
    if state.faults().down(origin) {
        return 0;
    }
    let wanted = match state.scenario.builtin {
        Builtin::Off | Builtin::Hangs => Vec::new(),
        Builtin::Works => world.descendants(origin, of, None, MOST, usize::MAX),
        Builtin::FiveItems => five_items(state, &world, of),
    };
    let mut new = 0;
    for ix in wanted {
        if world.fetchable(ix)
            && world.statuses[ix]
                .parent
                .is_some_and(|parent| world.knows(HOME, parent))
        {
            world.remote_fetches += 1;
            new += usize::from(world.learn(HOME, ix));
        }
    }
    new
}

/// What the flaw leaves: paging a collection stops as soon as 5 items are there.
fn five_items(state: &State, world: &World, of: StatusIx) -> Vec<StatusIx> {
    let mut found = Vec::new();
    let mut queue = std::collections::VecDeque::from([of]);
    while let Some(ix) = queue.pop_front().filter(|_| found.len() < MOST) {
        let origin = world.origin(ix);
        let mut children: Vec<_> = world.statuses[ix]
            .children
            .iter()
            .copied()
            .filter(|child| world.visible(origin, *child, None) && world.is_public(*child))
            .collect();
        children.sort_unstable_by_key(|child| world.order(origin, *child));
        let author = world.statuses[ix].author;
        let (own, others): (Vec<_>, Vec<_>) = children
            .into_iter()
            .partition(|child| world.statuses[*child].author == author);
        let embeds_own_first = !matches!(state.software(origin), Software::Other);
        let mut items: Vec<_> = if embeds_own_first {
            own.into_iter().take(5).collect()
        } else {
            own
        };
        if items.len() < 5 && state.software(origin) != Software::Akkoma {
            items.extend(others.into_iter().take(60));
        }
        queue.extend(items.iter().copied());
        found.extend(items);
    }
    found.truncate(MOST);
    found
}
