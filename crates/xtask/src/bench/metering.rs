//! Metering: pictures, and a year of one account among many.

use anyhow::Context as _;
use serde_json::Value;

use super::{Figure, figure, measured, stage::Programs};
use crate::postgres::Cluster;

/// How many points lie in Postgres; another number by `EGRET_BENCH_POINTS`. A hundred million take ten times as long to
/// write, and 22 GB.
const POSTGRES_POINTS: &str = "10000000";

/// What drawing takes, what measuring takes, and reading a year of one account among many points in either engine.
pub(super) fn measure(programs: &Programs, profile: &str) -> anyhow::Result<[Figure; 10]> {
    let charts = programs.example("charts", &[])?;
    let points = programs.example("points", &[])?;
    let many = std::env::var("EGRET_BENCH_POINTS").unwrap_or_else(|_| POSTGRES_POINTS.to_owned());
    let in_postgres = {
        let cluster = Cluster::durable()?;
        programs.example("points", &[&cluster.url(), &many])?
    };
    let accounts = programs.example("accounts", &[])?;
    let pictures = measured(profile, "web", "pace::livez_while_pictures_are_drawn")?;
    let number = |told: &Value, key: &str| told[key].as_f64().with_context(|| format!("no {key}"));
    let line = |what, told: &Value, key: &str, budget, baseline: String| {
        Ok::<_, anyhow::Error>(Figure {
            what,
            measured: number(told, key)?,
            budget,
            unit: "ms",
            baseline,
        })
    };
    let old = || "best of 9; mastodon-meter: 1,900 ms".to_owned();
    let requests = number(&accounts, "one_requests")?;
    Ok([
        Figure {
            what: "requests for 100,000 accounts of one server",
            measured: requests,
            budget: 2500.0,
            unit: "requests",
            baseline: format!("{:.0} s here; mastodon-meter: 100,000", number(&accounts, "one_s")?),
        },
        Figure {
            what: "the same, as a part of an hour of one token",
            // 300 in five minutes.
            measured: requests / 3600.0 * 100.0,
            budget: 69.5,
            unit: "%",
            baseline: "3,600 requests an hour".into(),
        },
        Figure {
            what: "healthy accounts of 500 faulty hosts without their one point",
            measured: number(&accounts, "chaos_missing")? + number(&accounts, "chaos_doubled")?,
            budget: 0.0,
            unit: "accounts",
            baseline: "of 10,000; 10 % time-outs, 5 % 5xx, 2 % gone, 1 % HTML".into(),
        },
        line("chart of 365 points, SVG", &charts, "svg_365_ms", 5.0, old())?,
        line("chart of 365 points, PNG", &charts, "png_365_ms", 30.0, old())?,
        line(
            "chart of 10,000 points, SVG",
            &charts,
            "svg_10000_ms",
            25.0,
            "best of 9".into(),
        )?,
        line(
            "chart of 10,000 points, PNG",
            &charts,
            "png_10000_ms",
            30.0,
            "best of 9".into(),
        )?,
        line(
            "a year of one account among 10 M points",
            &points,
            "year_ms_p95",
            5.0,
            format!(
                "SQLite, p95 of 200; {:.0} bytes a row, filled in {:.0} s",
                number(&points, "bytes_per_row")?,
                number(&points, "fill_s")?
            ),
        )?,
        line(
            "a year of one account in Postgres",
            &in_postgres,
            "year_ms_p95",
            5.0,
            format!(
                "p95 of 200 among {:.0} M points; {:.0} bytes a row, filled in {:.0} s",
                number(&in_postgres, "rows")? / 1e6,
                number(&in_postgres, "bytes_per_row")?,
                number(&in_postgres, "fill_s")?
            ),
        )?,
        Figure {
            what: "/livez while 50 pictures of ten years are drawn, worst",
            measured: figure(&pictures, "livez while 50 pictures")?,
            budget: 20.0,
            unit: "ms",
            baseline: "mastodon-meter: nothing is answered for 1,900 ms a picture".into(),
        },
    ])
}
