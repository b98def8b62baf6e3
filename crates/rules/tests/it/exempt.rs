//! Whom rules spare.

use chrono::TimeDelta;
use rules::{Precision, State, Subject};

use crate::house::{judge, noon, ruleset, status};

/// Check 22, of the engine.
#[test]
fn who_is_spared_is_judged_and_nothing_comes_of_it() {
    let set = ruleset(
        "[exempt]\nfollowed = true\nfollows = true\naccounts = [\"@Trusted@far.example\"]\ndomains = [\"friends.example\"]\nroles = [\"3\"]\n\
         [[rules]]\nid = \"r\"\nstate = \"live\"\nwhen = { keywords = [\"casino\"] }\n\
         [rules.exempt]\nolder_than_days = 30\n",
    );
    let reason = |change: fn(&mut Subject)| {
        let mut subject = status("casino");
        change(&mut subject);
        let verdict = judge(&set, &subject);
        let hit = verdict.contributions[0].clone();
        assert_eq!(hit.state, State::Live);
        assert_eq!(hit.counts(), verdict.score > 0.0);
        hit.exempt
    };
    assert_eq!(reason(|_| {}), None);
    assert_eq!(
        reason(|s| s.account.permissions = "1".into()),
        None,
        "staff of another server is no staff here"
    );
    let staff = |s: &mut Subject| {
        s.account.domain = None;
        s.account.permissions = 0x10.to_string();
    };
    assert!(reason(staff).unwrap().contains("staff"));
    assert!(reason(|s| s.account.is_own = true).unwrap().contains("own"));
    assert!(
        reason(|s| s.account.followed = Some(true))
            .unwrap()
            .contains("followed")
    );
    assert_eq!(reason(|s| s.account.followed = Some(false)), None);
    assert!(reason(|s| s.account.follows = Some(true)).unwrap().contains("follows"));
    let trusted = |s: &mut Subject| {
        s.account.username = "trusted".into();
        s.account.domain = Some("far.example".into());
    };
    assert!(reason(trusted).is_some());
    assert!(reason(|s| s.account.domain = Some("sub.friends.example".into())).is_some());
    assert_eq!(reason(|s| s.account.domain = Some("notfriends.example".into())), None);
    let role = |s: &mut Subject| {
        s.account.domain = None;
        s.account.role = Some("3".into());
    };
    assert!(reason(role).is_some());
    assert!(
        reason(|s| s.account.created_at = Some(noon() - TimeDelta::days(31)))
            .unwrap()
            .contains("30 days")
    );
}

#[test]
fn staff_is_spared_unless_the_set_says_otherwise() {
    let rule = "[[rules]]\nid = \"r\"\nstate = \"live\"\nwhen = { keywords = [\"casino\"] }\n";
    let mut subject = status("casino");
    subject.account.domain = None;
    subject.account.permissions = "1".into();
    assert_eq!(judge(&ruleset(rule), &subject).score, 0.0);
    assert_eq!(
        judge(&ruleset(&format!("[exempt]\nstaff = false\n{rule}")), &subject).score,
        1.0
    );
}

#[test]
fn a_rule_people_disagree_with_is_noticed() {
    let precision = |confirmed, dismissed| Precision { confirmed, dismissed };
    assert_eq!(precision(0, 0).lower_bound(), None);
    assert!(!precision(0, 19).is_too_low(0.5, 20), "too few verdicts");
    assert!(precision(10, 10).is_too_low(0.5, 20));
    assert!(!precision(18, 2).is_too_low(0.5, 20));
    let bound = precision(90, 10).lower_bound().unwrap();
    assert!((bound - 0.826).abs() < 0.001, "{bound}");
}
