//! `egret rules`: from a file of somebody else's to a rule that counts.

use crate::house::House;

/// As MastoWatch's `GET /rules` answers.
const MASTOWATCH: &str = r#"{ "rules": [
    { "id": 1, "name": "Casino", "detector_type": "keyword", "pattern": "casino,", "weight": 0.5, "enabled": true,
      "action_type": "silence", "action_duration_seconds": 3600, "trigger_threshold": 1.0, "target_fields": ["content", "bio"] },
    { "id": 2, "name": "Numbers", "detector_type": "regex", "pattern": "win \\d+ euros", "weight": 1.0, "action_type": "report" },
    { "id": 3, "name": "Fast", "detector_type": "behavioral", "pattern": "rapid_posting", "weight": 1.0, "trigger_threshold": 10 },
    { "id": 4, "name": "Alt", "detector_type": "media", "pattern": "nude", "weight": 1.0 },
    { "id": 5, "name": "Looks ahead", "detector_type": "regex", "pattern": "(?=x)y", "weight": 1.0 },
    { "id": 6, "name": "Both", "detector_type": "keyword", "pattern": "free", "boolean_operator": "AND", "secondary_pattern": "money",
      "weight": 1.0, "action_type": "domain_block" }
] }"#;

const STATUS: &str = r#"{ "id": "7", "content": "<p>The best <b>cas</b>ino: win 500 euros</p>", "visibility": "public",
    "account": { "id": "9", "acct": "eve@far.example", "username": "eve" } }"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mastowatchs_rules_are_taken_over_in_shadow() {
    let house = House::with("");
    house.write("theirs.json", MASTOWATCH);
    house.write("status.json", STATUS);
    // Looked at first: nothing is changed by that.
    let printed = house.egret(&["rules", "import", "theirs.json", "--print"]).await;
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert_eq!(
        house.egret(&["rules", "list", "--json"]).await.json(),
        serde_json::json!([])
    );
    house.write("printed.toml", &printed.stdout);
    assert_eq!(house.egret(&["rules", "check", "printed.toml"]).await.code, Some(0));
    // Taken over, in part: what was left out or changed is said.
    let imported = house.egret(&["rules", "import", "theirs.json", "--json"]).await;
    assert_eq!(imported.code, Some(3), "{imported:?}");
    let said = imported.json();
    assert_eq!((&said["version"], &said["rules"]), (&1.into(), &5.into()), "{said}");
    for note in [
        "Looks ahead: left out",
        "Casino: an empty word",
        "Casino: weighs 0.5 and asked for 1",
        "Casino: asks for `silence`",
        "Both: domain_block is for blocklists",
    ] {
        assert!(said["notes"].to_string().contains(note), "{note} in {said}");
    }
    let list = house.egret(&["rules", "list", "--json"]).await.json();
    assert!(
        list.as_array().unwrap().iter().all(|one| one["standing"] == "shadow"),
        "{list}"
    );
    assert_eq!(list[0]["rule"]["action"], "silence");
    assert_eq!(list[0]["rule"]["allow"], serde_json::json!([]));
    // They judge as they were meant to.
    let verdict = house.egret(&["rules", "test", "status.json", "--json"]).await.json();
    let hits: Vec<&str> = verdict["contributions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|hit| hit["rule"].as_str())
        .collect();
    assert_eq!(hits, ["casino", "numbers"]);
    // Of the others each condition is there, too: what held, what did not, what nobody knows.
    let of = |verdict: &serde_json::Value, id: &str| {
        let rules = verdict["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["rule"] == id).unwrap().clone()
    };
    assert_eq!(of(&verdict, "casino")["when"]["holds"], "yes", "{verdict}");
    assert_eq!(of(&verdict, "both")["when"]["holds"], "no", "{verdict}");
    assert_eq!(of(&verdict, "fast")["when"]["holds"], "unknown", "{verdict}");
    let told = house.egret(&["rules", "test", "status.json"]).await.stdout;
    for line in ["casino hits, adds ", "both does not hit", "nobody knows"] {
        assert!(told.contains(line), "{line} in {told}");
    }
    // A status that not everybody may see is not judged, and that is said.
    house.write("hidden.json", &STATUS.replace("public", "private"));
    let told = house.egret(&["rules", "test", "hidden.json"]).await.stdout;
    assert!(told.contains("casino is not judged here"), "{told}");
    // The same once more is no other version.
    assert_eq!(
        house.egret(&["rules", "import", "theirs.json", "--json"]).await.json()["version"],
        1
    );
    // Live they go when they were tried, or with a reason.
    house
        .egret(&["rules", "stand", "casino", "live"])
        .await
        .refused(&["casino was not tried"]);
    assert_eq!(house.egret(&["rules", "backtest"]).await.code, Some(0));
    assert_eq!(house.egret(&["rules", "stand", "casino", "live"]).await.code, Some(0));
    assert_eq!(
        house
            .egret(&["rules", "stand", "numbers", "live", "--why", "it is a wave"])
            .await
            .code,
        Some(0)
    );
    // Another file, and back.
    house.write(
        "more.toml",
        "[[rules]]\nid = \"more\"\nwhen = { keywords = [\"poker\"] }\n",
    );
    assert_eq!(
        house.egret(&["rules", "put", "more.toml", "--json"]).await.json()["version"],
        2
    );
    assert_eq!(
        house.egret(&["rules", "rollback", "1", "--json"]).await.json()["version"],
        3
    );
    assert_eq!(
        house
            .egret(&["rules", "list", "--json"])
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        5
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_list_of_rules_changes_nothing() {
    let house = House::with("");
    house.write("no.json", "{ \"a\": 1 }");
    house
        .egret(&["rules", "import", "no.json"])
        .await
        .refused(&["MastoWatch's rules"]);
    house
        .egret(&["rules", "import", "missing.json"])
        .await
        .refused(&["missing.json"]);
    house.write("bad.toml", "[[rules]]\nid = \"x\"\nwhen = { regex = \"(a\" }\n");
    let checked = house.egret(&["rules", "check", "bad.toml"]).await;
    assert!(
        checked.code == Some(1) && checked.stdout.contains("bad.toml:"),
        "{checked:?}"
    );
    assert_eq!(house.egret(&["rules", "put", "bad.toml"]).await.code, Some(1));
    assert_eq!(
        house.egret(&["rules", "list", "--json"]).await.json(),
        serde_json::json!([])
    );
}
