//! How quickly what servers push is stored and answered, and how long after a bad status its report is filed.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{
    Figure,
    stage::{Egret, Fediverse, Programs},
};
use crate::postgres::Cluster;

/// How long the flood lasts.
const SECONDS: u32 = 15;

const CONFIG: &str = "[replies]\nper_run = 100000\n\
    [moderation]\nmode = \"act\"\nquota = 1000000\nreports_per_hour = 1000000\n\
    [moderation.inbox]\nenabled = true\n[moderation.accounts]\nenabled = false\n";

const RULES: &str =
    "[[rules]]\nid = \"casino\"\nname = \"Casino spam\"\nwhen = { keywords = [\"casino\"], in = [\"content\"] }\n";

/// 200 webhooks a second, each twentieth of a status that is to be reported, on both engines.
pub(super) fn measure(programs: &Programs) -> anyhow::Result<Vec<Figure>> {
    let cluster = Cluster::durable()?;
    let mut figures = Vec::new();
    for (store, answered, filed) in [
        (
            None,
            "webhook answered, durable, SQLite, p99",
            "status to report, SQLite, p99",
        ),
        (
            Some(cluster.url()),
            "webhook answered, durable, Postgres, p99",
            "status to report, Postgres, p99",
        ),
    ] {
        let flooded = flood(programs, store.as_deref())?;
        let number = |key: &str| flooded[key].as_f64().with_context(|| format!("no {key} in {flooded}"));
        let (acks, reports) = (number("acks")?, number("reports")?);
        ensure!(acks >= f64::from(200 * SECONDS), "only {acks} webhooks were answered");
        ensure!(reports >= f64::from(10 * SECONDS), "only {reports} reports were filed");
        figures.push(Figure {
            what: answered,
            measured: number("ack_p99")?,
            budget: 5.0,
            unit: "ms",
            baseline: format!("median {:.1} ms at 200/s", number("ack_p50")?),
        });
        figures.push(Figure {
            what: filed,
            measured: number("report_p99")?,
            budget: 150.0,
            unit: "ms",
            baseline: format!(
                "median {:.0} ms, {reports} reports, at 200 webhooks/s",
                number("report_p50")?
            ),
        });
    }
    Ok(figures)
}

fn flood(programs: &Programs, store: Option<&str>) -> anyhow::Result<Value> {
    let fediverse = Fediverse::start(programs, &["--scenario", "small"])?.visited_by_its_owner();
    let egret = Egret::on(programs, &fediverse, store, CONFIG)?;
    egret.file("rules.toml", RULES)?;
    egret.tell(&["migrate"])?;
    egret.tell(&["rules", "put", "rules.toml"])?;
    egret.tell(&["rules", "stand", "casino", "live", "--why", "to be measured"])?;
    let _running = egret.run()?;
    fediverse.wait_until_quiet(Duration::from_secs(3))?;
    fediverse.webhook(&egret.webhook(&fediverse), &egret.secret()?, "status.created")?;
    fediverse.flood(SECONDS)
}
