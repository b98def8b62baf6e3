//! The two programs as processes, and what can be seen of them from outside.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, bail, ensure};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{self, Group};

/// The longest that one pass may take.
const LONGEST_PASS: Duration = Duration::from_secs(15 * 60);

/// Signs the webhooks of the bench.
const SECRET: &str = "0123456789abcdef0123456789abcdef01234567";

/// What is measured, and what it is measured against.
pub(super) struct Programs {
    egret: PathBuf,
    fake: PathBuf,
    examples: PathBuf,
}

impl Programs {
    /// Builds them.
    pub(super) fn build(profile: &str) -> anyhow::Result<Self> {
        let root = crate::root()?;
        // In one go: a build of other packages together is one with other features, and begins anew.
        let packages = ["daemon", "fake-fediverse", "blocklists", "metering", "rules"];
        process::run(
            crate::cargo()
                .current_dir(&root)
                .args(["build", "--profile", profile, "--bins", "--examples"])
                .args(packages.iter().flat_map(|package| ["-p", package])),
        )?;
        let out = crate::cargo()
            .current_dir(&root)
            .args(["metadata", "--format-version", "1", "--offline", "--no-deps"])
            .output()?;
        let metadata: Value = serde_json::from_slice(&out.stdout).context("cargo metadata gave no JSON")?;
        let target = metadata["target_directory"]
            .as_str()
            .context("cargo names no target directory")?;
        let folder = PathBuf::from(target).join(if profile == "dev" { "debug" } else { profile });
        Ok(Self {
            egret: folder.join("egret"),
            fake: folder.join("fake-fediverse"),
            examples: folder.join("examples"),
        })
    }

    /// What an example of ours measures in a process of its own.
    pub(super) fn example(&self, name: &str, arguments: &[&str]) -> anyhow::Result<Value> {
        let program = self.examples.join(name);
        let out = Command::new(&program)
            .args(arguments)
            .output()
            .with_context(|| format!("no {}", program.display()))?;
        if !out.status.success() {
            bail!("{} failed", program.display());
        }
        serde_json::from_slice(&out.stdout).with_context(|| format!("the example {name} gave no JSON"))
    }

    /// Instructions that an example of ours runs from its begin to its end. Unlike its time they are the same beside
    /// whatever else the machine does.
    pub(super) fn instructions(&self, name: &str, arguments: &[&str]) -> anyhow::Result<u64> {
        let out = Command::new("valgrind")
            .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
            .arg(self.examples.join(name))
            .args(arguments)
            .output()
            .context("cannot start valgrind, which counts instructions; Debian has it in the package of that name")?;
        let told = String::from_utf8_lossy(&out.stderr);
        if !out.status.success() {
            bail!("{name} failed under valgrind:\n{told}");
        }
        let line = told.lines().find(|line| line.contains("I ") && line.contains("refs:"));
        let count = line
            .and_then(|line| line.rsplit(' ').next())
            .map(|count| count.replace(',', ""));
        let count = count.with_context(|| format!("valgrind did not count:\n{told}"))?;
        count.parse().with_context(|| format!("{count:?} is no count"))
    }

    pub(super) fn egret_size(&self) -> anyhow::Result<u64> {
        Ok(std::fs::metadata(&self.egret)
            .with_context(|| format!("no {}", self.egret.display()))?
            .len())
    }
}

/// A simulated fediverse. It ends when dropped.
pub(super) struct Fediverse {
    _process: Group,
    home: String,
    token: String,
    admin_token: String,
    control: String,
}

impl Fediverse {
    /// Starts one and waits for the line that says where.
    pub(super) fn start(programs: &Programs, args: &[&str]) -> anyhow::Result<Self> {
        eprintln!("xtask: fake-fediverse {}", args.join(" "));
        let mut process = Group::start(Command::new(&programs.fake).args(args).stdout(Stdio::piped()))?;
        let stdout = process
            .child()
            .stdout
            .take()
            .context("the fake fediverse has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line).with_context(|| format!("the fake fediverse said {line:?}"))?;
        let told = |key: &str| {
            told[key]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("no {key} in {line}"))
        };
        Ok(Self {
            home: told("home")?,
            token: told("token")?,
            admin_token: told("admin_token")?,
            control: told("control")?,
            _process: process,
        })
    }

    /// Of whoever visits it.
    pub(super) fn token(&self) -> String {
        self.token.clone()
    }

    /// The same, visited by its owner.
    pub(super) fn visited_by_its_owner(self) -> Self {
        Self {
            token: self.admin_token.clone(),
            ..self
        }
    }

    /// What it tells at one of its own paths, however much that is.
    fn told<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let mut response = ureq::get(format!("{}/{path}", self.control)).call()?;
        let body = response.body_mut().with_config().limit(u64::MAX);
        body.read_json()
            .with_context(|| format!("{path} of the fake fediverse"))
    }

    /// What was asked, and what is still missing.
    pub(super) fn summary(&self) -> anyhow::Result<Summary> {
        Ok(Summary(self.told("summary")?))
    }

    /// Requests that asked origins for threads. What they run, what they allow and how much they count is asked once for
    /// all threads of a host.
    pub(super) fn listing_requests(&self) -> anyhow::Result<u64> {
        let log: Vec<Value> = self.told("log")?;
        let is_listing = |entry: &&Value| {
            let path = entry["path"].as_str().unwrap_or_default();
            !entry["origin"].is_null()
                && path != "/robots.txt"
                && path != "/api/v1/statuses"
                && !path.contains("nodeinfo")
        };
        Ok(log.iter().filter(is_listing).count() as u64)
    }

    /// Forgets what was asked.
    pub(super) fn clear(&self) -> anyhow::Result<()> {
        ureq::post(format!("{}/clear", self.control)).send_empty()?;
        Ok(())
    }

    /// From now on the home server tells this address of these events.
    pub(super) fn webhook(&self, url: &str, secret: &str, events: &str) -> anyhow::Result<()> {
        let form = [("url", url), ("secret", secret), ("events", events)];
        ureq::post(format!("{}/webhook", self.control)).send_form(form)?;
        Ok(())
    }

    /// Sets its time ahead.
    pub(super) fn advance(&self, by: Duration) -> anyhow::Result<()> {
        let form = [("seconds", by.as_secs().to_string())];
        ureq::post(format!("{}/advance", self.control)).send_form(form)?;
        Ok(())
    }

    /// People begin to post.
    pub(super) fn begin_flood(&self, per_second: u32, every: u32, seconds: u32) -> anyhow::Result<()> {
        let form = [
            ("per_second", per_second.to_string()),
            ("every", every.to_string()),
            ("seconds", seconds.to_string()),
        ];
        ureq::post(format!("{}/flood", self.control)).send_form(form)?;
        Ok(())
    }

    /// People post 200 statuses a second for so long, each twentieth with a word that rules look for; how that went, once
    /// nothing happens any more.
    pub(super) fn flood(&self, seconds: u32) -> anyhow::Result<Value> {
        self.begin_flood(200, 20, seconds)?;
        std::thread::sleep(Duration::from_secs(u64::from(seconds)));
        self.wait_until_quiet(Duration::from_secs(3))?;
        self.told("flooded")
    }

    /// Somebody signs up, confirmed; gives the account's id.
    pub(super) fn sign_up(&self, name: &str, email: &str) -> anyhow::Result<String> {
        let form = [
            ("name", name),
            ("email", email),
            ("confirmed", "true"),
            ("reason", "I post about birds."),
        ];
        let mut response = ureq::post(format!("{}/applicant", self.control)).send_form(form)?;
        let told: Value = response.body_mut().read_json()?;
        Ok(told["id"].as_str().context("no id")?.to_owned())
    }

    /// The writing calls, in order.
    pub(super) fn writes(&self) -> anyhow::Result<Vec<Value>> {
        self.told("writes")
    }

    /// What is sent by webhook, and how that went.
    pub(super) fn deliveries(&self) -> anyhow::Result<Vec<Value>> {
        self.told("deliveries")
    }

    /// Whether a writing call to a path with this end was answered.
    pub(super) fn wrote(&self, end: &str) -> anyhow::Result<bool> {
        Ok(self
            .writes()?
            .iter()
            .rev()
            .any(|write| write["path"].as_str().is_some_and(|path| path.ends_with(end)) && write["http_status"] == 200))
    }

    /// Waits until nothing was asked for so long.
    pub(super) fn wait_until_quiet(&self, quiet: Duration) -> anyhow::Result<()> {
        let started = Instant::now();
        let (mut last, mut since) = (u64::MAX, Instant::now());
        while since.elapsed() < quiet {
            if started.elapsed() > Duration::from_secs(60) {
                bail!("the daemon has not come to rest within a minute");
            }
            let summary = self.summary()?;
            let now = summary.number("home_requests")? + summary.number("origin_requests")?;
            if now != last {
                (last, since) = (now, Instant::now());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

/// The fediverse's own account.
pub(super) struct Summary(Value);

impl Summary {
    pub(super) fn number(&self, key: &str) -> anyhow::Result<u64> {
        self.0[key]
            .as_u64()
            .with_context(|| format!("the fake fediverse's summary has no {key}"))
    }

    /// Replies that home still lacks.
    pub(super) fn left(&self) -> anyhow::Result<u64> {
        self.number("replies_missing_now")
    }
}

/// A daemon with a folder and a database of its own.
pub(super) struct Egret<'a> {
    programs: &'a Programs,
    folder: TempDir,
    listen: String,
}

/// What one pass took.
pub(super) struct Pass {
    pub(super) took: Duration,
    /// In bytes.
    pub(super) peak_memory: u64,
}

impl<'a> Egret<'a> {
    /// Writes a configuration for this fediverse, `more` sections included.
    pub(super) fn new(programs: &'a Programs, fediverse: &Fediverse, more: &str) -> anyhow::Result<Self> {
        Self::on(programs, fediverse, None, more)
    }

    /// The same on this database.
    pub(super) fn on(
        programs: &'a Programs,
        fediverse: &Fediverse,
        store: Option<&str>,
        more: &str,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("egret-bench-").tempdir()?;
        // Free a moment ago, and nobody else is looking for one.
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let path = folder.path().display();
        let more = if more.is_empty() {
            "[replies]\nper_run = 100000\n"
        } else {
            more
        };
        let home = if more.contains("[replies.home]") {
            ""
        } else {
            "[replies.home]\nlength = 1000\n"
        };
        let store = store.map_or_else(|| format!("sqlite://{path}/egret.db"), str::to_owned);
        let config = format!(
            "[store]\nurl = \"{store}\"\n\
             [web]\nlisten = \"{listen}\"\n\
             [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 1000000\ntoken_per_five_minutes = 1000000\n\
             paging_per_fifteen_minutes = 1000000\n\
             {more}{home}\
             [[servers]]\nurl = \"{}\"\nwebhook_secret_files = [\"{path}/secret\"]\n[[servers.logins]]\nname = \"me\"\ntoken_file = \"{path}/token\"\n",
            fediverse.home
        );
        std::fs::write(folder.path().join("egret.toml"), config)?;
        std::fs::write(folder.path().join("secret"), SECRET)?;
        let token = folder.path().join("token");
        secret(&token, &fediverse.token)?;
        Ok(Self {
            programs,
            folder,
            listen,
        })
    }

    /// One more login.
    pub(super) fn sign_in(&self, name: &str, token: &str) -> anyhow::Result<()> {
        let file = self.folder.path().join(name);
        secret(&file, token)?;
        let config = self.folder.path().join("egret.toml");
        let mut text = std::fs::read_to_string(&config)?;
        text += &format!(
            "[[servers.logins]]\nname = \"{name}\"\ntoken_file = \"{}\"\n",
            file.display()
        );
        Ok(std::fs::write(config, text)?)
    }

    /// Where this server's events are taken.
    pub(super) fn webhook(&self, fediverse: &Fediverse) -> String {
        let server = fediverse.home.trim_start_matches("http://");
        format!("http://{}/webhooks/mastodon/{server}", self.listen)
    }

    /// What they are signed with.
    pub(super) fn secret(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("secret"))?)
    }

    /// Runs a command to its end.
    pub(super) fn tell(&self, args: &[&str]) -> anyhow::Result<()> {
        let ended = self.command()?.args(args).status()?;
        ensure!(ended.success(), "egret {} failed: {}", args.join(" "), self.said());
        Ok(())
    }

    /// Puts a file beside the configuration.
    pub(super) fn file(&self, name: &str, text: &str) -> anyhow::Result<()> {
        Ok(std::fs::write(self.folder.path().join(name), text)?)
    }

    fn command(&self) -> anyhow::Result<Command> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))?;
        let mut command = Command::new(&self.programs.egret);
        command
            .arg("--config")
            .arg(self.folder.path().join("egret.toml"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .env_remove("RUST_LOG");
        Ok(command)
    }

    /// The end of what it said, for the message of a failure.
    fn said(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// One pass of `replies.home`.
    pub(super) fn once(&self) -> anyhow::Result<Pass> {
        self.once_of(&["replies.home"])
    }

    /// `egret once` with these jobs.
    pub(super) fn once_of(&self, jobs: &[&str]) -> anyhow::Result<Pass> {
        let started = Instant::now();
        let mut process = Group::start(self.command()?.arg("once").args(jobs).arg("--json"))?;
        let mut peak_memory = 0;
        let status = loop {
            // The peak is the kernel's; it is asked for until there is nobody left to ask.
            peak_memory = memory(process.pid(), "VmHWM").unwrap_or(peak_memory);
            if let Some(status) = process.child().try_wait()? {
                break status;
            }
            if started.elapsed() > LONGEST_PASS || process::interrupted() {
                bail!(
                    "the pass did not end within {} s:\n{}",
                    started.elapsed().as_secs(),
                    self.said()
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let took = started.elapsed();
        process.wait()?;
        if !status.success() {
            bail!("`egret once {}` failed ({status}):\n{}", jobs.join(" "), self.said());
        }
        Ok(Pass { took, peak_memory })
    }

    /// `egret run`, ended like a crash after so long, whatever it was about.
    pub(super) fn run_and_kill(&self, after: Duration) -> anyhow::Result<()> {
        let process = Group::start(self.command()?.arg("run"))?;
        std::thread::sleep(after);
        process.kill();
        Ok(())
    }

    /// `egret run`, ready.
    pub(super) fn run(&self) -> anyhow::Result<Running> {
        self.ready(self.command()?.arg("run"))
    }

    /// The same daemon with a clock that begins now and runs so many times as fast, as an example of the crate `daemon`
    /// has it.
    pub(super) fn run_fast(&self, factor: u32) -> anyhow::Result<Running> {
        let begun = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let mut command = Command::new(self.programs.examples.join("day"));
        command
            .arg("daemon")
            .arg(self.folder.path().join("egret.toml"))
            .args([begun.as_millis().to_string(), factor.to_string()])
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        self.ready(&mut command)
    }

    fn ready(&self, command: &mut Command) -> anyhow::Result<Running> {
        let started = Instant::now();
        let process = Group::start(command)?;
        let ready = format!("http://{}/readyz", self.listen);
        while ureq::get(&ready).call().is_err() {
            if started.elapsed() > Duration::from_secs(30) {
                bail!("the daemon is not ready after 30 s:\n{}", self.said());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(Running {
            process,
            ready_after: started.elapsed(),
        })
    }
}

/// A file for nobody else's eyes.
fn secret(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text)?;
    Ok(std::fs::set_permissions(
        file,
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )?)
}

/// A daemon at work. It is told to end when dropped.
pub(super) struct Running {
    process: Group,
    ready_after: Duration,
}

impl Running {
    /// Tells it to end, and says whether it ended well within half a minute.
    pub(super) fn stop(mut self) -> bool {
        // One with a fast clock ends with its input.
        if self.process.child().stdin.take().is_none() {
            self.process.ask_to_end();
        }
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if let Ok(Some(status)) = self.process.child().try_wait() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    pub(super) fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// A line of `/proc/PID/status`, in bytes.
    pub(super) fn memory(&mut self, line: &str) -> anyhow::Result<u64> {
        memory(self.process.pid(), line).context("memory is read from /proc, which only Linux has")
    }
}

fn memory(pid: u32, line: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn reads_memory_of_a_process() {
        assert!(super::memory(std::process::id(), "VmHWM").unwrap() > 100_000);
        assert_eq!(super::memory(std::process::id(), "VmNope"), None);
    }
}
