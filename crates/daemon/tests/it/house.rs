//! What an operator has: a folder with a config, token files and a database, and the program.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use fake_fediverse::{Fediverse, Scenario};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

/// How long anything here may take at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// The folder.
pub(crate) struct House {
    folder: tempfile::TempDir,
    /// Seconds by which its clock is ahead.
    ahead: i64,
}

/// A command that ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Exit code 1 and exactly one line from the program, which holds all of `parts`.
    pub(crate) fn refused(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:?}");
        let lines: Vec<_> = self.stderr.lines().filter(|line| line.starts_with("egret: ")).collect();
        assert_eq!(lines.len(), 1, "{self:?}");
        for part in parts {
            assert!(lines[0].contains(part), "{part:?} is not in {:?}", lines[0]);
        }
    }
}

impl House {
    /// A folder with nothing but a `[web]`, `[net]` and `[store]` that go with tests, and `rest`.
    pub(crate) fn with(rest: &str) -> Self {
        let house = Self {
            folder: tempfile::tempdir().unwrap(),
            ahead: 0,
        };
        house.config(rest);
        house
    }

    /// A machine whose clock is wrong.
    pub(crate) fn ahead(mut self, seconds: i64) -> Self {
        self.ahead = seconds;
        self
    }

    /// One login `me` at the home of this fediverse, only the job `replies.home`, and `home` in its section.
    pub(crate) fn of(fediverse: &Fediverse, home: &str) -> Self {
        let house = Self::with(&format!("{}{}", server(&fediverse.home(), &["me"]), only_home(home)));
        house.write("me.token", &fediverse.token());
        house
    }

    /// Writes the config anew.
    pub(crate) fn config(&self, rest: &str) {
        let text = format!(
            "[web]\nlisten = \"127.0.0.1:0\"\n[run]\ndrain = \"5s\"\n\
             [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 6000\norigin_concurrency = 4\nattempts = 1\n{rest}"
        );
        self.write("egret.toml", &text);
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_egret"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("TEST_CLOCK_AHEAD", self.ahead.to_string())
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn egret(&self, arguments: &[&str]) -> Ended {
        let output = tokio::time::timeout(PATIENCE, self.command(arguments).output())
            .await
            .unwrap_or_else(|_| panic!("egret {arguments:?} does not end"))
            .unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Exit code 1 and, with `--json`, one object on standard output that holds all of `parts`.
    pub(crate) async fn refused_as_json(&self, arguments: &[&str], parts: &[&str]) {
        let mut with_json = arguments.to_vec();
        with_json.push("--json");
        let ended = self.egret(&with_json).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let said = ended.json();
        for part in parts {
            assert!(said["error"].as_str().unwrap().contains(part), "{part:?}: {ended:?}");
        }
        assert!(said.as_object().unwrap().contains_key("hint"), "{ended:?}");
        assert!(!ended.stderr.contains("egret: "), "said once: {ended:?}");
    }

    /// Starts the daemon, and returns when it says where its pages are.
    pub(crate) async fn run(&self) -> Running {
        let mut child = self.command(&["run"]).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let kept = log.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let first = tokio::time::timeout(PATIENCE, stdout.next_line()).await;
        let address = match &first {
            Ok(Ok(Some(line))) => line.split("http://").nth(1).map(str::to_owned),
            _ => None,
        };
        let address = address.unwrap_or_else(|| panic!("{first:?}: {}", log.lock().unwrap()));
        tokio::spawn(async move { while let Ok(Some(_)) = stdout.next_line().await {} });
        Running { child, log, address }
    }
}

/// The running daemon; killed when dropped.
pub(crate) struct Running {
    child: Child,
    log: Arc<Mutex<String>>,
    pub(crate) address: String,
}

impl Running {
    /// Sends a signal by its name.
    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().await.unwrap();
        assert!(sent.success());
    }

    /// Waits until the log holds `text`.
    pub(crate) async fn says(&self, text: &str) {
        until(text, || self.log().contains(text)).await;
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The log, for when it ended.
    pub(crate) fn kept_log(&self) -> Arc<Mutex<String>> {
        self.log.clone()
    }

    /// Waits for the end and gives the exit code.
    pub(crate) async fn ended(mut self) -> Option<i32> {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        status
            .unwrap_or_else(|_| panic!("does not end: {}", self.log()))
            .unwrap()
            .code()
    }

    /// What a page says to a stranger.
    pub(crate) async fn text(&self, path: &str) -> String {
        self.text_for(path, None).await
    }

    /// What a page says to whoever holds `token`.
    pub(crate) async fn text_for(&self, path: &str, token: Option<&str>) -> String {
        let mut request = ureq::get(format!("http://{}{path}", self.address));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        tokio::task::spawn_blocking(move || request.call()?.body_mut().read_to_string())
            .await
            .unwrap()
            .unwrap()
    }

    /// The status of a page, whatever it is.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        let url = format!("http://{}{path}", self.address);
        tokio::task::spawn_blocking(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
            agent.get(&url).call().map(|answer| answer.status().as_u16())
        })
        .await
        .unwrap()
        .unwrap()
    }

    /// The status of a page.
    pub(crate) async fn page(&self, path: &str) -> u16 {
        let url = format!("http://{}{path}", self.address);
        tokio::task::spawn_blocking(move || ureq::get(&url).call().map(|answer| answer.status().as_u16()))
            .await
            .unwrap()
            .unwrap()
    }
}

/// Waits until it holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A `[[servers]]` whose logins have their tokens in NAME.token.
pub(crate) fn server(url: &str, logins: &[&str]) -> String {
    let mut text = format!("[[servers]]\nurl = \"{url}\"\n");
    for login in logins {
        text.push_str(&format!(
            "[[servers.logins]]\nname = \"{login}\"\ntoken_file = \"{login}.token\"\n"
        ));
    }
    text
}

/// No job but `replies.home`, with this in its section.
pub(crate) fn only_home(home: &str) -> String {
    let mut text = format!("[replies.home]\n{home}\n");
    for job in ["bookmarks", "favourites", "lists", "wanted"] {
        text.push_str(&format!("[replies.{job}]\nenabled = false\n"));
    }
    text
}

/// A very small fediverse.
pub(crate) async fn fediverse() -> Fediverse {
    Fediverse::start(Scenario {
        threads: 2,
        replies: 10,
        ..Scenario::small()
    })
    .await
}

/// A web server on loopback that says the same to everybody, and what it was asked.
pub(crate) struct Site {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<url::Url>>>,
}

impl Site {
    /// Starts it.
    pub(crate) async fn start(kind: &'static str, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<url::Url>>> = Arc::default();
        let (base, log) = (url.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (base, log) = (base.clone(), log.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                        let mut part = [0; 1024];
                        match stream.read(&mut part).await {
                            Ok(0) | Err(_) => return,
                            Ok(read) => head.extend_from_slice(&part[..read]),
                        }
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or("/");
                    log.lock().unwrap().push(format!("{base}{path}").parse().unwrap());
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { url, asked }
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<url::Url> {
        self.asked.lock().unwrap().clone()
    }
}
