use proptest::prelude::*;

use super::*;
use crate::{
    config::Policy,
    guard::Guard,
    list::{Reading, parse},
    merge::{Merging, Role, Voter, merge},
    plan::{self, Counting, Facts, Kind, Own},
};
use mastodon::AdminDomainBlock;

fn bounds() -> Bounds {
    Bounds {
        shrink_percent: 10,
        shrink_rows: 25,
        grow_times: 10,
        copies: 3,
        after: Duration::from_secs(24 * 3600),
    }
}

fn at(hour: i64) -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hour)
}

/// A version of a list: these domains, suspended.
fn listed(domains: impl IntoIterator<Item = usize>) -> Parsed<'static> {
    let row = |n| Row {
        name: Name::Plain(format!("d{n}.social").into()),
        stance: Stance::Block(Severity::Suspend),
        flags: Flags::default(),
        public_comment: "".into(),
        private_comment: "".into(),
        line: 1,
    };
    Parsed {
        rows: domains.into_iter().map(row).collect(),
        ..Parsed::default()
    }
}

/// The same from a text.
fn read(text: &str) -> Parsed<'static> {
    // Leaked, since its rows borrow from it for as long as the test runs.
    parse(Box::leak(text.into()), &Reading::default()).unwrap()
}

/// A list through its versions, one an hour.
struct History {
    counts: Option<Parsed<'static>>,
    leavings: Leavings,
    held: Option<String>,
    hour: i64,
}

impl History {
    fn new() -> Self {
        Self {
            counts: None,
            leavings: Leavings::new(),
            held: None,
            hour: 0,
        }
    }

    /// Takes a version and gives how many domains count after it.
    fn take(&mut self, new: Parsed<'static>) -> usize {
        self.hour += 1;
        match judge(self.counts.as_ref(), &new, &self.leavings, &bounds(), at(self.hour)) {
            Judged::Taken { leavings, held } => {
                (self.leavings, self.held) = (leavings, held);
                self.counts = Some(new);
            }
            Judged::Pending(why) => self.held = Some(why),
        }
        self.counting()
    }

    fn counting(&self) -> usize {
        let listed = by_domain(self.counts.as_ref().unwrap()).blocks;
        listed.len()
            + self
                .leavings
                .keys()
                .filter(|domain| !listed.contains_key(domain.as_str()))
                .count()
    }

    /// What a server that blocks the first so many would lose now.
    fn removals(&self, core: usize) -> Vec<String> {
        let leaving: Vec<Row<'static>> = self
            .leavings
            .iter()
            .filter_map(|(domain, it)| it.said.clone().row(domain.clone()))
            .collect();
        let voter = Voter {
            name: "list",
            weight: 1,
            role: Role::Block,
            rows: &self.counts.as_ref().unwrap().rows,
            leaving: &leaving,
            is_read: true,
        };
        let merged = merge(&[voter], &Merging::default(), &Guard::default(), &[]);
        let blocks: Vec<AdminDomainBlock> = (0..core).map(blocked).collect();
        let own = blocks.iter().map(|block| {
            let own = Own {
                state: store::block_entries::State::Ours,
                written: Some(block.clone()),
                before: None,
                told_at: None,
                lists: ["list".to_owned()].into(),
            };
            (block.domain.clone(), own)
        });
        let plan = plan::plan(&Facts {
            server: "home.social",
            policy: &Policy::default(),
            merged: &merged,
            doubts: Vec::new(),
            own: own.collect(),
            live: plan::by_domain(blocks),
            met: Some(Default::default()),
            ties: BTreeMap::new(),
            counting: Counting::Done,
            only_suspends: false,
            now: at(self.hour),
        });
        let lost = plan
            .operations
            .iter()
            .filter(|it| matches!(it.kind, Kind::Remove | Kind::Weaken));
        lost.map(|it| it.domain.clone()).collect()
    }
}

fn blocked(n: usize) -> AdminDomainBlock {
    AdminDomainBlock {
        id: n.to_string(),
        domain: format!("d{n}.social"),
        severity: Some(Severity::Suspend),
        reject_media: false,
        reject_reports: false,
        private_comment: String::new(),
        public_comment: String::new(),
        obfuscate: false,
        created_at: None,
    }
}

/// Check 19.
#[test]
fn an_hour_without_370_rows_loses_nothing() {
    let mut history = History::new();
    assert_eq!(history.take(listed(0..2592)), 2592);
    assert_eq!(
        history.take(listed((0..2222).chain(2592..2600))),
        2600,
        "what is new counts, what is lost counts on"
    );
    assert!(history.held.is_some());
    assert_eq!(history.take(listed(0..2621)), 2621);
    assert_eq!(
        (history.held.clone(), history.leavings.len()),
        (None, 0),
        "the hold clears by itself"
    );
}

/// Check 20. Held for as long as it takes. The approval is the store's.
#[test]
fn a_list_that_halves_is_held_for_ever() {
    let mut history = History::new();
    history.take(listed(0..2598));
    for _ in 0..10 {
        assert_eq!(history.take(listed(0..1212)), 2598);
        assert!(history.held.is_some());
    }
}

/// Check 21.
#[test]
fn a_list_that_grows_tenfold_waits() {
    let mut history = History::new();
    history.take(listed(0..100));
    assert_eq!(history.take(listed(0..1001)), 100);
    assert!(history.held.is_some());
    assert_eq!(history.take(listed(0..110)), 110, "a sane version clears it");
    assert!(history.held.is_none());
}

/// Check 40. The part about time.
#[test]
fn a_row_is_gone_after_three_good_copies_and_a_day() {
    let mut history = History::new();
    history.take(listed(0..100));
    for hour in 0..24 {
        assert_eq!(history.take(listed(0..99)), 100, "hour {hour}");
    }
    assert_eq!(history.take(listed(0..99)), 99);
    let mut flapping = History::new();
    flapping.take(listed(0..100));
    for _ in 0..30 {
        assert_eq!(flapping.take(listed(0..99)), 100);
        assert_eq!(flapping.take(listed(0..100)), 100);
    }
}

#[test]
fn a_weakened_row_counts_at_its_old_severity_for_a_while() {
    let mut history = History::new();
    history.take(read("domain,severity\na.social,suspend\nb.social,suspend\n"));
    history.take(read("domain,severity\na.social,silence\nb.social,suspend\n"));
    assert_eq!(history.leavings["a.social"].said.severity, "suspend");
}

#[test]
fn what_is_taken_back_by_name_does_not_wait() {
    let log = |last: &str| {
        format!(
            r#"{{"@context":"x","orderedItems":[
            {{"id":"1","type":"Recommendation","entityKey":"a.social","recommendedPolicy":"drop"}},
            {{"id":"2","type":"Recommendation","entityKey":"b.social","recommendedPolicy":"drop"}}{last}]}}"#
        )
    };
    let mut history = History::new();
    assert_eq!(history.take(read(&log(""))), 2);
    let retraction = r#",{"id":"3","type":"Retraction","entityKey":"b.social"}"#;
    assert_eq!(history.take(read(&log(retraction))), 1);
}

/// A year of hourly versions, most of them fine: flaps, an hour at half its size, short rests. Nothing that the list
/// means is ever lifted; the one domain that it drops for good is, once, and not before its time.
#[test]
fn a_year_of_flaps_and_halvings_lifts_nothing_by_accident() {
    const CORE: usize = 32;
    const DROPPED: i64 = 4000;
    let mut history = History::new();
    history.take(listed(0..CORE));
    let mut seed = 7_u64;
    let mut next = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    let mut lifted = Vec::new();
    for hour in 0..8760_i64 {
        let n = usize::try_from(hour).unwrap();
        let meant = CORE - usize::from(hour >= DROPPED);
        let version = match next() % 50 {
            0 => listed(0..CORE / 2),
            1 => listed((0..meant).filter(|it| it % 7 != n % 7)),
            2 | 3 => listed((0..meant).filter(|it| *it != n % CORE)),
            4 => listed((0..meant).chain(CORE..CORE + n % 5)),
            _ => listed(0..meant),
        };
        let is_odd = version.rows.len() != meant;
        history.take(version);
        // What a fine version on top of fine ones would lose is nothing.
        if (is_odd || !history.leavings.is_empty()) && lifted.is_empty() {
            let lost = history.removals(CORE);
            lifted.extend(lost.into_iter().map(|domain| (domain, hour)));
        } else if !lifted.is_empty() && is_odd {
            assert!(history.removals(meant).is_empty(), "hour {hour}");
        }
    }
    let [(domain, hour)] = &lifted[..] else {
        panic!("{lifted:?}")
    };
    assert_eq!(domain, "d31.social");
    assert!((DROPPED + 24..DROPPED + 72).contains(hour), "{hour}");
}

proptest! {
    #[test]
    fn what_a_copy_lists_counts_at_once(before in prop::collection::btree_set(0..40_usize, 1..30), now in prop::collection::btree_set(0..40_usize, 1..30)) {
        let mut history = History::new();
        history.take(listed(before.clone()));
        history.take(listed(now.clone()));
        let all = before.union(&now).count();
        prop_assert_eq!(history.counting(), all, "nothing is lost at once, nothing new is left out");
    }
}
