use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap()
}

fn nobody() -> Before {
    Before {
        state: State::Waiting,
        verdict: "wait".into(),
        rule: None,
        email_hash: String::new(),
        confirmed: false,
        stopped: None,
        asked: None,
        act_at: None,
    }
}

fn says(verdict: Verdict) -> Judgement {
    Judgement {
        verdict,
        rule: Some("rule".into()),
        why: "because".into(),
    }
}

fn now(judgement: &Judgement, minutes: i64) -> Now<'_> {
    Now {
        judgement,
        confirmed: true,
        approved: false,
        email_hash: "a",
        now: at(minutes),
        room: 10,
    }
}

/// As the store would have it after the step.
fn after(before: &Before, now: &Now<'_>, step: &Step) -> Before {
    Before {
        state: step.state,
        verdict: now.judgement.verdict.as_str().into(),
        rule: now.judgement.rule.clone(),
        email_hash: now.email_hash.into(),
        confirmed: now.confirmed,
        stopped: step.stopped.map(str::to_owned),
        asked: before.asked.clone().filter(|_| !step.answered),
        act_at: step.act_at,
    }
}

fn asked(what: &str, saw: &str) -> Before {
    Before {
        email_hash: "a".into(),
        asked: Some((what.into(), saw.into())),
        ..nobody()
    }
}

/// Check 46.
#[test]
fn nobody_is_let_in_before_the_address_is_confirmed() {
    let judged = says(Verdict::Approve);
    let unconfirmed = Now {
        confirmed: false,
        ..now(&judged, 0)
    };
    let first = step(&Config::default(), &nobody(), &unconfirmed);
    assert_eq!((first.state, first.act), (State::Waiting, None));
    assert!(first.why.contains("because"));
    let confirmed = step(
        &Config::default(),
        &after(&nobody(), &unconfirmed, &first),
        &now(&judged, 1),
    );
    assert_eq!((confirmed.state, confirmed.act), (State::Ready, Some(Act::Approve)));
}

/// Check 47.
#[test]
fn an_address_that_changed_is_for_a_person() {
    let judged = says(Verdict::Approve);
    let known = Before {
        email_hash: "b".into(),
        confirmed: true,
        ..nobody()
    };
    let changed = step(&Config::default(), &known, &now(&judged, 0));
    assert_eq!((changed.act, changed.stopped), (None, Some("changed")));
    let later = step(
        &Config::default(),
        &after(&known, &now(&judged, 0), &changed),
        &now(&judged, 1),
    );
    assert_eq!(
        (later.act, later.stopped),
        (None, Some("changed")),
        "until a person asks"
    );
    let typo = Before {
        confirmed: false,
        ..known
    };
    assert_eq!(
        step(&Config::default(), &typo, &now(&judged, 0)).act,
        Some(Act::Approve),
        "a mended typing error"
    );
    let swapped = step(&Config::default(), &asked("approve", "b"), &now(&judged, 0));
    assert_eq!(
        (swapped.act, swapped.stopped, swapped.answered),
        (None, Some("changed"), true),
        "not whom they saw"
    );
}

/// Check 50, the part about bursts.
#[test]
fn a_burst_stops_and_stays_stopped() {
    let judged = says(Verdict::Approve);
    let full = Now {
        room: 0,
        ..now(&judged, 0)
    };
    let stopped = step(&Config::default(), &nobody(), &full);
    assert_eq!((stopped.act, stopped.stopped), (None, Some("burst")));
    let before = after(&nobody(), &full, &stopped);
    assert_eq!(
        step(&Config::default(), &before, &now(&judged, 120)).act,
        None,
        "also when there is room again"
    );
    let wanted = Before {
        asked: Some(("judge".into(), "a".into())),
        ..before.clone()
    };
    assert_eq!(
        step(&Config::default(), &wanted, &now(&judged, 120)).act,
        Some(Act::Approve)
    );
    let let_in = Before {
        asked: Some(("approve".into(), "a".into())),
        ..before
    };
    assert_eq!(
        step(&Config::default(), &let_in, &full).act,
        Some(Act::Approve),
        "a person is no burst"
    );
}

/// Check 51, the part about time.
#[test]
fn a_rejection_waits_for_its_veto() {
    let config = Config::default();
    let judged = says(Verdict::Reject);
    let mut before = nobody();
    for (minute, state) in [
        (0, State::Veto),
        (5, State::Veto),
        (9, State::Veto),
        (10, State::Ready),
        (11, State::Ready),
    ] {
        let seen = now(&judged, minute);
        let did = step(&config, &before, &seen);
        assert_eq!((did.state, did.act_at), (state, Some(at(10))), "minute {minute}");
        assert_eq!(did.act.is_some(), state == State::Ready);
        before = after(&before, &seen, &did);
    }
    let vetoed = Before {
        asked: Some(("hold".into(), "a".into())),
        ..before
    };
    let did = step(&config, &vetoed, &now(&judged, 9));
    assert_eq!((did.act, did.stopped, did.answered), (None, Some("person"), true));
    let before = after(&vetoed, &now(&judged, 9), &did);
    assert_eq!(step(&config, &before, &now(&judged, 999)).act, None);

    let at_once = Config {
        veto: Duration::ZERO,
        ..config.clone()
    };
    assert_eq!(step(&at_once, &nobody(), &now(&judged, 0)).act, Some(Act::Reject));
    let by_person = step(&config, &asked("reject", "a"), &now(&judged, 0));
    assert_eq!(
        (by_person.act, by_person.answered),
        (Some(Act::Reject), false),
        "answered once it was sent"
    );
    let forever = Config {
        veto: Duration::MAX,
        ..config
    };
    assert_eq!(step(&forever, &nobody(), &now(&judged, 0)).state, State::Veto);
}

#[test]
fn another_rule_begins_another_window() {
    let config = Config::default();
    let judged = says(Verdict::Reject);
    let first = step(&config, &nobody(), &now(&judged, 0));
    let before = after(&nobody(), &now(&judged, 0), &first);
    let other = Judgement {
        rule: Some("another".into()),
        ..judged
    };
    assert_eq!(step(&config, &before, &now(&other, 9)).act_at, Some(at(19)));
}

#[test]
fn whoever_a_person_lets_in_is_confirmed_first() {
    let judged = says(Verdict::Hold);
    let unconfirmed = Now {
        confirmed: false,
        ..now(&judged, 0)
    };
    let first = step(&Config::default(), &asked("approve", "a"), &unconfirmed);
    assert_eq!((first.state, first.act, first.answered), (State::Waiting, None, false));
    let before = after(&asked("approve", "a"), &unconfirmed, &first);
    assert_eq!(
        step(&Config::default(), &before, &now(&judged, 1)).act,
        Some(Act::Approve)
    );
    let in_already = Now {
        approved: true,
        ..now(&judged, 1)
    };
    assert_eq!(step(&Config::default(), &before, &in_already).state, State::Approved);
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    proptest::sample::select(vec![
        Verdict::Approve,
        Verdict::Reject,
        Verdict::Hold,
        Verdict::Wait,
        Verdict::Ignore,
    ])
}

prop_compose! {
    fn befores()(
        state in proptest::sample::select(State::ALL.to_vec()),
        verdict in verdicts(),
        hash in proptest::sample::select(vec!["", "a", "b"]),
        confirmed in any::<bool>(),
        stopped in proptest::option::of(proptest::sample::select(vec!["person", "burst", "changed", "odd"])),
        asked in proptest::option::of((
            proptest::sample::select(vec!["approve", "reject", "hold", "judge", "odd"]),
            proptest::sample::select(vec!["", "a", "b"]),
        )),
        act_at in proptest::option::of(-20_i64..20),
    ) -> Before {
        Before {
            state,
            verdict: verdict.as_str().into(),
            rule: Some("rule".into()),
            email_hash: hash.into(),
            confirmed,
            stopped: stopped.map(str::to_owned),
            asked: asked.map(|(what, saw)| (what.to_owned(), saw.to_owned())),
            act_at: act_at.map(at),
        }
    }
}

proptest! {
    /// Whatever came before: nobody unconfirmed is let in, nobody who is in is touched, what a person stopped stays
    /// stopped, and looking again at once changes nothing.
    #[test]
    fn the_gates_hold(before in befores(), verdict in verdicts(), confirmed in any::<bool>(), approved in any::<bool>(), room in 0_u32..2) {
        let judged = says(verdict);
        let seen = Now { confirmed, approved, room, ..now(&judged, 0) };
        let config = Config::default();
        let did = step(&config, &before, &seen);
        if did.act == Some(Act::Approve) {
            prop_assert!(confirmed && !approved);
            prop_assert!(did.by_person || (verdict == Verdict::Approve && room > 0));
            prop_assert!(did.by_person || before.email_hash.is_empty() || before.email_hash == "a" || !before.confirmed || before.asked.is_some());
        }
        if did.act == Some(Act::Reject) && !did.by_person {
            prop_assert!(verdict == Verdict::Reject && confirmed && before.act_at.is_some_and(|until| until <= at(0)));
        }
        prop_assert!(!(approved && did.act.is_some()));
        if before.asked.is_none() && before.stopped.as_deref().is_some_and(|why| why != "odd") {
            prop_assert_eq!(did.act, None);
        }
        prop_assert_eq!(did.act.is_some(), did.state == State::Ready);
        let again = step(&config, &after(&before, &seen, &did), &seen);
        prop_assert_eq!((again.state, again.act, again.stopped, again.act_at), (did.state, did.act, did.stopped, did.act_at));
    }
}
