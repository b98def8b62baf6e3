//! A simulated fediverse and the daemon on it, for browsers.

use std::sync::Arc;

use daemon::{
    config::{self, Config, Layers},
    daemon::Daemon,
};
use fake_fediverse::{Fediverse, Scenario};
use model::SystemClock;

use super::driver::Browser;
use crate::rulebook;

/// As in the demo, and a list that would block somebody.
const EVERYTHING: &str = "[backfill]\nhold = \"0s\"\n[backfill.followings]\nenabled = true\n\
    [registrations]\nveto = \"1h\"\n[registrations.pending]\nenabled = true\n\
    [[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\", \".gov.uk\", \".europa.eu\"]\n\
    [[registrations.rules]]\nname = \"free mail\"\nverdict = \"reject\"\ndomains = [\"=gmail.com\", \"=aol.com\"]\n\
    [[blocklists.sources]]\nname = \"garden\"\nfile = \"garden.csv\"\n\
    [[blocklists.policies]]\nname = \"default\"\n\
    [moderation.inbox]\nenabled = true\n";

const LIST: &str = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n\
    spam.egrets-garden.social,suspend,true,true,spam,false\nrude.egrets-garden.social,silence,false,false,harassment,false\n\
    scrape.egrets-garden.social,suspend,true,true,scraping,false\nnoise.egrets-garden.social,silence,true,false,unlabelled bots,false\n";

pub(crate) struct Stage {
    pub(crate) fediverse: Fediverse,
    pub(crate) daemon: Daemon,
    pub(crate) config: Config,
    _folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) async fn set(scenario: Scenario) -> Self {
        Self::with(scenario, "", |_| {}).await
    }

    /// With a fediverse in which something happened before.
    pub(crate) async fn after(scenario: Scenario, before: impl FnOnce(&Fediverse)) -> Self {
        Self::with(scenario, "", before).await
    }

    /// With every feature on: the token is of somebody who may all of it at home.
    pub(crate) async fn full(scenario: Scenario, before: impl FnOnce(&Fediverse)) -> Self {
        Self::with(scenario, EVERYTHING, before).await
    }

    async fn with(scenario: Scenario, rest: &str, before: impl FnOnce(&Fediverse)) -> Self {
        let fediverse = Fediverse::start(scenario).await;
        before(&fediverse);
        let folder = tempfile::tempdir().unwrap();
        if !rest.is_empty() {
            fediverse.set_permissions("me", 0x1);
            std::fs::write(folder.path().join("garden.csv"), LIST).unwrap();
        }
        std::fs::write(folder.path().join("token"), fediverse.token()).unwrap();
        let text = format!(
            "[store]\nurl = \"sqlite://{}\"\n[web]\nlisten = \"127.0.0.1:0\"\n[run]\ndrain = \"5s\"\n[log]\nlevel = \"error\"\n\
             [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 6000\norigin_concurrency = 4\n\
             [[servers]]\nurl = \"{}\"\n[[servers.logins]]\nname = \"me\"\ntoken_file = \"token\"\n{rest}",
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
        if !rest.is_empty() {
            rulebook::put(&config).await;
        }
        daemon::telemetry::start_logs(&config.log);
        let daemon = Daemon::start(config.clone(), Arc::new(SystemClock)).await.unwrap();
        Self {
            config,
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
    sign_in_as(browser, base, "admin", password);
}

/// Goes through the server's own pages, as somebody.
pub(crate) fn sign_in_as(browser: &Browser, base: &str, name: &str, password: &str) {
    browser.go(&format!("{base}/jobs"));
    browser.press("Sign in with");
    browser.fill("user[email]", &format!("{name}@example.invalid"));
    browser.fill("user[password]", password);
    browser.press("Log in");
    browser.press("Authorize");
    browser.wait(
        || browser.url() == format!("{base}/jobs"),
        || format!("the way back from {}", browser.url()),
    );
}
