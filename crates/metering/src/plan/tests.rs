//! What answers come to.

use std::time::Duration;

use model::Uri;

use super::*;

const DAY: i64 = 86_400;
const START: i64 = 1_772_323_200;

fn slot(n: i64) -> Slot {
    Slot {
        start: START + n * DAY,
        step: 86_400,
    }
}

fn at(n: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(START + n * DAY + 42, 0).unwrap()
}

fn account() -> Metered {
    Metered {
        id: 7,
        uri: "https://a.example/users/alice".into(),
        url: "https://a.example/@alice".into(),
        acct: "alice@a.example".into(),
        name: "Alice".into(),
        host: "a.example".into(),
        remote_id: Some("1".into()),
        state: "tracked".into(),
        condition: String::new(),
        moved_to: None,
        source: "hand".into(),
        measured_slot: 0,
        newest: 0,
        tried_slot: 0,
        tries: 0,
        trouble: None,
        gone_at: None,
        next_try_at: None,
        added_at: DateTime::UNIX_EPOCH,
    }
}

fn measured(followers: i32) -> Measured {
    Measured {
        id: Some("1".into()),
        uri: Uri::parse("https://a.example/users/alice").ok(),
        url: Uri::parse("https://a.example/@alice").ok(),
        username: "alice".into(),
        name: "Alice".into(),
        followers: Ok(followers),
        following: Ok(5),
        statuses: Ok(9),
        last_status: None,
        suspended: false,
        moved_to: None,
    }
}

fn plan_of(account: &Metered, n: i64, newest: &[Point], answer: Answer) -> Plan {
    page(&Config::default(), slot(n), at(n), &[(account.clone(), answer)], newest)
}

fn counted(account: &Metered, n: i64, newest: &[Point], measured: Measured) -> Plan {
    plan_of(account, n, newest, Answer::Counts(Box::new(measured)))
}

fn kinds(plan: &Plan) -> Vec<&str> {
    plan.events.iter().map(|event| event.kind).collect()
}

/// A quiet account costs a row a month, whatever the interval.
#[test]
fn a_row_goes_on_as_long_as_nothing_changes() {
    let mut row = counted(&account(), 0, &[], measured(100)).batch.new.remove(0);
    let mut rows = 1;
    for n in 1..=365 {
        let plan = counted(&account(), n, std::slice::from_ref(&row), measured(100));
        match (plan.batch.new.as_slice(), plan.batch.longer.as_slice()) {
            ([new], []) => {
                rows += 1;
                row = new.clone();
            }
            ([], [longer]) => {
                row.span = longer.span;
                row.points += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rows, 13);
    let changed = counted(&account(), 366, std::slice::from_ref(&row), measured(101));
    assert_eq!(changed.batch.new.len(), 1);
}

/// Check 45: the same slot again writes nothing new.
#[test]
fn a_slot_has_one_point() {
    let row = counted(&account(), 0, &[], measured(100)).batch.new.remove(0);
    let again = counted(&account(), 0, std::slice::from_ref(&row), measured(107));
    assert!(again.batch.new.is_empty() && again.batch.longer.is_empty());
    // A missed slot does not become part of a run.
    let later = counted(&account(), 2, &[row], measured(100));
    assert_eq!(later.batch.new.len(), 1);
}

/// Check 43: a hidden count is a gap with a reason, and the other counts are kept.
#[test]
fn a_hidden_count_is_a_gap_with_a_reason() {
    let hidden = Measured {
        followers: Err("hidden"),
        ..measured(0)
    };
    let point = counted(&account(), 0, &[], hidden).batch.new.remove(0);
    assert_eq!((point.followers, point.statuses), (None, Some(9)));
    assert_eq!(point.gap.as_deref(), Some("followers hidden"));
}

/// Check 42.
#[test]
fn what_happens_to_an_account_is_an_event_and_the_series_goes_on() {
    let renamed = Measured {
        name: "Alice II".into(),
        username: "alice2".into(),
        ..measured(1)
    };
    let plan = counted(&account(), 0, &[], renamed);
    assert_eq!(kinds(&plan), ["renamed", "renamed"]);
    assert_eq!(plan.saves[0].acct, "alice2@a.example");
    assert_eq!(plan.batch.new[0].account, 7);

    let moved = Measured {
        moved_to: Uri::parse("https://b.example/users/alice").ok(),
        ..measured(1)
    };
    let plan = counted(&account(), 0, &[], moved.clone());
    assert_eq!(kinds(&plan), ["moved"]);
    assert!(plan.moves.is_empty());
    let config = Config {
        follow_moves: true,
        ..Config::default()
    };
    let answers = [(account(), Answer::Counts(Box::new(moved.clone())))];
    let plan = page(&config, slot(0), at(0), &answers, &[]);
    assert_eq!(plan.moves, [(7, "https://b.example/users/alice".to_owned())]);
    let known = Metered {
        moved_to: Some("https://b.example/users/alice".into()),
        ..account()
    };
    assert!(kinds(&counted(&known, 1, &[], moved)).is_empty(), "once");

    let suspended = Measured {
        suspended: true,
        name: String::new(),
        followers: Ok(0),
        ..measured(0)
    };
    let plan = counted(&account(), 0, &[], suspended.clone());
    assert_eq!(kinds(&plan), ["suspended"]);
    let point = &plan.batch.new[0];
    assert!(point.is_gap(), "no point of nothing");
    assert_eq!(point.gap.as_deref(), Some("suspended"));
    let away = Metered {
        condition: "suspended".into(),
        ..account()
    };
    assert!(kinds(&counted(&away, 1, &[], suspended)).is_empty());
    assert_eq!(kinds(&counted(&away, 2, &[], measured(5))), ["returned"]);
}

/// Check 42: gone twice, a day apart, is archived; what comes back goes on.
#[test]
fn gone_is_believed_the_second_time() {
    let gone = Answer::Gone("its server says 410");
    let plan = plan_of(&account(), 0, &[], gone.clone());
    assert!(plan.events.is_empty() && plan.batch.new.is_empty());
    assert_eq!(plan.failed.len(), 1);
    let marked = plan.saves[0].clone();
    assert_eq!((marked.state.as_str(), marked.condition.as_str()), ("tracked", "gone"));
    let soon = page(
        &Config::default(),
        slot(0),
        at(0) + TimeDelta::hours(23),
        &[(marked.clone(), gone.clone())],
        &[],
    );
    assert!(soon.events.is_empty());
    let plan = plan_of(&marked, 1, &[], gone.clone());
    assert_eq!(kinds(&plan), ["deleted"]);
    let archived = plan.saves[0].clone();
    assert_eq!(archived.state, "archived");
    assert!(kinds(&plan_of(&archived, 9, &[], gone)).is_empty(), "once");
    let back = counted(&archived, 10, &[], measured(3));
    assert_eq!(kinds(&back), ["returned"]);
    assert_eq!(back.saves[0].state, "tracked");
    assert_eq!(back.batch.new.len(), 1);
}

#[test]
fn another_account_under_the_same_id_is_not_measured() {
    let other = Measured {
        uri: Uri::parse("https://a.example/users/mallory").ok(),
        username: "mallory".into(),
        ..measured(5000)
    };
    let plan = counted(&account(), 0, &[], other);
    assert!(plan.batch.new.is_empty() && plan.batch.measured.is_empty());
    assert_eq!(plan.failed.len(), 1);
}

/// Spikes and round numbers are events, and news.
#[test]
fn a_spike_is_told() {
    let row = counted(&account(), 0, &[], measured(400)).batch.new.remove(0);
    let plan = counted(&account(), 1, &[row], measured(6000));
    assert_eq!(kinds(&plan), ["spike", "milestone"]);
    assert_eq!(
        plan.news[0].text,
        "alice@a.example went from 400 to 6,000 followers within 24 hours"
    );
    assert_eq!(plan.news[1].text, "alice@a.example has 5,000 followers now");
}

/// A plan that was carried out comes to nothing the second time.
#[test]
fn the_second_plan_is_empty() {
    use proptest::prelude::*;
    proptest!(|(followers in 0_i32..10_000, days in 0_i64..400)| {
        let plan = counted(&account(), days, &[], measured(followers));
        let rows = plan.batch.new.clone();
        let again = counted(&account(), days, &rows, measured(followers));
        prop_assert!(again.batch.new.is_empty() && again.batch.longer.is_empty());
        prop_assert!(again.events.is_empty() && again.saves.is_empty());
    });
}

#[test]
fn a_late_point_does_not_lengthen_a_run() {
    let row = counted(&account(), 0, &[], measured(100)).batch.new.remove(0);
    let late = page(
        &Config::default(),
        slot(1),
        at(1) + TimeDelta::hours(12),
        &[(account(), Answer::Counts(Box::new(measured(100))))],
        &[row],
    );
    assert_eq!(late.batch.new[0].lag, 12 * 3600 + 42);
    let config = Config {
        anchor: Duration::from_secs(86_400),
        ..Config::default()
    };
    config.validate().unwrap();
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Check 45: a restart just before or just after the slot begins is in one slot or the other, and each has one point.
#[test]
fn a_restart_around_three_finds_one_slot_on_each_side() {
    let schedule = Config::default().accounts.slots();
    let of = |text: &str| Slot::of(&schedule, moment(text)).unwrap();
    let (before, after) = (of("2026-03-01T02:59:59.700Z"), of("2026-03-01T03:00:00.300Z"));
    assert_eq!(before.start, moment("2026-02-28T03:00:00Z").timestamp());
    assert_eq!(after.start, moment("2026-03-01T03:00:00Z").timestamp());
    assert_eq!(of("2026-03-01T03:00:00Z"), after);
    assert_eq!((before.step, after.step), (86_400, 86_400));
    // Measured at 03:00:00.3, started again, measured at 03:00:00.9: the second writes nothing.
    let point = point(7, after, moment("2026-03-01T03:00:00.300Z"), &measured(100));
    assert_eq!(merge(Some(&point), &point, Config::default().anchor), Write::Nothing);
}

/// Check 46: a daily slot at 02:30 in Berlin comes once on the day that has no 02:30, and once on the day that has two.
#[test]
fn the_days_on_which_clocks_change_have_one_slot_each() {
    let mut config = Config::default();
    config.accounts.at = "02:30".to_owned();
    config.accounts.timezone = "Europe/Berlin".to_owned();
    let schedule = config.accounts.slots();
    for (first, last, lengths) in [
        // 29 March: from 02:00 to 03:00 at once. 02:30 is 03:00, half an hour early for the next day.
        ("2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z", [23 * 3600, 25 * 3600]),
        // 25 October: 02:30 comes twice.
        ("2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z", [24 * 3600, 26 * 3600]),
    ] {
        let (mut at, last) = (moment(first), moment(last));
        let mut days: BTreeMap<chrono::NaiveDate, Vec<i64>> = BTreeMap::new();
        while at < last {
            let slot = Slot::of(&schedule, at).unwrap();
            let start = DateTime::from_timestamp(slot.start, 0).unwrap();
            let day = start.with_timezone(&config.accounts.zone()).date_naive();
            let starts = days.entry(day).or_default();
            if starts.last() != Some(&slot.start) {
                starts.push(slot.start);
            }
            at += TimeDelta::minutes(10);
        }
        assert!(days.len() >= 3, "{days:?}");
        let starts: Vec<i64> = days.values().flatten().copied().collect();
        assert_eq!(starts.len(), days.len(), "one slot a day: {days:?}");
        for pair in starts.windows(2) {
            let length = pair[1] - pair[0];
            assert!((lengths[0]..=lengths[1]).contains(&length), "{days:?}");
        }
    }
}
