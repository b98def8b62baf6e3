//! The archive: how near a first one comes to what a server allows, what storing and searching take, and memory.

use anyhow::Context as _;

use super::{
    Figure, MIB, figure, measured, measured_with,
    stage::{Egret, Fediverse, Programs},
};
use crate::postgres::Cluster;

/// Posts of a first archive, read without the limits.
const POSTS: u64 = 50_000;

/// Figures are turned so that less is better: what is short of the limit, microseconds a status.
pub(super) fn measure(programs: &Programs, profile: &str) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let simulated = ["--features", "simulated"];
    let text = measured_with(profile, "archive", "pace::first_archive", &simulated, &[])?;
    let reached = figure(&text, "archive part of the paging limit")?;
    figures.push(Figure {
        what: "first archive of 50,000 posts, short of the paging limit",
        measured: 1.0 - reached,
        budget: 0.05,
        unit: "",
        baseline: format!("{reached:.3} of 300 pages of 40 in 15 minutes, simulated time"),
    });
    let text = measured(profile, "archive", "pace::storing")?;
    let own = figure(&text, "archive stored a second own")?;
    let others = figure(&text, "archive stored a second others")?;
    figures.push(Figure {
        what: "a status stored on SQLite, in pages of 40",
        measured: 1_000_000.0 / own,
        budget: 100.0,
        unit: "µs",
        baseline: format!("{own:.0} a second, {others:.0} of those by 500 authors; LAMA: two commits a status"),
    });
    figures.push(memory(programs)?);
    figures.extend(files(profile)?);
    figures.extend(searching(profile)?);
    Ok(figures)
}

fn memory(programs: &Programs) -> anyhow::Result<Figure> {
    let posts = POSTS.to_string();
    let fediverse = Fediverse::start(programs, &["--scenario", "small", "--posts", &posts])?;
    let off = "[archive.media]\nenabled = false\n";
    let pass = Egret::new(programs, &fediverse, off)?.once_of(&["archive.statuses"])?;
    Ok(Figure {
        what: "first archive of 50,000 posts: peak memory",
        measured: pass.peak_memory as f64 / MIB,
        budget: 150.0,
        unit: "MiB",
        baseline: format!("{:.1} s without the limits, over HTTP", pass.took.as_secs_f64()),
    })
}

/// Files: several at once, an archive that is larger than memory, and one file without end.
fn files(profile: &str) -> anyhow::Result<[Figure; 2]> {
    let text = measured(profile, "archive", "pace::files_at_once")?;
    let part = figure(&text, "archive files at once part")?;
    let text = measured(profile, "archive", "large::more_than_memory_holds")?;
    let rate = figure(&text, "archive zip MiB a second")?;
    Ok([
        Figure {
            what: "100 slow files, part of the time one after the other",
            measured: part,
            budget: 0.4,
            unit: "",
            baseline: "4 at once, 80 ms each".into(),
        },
        Figure {
            what: "importing a ZIP of 6 GiB, and an endless file: memory",
            measured: figure(&text, "archive large files MiB")?,
            budget: 100.0,
            unit: "MiB",
            baseline: format!("{rate:.0} MiB a second; the endless file is cut at 256 MiB"),
        },
    ])
}

fn searching(profile: &str) -> anyhow::Result<Vec<Figure>> {
    let own = std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty());
    let cluster = match own {
        Some(_) => None,
        None => Some(Cluster::durable().context("a Postgres to search on")?),
    };
    let env: Vec<(&str, String)> = cluster
        .iter()
        .map(|cluster| ("TEST_DATABASE_URL", cluster.url().to_string()))
        .collect();
    let text = measured_with(profile, "archive", "pace::searching", &[], &env)?;
    drop(cluster);
    let of = |what: &'static str, name: &str, budget, unit, baseline: &str| {
        Ok::<_, anyhow::Error>(Figure {
            what,
            measured: figure(&text, name)?,
            budget,
            unit,
            baseline: baseline.to_owned(),
        })
    };
    let (page, three) = ("the same with 2,000 is 1", "1,000,000 posts, 200 questions");
    let run = "the same with 6,000 is 1; one new status, over HTTP";
    Ok(vec![
        of(
            "archive search, p95, SQLite",
            "archive search sqlite p95 ms",
            50.0,
            "ms",
            three,
        )?,
        of(
            "archive search, p95, Postgres",
            "archive search postgres p95 ms",
            50.0,
            "ms",
            three,
        )?,
        of(
            "a page onto 1,000,000 posts, SQLite",
            "archive page sqlite late to early",
            2.0,
            "×",
            page,
        )?,
        of(
            "a page onto 1,000,000 posts, Postgres",
            "archive page postgres late to early",
            2.0,
            "×",
            page,
        )?,
        of(
            "an incremental run of every job onto 1,000,000 posts, SQLite",
            "archive run sqlite late to early",
            2.0,
            "×",
            run,
        )?,
        of(
            "an incremental run of every job onto 1,000,000 posts, Postgres",
            "archive run postgres late to early",
            2.0,
            "×",
            run,
        )?,
        of(
            "archiving and searching 1,000,000 posts: peak memory, SQLite",
            "archive memory sqlite MiB",
            150.0,
            "MiB",
            "a simulated server and what the test makes included",
        )?,
    ])
}
