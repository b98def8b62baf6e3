//! What is missing, which of it to ask for, and when to ask again.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use mastodon::remote::Reply;
use model::Uri;

/// A reply that home lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Which.
    pub(crate) uri: String,
    /// Its parent, where known.
    pub(crate) in_reply_to: Option<String>,
}

/// What the origin lists and home does not know, in the origin's order, each once.
pub(crate) fn missing<S: std::hash::BuildHasher>(listed: &[Reply], known: &HashSet<Uri, S>) -> Vec<Missing> {
    let mut seen = HashSet::new();
    listed
        .iter()
        .filter(|reply| !known.contains(&reply.uri) && seen.insert(&reply.uri))
        .map(|reply| Missing {
            uri: reply.uri.to_string(),
            in_reply_to: reply.in_reply_to.as_ref().map(Uri::to_string),
        })
        .collect()
}

/// Those of `missing` to ask for, newest first: fetching a status makes home fetch its ancestors too, so what has a
/// missing reply of its own comes along. Where no parent is told, the newer half is asked for, as it is more likely
/// made of leaves; the rest is looked at again after home was.
///
/// A cycle has no leaf; one of its members stands in for it.
pub(crate) fn leaves(missing: &[Missing]) -> Vec<String> {
    let index: HashMap<&str, usize> = missing.iter().enumerate().map(|(i, m)| (m.uri.as_str(), i)).collect();
    let parent = |i: usize| {
        missing[i]
            .in_reply_to
            .as_deref()
            .and_then(|uri| index.get(uri).copied())
    };
    let mut has_reply = vec![false; missing.len()];
    for child in 0..missing.len() {
        if let Some(parent) = parent(child) {
            has_reply[parent] = true;
        }
    }
    let mut picked: Vec<usize> = (0..missing.len()).filter(|&i| !has_reply[i]).collect();
    // Of those whose place in the tree is unknown, the older half waits.
    let loose: Vec<usize> = picked
        .iter()
        .copied()
        .filter(|&i| missing[i].in_reply_to.is_none())
        .collect();
    let waiting: HashSet<usize> = loose[..loose.len() / 2].iter().copied().collect();
    picked.retain(|i| !waiting.contains(i));

    let mut covered = vec![false; missing.len()];
    let cover = |from: usize, covered: &mut Vec<bool>| {
        let mut at = Some(from);
        while let Some(i) = at.filter(|&i| !covered[i]) {
            covered[i] = true;
            at = parent(i);
        }
    };
    for &i in &picked {
        cover(i, &mut covered);
    }
    // Those that wait bring their ancestors, too. Each step is walked once, however large the thread is.
    let mut waits = vec![false; missing.len()];
    for &i in &waiting {
        cover(i, &mut waits);
    }
    for i in 0..missing.len() {
        if !covered[i] && !waits[i] {
            picked.push(i);
            cover(i, &mut covered);
        }
    }
    picked.sort_unstable();
    picked.into_iter().rev().map(|i| missing[i].uri.clone()).collect()
}

/// How long after a failed try: `first`, doubling with each, a day at most. `None` when the tries are used up.
pub(crate) fn retry(tries: i64, first: TimeDelta, limit: u32) -> Option<TimeDelta> {
    if tries >= i64::from(limit) {
        return None;
    }
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(20);
    Some((first * (1 << doublings)).min(TimeDelta::days(1)))
}

/// How long a host rests that failed `failures` times in a row before this: ten minutes, doubling up to a day.
pub(crate) fn rest(failures: i64) -> TimeDelta {
    (TimeDelta::minutes(10) * (1 << failures.clamp(0, 8))).min(TimeDelta::days(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uri(n: usize) -> Uri {
        Uri::parse(&format!("https://a.example/{n}")).unwrap()
    }

    fn reply(n: usize, parent: Option<usize>) -> Reply {
        Reply {
            uri: uri(n),
            in_reply_to: parent.map(uri),
        }
    }

    /// What home has after it fetched `asked`: those and their listed ancestors.
    fn fetched(asked: &[String], listed: &[Reply], known: &mut HashSet<Uri>) {
        for text in asked {
            let mut at = Uri::parse(text).ok();
            while let Some(uri) = at.filter(|uri| !known.contains(uri)) {
                at = listed.iter().find(|r| r.uri == uri).and_then(|r| r.in_reply_to.clone());
                known.insert(uri);
            }
        }
    }

    #[test]
    fn only_leaves_are_asked_for() {
        // 0 is the root: 0 ← 1 ← 2 ← 3, 0 ← 4
        let listed = [
            reply(1, Some(0)),
            reply(2, Some(1)),
            reply(3, Some(2)),
            reply(4, Some(0)),
        ];
        let missing = missing(&listed, &HashSet::new());
        assert_eq!(leaves(&missing), [uri(4).to_string(), uri(3).to_string()]);
    }

    #[test]
    fn a_cycle_is_asked_for_once() {
        let listed = [reply(1, Some(2)), reply(2, Some(1)), reply(3, Some(3))];
        assert_eq!(leaves(&missing(&listed, &HashSet::new())).len(), 2);
    }

    #[test]
    fn without_parents_the_newer_half_goes_first() {
        let listed: Vec<_> = (1..=4).map(|n| reply(n, None)).collect();
        let missing = missing(&listed, &HashSet::new());
        assert_eq!(leaves(&missing), [uri(4).to_string(), uri(3).to_string()]);
        assert_eq!(leaves(&missing[..1]).len(), 1, "the last one is not put off");
    }

    #[test]
    fn tries_end() {
        let first = TimeDelta::minutes(2);
        assert_eq!(retry(1, first, 8), Some(first));
        assert_eq!(retry(3, first, 8), Some(first * 4));
        assert_eq!(retry(7, first * 1000, 8), Some(TimeDelta::days(1)));
        assert_eq!(retry(8, first, 8), None);
    }

    #[test]
    fn a_dead_host_is_asked_less_and_less() {
        assert_eq!(rest(0), TimeDelta::minutes(10));
        assert_eq!(rest(2), TimeDelta::minutes(40));
        assert_eq!(rest(i64::MAX), TimeDelta::days(1));
    }

    proptest! {
        #[test]
        fn fetching_the_leaves_fetches_everything(parents in prop::collection::vec(any::<prop::sample::Index>(), 1..60),
                                                  known in prop::collection::hash_set(1usize..60, 0..20)) {
            let listed: Vec<_> = parents.iter().enumerate().map(|(i, p)| reply(i + 1, Some(p.index(i + 1)))).collect();
            let mut home: HashSet<Uri> = known.into_iter().map(uri).collect();
            home.insert(uri(0));
            let first = leaves(&missing(&listed, &home));
            fetched(&first, &listed, &mut home);
            // Planned again, nothing is left to do.
            prop_assert!(leaves(&missing(&listed, &home)).is_empty());
        }

        #[test]
        fn any_shape_ends_without_asking_twice(parents in prop::collection::vec(prop::option::of(0usize..40), 1..40)) {
            let listed: Vec<_> = parents.iter().enumerate().map(|(i, p)| reply(i + 1, *p)).collect();
            let mut home = HashSet::from([uri(0)]);
            let mut asked = HashSet::new();
            loop {
                let round = leaves(&missing(&listed, &home));
                if round.is_empty() { break }
                for uri in &round { prop_assert!(asked.insert(uri.clone())); }
                fetched(&round, &listed, &mut home);
            }
            prop_assert!(missing(&listed, &home).is_empty());
        }
    }
}
