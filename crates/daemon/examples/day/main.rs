//! A day on a server of so many people, every feature on, in a few minutes: for `cargo xtask bench day`. Prints JSON.
//!
//! The fediverse lives in this process and the daemon in another, whose processor time, memory and database are looked
//! at from outside. Both have a clock that runs faster by the same factor, so that jobs run as often as in a day and
//! find what a day brings. Limits are lifted: a day's requests in minutes would measure them. What waits for real time
//! (a webhook's answer, a report) is measured in real time, under as many times the load.

mod busy;
mod load;
mod watched;

use std::{
    error::Error,
    io,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use daemon::{
    config::{self, Layers},
    daemon::Daemon,
};
use fake_fediverse::{Applicant, Event, Fediverse, Scenario, advance};
use model::{Clock, SystemClock};
use serde_json::{Value, json};
use store::Db;

use load::{Load, REPLIES};
use watched::Watched;

/// Signs webhooks.
const SECRET: &str = "0123456789abcdef0123456789abcdef01234567";

/// A clock that began with the real one and runs faster.
#[derive(Debug, Clone, Copy)]
struct Fast {
    begun: DateTime<Utc>,
    factor: i32,
}

impl Clock for Fast {
    fn now(&self) -> DateTime<Utc> {
        self.begun + (SystemClock.now() - self.begun) * self.factor
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["daemon", config, begun, factor] => {
            let begun = DateTime::from_timestamp_millis(begun.parse()?).ok_or("no time")?;
            let factor = factor.parse()?;
            live(Path::new(config), Fast { begun, factor }).await
        }
        [people, minutes, ref more @ ..] => {
            let hours = more.first().map_or(Ok(24), |hours| hours.parse())?;
            let day = day(people.parse()?, minutes.parse()?, hours, more.get(1).copied()).await?;
            #[expect(clippy::print_stdout, reason = "this is what it is for")]
            {
                println!("{day}");
            }
            Ok(())
        }
        _ => Err("day PEOPLE MINUTES [HOURS [STORE URL]]".into()),
    }
}

/// The daemon's side, until its input ends.
async fn live(file: &Path, clock: Fast) -> Result<(), Box<dyn Error>> {
    let busy = busy::watch();
    let daemon = Daemon::start(config(file)?, Arc::new(clock)).await?;
    let board = daemon.doors().board.clone();
    // Jobs are looked for by timers of the real time; here they are due every few moments of it.
    let look = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            board.nudge();
        }
    });
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    look.abort();
    daemon.stop().await;
    #[expect(clippy::print_stdout, reason = "told to whoever started this")]
    {
        println!("{}", json!(busy.seconds()));
    }
    Ok(())
}

fn config(file: &Path) -> anyhow::Result<config::Config> {
    config::load(&Layers {
        file: Some(file.to_owned()),
        ..Layers::default()
    })
}

/// Ends the daemon with this process, whatever becomes of it.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// So many hours of it in so many minutes.
async fn day(people: usize, minutes: u64, hours: u64, store: Option<&str>) -> Result<Value, Box<dyn Error>> {
    let load = Load::of(people, usize::try_from(hours)?);
    let lasts = Duration::from_secs(minutes * 60);
    let factor = i32::try_from(hours * 60 / minutes)?;
    let fediverse = Fediverse::start(Scenario {
        threads: 50,
        replies: 50 * REPLIES,
        ..Scenario::medium()
    })
    .await;
    fediverse.turn(|knobs| knobs.common_timeline = true);
    let folder = tempfile::tempdir()?;
    let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let store = match store {
        Some(url) => url.to_owned(),
        None => format!("sqlite://{}/egret.db", folder.path().display()),
    };
    let file = load.configure(folder.path(), &fediverse, &listen, &store)?;
    let db = Db::open(&config(&file)?.store).await?;
    load.prepare(&db, &fediverse).await?;
    let empty = store::size(&db).await?;
    db.close().await;

    let begun = DateTime::from_timestamp_millis(SystemClock.now().timestamp_millis()).ok_or("no time")?;
    let child = Command::new(std::env::current_exe()?)
        .args([
            "daemon",
            &file.display().to_string(),
            &begun.timestamp_millis().to_string(),
            &factor.to_string(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut watched = Watched::new(child.id(), &listen);
    let mut child = Reaped(child);
    let ahead = tokio::spawn(async move {
        let (mut tick, mut last) = (tokio::time::interval(Duration::from_millis(5)), Instant::now());
        loop {
            tick.tick().await;
            advance(last.elapsed() * u32::try_from(factor - 1).unwrap_or_default());
            last = Instant::now();
        }
    });
    while !watched.ask().await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let server = fediverse.home().trim_start_matches("http://").to_owned();
    let hook = format!("http://{listen}/webhooks/mastodon/{server}");
    fediverse.webhook(
        &hook,
        SECRET,
        &[Event::StatusCreated, Event::AccountCreated, Event::ReportCreated],
    );
    let asked = happen(&fediverse, &load, lasts, &mut watched).await?;
    // What began goes to its end.
    let (mut quiet, mut last) = (0, 0);
    while quiet < 5 && begun + (lasts * 2) > SystemClock.now() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let missing = fediverse.missing();
        quiet = if missing == last { quiet + 1 } else { 0 };
        last = missing;
    }
    let (processor, peak, rest) = (watched.processor(), watched.memory("VmHWM"), watched.memory("VmRSS"));
    let (runs, sqlite) = (watched.runs().await?, watched.threads("sqlx-sqlite"));
    drop(child.0.stdin.take());
    let ended = child.0.wait()?;
    let stdout = child.0.stdout.take().ok_or("no output")?;
    let busy: Value = serde_json::from_reader(stdout)?;
    ahead.abort();
    let db = Db::open(&config(&file)?.store).await?;
    let full = store::size(&db).await?;
    db.close().await;

    let control = format!("{}/__fake", fediverse.home());
    let flooded: Value =
        tokio::task::spawn_blocking(move || ureq::get(format!("{control}/flooded")).call()?.body_mut().read_json())
            .await??;
    let real = |name: &str| flooded[name].as_f64().map(|ms| ms / f64::from(factor));
    let mut decided = decided(&fediverse, &asked);
    let log = fediverse.log();
    #[expect(clippy::cast_precision_loss, reason = "bytes of a database")]
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    Ok(json!({
        "people": people, "hours": hours, "factor": factor, "drained": ended.success(),
        "processor_s": processor, "peak_mib": peak, "rest_mib": rest, "sqlite_s": sqlite, "busy": busy,
        "store_before_mib": mib(empty), "store_mib": mib(full),
        "webhooks": flooded["acks"], "ack_p50": flooded["ack_p50"], "ack_p99": flooded["ack_p99"],
        "reports": flooded["reports"], "report_p50": real("report_p50"), "report_p99": real("report_p99"),
        "signups": asked.len(), "decided": decided.len(),
        "decided_p50": at(&mut decided, 50), "decided_p99": at(&mut decided, 99),
        "readyz_p50": at(watched.answers(), 50), "readyz_p99": at(watched.answers(), 99),
        "home_requests": log.home().0.len(), "origin_requests": log.origins(None).0.len(),
        "replies_missing": fediverse.missing(), "runs": runs,
    }))
}

/// The day itself. Gives who signed up, and when.
async fn happen(
    fediverse: &Fediverse,
    load: &Load,
    lasts: Duration,
    watched: &mut Watched,
) -> Result<Vec<(String, Instant)>, Box<dyn Error>> {
    let control = format!("{}/__fake", fediverse.home());
    let per_second = (load.statuses as u64).div_ceil(lasts.as_secs());
    let form = [
        ("per_second", per_second.to_string()),
        ("every", load::BAD.to_string()),
        ("seconds", lasts.as_secs().to_string()),
    ];
    tokio::task::spawn_blocking(move || ureq::post(format!("{control}/flood")).send_form(form)).await??;
    let begun = Instant::now();
    let (mut threads, mut signups, mut asked, mut hours) = (0, 0, Vec::new(), 0);
    while begun.elapsed() < lasts {
        let part = begun.elapsed().as_secs_f64() / lasts.as_secs_f64();
        while (threads as f64) < load.threads as f64 * part {
            fediverse.thread(threads % 10, REPLIES);
            threads += 1;
        }
        while (signups as f64) < load.signups as f64 * part {
            let name = format!("newcomer{signups}");
            let domain = ["nyc.gov", "gmail.com", "elsewhere.example"][signups % 3];
            let id = fediverse.apply(&Applicant {
                confirmed: true,
                ..Applicant::new(&name, &format!("{name}@{domain}"))
            });
            if domain != "elsewhere.example" {
                asked.push((id, Instant::now()));
            }
            signups += 1;
        }
        for reader in 0..load.archived {
            if threads % 60 == reader % 60 {
                fediverse.says(
                    &format!("reader{reader}"),
                    &format!("<p>Hour {hours}, and all is well</p>"),
                );
            }
        }
        if (part * 24.0) as u32 > hours {
            hours += 1;
            eprintln!(
                "hour {hours}: {:.1} s of processor, {:.0} MiB, {} replies missing",
                watched.processor().unwrap_or_default(),
                watched.memory("VmRSS").unwrap_or_default(),
                fediverse.missing()
            );
        }
        watched.ask().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(asked)
}

/// How long after their sign-up people were let in or turned away, in milliseconds.
fn decided(fediverse: &Fediverse, asked: &[(String, Instant)]) -> Vec<f64> {
    let writes = fediverse.log().writes();
    asked
        .iter()
        .filter_map(|(id, at)| {
            let ends = [format!("/{id}/approve"), format!("/{id}/reject")];
            let write = writes
                .0
                .iter()
                .find(|write| ends.iter().any(|end| write.path.ends_with(end)))?;
            Some(write.at.duration_since(*at).as_secs_f64() * 1000.0)
        })
        .collect()
}

fn at(all: &mut [f64], percent: usize) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() * percent / 100).copied()
}
