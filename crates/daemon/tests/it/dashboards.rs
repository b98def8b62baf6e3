//! Dashboards and alert rules in deploy/: what Grafana would refuse or show nothing of.

use std::collections::BTreeSet;

use daemon::telemetry::{Kind, METRICS};
use serde_json::Value;

/// What Prometheus adds, and what queries make themselves.
const FOREIGN: [&str; 3] = ["le", "job", "instance"];

const DASHBOARDS: [(&str, &str); 2] = [
    ("egret.json", include_str!("../../../../deploy/grafana/egret.json")),
    (
        "metering.json",
        include_str!("../../../../deploy/grafana/metering.json"),
    ),
];

const ALERTS: &str = include_str!("../../../../deploy/prometheus/egret.rules.yaml");

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The metrics of ours in an expression, with the labels that each is asked for.
fn asked(expr: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for (at, _) in expr.match_indices("egret_") {
        if expr[..at].ends_with(is_word) {
            continue;
        }
        let rest = &expr[at..];
        let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        let inside = rest[end..].strip_prefix('{').and_then(|rest| rest.split('}').next());
        let labels = inside
            .unwrap_or_default()
            .split("\",")
            .filter(|it| !it.trim().is_empty());
        let labels = labels.map(|it| it.trim().split(['=', '!']).next().unwrap().to_owned());
        found.push((rest[..end].to_owned(), labels.collect()));
    }
    found
}

/// The labels that an expression groups by.
fn grouped(expr: &str) -> Vec<String> {
    let lists = expr.match_indices("by (").map(|(at, by)| &expr[at + by.len()..]);
    lists
        .flat_map(|rest| rest.split(')').next().unwrap().split(','))
        .map(|label| label.trim().to_owned())
        .collect()
}

/// That each metric is one of ours and has the labels it is asked for.
fn look(place: &str, expr: &str) {
    let mut all = BTreeSet::from(FOREIGN.map(str::to_owned));
    let asked = asked(expr);
    for (name, labels) in &asked {
        // The file that `egret meter export` writes, and not /metrics: its own test knows it.
        if name.starts_with("egret_account_") {
            return;
        }
        let bare = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let metric = METRICS.iter().find(|(known, kind, ..)| match kind {
            Kind::Seconds => bare == Some(known),
            Kind::Counter | Kind::Gauge => name == known,
        });
        let (_, kind, known, _) = metric.unwrap_or_else(|| panic!("{place}: there is no metric {name}: {expr}"));
        let rate = ["rate(", "increase("]
            .iter()
            .any(|way| expr.contains(&format!("{way}{name}")));
        assert!(
            *kind == Kind::Gauge || rate,
            "{place}: {name} only grows, so its rate says more: {expr}"
        );
        for label in labels {
            assert!(
                known.contains(&label.as_str()) || FOREIGN.contains(&label.as_str()),
                "{place}: {name} has no label {label}: {expr}"
            );
        }
        all.extend(known.iter().map(|label| (*label).to_owned()));
    }
    for label in grouped(expr) {
        assert!(
            asked.is_empty() || all.contains(&label),
            "{place}: nothing there has a label {label}: {expr}"
        );
    }
}

#[test]
fn every_metric_of_the_dashboards_exists_with_its_labels() {
    for (file, text) in DASHBOARDS {
        let board: Value = serde_json::from_str(text).unwrap();
        for panel in board["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default() {
                let place = format!("{file}, {}", panel["title"]);
                look(
                    &place,
                    target["expr"].as_str().unwrap_or_else(|| panic!("{place}: no query")),
                );
            }
        }
    }
}

#[test]
fn every_metric_of_the_alerts_exists_with_its_labels() {
    // An expression is one line, or those that are indented below it.
    let text = ALERTS.replace("expr: |\n", "expr: ");
    let (mut rules, mut expr) = (0, String::new());
    for line in text.lines() {
        if let Some(begin) = line.trim().strip_prefix("expr: ") {
            rules += 1;
            expr = begin.trim().to_owned();
        } else if line.trim().starts_with("for:") || line.trim().starts_with("labels:") {
            look("egret.rules.yaml", &std::mem::take(&mut expr));
        } else if !expr.is_empty() {
            expr.push(' ');
            expr.push_str(line.trim());
        }
    }
    assert!(rules >= 8, "{rules}");
}

/// What Grafana's schema asks, where it would load a dashboard with a hole or not at all.
#[test]
fn the_dashboards_are_whole() {
    let mut uids = BTreeSet::new();
    for (file, text) in DASHBOARDS {
        let board: Value = serde_json::from_str(text).unwrap();
        assert!(board["schemaVersion"].as_u64().unwrap() >= 36, "{file}");
        assert!(!board["title"].as_str().unwrap().is_empty(), "{file}");
        let uid = board["uid"].as_str().unwrap();
        assert!(uid.len() <= 40 && uids.insert(uid.to_owned()), "{file}: {uid}");
        let variables = board["templating"]["list"].as_array().unwrap();
        let source = variables.iter().find(|it| it["type"] == "datasource").unwrap();
        let source = format!("${{{}}}", source["name"].as_str().unwrap());
        let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for panel in board["panels"].as_array().unwrap() {
            let place = format!("{file}, {}", panel["title"]);
            assert!(
                ids.insert(panel["id"].as_u64().unwrap()),
                "{place}: its id is another's"
            );
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(at("x") + at("w") <= 24 && at("w") > 0 && at("h") > 0, "{place}");
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    assert!(taken.insert((x, y)), "{place} lies on another");
                }
            }
            if panel["type"] == "row" {
                continue;
            }
            assert_eq!(panel["datasource"]["uid"], source.as_str(), "{place}");
            let targets = panel["targets"].as_array().unwrap();
            let names: BTreeSet<_> = targets.iter().map(|it| it["refId"].as_str().unwrap()).collect();
            assert!(!targets.is_empty() && names.len() == targets.len(), "{place}");
        }
    }
}

/// The table in the handbook and in features/, and what the program says of itself, are one.
#[test]
fn every_metric_is_in_the_handbook() {
    let handbook = concat!(
        include_str!("../../../../docs/operations.md"),
        include_str!("../../../../docs/features/operations.md"),
        include_str!("../../../../docs/features/moderation.md"),
    );
    for (name, ..) in METRICS {
        assert!(handbook.contains(&format!("`{name}`")), "{name} is not in docs/");
    }
}
