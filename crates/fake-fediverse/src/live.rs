//! Life goes on while the fediverse runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::seed::{Gardener, Plan};
use crate::state::State;

/// Adds something now and then, for so long.
pub(crate) fn run(state: Arc<State>, gardener: Arc<Mutex<Gardener>>, every: Duration, lasts: Duration) {
    let stop = state.stop.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
        let over = tokio::time::sleep(lasts);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = &mut over => return,
                _ = ticks.tick() => happen(&state, &gardener),
            }
        }
    });
}

/// Mostly a reply to one of the newer threads, at times a new thread.
fn happen(state: &State, gardener: &Mutex<Gardener>) {
    // The world before the gardener, as everywhere.
    let mut world = state.world();
    let mut gardener = gardener.lock().unwrap_or_else(PoisonError::into_inner);
    let origin = gardener.any_origin(&state.scenario);
    let now = clock::now();
    if world.threads.is_empty() || gardener.dice(6) == 0 {
        // As if home had just heard of it: the thread has grown for a while where it began.
        let at = now - chrono::TimeDelta::minutes(10);
        let size = 3 + gardener.dice(12);
        let plan = Plan {
            origin,
            at,
            until: now,
            size,
            giant: None,
        };
        let root = gardener.thread(&mut world, &state.scenario, plan);
        crate::mastodon::streaming::arrived(state, &world, root);
        return;
    }
    let newest = world.threads.len().min(20);
    let root = world.threads[world.threads.len() - 1 - gardener.dice(newest)];
    let replies = world.descendants(world.origin(root), root, None, 200, usize::MAX);
    let parent = match gardener.dice(replies.len() + 1) {
        0 => root,
        n => replies[n - 1],
    };
    let parent = if world.origin(parent) == crate::world::HOME {
        root
    } else {
        parent
    };
    gardener.reply(&mut world, parent, origin, now);
}
