//! Rules as they are written, and what is said of mistakes.

use std::collections::BTreeMap;

use rules::{Action, Category, Ruleset, Scope, Sets, Source, State};

use crate::house::{compile, hits, ruleset, status, when};

fn problem(toml: &str) -> rules::Problem {
    compile(toml).unwrap_err().remove(0)
}

/// Check 19.
#[test]
fn a_new_rule_begins_in_shadow() {
    let set = ruleset("[[rules]]\nid = \"a\"\nwhen = { keywords = [\"x\"] }\n");
    let (rule, state) = set.rule("a").unwrap();
    assert_eq!((rule.state, state), (State::Shadow, State::Shadow));
    assert_eq!((rule.weight, rule.most, rule.scope), (1.0, 1, Scope::Status));
    assert_eq!((rule.category, rule.action), (Category::Spam, Action::Report));
    assert!(rule.allow.is_empty() && !rule.may_resolve_reports);
    let live = set.with_states(&BTreeMap::from([("a".to_owned(), State::Live)]));
    assert_eq!(live.rule("a").unwrap().1, State::Live);
    assert_eq!(set.rule("a").unwrap().1, State::Shadow, "the other one stays as it is");
    assert_eq!(live.version(), set.version());
    let off = set.with_states(&BTreeMap::from([("a".to_owned(), State::Off)]));
    assert!(!hits(&off, &status("x")));
}

/// Check 10.
#[test]
fn an_invalid_pattern_is_told_with_its_place() {
    let told = problem("[[rules]]\nid = \"a\"\n\nwhen = { regex = [\"good\", \"ba(d\"] }\n");
    assert_eq!(
        (told.rule.as_deref(), told.key.as_str(), told.line),
        (Some("a"), "when.regex", 4)
    );
    assert!(
        told.message.contains("unclosed group") && told.message.contains("letter 3"),
        "{told}"
    );
}

/// Check 11.
#[test]
fn what_cannot_be_linear_is_named() {
    for (pattern, word) in [
        ("(?=x)y", "look-around"),
        (r"(a)\1", "backreference"),
        ("(?<!x)y", "look-around"),
    ] {
        let told = problem(&format!("[[rules]]\nid = \"a\"\nwhen = {{ regex = ['{pattern}'] }}\n"));
        assert!(told.to_string().contains(word), "{told}");
    }
    for pattern in [r"(\w{1,1000}){1,1000}", r"\w{5000}", &"(".repeat(200)] {
        let told = problem(&format!("[[rules]]\nid = \"a\"\nwhen = {{ regex = ['{pattern}'] }}\n"));
        assert!(!told.next.is_empty(), "{told}");
    }
}

/// Check 20.
#[test]
fn names_and_ids_are_unique() {
    let rule = |id: &str, name: &str| {
        format!("[[rules]]\nid = \"{id}\"\nname = \"{name}\"\nwhen = {{ keywords = [\"x\"] }}\n")
    };
    assert!(
        problem(&(rule("a", "One") + &rule("b", "one")))
            .message
            .contains("two rules named")
    );
    assert!(
        problem(&(rule("a", "One") + &rule("a", "Two")))
            .message
            .contains("with the id")
    );
    for key in ["created_at", "trigger_count", "created_by"] {
        let told = problem(&format!("{}{key} = 1\n", rule("a", "One")));
        assert_eq!((told.key.as_str(), told.line), (key, 5));
    }
}

/// Check 27, of the config.
#[test]
fn a_violation_names_the_servers_rules() {
    let told = problem("[[rules]]\nid = \"a\"\ncategory = \"violation\"\nwhen = { keywords = [\"x\"] }\n");
    assert_eq!((told.key.as_str(), told.line), ("category", 3));
    let set = ruleset("[[rules]]\nid = \"a\"\nserver_rules = [\"2\"]\nwhen = { keywords = [\"x\"] }\n");
    assert_eq!(set.rule("a").unwrap().0.category, Category::Violation);
}

#[test]
fn every_mistake_is_told_at_once_with_its_line() {
    let toml = "[[rules]]\nid = \"Bad Id\"\nweight = -1\nwhen = { keyword = [\"x\"] }\n[[rules]]\nid = \"b\"\nstate = \"on\"\n\
                when = { keywords = [\"x\"], in = [\"contents\", \"href\"] }\n[[rules]]\nid = \"c\"\nwhen = { fact = \"followers\" }\n\
                [[rules]]\nid = \"d\"\nwhen = { counter = \"posts\", at_least = 3 }\nextra = 1\n";
    let problems = compile(toml).unwrap_err();
    let told: Vec<(usize, &str)> = problems.iter().map(|p| (p.line, p.key.as_str())).collect();
    assert_eq!(
        told,
        [
            (2, "id"),
            (3, "weight"),
            (4, "when"),
            (7, "state"),
            (8, "when.in"),
            (11, "when"),
            (15, "extra"),
            (14, "when.window")
        ],
        "{problems:#?}"
    );
    for problem in &problems {
        assert!(!problem.next.is_empty() && problem.file == "test.toml", "{problem}");
    }
    let told = problem("[[rules]\n");
    assert_eq!(told.line, 1);
}

#[test]
fn lists_and_sets_are_found_in_other_files() {
    let rules = Source::new(
        "rules.toml",
        "[[rules]]\nid = \"a\"\nwhen = { any = [{ keywords_from = \"slurs\" }, { domain_sets = [\"bad\", \"subscribed\"] }] }\n",
    );
    let lists = Source::new(
        "lists.toml",
        "[[lists]]\nname = \"slurs\"\nwords = [\"dork\"]\n[[sets]]\nname = \"bad\"\ndomains = [\"bad.example\"]\n",
    );
    let told = Ruleset::compile(&[rules.clone(), lists.clone()], &Sets::default()).unwrap_err();
    assert!(told[0].message.contains("\"subscribed\""), "{}", told[0]);
    let mut sets = Sets::default();
    sets.declare("subscribed");
    let unread = Ruleset::compile(&[rules.clone(), lists.clone()], &sets).unwrap();
    let link = |host: &str| status(&format!("<p><a href=\"https://{host}/x\">x</a></p>"));
    assert!(hits(&unread, &status("you dork")) && hits(&unread, &link("www.bad.example")));
    assert!(!hits(&unread, &link("worse.example")) && !hits(&unread, &link("notbad.example")));
    sets.insert("subscribed", [model::Domain::parse("worse.example").unwrap()]);
    let read = Ruleset::compile(&[lists, rules], &sets).unwrap();
    assert!(hits(&read, &link("worse.example")) && hits(&read, &link("WORSE.example.:8443")));
    assert_eq!(
        read.version(),
        unread.version(),
        "the order of files is none of the rules"
    );
}

#[test]
fn the_version_is_that_of_the_texts() {
    let (one, two) = (when(r#"{ keywords = ["x"] }"#), when(r#"{ keywords = ["y"] }"#));
    assert_ne!(one.version(), two.version());
    assert_eq!(one.version(), when(r#"{ keywords = ["x"] }"#).version());
}

/// Check 21, of the engine: whoever judges holds one version, whatever others swap in meanwhile.
#[test]
fn each_judgement_is_by_one_version() {
    let versions: Vec<Ruleset> = (0..4)
        .map(|n| {
            let rule = |id| format!("[[rules]]\nid = \"{id}{n}\"\nwhen = {{ keywords = [\"casino\"] }}\n");
            ruleset(&(rule("a") + &rule("b") + &rule("c")))
        })
        .collect();
    let current = std::sync::RwLock::new(versions[0].clone());
    std::thread::scope(|scope| {
        let judges: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..250 {
                        let held = current.read().unwrap().clone();
                        let verdict = crate::house::judge(&held, &status("casino"));
                        assert_eq!(verdict.version, held.version());
                        let endings: std::collections::BTreeSet<&str> =
                            verdict.contributions.iter().map(|hit| &hit.rule[1..]).collect();
                        assert_eq!((verdict.contributions.len(), endings.len()), (3, 1));
                    }
                })
            })
            .collect();
        for n in 0..1_000 {
            *current.write().unwrap() = versions[n % 4].clone();
        }
        for judge in judges {
            judge.join().unwrap();
        }
    });
}
