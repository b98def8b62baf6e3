//! What `/metrics` shows of a daemon that works.

use fake_fediverse::Applicant;

use crate::house::{House, fediverse, only_home, server};

/// `name{label="value",…} number`
struct Series {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

fn series(text: &str) -> Vec<Series> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels
                .trim_end_matches('}')
                .split("\",")
                .filter(|pair| !pair.is_empty());
            let labels = labels.map(|pair| {
                let (label, value) = pair.split_once("=\"").unwrap();
                (label.to_owned(), value.trim_end_matches('"').to_owned())
            });
            Series {
                name: name.to_owned(),
                labels: labels.collect(),
                value: value.parse().unwrap(),
            }
        })
        .collect()
}

/// The names in the table of the handbook, with their labels.
fn documented() -> Vec<(String, Vec<String>)> {
    let handbook = include_str!("../../../../docs/operations.md");
    let rows = handbook.lines().filter_map(|line| line.strip_prefix("| `egret_"));
    let words = |cell: &str| {
        cell.split('`')
            .filter(|word| !word.trim().is_empty())
            .map(str::to_owned)
            .collect()
    };
    rows.map(|row| {
        let mut cells = row.split('|');
        let name = cells.next().unwrap().trim().trim_end_matches('`');
        (format!("egret_{name}"), words(cells.next().unwrap()))
    })
    .collect()
}

/// Check 37. A thing as loose as a host must not become a label: none of these values is one, so however many origins
/// there are, there are as many series.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_documented_metric_changes_and_no_label_is_a_domain() {
    let fediverse = fediverse().await;
    fediverse.apply(&Applicant::new("jane", "jane@nyc.gov"));
    let rest = format!(
        "{}{}[registrations.pending]\nenabled = true\n\
         [[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\"]\n",
        server(&fediverse.home(), &["me", "bad"]),
        only_home("")
    );
    let house = House::with(&rest);
    let url = fediverse.home();
    let home = url.trim_start_matches("http://");
    house.write("me.token", &fediverse.admin_token());
    house.write("bad.token", "nonsense");
    let daemon = house.run().await;
    let url = format!("http://{}/webhooks/mastodon/nobody.example", daemon.address);
    let refused = tokio::task::spawn_blocking(move || ureq::post(&url).send("{}"))
        .await
        .unwrap();
    assert!(refused.is_err());
    daemon.says("replies.home finished").await;
    daemon.says("registrations.pending finished").await;

    let documented = documented();
    assert!(documented.len() >= 16, "{documented:?}");
    let mut text = String::new();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        text.clear();
        text.push_str(&daemon.text("/metrics").await);
        let all = series(&text);
        // What stands at nothing is something that a gauge can say.
        let moved = |name: &str| {
            let is_gauge = text.contains(&format!("# TYPE {name} gauge"));
            all.iter()
                .any(|one| one.name.starts_with(name) && (one.value > 0.0 || is_gauge))
        };
        let missing: Vec<_> = documented.iter().filter(|(name, _)| !moved(name)).collect();
        if missing.is_empty() {
            break;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{missing:?} never changed:\n{text}\n{}",
            daemon.log()
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for one in series(&text) {
        let bare = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| one.name.strip_suffix(end));
        let known = documented
            .iter()
            .find(|(name, _)| *name == one.name || Some(name.as_str()) == bare);
        let (name, labels) = known.unwrap_or_else(|| panic!("{} is not in docs/operations.md", one.name));
        for (label, value) in &one.labels {
            if label == "le" {
                continue;
            }
            assert!(labels.contains(label), "{name}: the label {label} is not documented");
            let word = |text: &str| {
                text.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            };
            let fits = match label.as_str() {
                "job" => value
                    .split_once('.')
                    .is_some_and(|(feature, noun)| word(feature) && word(noun)),
                // Those that the config names.
                "host" => value == "others" || value == home,
                "login" => value == &format!("{home}/me") || value == &format!("{home}/bad"),
                _ => word(value),
            };
            assert!(fits, "{name}: {label}={value:?} is no word of ours");
        }
        assert!(text.contains(&format!("# HELP {name} ")), "{name} is not described");
    }
}
