//! A semaphore with lanes: whoever holds a place of few makes the others wait, and those who wait are served one
//! lane after the other, first come first served within a lane. An archive of two hundred pages and a reply that
//! came a second later each get every second turn.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// Places for a few at a time.
#[derive(Debug)]
pub(crate) struct Lanes(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// Lanes with somebody waiting, the next to be served first.
    lanes: VecDeque<(&'static str, VecDeque<oneshot::Sender<Place>>)>,
}

/// A place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Lanes>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.state().free += 1;
        self.0.serve();
    }
}

impl Lanes {
    pub(crate) fn new(places: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            free: places.max(1),
            lanes: VecDeque::new(),
        })))
    }

    /// Waits for a place. Dropping the future gives the turn up.
    pub(crate) async fn enter(self: &Arc<Self>, lane: &'static str) -> Place {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.state();
            match state.lanes.iter_mut().find(|(name, _)| *name == lane) {
                Some((_, waiting)) => waiting.push_back(sender),
                None => state.lanes.push_back((lane, VecDeque::from([sender]))),
            }
        }
        self.serve();
        match receiver.await {
            Ok(place) => place,
            // Unreachable while `self` lives: the sender waits in it. Waiting for good is the harmless answer.
            Err(_) => std::future::pending().await,
        }
    }

    fn serve(self: &Arc<Self>) {
        loop {
            // A statement of its own: sent outside of the lock, because a place whose receiver is gone comes
            // straight back through `drop`.
            let next = self.state().next();
            let Some(sender) = next else { break };
            let _ = sender.send(Place(self.clone()));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a place for whoever is next; those who went away are passed over.
    fn next(&mut self) -> Option<oneshot::Sender<Place>> {
        if self.free == 0 {
            return None;
        }
        while let Some((lane, mut waiting)) = self.lanes.pop_front() {
            let next = std::iter::from_fn(|| waiting.pop_front()).find(|sender| !sender.is_closed());
            if !waiting.is_empty() {
                self.lanes.push_back((lane, waiting));
            }
            if next.is_some() {
                self.free -= 1;
                return next;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test]
    async fn a_late_lane_is_served_within_two_turns() {
        let lanes = Lanes::new(1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let turn = |lane: &'static str| {
            let (lanes, order) = (lanes.clone(), order.clone());
            async move {
                let _place = lanes.enter(lane).await;
                order.lock().unwrap().push(lane);
                tokio::task::yield_now().await;
            }
        };
        let held = lanes.enter("archive").await;
        let mut waiting: Vec<_> = (0..200).map(|_| turn("archive").boxed()).collect();
        waiting.push(turn("replies").boxed());
        let all = tokio::spawn(join_all(waiting));
        tokio::task::yield_now().await;
        drop(held);
        all.await.unwrap();
        let order = order.lock().unwrap();
        assert_eq!(order.len(), 201);
        assert!(order.iter().position(|lane| *lane == "replies").unwrap() < 2);
    }

    #[tokio::test]
    async fn a_lane_is_first_come_first_served() {
        let lanes = Lanes::new(2);
        let order = Arc::new(Mutex::new(Vec::new()));
        join_all((0..50).map(|i| {
            let (lanes, order) = (lanes.clone(), order.clone());
            async move {
                let _place = lanes.enter("a").await;
                order.lock().unwrap().push(i);
                tokio::task::yield_now().await;
            }
        }))
        .await;
        assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn who_leaves_gives_the_turn_up() {
        let lanes = Lanes::new(1);
        let held = lanes.enter("a").await;
        let mut gone: Vec<_> = (0..100).map(|_| lanes.enter("a").boxed()).collect();
        let mut served = lanes.enter("a").boxed();
        for waiting in gone.iter_mut().chain([&mut served]) {
            assert!(waiting.now_or_never().is_none());
        }
        // Half leave before they are served, one with the place already in its hands.
        let last = gone.pop();
        gone.truncate(1);
        drop(held);
        drop(gone);
        drop(last);
        let place = served.now_or_never();
        assert!(place.is_some());
        drop(place);
        assert!(lanes.enter("b").now_or_never().is_some());
    }
}
