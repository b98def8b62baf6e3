//! `cargo xtask soak`: the daemon as a process, killed over and over while people post, reply and sign up; on each engine.
//! Afterwards nothing may be lost and nothing done twice.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::bail;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::stage::{Egret, Fediverse, Programs};
use crate::{postgres::Cluster, process};

const CONFIG: &str = "[replies]\nper_run = 100000\n[replies.home]\nevery = \"2s\"\n[replies.wanted]\nevery = \"2s\"\n\
    [moderation]\nmode = \"act\"\nquota = 1000000\nreports_per_hour = 1000000\n[moderation.inbox]\nenabled = true\n\
    [registrations]\nmode = \"act\"\nveto = \"0s\"\nquota = 100000\napprovals_per_hour = 100000\n\
    [registrations.pending]\nenabled = true\n\
    [[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\"]\n";

const RULES: &str =
    "[[rules]]\nid = \"casino\"\nname = \"Casino spam\"\nwhen = { keywords = [\"casino\"], in = [\"content\"] }\n";

/// One status in so many is to be reported; there are `STATUSES` a second.
const BAD: u32 = 10;
const STATUSES: u32 = 20;

/// What is pushed and what waits in queues must have come right this long after the last kill. A report that was on its way
/// as its process died is looked for on the server after six minutes.
const SOON: Duration = Duration::from_secs(10 * 60);

/// A thread that was looked at is left alone for up to two days; they pass so many times as fast.
const FACTOR: u32 = 360;
const LATER: Duration = Duration::from_secs(20 * 60);

/// How long to go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Minutes of kills, on each engine.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Draws when the process dies.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The cargo profile to build and kill.
    #[arg(long, default_value = "release")]
    profile: String,
}

/// Builds and kills.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let programs = Programs::build(&args.profile)?;
    let cluster = Cluster::durable()?;
    let url = cluster.url();
    let both = [("SQLite", None), ("Postgres", Some(url.as_str()))];
    // Side by side: most of the time is waiting for threads to be looked at again.
    let told = std::thread::scope(|scope| {
        let at_work = both.map(|(engine, store)| {
            let programs = &programs;
            (engine, scope.spawn(move || soak(engine, programs, store, args)))
        });
        at_work.map(|(engine, one)| (engine, one.join()))
    });
    let mut failed = None;
    for (engine, told) in told {
        match told {
            Ok(Ok(told)) => println!("{engine}: {told}"),
            Ok(Err(error)) => failed = failed.or(Some(error.context(format!("on {engine}")))),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    failed.map_or(Ok(()), Err)
}

fn soak(engine: &str, programs: &Programs, store: Option<&str>, args: &Args) -> anyhow::Result<String> {
    let lasts = Duration::from_secs(args.minutes * 60);
    let live_for = format!("{}s", lasts.as_secs());
    let scenario = ["--scenario", "small", "--live", "2s", "--live-for", &live_for];
    let fediverse = Fediverse::start(programs, &scenario)?;
    // Whose timeline has the threads; the owner's is empty.
    let reader = fediverse.token();
    let fediverse = fediverse.visited_by_its_owner();
    let egret = Egret::on(programs, &fediverse, store, CONFIG)?;
    egret.sign_in("reader", &reader)?;
    egret.file("rules.toml", RULES)?;
    egret.tell(&["migrate"])?;
    egret.tell(&["rules", "put", "rules.toml"])?;
    egret.tell(&["rules", "stand", "casino", "live", "--why", "to be tried"])?;
    fediverse.webhook(
        &egret.webhook(&fediverse),
        &egret.secret()?,
        "status.created,account.created",
    )?;
    let seconds = u32::try_from(lasts.as_secs())?;
    fediverse.begin_flood(STATUSES, BAD, seconds)?;
    let mut dice = StdRng::seed_from_u64(args.seed);
    let (mut kills, mut people) = (0, Vec::new());
    let begun = Instant::now();
    while begun.elapsed() < lasts {
        if process::interrupted() {
            bail!("interrupted");
        }
        let name = format!("newcomer{kills}");
        people.push(fediverse.sign_up(&name, &format!("{name}@nyc.gov"))?);
        egret.run_and_kill(Duration::from_millis(dice.random_range(20..4000)))?;
        kills += 1;
    }
    let told = |waited: Duration, wanting: &[String]| {
        let (waited, wanting) = (waited.as_secs(), wanting.join("; "));
        format!("{engine}, {waited} s after {kills} kills: {wanting}")
    };
    let running = egret.run()?;
    let soon = until_nothing(SOON, |waited| {
        let wanting = wanting(&fediverse, &people)?;
        eprintln!("xtask: {}", told(waited, &wanting));
        Ok(wanting)
    })?;
    if !running.stop() {
        bail!("the daemon did not end well when it was told to");
    }
    let running = egret.run_fast(FACTOR)?;
    let mut passed = Duration::ZERO;
    let later = until_nothing(LATER, |waited| {
        fediverse.advance((waited - passed) * (FACTOR - 1))?;
        passed = waited;
        let left = fediverse.summary()?.left()?;
        let wanting = match left {
            0 => Vec::new(),
            left => vec![format!("{left} replies are not at home")],
        };
        eprintln!("xtask: {}", told(waited * FACTOR, &wanting));
        Ok(wanting)
    })?;
    // What is done is not done again.
    std::thread::sleep(Duration::from_secs(10));
    let wrong = twice(&fediverse)?;
    if !wrong.is_empty() {
        bail!("after {kills} kills: {wrong:#?}");
    }
    if !running.stop() {
        bail!("the daemon did not end well when it was told to");
    }
    let reports = STATUSES / BAD * seconds;
    Ok(format!(
        "{kills} kills; {reports} reports and {} approvals, each once, {} s after the last; every reply at home {} min later",
        people.len(),
        soon.as_secs(),
        (later * FACTOR).as_secs() / 60
    ))
}

/// Asks until nothing is wanting, and says how long that took; what still is after `patience` is an error.
fn until_nothing(
    patience: Duration,
    mut wanting: impl FnMut(Duration) -> anyhow::Result<Vec<String>>,
) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    loop {
        let wanting = wanting(begun.elapsed())?;
        if wanting.is_empty() {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > patience || process::interrupted() {
            bail!("after {} s: {wanting:#?}", begun.elapsed().as_secs());
        }
        std::thread::sleep(Duration::from_secs(2));
    }
}

/// What was pushed or asked for and has not come right yet.
fn wanting(fediverse: &Fediverse, people: &[String]) -> anyhow::Result<Vec<String>> {
    let mut wanting = Vec::new();
    let deliveries = fediverse.deliveries()?;
    let open = deliveries.iter().filter(|one| one["over"] != true).count();
    if open > 0 {
        wanting.push(format!("{open} webhooks have not arrived"));
    }
    let writes = done(fediverse)?;
    let approved = |id: &&String| writes.contains_key(&format!("POST /api/v1/admin/accounts/{id}/approve"));
    let waiting = people.iter().filter(|id| !approved(id)).count();
    if waiting > 0 {
        wanting.push(format!("{waiting} people are not let in"));
    }
    let bad = deliveries
        .iter()
        .filter(|one| one["body"].as_str().is_some_and(|body| body.contains("casino")));
    let (bad, filed) = (
        bad.count(),
        writes.keys().filter(|key| key.contains("/reports ")).count(),
    );
    if filed < bad {
        wanting.push(format!("{filed} of {bad} are reported"));
    }
    Ok(wanting)
}

/// What was done more than once.
fn twice(fediverse: &Fediverse) -> anyhow::Result<Vec<String>> {
    let writes = done(fediverse)?.into_iter();
    Ok(writes
        .filter(|(_, times)| *times > 1)
        .map(|(what, times)| format!("{what}: {times} times"))
        .collect())
}

/// Reports and approvals that were answered well, and how often.
fn done(fediverse: &Fediverse) -> anyhow::Result<BTreeMap<String, u32>> {
    let mut done = BTreeMap::new();
    for write in fediverse.writes()? {
        let (path, well) = (write["path"].as_str().unwrap_or_default(), write["http_status"] == 200);
        let report = path == "/api/v1/reports";
        // Whether a token may is asked of the row 0, which there never is.
        if !well || !(report || path.ends_with("/approve")) || path.contains("/0/") {
            continue;
        }
        let whom = write["query"].as_array().into_iter().flatten();
        let whom = whom
            .filter(|pair| pair[0] == "account_id")
            .find_map(|pair| pair[1].as_str());
        let whom = whom
            .filter(|_| report)
            .map(|whom| format!(" {whom}"))
            .unwrap_or_default();
        let method = write["method"].as_str().unwrap_or_default();
        *done.entry(format!("{method} {path}{whom}")).or_insert(0) += 1;
    }
    Ok(done)
}
