//! Metering: pictures, and a year of one account among many.

use anyhow::Context as _;
use serde_json::Value;

use super::{Figure, stage::Programs};

/// What drawing takes, what measuring takes, and reading a year of one account with ten million points in SQLite.
pub(super) fn measure(programs: &Programs) -> anyhow::Result<[Figure; 8]> {
    let charts = programs.example("charts")?;
    let points = programs.example("points")?;
    let accounts = programs.example("accounts")?;
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
            baseline: "of 10,000; 10 % time-outs, 5 % 5xx, 5 % gone, 1 % HTML".into(),
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
    ])
}
