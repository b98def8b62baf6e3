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

/// Those of `missing` to ask for, newest first: fetching a status makes home fetch its ancestors too, so what is told to
/// have a missing reply of its own comes along. Where no parent is told, everything may be a leaf; [`together`] says
/// after how many of those to look what came along.
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
    let mut covered = vec![false; missing.len()];
    let cover = |from: usize, covered: &mut Vec<bool>| {
        let mut at = Some(from);
        while let Some(i) = at.filter(|&i| !covered[i]) {
            covered[i] = true;
            at = parent(i);
        }
    };
    // Each step is walked once, however large the thread is.
    for &i in &picked {
        cover(i, &mut covered);
    }
    for i in 0..missing.len() {
        if !covered[i] {
            picked.push(i);
            cover(i, &mut covered);
        }
    }
    picked.sort_unstable();
    picked.into_iter().rev().map(|i| missing[i].uri.clone()).collect()
}

/// Those of `missing` that may be answers to any older one: no parent is told, or that of a missing ancestor is not.
pub(crate) fn loose(missing: &[Missing]) -> HashSet<String> {
    let index: HashMap<&str, usize> = missing.iter().enumerate().map(|(i, m)| (m.uri.as_str(), i)).collect();
    // Known once its ancestor is; each step is walked once.
    let mut known: Vec<Option<bool>> = vec![None; missing.len()];
    for start in 0..missing.len() {
        let mut path = Vec::new();
        let mut at = start;
        let loose = loop {
            if let Some(loose) = known[at] {
                break loose;
            }
            // Until it is known better: a cycle ends here.
            known[at] = Some(true);
            path.push(at);
            match missing[at].in_reply_to.as_deref() {
                None => break true,
                Some(parent) => match index.get(parent) {
                    Some(&next) => at = next,
                    None => break false,
                },
            }
        };
        for i in path {
            known[i] = Some(loose);
        }
    }
    let loose = missing.iter().zip(known).filter(|(_, loose)| *loose == Some(true));
    loose.map(|(m, _)| m.uri.clone()).collect()
}

/// Replies whose parent is not told are asked for one by one up to this many.
const FEW: usize = 128;

/// How many of a queue, newest first, to ask for before looking what came along. `told` says of each that it is not
/// [`loose`].
///
/// A reply is younger than what it answers. So of those whose parent is not told only what follows, being older, can be
/// the parent, and nothing is asked for in vain if the look comes before it. In a large thread that would be too many
/// looks: of `n` such replies √2n go together, which costs about one question in vain and saves as many looks.
pub(crate) fn together(told: &[bool]) -> usize {
    let untold = told.iter().filter(|told| !**told).count();
    let most = if untold <= FEW { 1 } else { (2 * untold).isqrt() };
    let mut seen = 0;
    for (place, told) in told.iter().enumerate() {
        seen += usize::from(!told);
        if seen == most {
            return place + 1;
        }
    }
    told.len()
}

/// Names a list of replies: the same name, the same replies, in whatever order they came.
pub(crate) fn digest(listed: &[Reply]) -> String {
    let mut uris: Vec<&str> = listed.iter().map(|reply| reply.uri.as_str()).collect();
    uris.sort_unstable();
    uris.dedup();
    // FNV-1a, twice: it is compared with itself alone, and who forges one hides their own replies.
    let hash = |start: u64| {
        uris.iter().fold(start, |hash, uri| {
            uri.bytes().chain([0]).fold(hash, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
        })
    };
    format!(
        "{:016x}{:016x}-{}",
        hash(0xcbf2_9ce4_8422_2325),
        hash(0x6c62_272e_07bb_0142),
        uris.len()
    )
}

/// How long after a failed try: `first`, doubling with each, a day at most. `None` when the tries are used up.
pub(crate) fn retry(tries: i64, first: TimeDelta, limit: u32) -> Option<TimeDelta> {
    if tries >= i64::from(limit) {
        return None;
    }
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(20);
    Some((first * (1 << doublings)).min(TimeDelta::days(1)))
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
    fn what_may_be_a_parent_waits_until_it_is_known_what_came_along() {
        assert_eq!(together(&[true, true, true]), 3, "told ones go together");
        assert_eq!(together(&[true, false, true, false]), 2);
        assert_eq!(together(&[]), 0);
        assert_eq!(together(&[false; 800]), 40, "a look each would be dear");
    }

    #[test]
    fn a_list_is_the_same_in_any_order() {
        let mut listed = vec![reply(1, None), reply(2, Some(1)), reply(3, None)];
        let before = digest(&listed);
        listed.rotate_left(1);
        assert_eq!(digest(&listed), before);
        listed.pop();
        assert_ne!(digest(&listed), before);
    }

    #[test]
    fn tries_end() {
        let first = TimeDelta::minutes(2);
        assert_eq!(retry(1, first, 8), Some(first));
        assert_eq!(retry(3, first, 8), Some(first * 4));
        assert_eq!(retry(7, first * 1000, 8), Some(TimeDelta::days(1)));
        assert_eq!(retry(8, first, 8), None);
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

        /// Whatever the origin tells, true leaves are all that home is asked for.
        #[test]
        fn untold_parents_cost_no_question(parents in prop::collection::vec(any::<prop::sample::Index>(), 1..60),
                                           told in prop::collection::vec(any::<bool>(), 60)) {
            let truth: Vec<_> = parents.iter().enumerate().map(|(i, p)| reply(i + 1, Some(p.index(i + 1)))).collect();
            let listed: Vec<_> = truth.iter().zip(&told).map(|(reply, told)| Reply {
                in_reply_to: reply.in_reply_to.clone().filter(|_| *told),
                ..reply.clone()
            }).collect();
            let mut home = HashSet::from([uri(0)]);
            let mut asked = 0;
            loop {
                let lacking = missing(&listed, &home);
                let queue = leaves(&lacking);
                if queue.is_empty() { break }
                let loose = loose(&lacking);
                let told: Vec<_> = queue.iter().map(|uri| !loose.contains(uri)).collect();
                let group = &queue[..together(&told)];
                asked += group.len();
                fetched(group, &truth, &mut home);
            }
            let leaves = (1..=truth.len()).filter(|n| truth.iter().all(|r| r.in_reply_to != Some(uri(*n)))).count();
            prop_assert_eq!(asked, leaves);
        }
    }
}
