//! A day of a server with 50,000 people, every feature on, in forty minutes: what it takes of a machine. How long
//! somebody waits is printed and has no target here: two cores that do a day's work in minutes are busy all the time.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Figure, stage::Programs};

const PEOPLE: &str = "50000";
const MINUTES: &str = "40";
const DAY: f64 = 24.0 * 60.0 * 60.0;

/// On SQLite, as most will run it. `EGRET_BENCH_PEOPLE` measures another size.
pub(super) fn measure(programs: &Programs) -> anyhow::Result<Vec<Figure>> {
    let people = std::env::var("EGRET_BENCH_PEOPLE").unwrap_or_else(|_| PEOPLE.to_owned());
    let day = programs.example("day", &[&people, MINUTES])?;
    eprintln!("xtask: the day: {day:#}");
    let number = |key: &str| day[key].as_f64().with_context(|| format!("no {key} in {day}"));
    ensure!(day["drained"] == true, "the daemon did not end well: {day}");
    ensure!(
        number("webhooks")? > 0.0 && number("reports")? > 0.0 && number("decided")? > 0.0,
        "nothing happened: {day}"
    );
    let figure = |what, measured, budget, unit, baseline: String| Figure {
        what,
        measured,
        budget,
        unit,
        baseline,
    };
    let heaviest = heaviest(&day["runs"]["seconds"]);
    Ok(vec![
        figure(
            "a day of 50,000 people: processor, of one core",
            100.0 * number("processor_s")? / DAY,
            2.0,
            "%",
            format!("longest at work: {heaviest}"),
        ),
        figure(
            "a day: peak memory",
            number("peak_mib")?,
            350.0,
            "MiB",
            format!(
                "{:.0} MiB at its end, at {:.0} times its speed",
                number("rest_mib")?,
                number("factor")?
            ),
        ),
        figure(
            "a day: growth of the database",
            number("store_mib")? - number("store_before_mib")?,
            300.0,
            "MiB",
            format!(
                "{:.0} MiB before, 100,000 measured accounts",
                number("store_before_mib")?
            ),
        ),
        figure(
            "a day: sign-ups that rules did not decide",
            number("signups")? - number("decided")?,
            0.0,
            "",
            format!("of {}", day["signups"]),
        ),
        figure(
            "a day: replies that are not at home",
            number("replies_missing")?,
            0.0,
            "",
            format!(
                "{} requests at home, {} of origins",
                day["home_requests"], day["origin_requests"]
            ),
        ),
        figure(
            "a day: runs that failed",
            day["runs"]["failed"].as_f64().context("no failed runs")?,
            0.0,
            "",
            format!("of {}", day["runs"]["all"]),
        ),
    ])
}

/// The jobs that took longest, with their seconds.
fn heaviest(seconds: &Value) -> String {
    let mut jobs: Vec<(&str, f64)> = seconds
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(job, took)| Some((job.as_str(), took.as_f64()?)))
        .collect();
    jobs.sort_by(|a, b| b.1.total_cmp(&a.1));
    let told: Vec<String> = jobs
        .iter()
        .take(3)
        .map(|(job, took)| format!("{job} {took:.0} s"))
        .collect();
    told.join(", ")
}
