//! A day on a server of so many people, every feature on, in a few minutes: for `cargo xtask bench day`. Prints JSON.
//!
//! The fediverse lives in this process and the daemon in another, whose processor time, memory and database are looked
//! at from outside. Both have a clock that runs faster by the same factor, so that jobs run as often as in a day and
//! find what a day brings. Limits are lifted: a day's requests in minutes would measure them. What waits for real time
//! (a webhook's answer, a report) is measured in real time, under as many times the load.

use std::{
    error::Error,
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use daemon::{
    config::{self, Layers},
    daemon::Daemon,
};
use fake_fediverse::{Applicant, Event, Fediverse, Person, Scenario, advance};
use model::{Clock, SystemClock};
use serde_json::{Value, json};
use store::{
    Db,
    metered_accounts::{self, New},
    rulesets,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SECRET: &str = "0123456789abcdef0123456789abcdef01234567";
const RULES: &str =
    "[[rules]]\nid = \"casino\"\nname = \"Casino spam\"\nwhen = { keywords = [\"casino\"], in = [\"content\"] }\n";

/// What people do in a day, by how many they are.
struct Load {
    /// Local statuses, one in `BAD` of which is to be reported.
    statuses: usize,
    signups: usize,
    /// Logins whose replies are fetched.
    readers: usize,
    /// Of these, archived ones.
    archived: usize,
    /// New threads in their timeline.
    threads: usize,
    metered: usize,
    /// Domains on the list.
    blocked: usize,
}

/// One status in so many is bad.
const BAD: usize = 1000;
/// Replies of a thread.
const REPLIES: usize = 12;

impl Load {
    fn of(people: usize) -> Self {
        Self {
            statuses: people * 12 / 10,
            signups: people / 100,
            readers: people / 100,
            archived: (people / 2500).max(1),
            threads: people * 29 / 1000,
            metered: people * 2,
            blocked: 2000,
        }
    }
}

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
        [people, minutes, ref store @ ..] => {
            let day = day(people.parse()?, minutes.parse()?, store.first().copied()).await?;
            #[expect(clippy::print_stdout, reason = "this is what it is for")]
            {
                println!("{day}");
            }
            Ok(())
        }
        _ => Err("day PEOPLE MINUTES [STORE URL]".into()),
    }
}

/// The daemon's side, until its input ends.
async fn live(file: &Path, clock: Fast) -> Result<(), Box<dyn Error>> {
    let config = load(file)?;
    let daemon = Daemon::start(config, Arc::new(clock)).await?;
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
    Ok(())
}

fn load(file: &Path) -> anyhow::Result<config::Config> {
    config::load(&Layers {
        file: Some(file.to_owned()),
        ..Layers::default()
    })
}

/// What is seen of the daemon from outside.
struct Watched {
    pid: u32,
    base: String,
    /// Longest answers of `/livez` and `/readyz`, in milliseconds.
    answers: Vec<f64>,
}

impl Watched {
    /// Seconds of processor time.
    fn processor(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        // The name stands in brackets and may hold blanks; user and system time are the 12th and 13th behind it.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
        Some(ticks / 100.0)
    }

    /// A line of its `status`, in MiB.
    fn memory(&self, line: &str) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let value = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'))?;
        let kib: f64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib / 1024.0)
    }

    async fn ask(&mut self) {
        let url = format!("{}/readyz", self.base);
        let took = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            ureq::get(&url).call().is_ok().then(|| begun.elapsed())
        });
        if let Ok(Some(took)) = took.await {
            self.answers.push(took.as_secs_f64() * 1000.0);
        }
    }

    /// Runs by job and outcome, and the time they took, as `/metrics` has them.
    async fn runs(&self) -> Result<Value, Box<dyn Error>> {
        let url = format!("{}/metrics", self.base);
        let text = tokio::task::spawn_blocking(move || ureq::get(&url).call()?.body_mut().read_to_string()).await??;
        let (mut all, mut failed, mut seconds) = (0.0, 0.0, json!({}));
        for line in text.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else {
                continue;
            };
            let value: f64 = value.parse().unwrap_or(0.0);
            if name.starts_with("egret_job_runs_total{") {
                all += value;
                if name.contains("\"failed\"") {
                    failed += value;
                }
            } else if name.starts_with("egret_job_run_seconds_sum{") {
                let job = name.split("job=\"").nth(1).and_then(|rest| rest.split('"').next());
                let before = job.and_then(|job| seconds[job].as_f64()).unwrap_or(0.0);
                if let Some(job) = job {
                    seconds[job] = json!(before + value);
                }
            }
        }
        Ok(json!({ "all": all, "failed": failed, "seconds": seconds }))
    }
}

/// Ends the daemon with this process, whatever becomes of it.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn day(people: usize, minutes: u64, store: Option<&str>) -> Result<Value, Box<dyn Error>> {
    let load = Load::of(people);
    let lasts = Duration::from_secs(minutes * 60);
    let factor = i32::try_from(DAY.as_secs() / lasts.as_secs())?;
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
    let file = configure(folder.path(), &fediverse, &load, &listen, &store)?;
    let db = Db::open(&self::load(&file)?.store).await?;
    prepare(&db, &fediverse, &load).await?;
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
        .spawn()?;
    let mut watched = Watched {
        pid: child.id(),
        base: format!("http://{listen}"),
        answers: Vec::new(),
    };
    let mut child = Reaped(child);
    let ahead = tokio::spawn(async move {
        let (mut tick, mut last) = (tokio::time::interval(Duration::from_millis(5)), Instant::now());
        loop {
            tick.tick().await;
            advance(last.elapsed() * u32::try_from(factor - 1).unwrap_or_default());
            last = Instant::now();
        }
    });
    while watched.answers.is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        watched.ask().await;
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
    let runs = watched.runs().await?;
    drop(child.0.stdin.take());
    let ended = child.0.wait()?;
    ahead.abort();
    let db = Db::open(&self::load(&file)?.store).await?;
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
        "people": people, "factor": factor, "drained": ended.success(),
        "processor_s": processor, "peak_mib": peak, "rest_mib": rest,
        "store_before_mib": mib(empty), "store_mib": mib(full),
        "webhooks": flooded["acks"], "ack_p50": flooded["ack_p50"], "ack_p99": flooded["ack_p99"],
        "reports": flooded["reports"], "report_p50": real("report_p50"), "report_p99": real("report_p99"),
        "signups": asked.len(), "decided": decided.len(),
        "decided_p50": at(&mut decided, 50), "decided_p99": at(&mut decided, 99),
        "readyz_p50": at(&mut watched.answers, 50), "readyz_p99": at(&mut watched.answers, 99),
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
        ("every", BAD.to_string()),
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

/// Accounts to measure, and a rule.
async fn prepare(db: &Db, fediverse: &Fediverse, load: &Load) -> Result<(), Box<dyn Error>> {
    store::migrate(db).await?;
    let server = fediverse.home().trim_start_matches("http://").to_owned();
    for n in 0..load.metered {
        let name = format!("measured{n}");
        let new = New {
            uri: format!("{}/users/{name}", fediverse.home()),
            url: String::new(),
            name: String::new(),
            groups: Vec::new(),
            acct: format!("{name}@{server}"),
            host: server.clone(),
            remote_id: Some(fediverse.joins(None, &name)),
            source: "import".to_owned(),
        };
        metered_accounts::add(db, &new, SystemClock.now()).await?;
    }
    let edit = moderation::Edit {
        name: "casino.toml".into(),
        text: Some(RULES.into()),
        note: String::new(),
        by: "day".into(),
        after: rulesets::stamp(db).await?.0,
    };
    let now = SystemClock.now();
    moderation::edit(db, edit, now).await?;
    let next = now + TimeDelta::milliseconds(1);
    moderation::stand(db, true, "casino", rules::State::Live, "day", "to be measured", next).await?;
    Ok(())
}

fn configure(
    folder: &Path,
    fediverse: &Fediverse,
    load: &Load,
    listen: &str,
    store: &str,
) -> Result<PathBuf, Box<dyn Error>> {
    let mut logins = String::new();
    let mut add = |name: &str, token: String| -> io::Result<()> {
        std::fs::write(folder.join(name), token)?;
        logins += &format!("[[servers.logins]]\nname = \"{name}\"\ntoken_file = \"{name}\"\n");
        Ok(())
    };
    add("admin", fediverse.admin_token())?;
    for n in 0..load.readers {
        let name = format!("reader{n}");
        fediverse.add_person(&Person {
            name: &name,
            password: "",
            role: "",
            permissions: 0,
        });
        add(&name, fediverse.token_of_with(&name, &["read"]))?;
    }
    std::fs::write(folder.join("secret"), SECRET)?;
    let list: String = (0..load.blocked)
        .map(|n| format!("noise{n}.example,silence\n"))
        .collect();
    std::fs::write(folder.join("list.csv"), format!("#domain,#severity\n{list}"))?;
    let archived: Vec<String> = (0..load.archived).map(|n| format!("\"reader{n}\"")).collect();
    let archive: String = [
        "statuses",
        "favourites",
        "bookmarks",
        "mentions",
        "polls",
        "conversations",
        "context",
        "lists",
        "media",
        "recheck",
        "audit",
    ]
    .map(|noun| format!("[archive.{noun}]\nlogins = [{}]\n", archived.join(", ")))
    .concat();
    let text = format!(
        "[store]\nurl = \"{store}\"\n[web]\nlisten = \"{listen}\"\n[log]\nlevel = \"error\"\n\
         [run]\nlease = \"3h\"\n\
         [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 1000000\norigin_concurrency = 4\n\
         token_per_five_minutes = 1000000\npaging_per_fifteen_minutes = 1000000\n\
         [replies]\nper_run = 100000\n{archive}\
         [moderation]\nmode = \"act\"\nquota = 1000000\nreports_per_hour = 1000000\n[moderation.inbox]\nenabled = true\n\
         [registrations]\nmode = \"act\"\nveto = \"0s\"\nquota = 100000\napprovals_per_hour = 100000\n\
         [registrations.pending]\nenabled = true\n\
         [[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\"]\n\
         [[registrations.rules]]\nname = \"free mail\"\nverdict = \"reject\"\ndomains = [\"=gmail.com\"]\n\
         [blocklists]\nmode = \"act\"\n[[blocklists.sources]]\nname = \"list\"\nfile = \"list.csv\"\n\
         [[blocklists.policies]]\nname = \"default\"\n\
         [[servers]]\nurl = \"{}\"\nwebhook_secret_files = [\"secret\"]\n{logins}",
        fediverse.home()
    );
    let file = folder.join("egret.toml");
    std::fs::write(&file, text)?;
    Ok(file)
}
