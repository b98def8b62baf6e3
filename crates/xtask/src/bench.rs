//! `cargo xtask bench`: the budgets of what exists so far, measured from outside.
//!
//! The daemon and the simulated fediverse run as the processes they are, and the fediverse counts. Each figure stands
//! beside its budget and beside what the same work costs done the simple way, so that a ratio can be read on any
//! machine. Politeness (`[net]`'s requests a minute) is lifted: it would measure the limits rather than the daemon.

mod archive;
mod day;
pub(crate) mod growth;
mod instructions;
mod metering;
mod moderation;
mod registrations;
mod rules;
pub(crate) mod soak;
mod stage;

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;
use serde_json::{Value, json};

use stage::{Egret, Fediverse, Pass, Programs};

/// What an answer of an origin takes where that is measured.
const LATENCY: Duration = Duration::from_millis(80);
const MIB: f64 = 1024.0 * 1024.0;

/// How to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// The cargo profile to build and measure.
    #[arg(long, default_value = "release")]
    profile: String,
    /// Only these; default: all.
    #[arg(value_enum)]
    only: Vec<Part>,
}

/// Figures that come out of one measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Binary size.
    Size,
    /// Cold start, idle memory.
    Start,
    /// Replies on a home that fetches none itself.
    Plain,
    /// Replies on a home that does.
    Builtin,
    /// A thread of 10,000 replies.
    Giant,
    /// Backfill beside FediFetcher's arithmetic.
    Backfill,
    /// The dashboard on a full store.
    Pages,
    /// Sign-ups.
    Registrations,
    /// Merging lists.
    Blocklists,
    /// Judging by moderation's rules.
    Rules,
    /// Webhooks and reports.
    Moderation,
    /// Measuring, pictures, series.
    Metering,
    /// The archive: a first one, storing, searching.
    Archive,
    /// What is counted rather than timed, for noisy machines.
    Instructions,
    /// A day of a large server, every feature on.
    Day,
}

impl Part {
    fn measure(self, programs: &Programs, profile: &str) -> anyhow::Result<Vec<Figure>> {
        Ok(match self {
            Self::Size => vec![size(programs, profile)?],
            Self::Start => start_and_idle(programs)?.into(),
            Self::Plain => plain_home(programs)?.into(),
            Self::Builtin => vec![builtin(programs)?],
            Self::Giant => giant(programs)?.into(),
            Self::Backfill => vec![neighbour(profile)?],
            Self::Pages => pages(profile)?.into(),
            Self::Registrations => vec![registrations::measure(programs)?],
            Self::Blocklists => merging(programs)?.into(),
            Self::Rules => rules::measure(programs)?.into(),
            Self::Metering => metering::measure(programs, profile)?.into(),
            Self::Moderation => moderation::measure(programs)?,
            Self::Archive => archive::measure(programs, profile)?,
            Self::Instructions => instructions::measure(programs)?.into(),
            Self::Day => day::measure(programs)?,
        })
    }
}

/// One line of the table.
struct Figure {
    what: &'static str,
    measured: f64,
    budget: f64,
    unit: &'static str,
    baseline: String,
}

impl Figure {
    fn met(&self) -> bool {
        // Not `<=` turned around: a figure that is not a number misses its budget.
        self.measured <= self.budget
    }
}

/// Builds, measures, prints; a missed budget is an error.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let programs = Programs::build(&args.profile)?;
    let mut figures = Vec::new();
    let mut failed = 0;
    for part in Part::value_variants() {
        if !args.only.is_empty() && !args.only.contains(part) {
            continue;
        }
        // One that cannot be measured costs its own lines only: the others took long enough.
        match part.measure(&programs, &args.profile) {
            Ok(more) => figures.extend(more),
            Err(error) => {
                failed += 1;
                eprintln!("xtask: {part:?} was not measured: {error:#}");
            }
        }
    }

    if args.json {
        println!("{:#}", Value::from_iter(figures.iter().map(as_json)));
    } else {
        print_table(&figures);
    }
    match (figures.iter().filter(|f| !f.met()).count(), failed) {
        (0, 0) => Ok(()),
        (missed, 0) => bail!("{missed} of {} budgets missed", figures.len()),
        (missed, failed) => bail!(
            "{missed} of {} budgets missed, and {failed} measurements failed",
            figures.len()
        ),
    }
}

fn size(programs: &Programs, profile: &str) -> anyhow::Result<Figure> {
    Ok(Figure {
        what: "binary size",
        measured: programs.egret_size()? as f64 / MIB,
        budget: 30.0,
        unit: "MiB",
        baseline: format!("profile {profile}"),
    })
}

/// Cold start to ready on an empty SQLite database, and memory when there is nothing to do.
fn start_and_idle(programs: &Programs) -> anyhow::Result<[Figure; 2]> {
    let fediverse = Fediverse::start(programs, &["--scenario", "small"])?;
    let mut starts = Vec::new();
    let mut idle = 0;
    for round in 0..5 {
        let egret = Egret::new(programs, &fediverse, "")?;
        let mut running = egret.run()?;
        starts.push(running.ready_after());
        if round == 4 {
            // The first runs are over when the fediverse is no longer asked anything.
            fediverse.wait_until_quiet(Duration::from_secs(3))?;
            idle = running.memory("VmRSS")?;
        }
    }
    starts.sort();
    Ok([
        Figure {
            what: "cold start to ready",
            measured: starts[starts.len() / 2].as_secs_f64() * 1000.0,
            budget: 300.0,
            unit: "ms",
            baseline: "median of 5, each with a new SQLite file".into(),
        },
        Figure {
            what: "idle memory",
            measured: idle as f64 / MIB,
            budget: 40.0,
            unit: "MiB",
            baseline: "after the first runs on the small scenario".into(),
        },
    ])
}

/// Medium scenario on a home without fetching of its own: cost, time, and the second pass.
fn plain_home(programs: &Programs) -> anyhow::Result<[Figure; 3]> {
    let latency = format!("{}ms", LATENCY.as_millis());
    let fediverse = Fediverse::start(
        programs,
        &["--scenario", "medium", "--builtin", "off", "--latency", &latency],
    )?;
    let egret = Egret::new(programs, &fediverse, "")?;
    let pass = egret.once()?;
    let first = fediverse.summary()?;
    let recovered = recovered(&first)?;
    let asked = first.number("origin_requests")?;
    let in_sequence = LATENCY.as_secs_f64() * asked as f64;

    fediverse.clear()?;
    egret.once()?;
    let second = fediverse.summary()?;
    Ok([
        Figure {
            what: "home requests per recovered reply, plain home",
            measured: first.number("home_requests")? as f64 / recovered as f64,
            budget: 0.7,
            unit: "",
            baseline: format!(
                "1.0 is one resolve per reply; {recovered} recovered, {} missing",
                first.left()?
            ),
        },
        Figure {
            what: "pass over 20 origins of 80 ms, part of the time in sequence",
            measured: pass.took.as_secs_f64() / in_sequence,
            budget: 0.2,
            unit: "",
            baseline: format!(
                "{:.1} s against {asked} × 80 ms = {in_sequence:.1} s",
                pass.took.as_secs_f64()
            ),
        },
        Figure {
            what: "resolves of a second pass",
            measured: second.number("resolves")? as f64,
            budget: 0.0,
            unit: "",
            baseline: format!("the first pass: {}", first.number("resolves")?),
        },
    ])
}

/// Medium scenario on a home that fetches replies when asked for a thread.
fn builtin(programs: &Programs) -> anyhow::Result<Figure> {
    let fediverse = Fediverse::start(programs, &["--scenario", "medium", "--builtin", "works"])?;
    Egret::new(programs, &fediverse, "")?.once()?;
    let summary = fediverse.summary()?;
    let recovered = recovered(&summary)?;
    Ok(Figure {
        what: "home requests per recovered reply, home that fetches itself",
        measured: summary.number("home_requests")? as f64 / recovered as f64,
        budget: 0.05,
        unit: "",
        baseline: format!(
            "1.0 is one resolve per reply; {recovered} recovered, {} missing",
            summary.left()?
        ),
    })
}

/// One thread of 10,000 replies at an origin with conversation collections, which the budget is for, and at one of before
/// 4.5, where strangers get a context of 60: there the list is walked branch by branch, over several visits, and this is
/// what the first one asks at most. A run that resolves little lists it all the same.
fn giant(programs: &Programs) -> anyhow::Result<[Figure; 3]> {
    let (requests, pass) = list_giant(programs, "mastodon")?;
    let (older, _) = list_giant(programs, "mastodon-old")?;
    Ok([
        Figure {
            what: "thread of 10,000 replies: origin requests to list it",
            measured: requests,
            budget: 170.0,
            unit: "",
            baseline: "one request per reply: 10,000".into(),
        },
        Figure {
            what: "the same before 4.5: origin requests of one visit",
            measured: older,
            budget: 700.0,
            unit: "",
            baseline: "no more than the bound of a visit; the next one goes on".into(),
        },
        Figure {
            what: "thread of 10,000 replies: peak memory",
            measured: pass.peak_memory as f64 / MIB,
            budget: 200.0,
            unit: "MiB",
            baseline: format!("{:.1} s", pass.took.as_secs_f64()),
        },
    ])
}

fn list_giant(programs: &Programs, software: &str) -> anyhow::Result<(f64, Pass)> {
    let scenario = "--scenario small --threads 1 --builtin off --giant 10000 --software";
    let mut arguments: Vec<&str> = scenario.split(' ').collect();
    arguments.push(software);
    let fediverse = Fediverse::start(programs, &arguments)?;
    let pass = Egret::new(programs, &fediverse, "[replies]\nper_run = 200\n")?.once()?;
    let summary = fediverse.summary()?;
    // A pass that saw nothing would meet any budget.
    recovered(&summary)?;
    Ok((fediverse.listing_requests()? as f64, pass))
}

/// Medium scenario with backfill: what a day of passes, ten minutes apart, asks of origins, as a part of what
/// FediFetcher's own arithmetic gives for the same timeline: the context of every post in every pass (once an hour for
/// those older than a day), three times for what a host runs and allows, and of each of up to 30 accounts its id, a
/// page, and the context of every post of that page. Measured by a test, which can set the clock.
fn neighbour(profile: &str) -> anyhow::Result<Figure> {
    let text = measured(profile, "it", "neighbour::a_day")?;
    let (asked, simple) = (figure(&text, "neighbour asked")?, figure(&text, "neighbour simple")?);
    Ok(Figure {
        what: "origin requests of a day with backfill, part of FediFetcher's",
        measured: asked / simple,
        budget: 0.1,
        unit: "",
        baseline: format!("{asked} against {simple}; every thread is listed once in either"),
    })
}

/// The dashboard on a store with a million statuses: measured by a test of `web`, which can fill one.
fn pages(profile: &str) -> anyhow::Result<[Figure; 2]> {
    let text = measured(profile, "web", "pace::pages_on_a_full_store")?;
    Ok([
        Figure {
            what: "slowest page, p95",
            measured: figure(&text, "slowest page p95")?,
            budget: 30.0,
            unit: "ms",
            baseline: "1,000,000 statuses and 10,000 runs in SQLite".into(),
        },
        Figure {
            what: "/livez while 50 ask for the slowest page, worst",
            measured: figure(&text, "livez while 50")?,
            budget: 20.0,
            unit: "ms",
            baseline: "a connection for each request".into(),
        },
    ])
}

/// What a measurement that is written as a test says.
fn measured(profile: &str, package: &str, test: &str) -> anyhow::Result<String> {
    measured_with(profile, package, test, &[], &[])
}

/// The same, with these arguments to cargo, and these in its environment.
fn measured_with(
    profile: &str,
    package: &str,
    test: &str,
    more: &[&str],
    env: &[(&str, String)],
) -> anyhow::Result<String> {
    let mut cargo = crate::cargo();
    cargo.envs(env.iter().map(|(name, value)| (name, value)));
    cargo
        .current_dir(crate::root()?)
        .args(["test", "--profile", profile, "-p", package]);
    cargo
        .args(more)
        .args(["--", "--ignored", "--exact", "--nocapture", test]);
    let out = cargo.output().context("cannot start cargo test")?;
    // Figures are for whoever looks, so tests print them to either.
    let text = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    if !out.status.success() {
        bail!("{test} measured nothing:\n{text}");
    }
    Ok(text.into_owned())
}

/// A line `FIGURE name number`.
fn figure(text: &str, name: &str) -> anyhow::Result<f64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("FIGURE {name}")));
    let number = line.and_then(|line| line.split_whitespace().last());
    number
        .with_context(|| format!("no figure {name}"))?
        .parse()
        .with_context(|| format!("the figure {name} is no number"))
}

/// Blocklists read, normalised, guarded and merged, on one core.
fn merging(programs: &Programs) -> anyhow::Result<[Figure; 3]> {
    let told = programs.example("merge", &[])?;
    let number = |key: &str| told[key].as_f64().with_context(|| format!("no {key}"));
    Ok([
        Figure {
            what: "merge of 20 lists of 10,000 rows",
            measured: number("small_ms")?,
            budget: 60.0,
            unit: "ms",
            baseline: "best of 7; FediBlockHole: 1,460 ms without normalising".into(),
        },
        Figure {
            what: "merge of 20 lists of 50,000 rows",
            measured: number("large_ms")?,
            budget: 1500.0,
            unit: "ms",
            baseline: "1 M rows".into(),
        },
        Figure {
            what: "merge of 1 M rows: peak memory",
            measured: number("peak_bytes")? / MIB,
            budget: 300.0,
            unit: "MiB",
            baseline: "the lists' texts included".into(),
        },
    ])
}

fn recovered(summary: &stage::Summary) -> anyhow::Result<u64> {
    let recovered = summary
        .number("replies_missing_before")?
        .saturating_sub(summary.left()?);
    (recovered > 0)
        .then_some(recovered)
        .context("the pass recovered nothing, so its cost means nothing")
}

fn as_json(figure: &Figure) -> Value {
    json!({
        "what": figure.what, "measured": figure.measured, "budget": figure.budget, "unit": figure.unit,
        "baseline": figure.baseline, "met": figure.met(),
    })
}

fn print_table(figures: &[Figure]) {
    let widest = figures.iter().map(|f| f.what.chars().count()).max().unwrap_or(0);
    println!(
        "{:<widest$}  {:>12}  {:>12}        baseline",
        "what", "measured", "budget"
    );
    for figure in figures {
        println!(
            "{:<widest$}  {:>12}  {:>12}  {}  {}",
            figure.what,
            format!("{} {}", rounded(figure.measured), figure.unit).trim(),
            format!("≤ {} {}", rounded(figure.budget), figure.unit).trim(),
            if figure.met() { "met " } else { "MISS" },
            figure.baseline,
        );
    }
}

fn rounded(number: f64) -> String {
    match number {
        n if n.fract() == 0.0 => format!("{n:.0}"),
        n if n < 10.0 => format!("{n:.3}"),
        n => format!("{n:.1}"),
    }
}
