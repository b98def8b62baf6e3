//! What moderators decided, kept and brought back.

use std::path::{Path, PathBuf};

use job::{JobError, Mode, Safeguard as _};
use mastodon::AdminList;
use operations::{
    Safeguard,
    apply::{restore, snapshot},
    gather::snapshot as files,
};
use serde_json::{Value, json};

use crate::house::House;

const ROWS: [(AdminList, &str, &str); 5] = [
    (AdminList::DomainBlocks, "domain", "bad.example"),
    (AdminList::DomainAllows, "domain", "good.example"),
    (AdminList::EmailDomainBlocks, "domain", "mail.example"),
    (AdminList::IpBlocks, "ip", "192.0.2.0/24"),
    (AdminList::CanonicalEmailBlocks, "canonical_email_hash", ""),
];

/// Writes through the API what a moderator would, bypassing the ledger's record of it.
async fn fill(house: &House) {
    let (cx, login) = (house.cx(), house.login());
    for (list, name, value) in ROWS {
        let value = if value.is_empty() {
            "ab".repeat(32)
        } else {
            value.to_owned()
        };
        let row = json!({
            name: value, "severity": if list == AdminList::IpBlocks { "no_access" } else { "silence" },
            "private_comment": "spam", "comment": "spam", "allow_with_approval": true, "expires_in": 86_400,
        });
        let wish = job::Wish {
            kind: "test",
            server: login.server.clone(),
            key: list.name().to_owned(),
            intent: row.clone(),
            reason: Value::Null,
        };
        let add = async |permit| login.client.add_to_admin_list(list, &row, permit).await;
        cx.effects.carry_out(wish, add).await.unwrap();
    }
}

/// Takes everything out, as an attacker with a moderator's token would.
async fn wipe(house: &House) {
    let (cx, login) = (house.cx(), house.login());
    for list in AdminList::ALL {
        for row in login.client.admin_list(list).await.unwrap() {
            let id = row["id"].as_str().unwrap();
            let wish = job::Wish {
                kind: "wipe",
                server: login.server.clone(),
                key: format!("{} {id}", list.name()),
                intent: Value::Null,
                reason: Value::Null,
            };
            let remove = async |permit| {
                let removed = login.client.remove_from_admin_list(list, id, permit).await;
                removed.map(|()| Value::Null)
            };
            cx.effects.carry_out(wish, remove).await.unwrap();
        }
    }
}

/// Every list without what the server makes up: ids, times, histories.
async fn lists(house: &House) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    for list in AdminList::ALL {
        let mut rows = house.login().client.admin_list(list).await.unwrap();
        for row in &mut rows {
            let row = row.as_object_mut().unwrap();
            for name in ["id", "created_at", "history", "expires_at"] {
                row.remove(name);
            }
        }
        rows.sort_by_key(ToString::to_string);
        all.push(rows);
    }
    all
}

async fn take(house: &House) -> PathBuf {
    let cx = house.cx();
    let taken = snapshot::take(&cx.store, &house.login(), &house.backups(), "by hand", cx.clock.now()).await;
    house.backups().join(taken.unwrap().name)
}

async fn bring_back(house: &House, file: &Path, exact: bool) -> Result<restore::Done, JobError> {
    let (cx, login) = (house.cx(), house.login());
    let plan = restore::plan(&cx, &login, file, exact).await?;
    restore::carry_out(&cx, &login, &plan).await
}

fn writes(house: &House) -> usize {
    let log = house.fediverse().log().home().path("/api/v1/admin/");
    log.0.iter().filter(|it| it.method != "GET").count()
}

/// Check 52.
#[tokio::test]
async fn what_was_wiped_comes_back_and_a_second_restore_writes_nothing() {
    let house = House::build().await;
    fill(&house).await;
    let before = lists(&house).await;
    assert!(before.iter().all(|rows| !rows.is_empty()), "{before:?}");
    let file = take(&house).await;
    wipe(&house).await;
    assert!(lists(&house).await.iter().all(Vec::is_empty));
    let done = bring_back(&house, &file, false).await.unwrap();
    assert_eq!(
        (done.done, done.failed.len()),
        (before.iter().map(Vec::len).sum(), 0),
        "{done:?}"
    );
    assert_eq!(lists(&house).await, before);
    house.fediverse().clear_log();
    assert_eq!(bring_back(&house, &file, true).await.unwrap(), restore::Done::default());
    assert_eq!(writes(&house), 0);
}

/// Check 52.
#[tokio::test]
async fn a_damaged_snapshot_is_refused() {
    let house = House::build().await;
    fill(&house).await;
    let file = take(&house).await;
    let whole = std::fs::read(&file).unwrap();
    house.fediverse().clear_log();
    let mut changed = whole.clone();
    changed[20] ^= 1;
    let half = whole[..whole.len() / 2].to_vec();
    let no_end = whole[..whole.len() - 1].to_vec();
    let line = whole.iter().position(|byte| *byte == b'\n').unwrap();
    let without_a_line = whole[line + 1..].to_vec();
    for damaged in [changed, half, no_end, without_a_line, Vec::new()] {
        std::fs::write(&file, &damaged).unwrap();
        let said = bring_back(&house, &file, true).await.unwrap_err().to_string();
        assert!(said.contains("damaged"), "{said}");
    }
    assert_eq!(writes(&house), 0);
}

/// What a killed process left goes with the next snapshot, and what another one is writing stays.
#[tokio::test]
async fn what_is_half_written_goes_when_nobody_writes_it() {
    let house = House::build().await;
    let whole = take(&house).await;
    let name = whole.file_name().unwrap().to_str().unwrap();
    let stem = name.trim_end_matches(".snapshot.jsonl");
    let half = |pid: u32| house.backups().join(format!(".{stem}.{pid}.partial"));
    for pid in [1, 2] {
        std::fs::write(half(pid), "half").unwrap();
    }
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 24 * 3600);
    let left = std::fs::File::options().write(true).open(half(1)).unwrap();
    left.set_modified(long_ago).unwrap();
    take(&house).await;
    assert!(!half(1).exists() && half(2).exists() && whole.exists());
}

#[tokio::test]
async fn a_restore_writes_nothing_when_observing() {
    let house = House::build().await;
    fill(&house).await;
    let file = take(&house).await;
    wipe(&house).await;
    house.ledger.configure("operations", Mode::Observe, None);
    house.fediverse().clear_log();
    let done = bring_back(&house, &file, false).await.unwrap();
    assert!(done.rehearsed > 0 && done.done == 0, "{done:?}");
    assert_eq!(writes(&house), 0);
}

#[tokio::test]
async fn another_servers_snapshot_is_refused() {
    let (house, other) = (House::build().await, House::build().await);
    let file = take(&house).await;
    let said = bring_back(&other, &file, false).await.unwrap_err().to_string();
    assert!(said.contains("is a snapshot of"), "{said}");
}

#[tokio::test]
async fn the_job_keeps_days_and_weeks_and_survives_a_busy_server() {
    let mut house = House::build().await;
    house.config.snapshot.enabled = true;
    for _ in 0..9 {
        house.job("operations.snapshot").await.unwrap();
        house.later(24);
    }
    let kept = files::found(&house.backups()).unwrap();
    assert!((8..=9).contains(&kept.len()), "{}", kept.len());
    assert!(kept.iter().all(|it| it.manifest.is_some()));
    let fault = fake_fediverse::Fault::Html(503);
    house.fediverse().fault(None, "/api/v1/admin/ip_blocks", fault, None);
    assert!(matches!(
        house.job("operations.snapshot").await,
        Err(JobError::Transient(_))
    ));
    let names: Vec<_> = std::fs::read_dir(house.backups())
        .unwrap()
        .flatten()
        .map(|it| it.file_name())
        .collect();
    assert_eq!(names.len(), kept.len(), "nothing half is left: {names:?}");
}

#[tokio::test]
async fn nothing_is_changed_without_a_snapshot_before() {
    let house = House::build().await;
    let guard = Safeguard::new(&house.config, &house.store).unwrap();
    let (cx, login) = (house.cx(), house.login());
    guard.before("blocklists", &login, &cx).await.unwrap();
    let found = files::found(&house.backups()).unwrap();
    assert_eq!(found[0].manifest.as_ref().unwrap().why, "before blocklists");
    // A folder that cannot be written to: the feature hears no.
    std::fs::remove_dir_all(house.backups()).unwrap();
    std::fs::write(house.backups(), "a file").unwrap();
    let said = guard.before("blocklists", &login, &cx).await.unwrap_err().to_string();
    assert!(said.contains("no snapshot can be written"), "{said}");
}
