//! A browser driven over WebDriver: the few commands the stories need, asked with the HTTP client that the other
//! stories use.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// What Chromium is told: nothing asked of other hosts on its own account, and no sandbox, since CI is root.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--hide-scrollbars",
];

/// One browser with a profile of its own; both go when this is dropped.
pub(crate) struct Browser {
    driver: Child,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one, with or without JavaScript. `None` where there is no chromedriver: says so, and is an error where
    /// `REQUIRE_BROWSER` is set.
    pub(crate) fn start(scripts: bool) -> Option<Self> {
        let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let started = Command::new(&program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut driver = match started {
            Ok(driver) => driver,
            Err(error) if std::env::var_os("REQUIRE_BROWSER").is_none() => {
                eprintln!("skipped: no {program} ({error}); `cargo xtask test` installs it where it may");
                return None;
            }
            Err(error) => panic!("{program}: {error}"),
        };
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split("successfully on port ")
                    .nth(1)
                    .map(|rest| rest.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver says its port");
        // It goes on talking, and must not stall because nobody listens.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let profile = tempfile::tempdir().unwrap();
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).into();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let mut options = json!({"args": flags});
        if !scripts {
            options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
        }
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let base = format!("http://127.0.0.1:{port}/session");
        let answer = ask("POST", &base, Some(capabilities)).expect("a session");
        let id = answer["sessionId"].as_str().unwrap();
        Some(Self {
            session: format!("{base}/{id}"),
            driver,
            _profile: profile,
        })
    }

    pub(crate) fn go(&self, url: &str) {
        self.post("/url", json!({"url": url}));
    }

    pub(crate) fn url(&self) -> String {
        let url = ask("GET", &format!("{}/url", self.session), None).unwrap();
        url.as_str().unwrap().to_owned()
    }

    /// The text of the page, as people see it.
    pub(crate) fn text(&self) -> String {
        let Some(body) = self.find("css selector", "body") else {
            return String::new();
        };
        let text = ask("GET", &format!("{}/element/{body}/text", self.session), None);
        text.ok()
            .and_then(|text| text.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Waits until the page shows this.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait(
            || self.text().contains(text),
            || format!("{text:?} at {}:\n{}", self.url(), self.text()),
        );
    }

    /// Waits until something is true.
    pub(crate) fn wait(&self, mut is: impl FnMut() -> bool, what: impl Fn() -> String) {
        let begun = Instant::now();
        while !is() {
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {}", what());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses the first button or link that says so.
    pub(crate) fn press(&self, words: &str) {
        let path = format!("//*[self::a or self::button][contains(normalize-space(.), '{words}')]");
        self.click("xpath", &path);
    }

    /// Presses what a CSS selector finds.
    pub(crate) fn press_at(&self, selector: &str) {
        self.click("css selector", selector);
    }

    fn click(&self, using: &str, what: &str) {
        let mut found = None;
        self.wait(
            || {
                found = self.find(using, what);
                found.is_some()
            },
            || format!("{what} at {}:\n{}", self.url(), self.text()),
        );
        self.post(&format!("/element/{}/click", found.unwrap()), json!({}));
    }

    /// Types into the field of that name.
    pub(crate) fn fill(&self, name: &str, text: &str) {
        let field = self.find("css selector", &format!("[name=\"{name}\"]")).unwrap();
        self.post(&format!("/element/{field}/value"), json!({"text": text}));
    }

    /// Presses keys one after the other, wherever the focus is.
    pub(crate) fn type_keys(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|stroke| json!({"type": stroke, "value": key})))
            .collect();
        self.post(
            "/actions",
            json!({"actions": [{"type": "key", "id": "keys", "actions": strokes}]}),
        );
    }

    /// Whether a CSS selector finds anything.
    pub(crate) fn has(&self, selector: &str) -> bool {
        self.find("css selector", selector).is_some()
    }

    fn find(&self, using: &str, what: &str) -> Option<String> {
        let found = ask(
            "POST",
            &format!("{}/element", self.session),
            Some(json!({"using": using, "value": what})),
        );
        let found = found.ok()?;
        found.as_object()?.values().next()?.as_str().map(str::to_owned)
    }

    /// Errors and warnings of the console so far.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let lines = self.log("browser");
        let lines = lines
            .iter()
            .filter(|line| line["level"] != "INFO" && line["level"] != "DEBUG");
        lines.map(|line| line["message"].to_string()).collect()
    }

    /// Addresses that the pages of `host` asked for so far.
    pub(crate) fn requests_of(&self, host: &str) -> Vec<String> {
        let mut found = Vec::new();
        for line in self.log("performance") {
            let Ok(line) = serde_json::from_str::<Value>(line["message"].as_str().unwrap_or_default()) else {
                continue;
            };
            let message = &line["message"];
            let page = message["params"]["documentURL"].as_str().unwrap_or_default();
            if message["method"] == "Network.requestWillBeSent" && page.starts_with(host) {
                found.extend(message["params"]["request"]["url"].as_str().map(str::to_owned));
            }
        }
        found
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let lines = self.post("/se/log", json!({"type": kind}));
        lines.as_array().cloned().unwrap_or_default()
    }

    /// A command of Chrome's own protocol.
    pub(crate) fn chrome(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({"cmd": command, "params": parameters}))
    }

    fn post(&self, path: &str, body: Value) -> Value {
        ask("POST", &format!("{}{path}", self.session), Some(body)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = ask("DELETE", &self.session, None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn ask(method: &str, url: &str, body: Option<Value>) -> Result<Value, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let answer = match (method, body) {
        ("DELETE", _) => agent.delete(url).call(),
        (_, Some(body)) => agent.post(url).send_json(body),
        (_, None) => agent.get(url).call(),
    };
    let mut answer = answer.map_err(|error| error.to_string())?;
    let fine = answer.status().is_success();
    // A screenshot of a long page is more than the client takes by itself.
    let body = answer.body_mut().with_config().limit(64 << 20).read_json::<Value>();
    let value = body.map_err(|error| error.to_string())?["value"].take();
    if fine {
        Ok(value)
    } else {
        Err(value["message"].to_string())
    }
}
