//! MastoWatch's rules become ours.

use rules::{Action, NoCounters, Ruleset, Sets, Source, State, StatusFacts, from_mastowatch};
use serde_json::json;

use crate::house::{noon, status};

#[test]
fn every_kind_of_rule_can_be_said() {
    let rule = |name: &str, kind: &str, pattern: &str| {
        json!({ "id": 1, "name": name, "detector_type": kind, "pattern": pattern, "boolean_operator": null, "secondary_pattern": null,
                "weight": 1.0, "enabled": true, "action_type": "report", "trigger_threshold": 1.0, "target_fields": null,
                "match_options": null, "description": "why \"so\"" })
    };
    let mut and = rule("Both", "keyword", "casino");
    and["boolean_operator"] = json!("AND");
    and["secondary_pattern"] = json!("bonus");
    and["target_fields"] = json!(["content"]);
    and["match_options"] = json!({ "case_sensitive": true, "word_boundaries": false });
    let mut or = rule("Either", "regex", r"cas\d+");
    or["boolean_operator"] = json!("OR");
    or["secondary_pattern"] = json!("b0nus");
    let mut silence = rule("Casino!", "keyword", "casino,");
    silence["action_type"] = json!("silence");
    silence["action_duration_seconds"] = json!(3600);
    silence["weight"] = json!(0.5);
    let mut rapid = rule("Rapid", "behavioral", "rapid_posting");
    rapid["trigger_threshold"] = json!(10);
    let all = json!({ "rules": [
        and, or, silence, rapid,
        rule("Daily", "behavioral", "daily_posting"),
        rule("Mentions", "behavioral", "interaction_spam"),
        rule("Bots", "behavioral", "automation_disclosure"),
        rule("Links", "behavioral", "link_spam"),
        rule("Alt", "media", "nude"),
        rule("Type", "media", "video/mp4"),
        rule("Hash", "media", &"A".repeat(64)),
        rule("Casino!", "keyword", "poker"),
        rule("Broken", "regex", "(a"),
        rule("Nothing", "keyword", " , ,"),
        rule("Later", "behavioral", "new_account_activity"),
    ] });
    let imported = from_mastowatch(&all.to_string()).unwrap();
    assert_eq!(imported.rules, 12, "{:#?}", imported.notes);
    for left_out in ["Broken", "Nothing", "Later"] {
        assert!(
            imported
                .notes
                .iter()
                .any(|note| note.starts_with(&format!("{left_out}: left out"))),
            "{left_out}"
        );
    }
    let set = Ruleset::compile(&[Source::new("m.toml", &imported.toml)], &Sets::default()).unwrap();
    assert!(set.rules().all(|(_, state)| state == State::Shadow));
    let (silence, _) = set.rule("casino").unwrap();
    assert_eq!(
        (silence.action, silence.allow.len(), silence.weight),
        (Action::Silence, 0, 0.5)
    );
    assert_eq!(silence.undo_after.unwrap().as_secs(), 3600);
    assert!(imported.notes.iter().any(|note| note.contains("never counted")));
    assert_eq!(set.counters().len(), 3);

    let hit = |text: &str| {
        let verdict = set.judge(&status(text), &NoCounters, noon());
        verdict
            .contributions
            .into_iter()
            .map(|hit| hit.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(hit("casinos and bonuses"), ["both"]);
    assert_eq!(hit("Casino"), ["casino"]);
    assert_eq!(hit("cas42"), ["either"]);
    assert!(hit("nothing").is_empty(), "an empty word matches nobody");
    // Twenty posts, each with a link to one domain, and each the same but for a number.
    let mut spammer = status("");
    spammer.statuses = (0..20)
        .map(|n| StatusFacts {
            id: n.to_string(),
            content: format!("<p>look at this {n} <a href=\"https://bad.example/{n}\">x</a></p>"),
            ..status("").statuses.remove(0)
        })
        .collect();
    let verdict = set.judge(&spammer, &NoCounters, noon());
    let found: std::collections::BTreeSet<&str> = verdict.contributions.iter().map(|hit| hit.rule.as_str()).collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["bots", "links"]);
    spammer.statuses.pop();
    assert!(
        set.judge(&spammer, &NoCounters, noon()).contributions.is_empty(),
        "nineteen are not twenty"
    );
}

#[test]
fn what_is_no_list_of_rules_is_refused() {
    assert!(from_mastowatch("{").is_err());
    assert!(from_mastowatch("{\"a\": 1}").is_err());
    assert_eq!(from_mastowatch("[]").unwrap().rules, 0);
    assert_eq!(from_mastowatch("[1, null, {\"name\": 5}]").unwrap().notes.len(), 3);
}

/// A name that reads like another one with its number is no reason to refuse the file.
#[test]
fn each_rule_has_an_id_of_its_own() {
    let rule = |name: &str| serde_json::json!({ "name": name, "detector_type": "keyword", "pattern": "casino" });
    let rows = serde_json::json!([rule("spam"), rule("spam 3"), rule("spam"), rule("Spam!")]);
    let imported = rules::from_mastowatch(&rows.to_string()).unwrap();
    assert_eq!(imported.rules, 4);
    assert!(crate::house::compile(&imported.toml).is_ok(), "{}", imported.toml);
}
