//! `cargo xtask growth`: what a day takes of a processor on a server ten and a hundred times as large, by feature, drawn
//! into docs/images.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use serde_json::Value;

use super::stage::Programs;

const SIZES: [&str; 3] = ["500", "5000", "50000"];
const MINUTES: &str = "20";
/// Not a feature: what SQLite's own threads take for all of them.
const DATABASE: &str = "database";
const PICTURE: &str = "docs/images/growth.svg";

/// What to draw.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Days that were played already, as the example `day` of the crate `daemon` prints them. Without: 500, 5,000 and
    /// 50,000 people, twenty minutes each.
    days: Vec<PathBuf>,
    /// The cargo profile to build and measure.
    #[arg(long, default_value = "release")]
    profile: String,
}

/// A day's seconds of processor time by feature.
struct Day {
    people: f64,
    all: f64,
    seconds: BTreeMap<String, f64>,
}

/// Plays or reads the days, prints a table, draws.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let told: Vec<Value> = if args.days.is_empty() {
        let programs = Programs::build(&args.profile)?;
        let play = |size: &&str| programs.example("day", &[size, MINUTES]);
        SIZES.iter().map(play).collect::<anyhow::Result<_>>()?
    } else {
        let read = |file: &PathBuf| {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            serde_json::from_str(&text).with_context(|| file.display().to_string())
        };
        args.days.iter().map(read).collect::<anyhow::Result<_>>()?
    };
    let mut days = told.iter().map(Day::read).collect::<anyhow::Result<Vec<_>>>()?;
    days.sort_by(|a, b| a.people.total_cmp(&b.people));
    ensure!(days.len() > 1, "growth needs two sizes");
    print_table(&days);
    let picture = crate::root()?.join(PICTURE);
    std::fs::write(&picture, draw(&days)?).with_context(|| picture.display().to_string())?;
    println!("\ndrawn into {PICTURE}");
    Ok(())
}

impl Day {
    fn read(told: &Value) -> anyhow::Result<Self> {
        let number = |key: &str| told[key].as_f64().with_context(|| format!("no {key} in {told}"));
        let database = number("sqlite_s")?;
        let mut seconds = BTreeMap::new();
        for (job, took) in told["busy"].as_object().context("no job was at work")? {
            let feature = job.split('.').next().unwrap_or(job);
            *seconds.entry(feature.to_owned()).or_insert(0.0) += took.as_f64().unwrap_or_default();
        }
        seconds.insert(DATABASE.to_owned(), database);
        Ok(Self {
            people: number("people")?,
            all: number("processor_s")?,
            seconds,
        })
    }

    fn of(&self, feature: &str) -> f64 {
        self.seconds.get(feature).copied().unwrap_or_default()
    }
}

/// Every feature, the costliest on the largest server first.
fn features(days: &[Day]) -> Vec<&str> {
    let Some(largest) = days.last() else {
        return Vec::new();
    };
    let mut features: Vec<&str> = largest.seconds.keys().map(String::as_str).collect();
    features.sort_by(|a, b| largest.of(b).total_cmp(&largest.of(a)));
    features
}

fn print_table(days: &[Day]) {
    let row = |name: &str, cells: Vec<String>| println!("| {name} | {} |", cells.join(" | "));
    row(
        "seconds of processor in a day",
        days.iter().map(|day| format!("{} people", day.people)).collect(),
    );
    row("---", days.iter().map(|_| "---".to_owned()).collect());
    for feature in features(days) {
        row(
            feature,
            days.iter().map(|day| format!("{:.1}", day.of(feature))).collect(),
        );
    }
    row(
        "the whole daemon",
        days.iter().map(|day| format!("{:.1}", day.all)).collect(),
    );
}

/// Both axes by powers of ten: what grows with the number of people rises by a decade from size to size.
fn draw(days: &[Day]) -> anyhow::Result<String> {
    /// Told apart by people who see few colours, too: each line ends in its name.
    const COLOURS: [RGBColor; 6] = [
        RGBColor(0x00, 0x72, 0xb2),
        RGBColor(0xd5, 0x5e, 0x00),
        RGBColor(0x00, 0x9e, 0x73),
        RGBColor(0xcc, 0x79, 0xa7),
        RGBColor(0x8a, 0x6d, 0x00),
        RGBColor(0x44, 0x44, 0x44),
    ];
    const LEAST: f64 = 0.1;
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Ok(String::new());
    };
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (860, 540)).into_drawing_area();
        let mend = |error: &dyn std::fmt::Display| anyhow!("cannot draw: {error}");
        area.fill(&WHITE).map_err(|e| mend(&e))?;
        let mut chart = ChartBuilder::on(&area)
            .caption(
                "Seconds of processor in a day, by the number of people",
                ("sans-serif", 18),
            )
            .margin(12)
            .margin_right(190)
            .x_label_area_size(64)
            .y_label_area_size(60)
            .build_cartesian_2d(
                (first.people..last.people).log_scale(),
                (LEAST..last.all * 2.0).log_scale(),
            )
            .map_err(|e| mend(&e))?;
        chart
            .configure_mesh()
            .x_desc("people on the server")
            .y_desc("seconds")
            .disable_x_mesh()
            .x_label_formatter(&|_| String::new())
            .set_tick_mark_size(LabelAreaPosition::Bottom, 0)
            .y_label_formatter(&|seconds| format!("{seconds}"))
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .draw()
            .map_err(|e| mend(&e))?;
        let centred = TextStyle::from(("sans-serif", 12)).pos(Pos::new(HPos::Center, VPos::Top));
        for day in days {
            let (x, y) = chart.backend_coord(&(day.people, LEAST));
            area.draw_text(&format!("{}", day.people), &centred, (x, y + 6))
                .map_err(|e| mend(&e))?;
        }
        // From the top; a name gives way downwards to the one above.
        let mut lowest = i32::MIN;
        for (n, feature) in features(days).into_iter().enumerate() {
            let colour = COLOURS[n % COLOURS.len()];
            let points: Vec<(f64, f64)> = days
                .iter()
                .map(|day| (day.people, day.of(feature).max(LEAST)))
                .collect();
            let Some(&end) = points.last() else { continue };
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))
                .map_err(|e| mend(&e))?;
            chart
                .draw_series(points.iter().map(|at| Circle::new(*at, 3, colour.filled())))
                .map_err(|e| mend(&e))?;
            let (x, y) = chart.backend_coord(&end);
            let y = y.max(lowest.saturating_add(16));
            lowest = y;
            let style = TextStyle::from(("sans-serif", 13))
                .color(&colour)
                .pos(Pos::new(HPos::Left, VPos::Center));
            area.draw_text(
                &format!("{feature}, {} s", super::rounded(last.of(feature))),
                &style,
                (x + 10, y),
            )
            .map_err(|e| mend(&e))?;
        }
        area.present().map_err(|e| mend(&e))?;
    }
    Ok(svg)
}
