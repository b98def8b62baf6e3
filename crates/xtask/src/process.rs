//! Child processes that end when we do.
//!
//! A chore starts things that outlive a killed parent: a database, a daemon, cargo with its test binaries. So each
//! child leads a process group of its own, a signal to us is passed on to those groups, and then the chore returns
//! the ordinary way, through the guards that stop servers and remove folders.

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static GROUPS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Passes INT, TERM and HUP on to the groups of all children from here on.
pub(crate) fn watch_signals() -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
            // A second signal means it: TERM was not enough.
            let name = if INTERRUPTED.swap(true, Ordering::SeqCst) {
                "KILL"
            } else {
                "TERM"
            };
            for group in groups() {
                signal(name, &format!("-{group}"));
            }
        }
    });
    Ok(())
}

/// Whether somebody asked us to end.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

fn groups() -> Vec<u32> {
    GROUPS.lock().unwrap_or_else(|e| e.into_inner()).clone()
}

// `kill` the program: the call is unsafe code, and that is forbidden here.
fn signal(name: &str, whom: &str) {
    let _ = Command::new("kill")
        .args([&format!("-{name}"), "--", whom])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// A child in a process group of its own. Dropping it ends the group and waits.
pub(crate) struct Group {
    child: Child,
    ended: bool,
}

impl Group {
    /// Starts `command`, unless we were asked to end.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        if interrupted() {
            bail!("interrupted");
        }
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        GROUPS.lock().unwrap_or_else(|e| e.into_inner()).push(child.id());
        let group = Self { child, ended: false };
        // The signal may have come between the question and the list.
        if interrupted() {
            bail!("interrupted");
        }
        Ok(group)
    }

    /// The process, for its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(mut self) -> anyhow::Result<ExitStatus> {
        let status = self.child.wait()?;
        self.forget();
        Ok(status)
    }

    /// Ends it as a crash or a power failure would: at once, and without a word.
    pub(crate) fn kill(mut self) {
        signal("KILL", &format!("-{}", self.child.id()));
        let _ = self.child.wait();
        self.forget();
    }

    /// Asks it to end as an operator would.
    pub(crate) fn ask_to_end(&self) {
        signal("TERM", &format!("-{}", self.child.id()));
    }

    /// The same, gives it `patience`, then ends it.
    pub(crate) fn stop(&mut self, patience: Duration) {
        if self.ended {
            return;
        }
        self.ask_to_end();
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if let Ok(Some(_)) = self.child.try_wait() {
                self.forget();
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        signal("KILL", &format!("-{}", self.child.id()));
        let _ = self.child.wait();
        self.forget();
    }

    fn forget(&mut self) {
        self.ended = true;
        let id = self.child.id();
        GROUPS.lock().unwrap_or_else(|e| e.into_inner()).retain(|g| *g != id);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(5));
    }
}

/// Runs `command` to its end; anything but success is an error that names it.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = shown(command);
    let status = Group::start(command)?.wait()?;
    if interrupted() {
        bail!("interrupted");
    }
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// A command as somebody would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = vec![
        program
            .file_name()
            .unwrap_or(program.as_os_str())
            .to_string_lossy()
            .into_owned(),
    ];
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words.join(" ")
}
