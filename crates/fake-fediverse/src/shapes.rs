//! The shapes of threads: who answers which reply, by place, 0 being the root.
//!
//! Where replies go decides how many of them nobody answers, and with it what a program that fetches threads has to
//! do: who resolves the leaves gets their ancestors along. [`Trees::Busy`] sends new replies where replies are
//! already, so three in four of those that home misses are leaves. Real conversations are not like that: people answer
//! what was said last. [`Trees::Mixed`] grows three kinds of threads, in the shares below, and comes to about 0.55 to 0.6
//! leaves among the missing replies of [`Scenario::medium`](crate::Scenario::medium), which a test holds it to:
//!
//! | kind | of all threads | a new reply answers | leaves among its missing replies |
//! | --- | --- | --- | --- |
//! | announcement | 1 in 5 | the root (0.7), else any reply | about 0.8 |
//! | argument | 1 in 5 | the newest reply (0.7), else one of the last few | about 0.3 |
//! | conversation | 3 in 5 | the root (0.2), else one of the last few | about 0.6 |
//!
//! "One of the last few" counts back from the newest reply and stops at each with a chance of 0.22.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::scenario::{Giant, Trees};

/// How likely each step back from the newest reply is the last one.
const STOP: f64 = 0.22;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Announcement,
    Argument,
    Conversation,
}

/// The parent of each of `size` replies.
pub(crate) fn grow(rng: &mut StdRng, trees: Trees, size: usize) -> Vec<usize> {
    match trees {
        Trees::Busy => busy(rng, size),
        Trees::Mixed => mixed(rng, size),
    }
}

/// New replies go where replies are, and often to no branch at all.
fn busy(rng: &mut StdRng, size: usize) -> Vec<usize> {
    let mut parents: Vec<usize> = Vec::with_capacity(size);
    for n in 0..size {
        let dice = rng.random_range(0.0..1.0);
        parents.push(match parents.choose(rng) {
            Some(_) if dice < 0.2 => 0,
            Some(busy) if dice < 0.45 => *busy,
            Some(_) => rng.random_range(0..=n),
            None => 0,
        });
    }
    parents
}

fn mixed(rng: &mut StdRng, size: usize) -> Vec<usize> {
    let kind = match rng.random_range(0..5) {
        0 => Kind::Announcement,
        1 => Kind::Argument,
        _ => Kind::Conversation,
    };
    // The first reply has nothing but the root to answer.
    (0..size)
        .map(|n| if n == 0 { 0 } else { parent(rng, kind, n) })
        .collect()
}

/// What the next reply answers when there are `n` already.
fn parent(rng: &mut StdRng, kind: Kind, n: usize) -> usize {
    match kind {
        Kind::Announcement if rng.random_bool(0.7) => 0,
        Kind::Announcement => rng.random_range(1..=n),
        Kind::Argument if rng.random_bool(0.7) => n,
        Kind::Conversation if rng.random_bool(0.2) => 0,
        Kind::Argument | Kind::Conversation => {
            let mut at = n;
            while at > 0 && !rng.random_bool(STOP) {
                at -= 1;
            }
            at
        }
    }
}

/// One chain of the wanted depth, one node of the wanted width, the rest as usual.
pub(crate) fn giant(rng: &mut StdRng, giant: Giant) -> Vec<usize> {
    let mut parents: Vec<usize> = (0..giant.depth).collect();
    let wide = giant.widest.min(giant.replies.saturating_sub(parents.len()));
    // The root has one reply from the chain already.
    parents.extend(std::iter::repeat_n(0, wide.saturating_sub(1)));
    let mut depths: Vec<usize> = (0..=giant.depth)
        .chain(std::iter::repeat_n(1, wide.saturating_sub(1)))
        .collect();
    while parents.len() < giant.replies {
        let parent = rng.random_range(1..depths.len());
        let depth = depths[parent] + 1;
        if depth <= giant.depth {
            parents.push(parent);
            depths.push(depth);
        }
    }
    parents.truncate(giant.replies);
    parents
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn parents_come_before_their_replies() {
        let mut rng = StdRng::seed_from_u64(7);
        for trees in [Trees::Busy, Trees::Mixed] {
            for size in 0..200 {
                let parents = grow(&mut rng, trees, size);
                assert_eq!(parents.len(), size);
                assert!(parents.iter().enumerate().all(|(n, parent)| *parent <= n));
            }
        }
    }

    #[test]
    fn arguments_are_deep_and_announcements_wide() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut leaves = |kind| {
            let parents: Vec<_> = (0..2000)
                .map(|n| if n == 0 { 0 } else { parent(&mut rng, kind, n) })
                .collect();
            let answered: std::collections::HashSet<_> = parents.iter().collect();
            (1..=2000).filter(|n| !answered.contains(n)).count()
        };
        let (wide, deep, between) = (
            leaves(Kind::Announcement),
            leaves(Kind::Argument),
            leaves(Kind::Conversation),
        );
        assert!(
            deep < between && between < wide,
            "{deep} {between} {wide} leaves of 2000"
        );
    }
}
