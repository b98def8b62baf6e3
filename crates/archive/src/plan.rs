//! Where a walk through a list goes on. No I/O.

use serde::{Deserialize, Serialize};

/// How far a list has been read. Cursors are the server's own and stay opaque.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// Where newer items begin: `prev` of the newest page that was read.
    pub(crate) top: Option<String>,
    /// Where older items go on, while the way back is under way.
    pub(crate) older: Option<String>,
    /// `prev` of the newest page of a way back under way: the next `top`.
    pub(crate) rising: Option<String>,
    /// Whether the list has been read to its end once.
    pub(crate) whole: bool,
    /// Whether it is read anew because something of it is missing.
    #[serde(default)]
    pub(crate) again: bool,
}

/// The next page to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The newest page.
    Newest,
    /// The page behind.
    Older(String),
    /// The page directly above: nothing in between can be missed.
    Newer(String),
}

/// What a page brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Brought<'a> {
    pub(crate) items: usize,
    /// Of those, not there before.
    pub(crate) new: usize,
    pub(crate) next: Option<&'a str>,
    pub(crate) prev: Option<&'a str>,
}

impl Walk {
    /// From the beginning, to find what is missing.
    pub(crate) fn anew() -> Self {
        Self {
            again: true,
            ..Self::default()
        }
    }

    /// Where to begin or go on.
    pub(crate) fn step(&self) -> Step {
        match (&self.older, &self.top) {
            (Some(older), _) => Step::Older(older.clone()),
            // Only `min_id` gives what is directly above. `since_id` gives the newest page and leaves a gap.
            (None, Some(top)) if self.whole && top.starts_with("min_id=") => Step::Newer(top.clone()),
            _ => Step::Newest,
        }
    }

    /// The walk after a page, to be saved with it, and whether there is more to read in this run.
    pub(crate) fn after(&self, step: &Step, page: Brought<'_>) -> (Self, bool) {
        let mut walk = self.clone();
        if let Step::Newer(from) = step {
            let moved = page.prev.filter(|prev| prev != from && page.items > 0);
            walk.top = moved.map(str::to_owned).or(walk.top);
            return (walk, moved.is_some());
        }
        if *step == Step::Newest {
            walk.rising = page.prev.map(str::to_owned);
        }
        // Once the list was whole, a page without anything new is where the last way back began.
        let met = walk.whole && page.items > 0 && page.new == 0;
        walk.older = page.next.filter(|_| !met).map(str::to_owned);
        let more = walk.older.is_some();
        if !more {
            walk.top = walk.rising.take().or(walk.top);
            // An empty list is whole too, and has no cursor.
            walk.whole = true;
            walk.again = false;
        }
        // What came while the way back took its time is above its beginning.
        let fresh = !more && *step != Step::Newest && matches!(walk.step(), Step::Newer(_));
        (walk, more || fresh)
    }

    /// Nothing worth remembering.
    pub(crate) fn is_unset(&self) -> bool {
        self.top.is_none() && self.older.is_none() && self.rising.is_none() && !self.again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of items with ids, read by a walk. Gives what it saw.
    fn read(walk: &mut Walk, list: &[u32], have: &mut Vec<u32>, size: usize, min_id: bool) -> usize {
        let mut pages = 0;
        loop {
            pages += 1;
            assert!(pages < 1000, "a walk ends");
            let step = walk.step();
            let number = |text: &str| text.split_once('=').unwrap().1.parse::<u32>().unwrap();
            let mut found: Vec<u32> = match &step {
                Step::Newest => list.iter().rev().take(size).copied().collect(),
                Step::Older(at) => list
                    .iter()
                    .rev()
                    .filter(|id| **id < number(at))
                    .take(size)
                    .copied()
                    .collect(),
                Step::Newer(at) => {
                    let mut found: Vec<u32> = list.iter().filter(|id| **id > number(at)).take(size).copied().collect();
                    found.reverse();
                    found
                }
            };
            let new = found.iter().filter(|id| !have.contains(id)).count();
            let next = found
                .last()
                .filter(|_| found.len() == size)
                .map(|id| format!("max_id={id}"));
            let key = if min_id { "min_id" } else { "since_id" };
            let prev = found.first().map(|id| format!("{key}={id}"));
            let brought = Brought {
                items: found.len(),
                new,
                next: next.as_deref(),
                prev: prev.as_deref(),
            };
            let (after, more) = walk.after(&step, brought);
            have.append(&mut found);
            *walk = after;
            if !more {
                return pages;
            }
        }
    }

    #[test]
    fn all_of_a_list_is_read_once_and_then_what_is_new() {
        for min_id in [true, false] {
            let mut list: Vec<u32> = (1..=95).collect();
            let (mut walk, mut have) = (Walk::default(), Vec::new());
            read(&mut walk, &list, &mut have, 10, min_id);
            assert_eq!(have.len(), 95);
            list.extend(96..=130);
            read(&mut walk, &list, &mut have, 10, min_id);
            have.sort_unstable();
            have.dedup();
            assert_eq!(have, list, "{min_id}");
            assert!(read(&mut walk, &list, &mut have, 10, min_id) <= 1);
        }
    }

    /// Check 31.
    #[test]
    fn an_empty_list_has_no_cursor() {
        let (mut walk, mut have) = (Walk::default(), Vec::new());
        read(&mut walk, &[], &mut have, 10, true);
        assert!(walk.is_unset());
        read(&mut walk, &[7], &mut have, 10, true);
        assert_eq!(have, [7]);
    }

    #[test]
    fn a_server_that_repeats_itself_ends_the_walk() {
        let walk = Walk {
            top: Some("min_id=5".into()),
            whole: true,
            ..Walk::default()
        };
        let page = Brought {
            items: 3,
            new: 0,
            next: Some("max_id=1"),
            prev: Some("min_id=5"),
        };
        assert!(!walk.after(&walk.step(), page).1);
    }
}
