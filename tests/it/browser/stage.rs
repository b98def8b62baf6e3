//! A simulated fediverse and the daemon on it, for browsers.

use std::sync::Arc;

use daemon::{
    config::{self, Layers},
    daemon::Daemon,
};
use fake_fediverse::{Fediverse, Scenario};
use model::SystemClock;

use super::driver::Browser;

pub(crate) struct Stage {
    pub(crate) fediverse: Fediverse,
    pub(crate) daemon: Daemon,
    _folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) async fn set(scenario: Scenario) -> Self {
        let fediverse = Fediverse::start(scenario).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), fediverse.token()).unwrap();
        let text = format!(
            "[store]\nurl = \"sqlite://{}\"\n[web]\nlisten = \"127.0.0.1:0\"\n[run]\ndrain = \"5s\"\n[log]\nlevel = \"error\"\n\
             [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 6000\norigin_concurrency = 4\n\
             [[servers]]\nurl = \"{}\"\n[[servers.logins]]\nname = \"me\"\ntoken_file = \"token\"\n",
            folder.path().join("egret.db").display(),
            fediverse.home()
        );
        let file = folder.path().join("egret.toml");
        std::fs::write(&file, text).unwrap();
        let layers = Layers {
            file: Some(file),
            ..Layers::default()
        };
        let config = config::load(&layers).unwrap();
        daemon::telemetry::start_logs(&config.log);
        let daemon = Daemon::start(config, Arc::new(SystemClock)).await.unwrap();
        Self {
            fediverse,
            daemon,
            _folder: folder,
        }
    }

    /// Where the pages are, as browsers reach them.
    pub(crate) fn base(&self) -> String {
        self.daemon.base().to_string().trim_end_matches('/').to_owned()
    }
}

/// Goes through the server's own pages, as its owner.
pub(crate) fn sign_in(browser: &Browser, base: &str, password: &str) {
    browser.go(&format!("{base}/jobs"));
    browser.press("Sign in with");
    browser.fill("user[email]", "admin@example.invalid");
    browser.fill("user[password]", password);
    browser.press("Log in");
    browser.press("Authorize");
    browser.wait(
        || browser.url() == format!("{base}/jobs"),
        || format!("the way back from {}", browser.url()),
    );
}
