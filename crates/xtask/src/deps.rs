//! `cargo xtask check-deps`: a dependency is a permission.
//!
//! Who may use whom is how this house is built, so it is checked, from the manifests alone and without a network.
//! `deny.toml` says the part of it that concerns other people's crates too, for those who have cargo-deny; this knows
//! our floors as well, and that `docs/dependencies.md` has a line for each dependency.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// The rooms side by side: none may look across.
const FEATURES: [&str; 8] = [
    "replies",
    "backfill",
    "archive",
    "metering",
    "moderation",
    "registrations",
    "blocklists",
    "operations",
];

/// What each floor may use of ours. Whoever is missing here may use nothing of ours.
const FLOORS: [(&str, &[&str]); 9] = [
    ("rules", &["model"]),
    ("net", &["model"]),
    ("store", &["model"]),
    ("mastodon", &["model", "net"]),
    ("job", &["model", "net", "mastodon", "store"]),
    ("a feature", &["model", "rules", "net", "mastodon", "store", "job"]),
    (
        "web",
        &["model", "rules", "net", "mastodon", "store", "job", "a feature"],
    ),
    (
        "daemon",
        &[
            "model",
            "rules",
            "net",
            "mastodon",
            "store",
            "job",
            "a feature",
            "web",
            "fake-fediverse",
        ],
    ),
    (
        "it",
        &[
            "model",
            "rules",
            "net",
            "mastodon",
            "store",
            "job",
            "a feature",
            "web",
            "daemon",
            "fake-fediverse",
        ],
    ),
];

/// Whose door it is: crates of others that few may list.
const DOORS: [(&str, &[&str]); 8] = [
    ("reqwest", &["net"]),
    ("tokio-rustls", &["net"]),
    ("backoff", &["net"]),
    ("sqlx", &["store"]),
    ("axum", &["web", "fake-fediverse"]),
    ("config", &["daemon"]),
    ("signal-hook", &["daemon", "xtask"]),
    ("tokio-cron-scheduler", &["daemon"]),
];

/// Tests may also stand up a server, and use the fake fediverse.
const IN_TESTS: [&str; 2] = ["axum", "fake-fediverse"];

/// One line of one manifest.
#[derive(Debug, Clone, PartialEq)]
struct Dependency {
    user: String,
    used: String,
    ours: bool,
    dev: bool,
}

/// Checks the workspace; every fault is one line.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = crate::root()?;
    let mut cargo = crate::cargo();
    cargo
        .current_dir(&root)
        .args(["metadata", "--format-version", "1", "--offline", "--no-deps"]);
    let out = cargo.output().context("cannot start cargo metadata")?;
    if !out.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    let dependencies = read(&serde_json::from_slice(&out.stdout)?)?;
    let page = root.join("docs/dependencies.md");
    let page = std::fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;

    let faults = [permissions(&dependencies), documented(&dependencies, &page)].concat();
    for fault in &faults {
        eprintln!("{fault}");
    }
    if !faults.is_empty() {
        bail!("{} faults in the dependencies of the workspace", faults.len());
    }
    println!(
        "{} dependencies in the manifests, each permitted and documented",
        dependencies.len()
    );
    Ok(())
}

/// The dependencies in cargo's own account of the workspace.
fn read(metadata: &Value) -> anyhow::Result<Vec<Dependency>> {
    let mut found = Vec::new();
    for package in metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?
    {
        let user = package["name"].as_str().context("a package without a name")?;
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            found.push(Dependency {
                user: user.to_owned(),
                used: dependency["name"]
                    .as_str()
                    .context("a dependency without a name")?
                    .to_owned(),
                ours: dependency["path"].is_string(),
                dev: dependency["kind"] == "dev",
            });
        }
    }
    Ok(found)
}

fn permissions(dependencies: &[Dependency]) -> Vec<String> {
    let floor = |name: &str| {
        if FEATURES.contains(&name) {
            "a feature".to_owned()
        } else {
            name.to_owned()
        }
    };
    let mut faults = BTreeSet::new();
    for Dependency { user, used, ours, dev } in dependencies {
        if user == used || (*dev && IN_TESTS.contains(&used.as_str())) {
            continue;
        }
        if *ours {
            let may: &[&str] = FLOORS
                .iter()
                .find(|(name, _)| *name == floor(user))
                .map_or(&[], |(_, below)| *below);
            if !may.contains(&floor(used).as_str()) {
                faults.insert(format!(
                    "{user} may not use {used}: see the floors in docs/architecture.md"
                ));
            }
        } else if let Some((_, owners)) = DOORS.iter().find(|(name, _)| name == used)
            && !owners.contains(&user.as_str())
        {
            faults.insert(format!(
                "{user} may not use {used}: that is the door of {}",
                owners.join(" and ")
            ));
        }
    }
    faults.into_iter().collect()
}

/// Each direct dependency has a row of its own in the page, and each row is about one.
fn documented(dependencies: &[Dependency], page: &str) -> Vec<String> {
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for dependency in dependencies.iter().filter(|d| !d.ours) {
        used.entry(&dependency.used).or_default().insert(&dependency.user);
    }
    let rows: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    let missing = used
        .iter()
        .filter(|(name, _)| !rows.contains(*name))
        .map(|(name, users)| {
            let users: Vec<&str> = users.iter().copied().collect();
            format!(
                "{name}, used by {}, has no row in docs/dependencies.md",
                users.join(", ")
            )
        });
    let stale = rows
        .iter()
        .filter(|name| !used.contains_key(*name))
        .map(|name| format!("docs/dependencies.md has a row for {name}, which nobody uses"));
    missing.chain(stale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(user: &str, used: &str, ours: bool, dev: bool) -> Dependency {
        Dependency {
            user: user.into(),
            used: used.into(),
            ours,
            dev,
        }
    }

    #[test]
    fn features_do_not_look_across() {
        let faults = permissions(&[
            dependency("replies", "backfill", true, false),
            dependency("replies", "backfill", true, true),
            dependency("replies", "store", true, false),
            dependency("replies", "web", true, false),
        ]);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].starts_with("replies may not use backfill"));
        assert!(faults[1].starts_with("replies may not use web"));
    }

    #[test]
    fn doors_belong_to_one() {
        let faults = permissions(&[
            dependency("archive", "sqlx", false, false),
            dependency("store", "sqlx", false, false),
            dependency("mastodon", "axum", false, false),
            dependency("net", "axum", false, true),
            dependency("store", "store", true, true),
            dependency("fake-fediverse", "model", true, false),
            dependency("store", "net", true, true),
        ]);
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert_eq!(faults[0], "archive may not use sqlx: that is the door of store");
    }

    #[test]
    fn every_dependency_has_a_row_and_every_row_a_dependency() {
        let used = [
            dependency("net", "url", false, false),
            dependency("net", "model", true, false),
        ];
        assert!(documented(&used, "| `url` | addresses |\n").is_empty());
        assert_eq!(documented(&used, "`url` is nice\n").len(), 1);
        assert_eq!(documented(&used, "| `url` | a |\n| `dashmap` | b |\n").len(), 1);
    }

    #[test]
    fn this_workspace_keeps_its_own_rules() {
        run().unwrap();
    }
}
