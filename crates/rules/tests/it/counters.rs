//! Things counted over time.

use std::time::Duration;

use chrono::TimeDelta;
use model::Visibility;
use rules::{Backtest, Event, Fingerprint, Memory, StatusFacts, Subject};

use crate::house::{noon, ruleset, status, when};

fn post(n: usize, visibility: Visibility, text: &str) -> Subject {
    let mut subject = status(text);
    let ago = 50 - i64::try_from(n % 50).unwrap();
    let status = StatusFacts {
        id: n.to_string(),
        visibility,
        created_at: Some(noon() - TimeDelta::minutes(ago)),
        ..subject.statuses.remove(0)
    };
    subject.statuses.push(status);
    subject
}

/// Check 18.
#[test]
fn only_public_statuses_count_for_rates() {
    let rule = when(r#"{ counter = "posts", window = "1h", at_least = 10 }"#);
    let link = when(r#"{ domains = ["bad.example"] }"#);
    let count = |public: usize, unlisted: usize| {
        let mut memory = Memory::new(1_000, Duration::from_secs(86_400));
        for n in 0..public {
            memory.observe(&post(n, Visibility::Public, "x"), noon());
        }
        for n in 0..unlisted {
            memory.observe(&post(100 + n, Visibility::Unlisted, "x"), noon());
            memory.observe(&post(200 + n, Visibility::Private, "x"), noon());
            memory.observe(&post(300 + n, Visibility::Direct, "x"), noon());
            let mut boost = post(400 + n, Visibility::Public, "x");
            boost.statuses[0].is_reblog = true;
            memory.observe(&boost, noon());
        }
        !rule.judge(&status("x"), &memory, noon()).contributions.is_empty()
    };
    assert!(!count(9, 5));
    assert!(count(10, 0));
    let html = "<a href=\"https://www.bad.example/x\">x</a>";
    let hit = |visibility| {
        !crate::house::judge(&link, &post(1, visibility, html))
            .contributions
            .is_empty()
    };
    assert!(hit(Visibility::Unlisted), "links are looked at all the same");
    assert!(!hit(Visibility::Private) && !hit(Visibility::Direct));
    let private = ruleset("[[rules]]\nid = \"r\"\nprivate = true\nwhen = { domains = [\"bad.example\"] }\n");
    assert_eq!(
        crate::house::judge(&private, &post(1, Visibility::Direct, html))
            .contributions
            .len(),
        1
    );
    // A clock that is ahead.
    let mut early = post(1, Visibility::Public, "x");
    early.statuses[0].created_at = Some(noon() + TimeDelta::days(400));
    assert_eq!(Event::of(&early, &early.statuses[0], false, noon()).unwrap().at, noon());
    assert!(Event::of(&early, &post(1, Visibility::Private, "x").statuses[0], false, noon()).is_none());
}

#[test]
fn a_wave_of_accounts_with_one_text_is_seen() {
    let same = when(r#"{ counter = "same_text_accounts", window = "24h", at_least = 3 }"#);
    let similar = when(r#"{ counter = "similar_text_accounts", window = "24h", at_least = 3 }"#);
    let by = |name: &str, text: &str| {
        let mut subject = post(1, Visibility::Public, text);
        subject.account.username = name.into();
        subject
    };
    let text = |n: usize| {
        format!("<p>@user{n} Join our Discord server today, everybody is welcome https://x.example/{n} {n}</p>")
    };
    let mut memory = Memory::new(1_000, Duration::from_secs(86_400));
    memory.observe(&by("a", &text(1)), noon());
    memory.observe(&by("b", &text(2)), noon());
    let third = by("c", &text(3).replace("Discord", "Disc\u{200b}ord"));
    assert_eq!(
        same.judge(&third, &memory, noon()).contributions[0].evidence[0].matched,
        "3"
    );
    assert!(
        same.judge(&by("a", &text(9)), &memory, noon()).contributions.is_empty(),
        "two are none"
    );
    let short = by("d", "<p>good morning</p>");
    assert!(
        Fingerprint::of(&short.statuses[0]).is_none(),
        "too short to mean anything"
    );
    let long = |word: &str| {
        format!(
            "<p>Dear friends, our {word} team offers the very best help with your lost wallet, write to us now and get everything back within one day, no questions asked, all countries welcome</p>"
        )
    };
    memory.observe(&by("e", &long("support")), noon());
    memory.observe(&by("f", &long("service")), noon());
    assert!(
        !similar
            .judge(&by("g", &long("rescue")), &memory, noon())
            .contributions
            .is_empty()
    );
    let (one, two) = (by("e", &long("support")), by("f", &long("service")));
    let (one, two) = (
        Fingerprint::of(&one.statuses[0]).unwrap(),
        Fingerprint::of(&two.statuses[0]).unwrap(),
    );
    assert!(one.exact != two.exact && one.is_near(&two));
    assert!(
        one.bands().iter().any(|band| two.bands().contains(band)),
        "the index finds it"
    );
}

#[test]
fn a_backtest_counts_what_would_have_been() {
    let set = ruleset(
        "[[rules]]\nid = \"a\"\nwhen = { keywords = [\"spam\"] }\n[[rules]]\nid = \"off\"\nstate = \"off\"\nwhen = { keywords = [\"spam\"] }\n",
    );
    let play = |range: std::ops::Range<usize>| {
        let mut backtest = Backtest::new(&set);
        for n in range {
            let mut subject = post(n, Visibility::Public, if n % 10 == 0 { "spam" } else { "ham" });
            subject.account.username = format!("user{}", n % 50);
            let at = noon() + TimeDelta::hours(i64::try_from(n).unwrap());
            backtest.add(&subject, &rules::NoCounters, at, n % 20 == 0);
        }
        backtest
    };
    let whole = play(0..1_000).result();
    let mut parts = play(0..300);
    parts.merge(play(300..1_000));
    assert_eq!(whole, parts.result(), "in parts as in one");
    assert_eq!(whole.rules.len(), 1, "what is off is left out");
    let played = &whole.rules[0];
    assert_eq!(
        (played.hits, played.accounts, played.acted_on, played.alone),
        (100, 5, 5, 5)
    );
    assert_eq!((whole.statuses, whole.accounts, played.samples.len()), (1_000, 50, 20));
    // 100 in 999 hours.
    assert!((played.per_day - 2.4).abs() < 0.01, "{}", played.per_day);
}

#[test]
fn memory_forgets_what_is_old_too_much_or_replaced() {
    let rule = when(r#"{ counter = "posts", window = "1h", at_least = 1 }"#);
    let count = |memory: &Memory, later: TimeDelta| {
        let verdict = rule.judge(&status("x"), memory, noon() + later);
        verdict.contributions.first().map(|hit| hit.evidence[0].matched.clone())
    };
    let mut memory = Memory::new(5, Duration::from_secs(3_600));
    for n in 0..20 {
        memory.observe(&post(n, Visibility::Public, "x"), noon());
        memory.observe(&post(n, Visibility::Public, "edited"), noon());
    }
    assert_eq!(
        count(&memory, TimeDelta::zero()).as_deref(),
        Some("5"),
        "each once, and five at most"
    );
    // They were written 35 to 31 minutes before noon.
    assert_eq!(count(&memory, TimeDelta::minutes(28)).as_deref(), Some("1"));
    assert_eq!(count(&memory, TimeDelta::hours(2)), None);
    memory.observe(&post(49, Visibility::Public, "x"), noon() + TimeDelta::hours(9));
    assert_eq!(count(&memory, TimeDelta::zero()), None, "and what is old is gone");
}

/// What no rule counts is not kept to be found by, and what comes late stands in its place.
#[test]
fn a_memory_for_some_counts_answers_those_in_whatever_order_it_is_fed() {
    let set = ruleset(
        "[[rules]]\nid = \"r\"\nwhen = [{ counter = \"posts\", window = \"30m\", at_least = 1 }, { counter = \"same_text_accounts\", window = \"1h\", at_least = 2 }]\n",
    );
    let text = "the very same words of somebody";
    let mut memory = Memory::of(set.counters(), 100);
    assert!(memory.is_empty());
    for n in [40, 7, 45, 21, 30] {
        memory.note(
            "eve@elsewhere.example",
            &post(n, Visibility::Public, text).statuses[0],
            noon(),
        );
    }
    memory.note(
        "mallory@elsewhere.example",
        &post(3, Visibility::Public, text).statuses[0],
        noon(),
    );
    assert_eq!(memory.len(), 6);
    let mut subject = post(45, Visibility::Public, text);
    subject.account.username = "eve".into();
    let hit = set.judge(&subject, &memory, noon()).contributions.remove(0);
    let counted: Vec<&str> = hit.evidence.iter().map(|piece| piece.matched.as_str()).collect();
    assert_eq!(counted, ["4", "2"], "within half an hour, and two accounts");
}

/// A flood of nearly one text is the most there is to look at, and a count in it is no standstill.
#[test]
fn a_memory_full_of_one_text_can_be_asked() {
    let set = ruleset(
        "[[rules]]\nid = \"r\"\nwhen = [{ counter = \"posts\", window = \"24h\", at_least = 1 }, { counter = \"same_text_accounts\", window = \"24h\", at_least = 1 }, { counter = \"similar_text_accounts\", window = \"24h\", at_least = 1 }]\n",
    );
    let mut memory = Memory::new(50_000, Duration::from_secs(86_400));
    let many = if cfg!(debug_assertions) { 2_000 } else { 50_000 };
    let one = |n: usize| {
        let mut subject = post(
            n,
            Visibility::Public,
            &format!(
                "number of {} word{} goes far away over the hills",
                n * 7,
                char::from(b'a' + u8::try_from(n % 26).unwrap())
            ),
        );
        subject.account.username = format!("user{n}");
        subject
    };
    for n in 0..many {
        memory.observe(&one(n), noon());
    }
    let begun = std::time::Instant::now();
    for n in 0..20 {
        assert_eq!(set.judge(&one(n), &memory, noon()).contributions.len(), 1);
    }
    let each = begun.elapsed() / 20;
    assert!(each < Duration::from_millis(200), "{each:?}");
}
