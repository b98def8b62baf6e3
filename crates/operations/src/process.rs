//! A program of the operator: an argument list without a shell, a time limit, and nothing of it left running.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
};
use tokio_util::sync::CancellationToken;

/// What is kept of the output: its end, which says how it went.
const KEPT: usize = 64 * 1024;

/// Between asking a program to end and ending it.
const GRACE: Duration = Duration::from_secs(3);

/// How long the pipes are read after the program ended: whoever still holds them is no business of ours.
const LEFTOVERS: Duration = Duration::from_millis(500);

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Put into its environment; never shown.
    pub secrets: Vec<(&'static str, std::ffi::OsString)>,
    /// Where it runs.
    pub folder: Option<PathBuf>,
    /// Read by it.
    pub stdin: Option<PathBuf>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Code(i32),
    /// By a signal that was not ours.
    Signal,
    /// It took too long; its whole group was ended.
    TimedOut,
    /// We were told to stop; its whole group was ended.
    Stopped,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// The end of what it said, both outputs in the order they came.
    pub output: String,
}

impl Ran {
    /// Whether it ended by itself with 0.
    pub fn is_well(&self) -> bool {
        self.end == End::Code(0)
    }

    /// The last line that says something, for a message.
    pub fn last_line(&self) -> &str {
        let lines = self.output.lines().rev().map(str::trim);
        let mut said = lines.filter(|line| !line.is_empty());
        said.next().unwrap_or("it said nothing")
    }

    /// For people: what is wrong, and its last words.
    pub fn told(&self) -> String {
        let how = match self.end {
            End::Code(code) => format!("ended with {code}"),
            End::Signal => "was ended by a signal".to_owned(),
            End::TimedOut => "took too long and was ended".to_owned(),
            End::Stopped => "was ended because the daemon stops".to_owned(),
        };
        let line: String = self.last_line().chars().take(300).collect();
        format!("{how}: {line}")
    }
}

/// Ends a whole process group when dropped: also when the run around it is cut off.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // Gone already is as good.
            let _ = killpg(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Runs a program to its end, or to the end of its time. Its standard output goes to `to`, if anywhere.
///
/// # Errors
/// When it cannot be started.
pub async fn run(program: &Program, to: Option<&Path>, timeout: Duration, stop: &CancellationToken) -> io::Result<Ran> {
    let Some((name, arguments)) = program.argv.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program is named"));
    };
    let mut command = Command::new(name);
    command.args(arguments).process_group(0).kill_on_drop(true);
    command.envs(program.secrets.iter().map(|(key, value)| (key, value)));
    if let Some(folder) = &program.folder {
        command.current_dir(folder);
    }
    command.stdin(match &program.stdin {
        Some(file) => Stdio::from(File::open(file)?),
        None => Stdio::null(),
    });
    command.stderr(Stdio::piped());
    command.stdout(match to {
        Some(file) => Stdio::from(private(file)?),
        None => Stdio::piped(),
    });
    let mut child = command
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot start {name}: {error}")))?;
    let group = Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    let mut tail = Tail::default();
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let deadline = tokio::time::sleep(timeout);
    tokio::pin!(deadline);
    let (mut from_out, mut from_err) = ([0; 8192], [0; 8192]);
    let ended = loop {
        tokio::select! {
            status = child.wait() => break Ok(status?),
            read = some(&mut out, &mut from_out) => keep(&mut tail, &mut out, read, &from_out),
            read = some(&mut err, &mut from_err) => keep(&mut tail, &mut err, read, &from_err),
            () = &mut deadline => break Err(End::TimedOut),
            () = stop.cancelled() => break Err(End::Stopped),
        }
    };
    let end = match ended {
        Ok(status) => status.code().map_or(End::Signal, End::Code),
        Err(end) => {
            group.signal(Signal::SIGTERM);
            if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
                group.signal(Signal::SIGKILL);
                child.wait().await?;
            }
            end
        }
    };
    // Whatever it started and left behind ends with it.
    drop(group);
    let rest = async {
        while out.is_some() || err.is_some() {
            tokio::select! {
                read = some(&mut out, &mut from_out) => keep(&mut tail, &mut out, read, &from_out),
                read = some(&mut err, &mut from_err) => keep(&mut tail, &mut err, read, &from_err),
            }
        }
    };
    let _ = tokio::time::timeout(LEFTOVERS, rest).await;
    Ok(Ran {
        end,
        output: tail.text(),
    })
}

/// Makes a file for this user's eyes alone.
///
/// # Errors
/// When the folder does not let us.
pub fn private(file: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// Reads what there is; never ready where nothing can come any more.
async fn some<R: AsyncRead + Unpin>(from: &mut Option<R>, into: &mut [u8]) -> usize {
    match from {
        Some(pipe) => pipe.read(into).await.unwrap_or(0),
        None => std::future::pending().await,
    }
}

fn keep<R>(tail: &mut Tail, from: &mut Option<R>, read: usize, bytes: &[u8]) {
    match read {
        0 => *from = None,
        read => tail.add(&bytes[..read]),
    }
}

/// The last [`KEPT`] bytes of what was said.
#[derive(Default)]
struct Tail {
    bytes: VecDeque<u8>,
    cut: bool,
}

impl Tail {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let over = self.bytes.len().saturating_sub(KEPT);
        self.cut |= over > 0;
        self.bytes.drain(..over);
    }

    fn text(mut self) -> String {
        let text = String::from_utf8_lossy(self.bytes.make_contiguous()).into_owned();
        let text: String = text
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
            .collect();
        if self.cut { format!("…{text}") } else { text }
    }
}
