use proptest::prelude::*;

use super::*;
use crate::list::{Reading, parse};

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

fn text(domains: impl IntoIterator<Item = usize>) -> String {
    let rows: Vec<String> = domains.into_iter().map(|n| format!("d{n}.social,suspend\n")).collect();
    format!("domain,severity\n{}", rows.concat())
}

/// A list through its versions, one an hour.
struct History {
    body: Option<String>,
    leavings: Leavings,
    held: Option<String>,
    hour: i64,
}

impl History {
    fn new() -> Self {
        Self {
            body: None,
            leavings: Leavings::new(),
            held: None,
            hour: 0,
        }
    }

    /// Takes a version and gives how many domains count after it.
    fn take(&mut self, new: &str) -> usize {
        self.hour += 1;
        let reading = Reading::default();
        let old = self.body.as_deref().map(|body| parse(body, &reading).unwrap());
        match judge(
            old.as_ref(),
            &parse(new, &reading).unwrap(),
            &self.leavings,
            &bounds(),
            at(self.hour),
        ) {
            Judged::Taken { leavings, held } => {
                (self.leavings, self.held) = (leavings, held);
                self.body = Some(new.to_owned());
            }
            Judged::Pending(why) => self.held = Some(why),
        }
        self.counting()
    }

    fn counting(&self) -> usize {
        let parsed = parse(self.body.as_deref().unwrap(), &Reading::default()).unwrap();
        let listed: std::collections::BTreeSet<String> =
            by_domain(&parsed).blocks.keys().map(|it| (*it).to_owned()).collect();
        listed.len() + self.leavings.keys().filter(|domain| !listed.contains(*domain)).count()
    }
}

/// Check 19.
#[test]
fn an_hour_without_370_rows_loses_nothing() {
    let mut history = History::new();
    assert_eq!(history.take(&text(0..2592)), 2592);
    assert_eq!(
        history.take(&text((0..2222).chain(2592..2600))),
        2600,
        "what is new counts, what is lost counts on"
    );
    assert!(history.held.is_some());
    assert_eq!(history.take(&text(0..2621)), 2621);
    assert_eq!(
        (history.held.clone(), history.leavings.len()),
        (None, 0),
        "the hold clears by itself"
    );
}

/// Check 20: held for as long as it takes. The approval is the store's.
#[test]
fn a_list_that_halves_is_held_for_ever() {
    let mut history = History::new();
    history.take(&text(0..2598));
    for _ in 0..100 {
        assert_eq!(history.take(&text(0..1212)), 2598);
        assert!(history.held.is_some());
    }
}

/// Check 21.
#[test]
fn a_list_that_grows_tenfold_waits() {
    let mut history = History::new();
    history.take(&text(0..100));
    assert_eq!(history.take(&text(0..1001)), 100);
    assert!(history.held.is_some());
    assert_eq!(history.take(&text(0..110)), 110, "a sane version clears it");
    assert!(history.held.is_none());
}

/// Check 40: the part about time.
#[test]
fn a_row_is_gone_after_three_good_copies_and_a_day() {
    let mut history = History::new();
    history.take(&text(0..100));
    for hour in 0..24 {
        assert_eq!(history.take(&text(0..99)), 100, "hour {hour}");
    }
    assert_eq!(history.take(&text(0..99)), 99);
    let mut flapping = History::new();
    flapping.take(&text(0..100));
    for _ in 0..30 {
        assert_eq!(flapping.take(&text(0..99)), 100);
        assert_eq!(flapping.take(&text(0..100)), 100);
    }
}

#[test]
fn a_weakened_row_counts_at_its_old_severity_for_a_while() {
    let mut history = History::new();
    history.take("domain,severity\na.social,suspend\nb.social,suspend\n");
    history.take("domain,severity\na.social,silence\nb.social,suspend\n");
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
    assert_eq!(history.take(&log("")), 2);
    let retraction = r#",{"id":"3","type":"Retraction","entityKey":"b.social"}"#;
    assert_eq!(history.take(&log(retraction)), 1);
}

/// A year of hourly versions, most of them fine: flaps, an hour at half its size, short rests. What stays on the list in
/// truth is never lost.
#[test]
fn a_year_of_flaps_and_halvings_loses_nothing_by_accident() {
    // Parsing 9,000 versions of real size takes a minute in a debug build, so the list is a small one.
    const CORE: usize = 32;
    let mut history = History::new();
    history.take(&text(0..CORE));
    let mut seed = 7_u64;
    let mut next = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    let mut gone = 0;
    for hour in 0..8760 {
        let version = match next() % 50 {
            0 => text(0..CORE / 2),
            1 => text((0..CORE).filter(|n| n % 7 != hour % 7)),
            2 | 3 => text((0..CORE).filter(|n| *n != hour % CORE)),
            4 => text(0..CORE + hour % 5),
            _ => text(0..CORE),
        };
        if history.take(&version) < CORE {
            gone += 1;
        }
    }
    assert_eq!(gone, 0);
}

proptest! {
    #[test]
    fn what_a_copy_lists_counts_at_once(before in prop::collection::btree_set(0..40_usize, 1..30), now in prop::collection::btree_set(0..40_usize, 1..30)) {
        let mut history = History::new();
        history.take(&text(before.clone()));
        history.take(&text(now.clone()));
        let all = before.union(&now).count();
        prop_assert_eq!(history.counting(), all, "nothing is lost at once, nothing new is left out");
    }
}
