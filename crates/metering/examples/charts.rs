//! Draws the pictures of the documentation into a folder, or, without one, measures drawing for `cargo xtask bench`
//! and prints JSON.

use std::{error::Error, fs, path::Path, time::Instant};

use chrono_tz::Tz;
use metering::chart::{Chart, Flag, Panel, Sample, Series, Theme};

const DAY: i64 = 86_400;
/// 1 Dec 2025.
const START: i64 = 1_764_547_200;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1) {
        // For whoever counts instead of measuring.
        Some(once) if once == "once" => {
            let chart = chart(vec![grown("a", 365, 7, 900)]);
            assert!(chart.svg().len() > 100 && chart.png(1).len() > 100, "pictures");
            Ok(())
        }
        Some(folder) => draw(Path::new(&folder)),
        None => {
            let json = serde_json::json!({
                "svg_365_ms": best(|| chart(vec![grown("a", 365, 7, 900)]).svg().len()),
                "png_365_ms": best(|| chart(vec![grown("a", 365, 7, 900)]).png(1).len()),
                "svg_3650_ms": best(|| chart(vec![grown("a", 3650, 7, 900)]).svg().len()),
                "svg_10000_ms": best(|| chart(vec![grown("a", 10_000, 7, 900)]).svg().len()),
                "png_10000_ms": best(|| chart(vec![grown("a", 10_000, 7, 900)]).png(1).len()),
            });
            #[expect(clippy::print_stdout, reason = "this is what it is for")]
            {
                println!("{json}");
            }
            Ok(())
        }
    }
}

/// The quickest of some rounds, in milliseconds: the others measure the neighbours.
fn best(draw: impl Fn() -> usize) -> f64 {
    let round = |_| {
        let begun = Instant::now();
        assert!(draw() > 100, "a picture");
        begun.elapsed().as_secs_f64() * 1000.0
    };
    (0..9).map(round).fold(f64::INFINITY, f64::min)
}

/// A count that grows, by a made-up rule that is the same each time.
fn grown(label: &str, days: i64, seed: i64, from: i64) -> Series {
    let mut value = from;
    let samples = (0..days).map(|n| {
        let noise = (n * 7919 + seed * 104_729).rem_euclid(23) - 9;
        value = (value + noise * (1 + seed % 3) / 2).max(0);
        let at = START + n * DAY + 3 * 3600;
        Sample {
            from: at,
            until: at,
            step: DAY,
            value,
        }
    });
    Series {
        label: label.into(),
        samples: samples.collect(),
    }
}

fn chart(series: Vec<Series>) -> Chart {
    let panel = Panel {
        title: "alice@mastodon.example: followers".into(),
        series,
        flags: Vec::new(),
    };
    Chart::new(vec![panel], Tz::UTC)
}

fn draw(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut year = grown("alice@mastodon.example", 340, 7, 1200);
    year.samples.drain(150..171);
    let mut one = chart(vec![year.clone()]);
    one.panels[0].flags = vec![
        Flag {
            at: START + 60 * DAY,
            label: "renamed".into(),
        },
        Flag {
            at: START + 230 * DAY,
            label: "milestone".into(),
        },
    ];
    let mut statuses = grown("alice@mastodon.example", 340, 3, 8000);
    statuses
        .samples
        .iter_mut()
        .zip(0_i64..)
        .for_each(|(sample, n)| sample.value = 8000 + n * 4 + n % 9);
    let mut both = Chart::new(
        vec![
            one.panels[0].clone(),
            Panel {
                title: "alice@mastodon.example: statuses".into(),
                series: vec![statuses],
                flags: Vec::new(),
            },
        ],
        Tz::UTC,
    );
    both.theme = Theme::Dark;
    let names = [
        "alice@mastodon.example",
        "bob@social.example",
        "carol@fedi.example",
        "dörte@münchen.example",
    ];
    let compared = chart(
        names
            .iter()
            .zip([(7, 1200), (4, 900), (5, 2500), (9, 1900)])
            .map(|(name, (seed, from))| grown(name, 120, seed, from))
            .collect(),
    );
    let mut compared_dark = compared.clone();
    compared_dark.theme = Theme::Dark;
    let mut day = chart(vec![grown("alice@mastodon.example", 30, 7, 100)]);
    day.panels[0].series[0]
        .samples
        .iter_mut()
        .zip(0_i64..)
        .for_each(|(sample, n)| {
            sample.from = START + n * 1800;
            sample.until = sample.from;
            sample.step = 1800;
        });
    for (name, chart) in [
        ("metering-followers", &one),
        ("metering-both-dark", &both),
        ("metering-compared", &compared),
        ("metering-compared-dark", &compared_dark),
        ("metering-day", &day),
        ("metering-one-point", &chart(vec![grown("a", 1, 7, 100)])),
        ("metering-no-data", &chart(vec![grown("a", 0, 7, 100)])),
        ("metering-flat", &chart(vec![flat()])),
    ] {
        fs::write(folder.join(format!("{name}.png")), chart.png(2))?;
        fs::write(folder.join(format!("{name}.svg")), chart.svg())?;
    }
    Ok(())
}

fn flat() -> Series {
    let mut series = grown("a", 20, 7, 100);
    series.samples.iter_mut().for_each(|sample| sample.value = 1_234_567);
    series
}
