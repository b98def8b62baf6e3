//! The dashboard in a real browser.

mod archive;
mod driver;
mod moderation;
mod pictures;
mod stage;

use fake_fediverse::Scenario;

use driver::Browser;
use stage::{Stage, sign_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_signs_in_runs_a_job_and_stops_everything() {
    story(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_goes_without_javascript() {
    story(false).await;
}

async fn story(scripts: bool) {
    let stage = Stage::set(Scenario::small()).await;
    let (base, password) = (stage.base(), stage.fediverse.password_of("admin"));
    tokio::task::spawn_blocking(move || {
        let Some(browser) = Browser::start(scripts) else { return };
        sign_in(&browser, &base, &password);
        browser.wait_for("replies.home");

        // A run is seen, with its log, and one more is asked for.
        let runs = || {
            browser.go(&format!("{base}/jobs/replies.home"));
            browser.text().matches("finished").count()
        };
        browser.wait(|| runs() >= 1, || "a first run".to_owned());
        let before = runs();
        browser.press_at("table a[href^='/runs/']");
        browser.wait_for("What it did");
        assert!(browser.has("ol.log li"), "{}", browser.text());
        browser.go(&format!("{base}/jobs/replies.home"));
        browser.press("Run now");
        browser.wait_for("What Egret does over and over");
        browser.wait(|| runs() > before, || "the run that was asked for".to_owned());

        // Everything is stopped, said so on every page that matters, and lifted again.
        browser.go(&format!("{base}/settings"));
        browser.press("Stop everything…");
        browser.wait_for("Stop everything?");
        browser.press_at("form[action='/settings/panic_stop'] button");
        browser.wait_for("All effects are held.");
        browser.go(&base);
        browser.wait_for("Panic stop.");
        browser.press("Lift it");
        browser.press_at("form[action='/settings/panic_stop/lift'] button");
        browser.wait_for("Holds everything");
        for path in [
            "/replies",
            "/replies/origins",
            "/backfill",
            "/registrations",
            "/blocklists",
            "/effects",
            "/settings",
        ] {
            browser.go(&format!("{base}{path}"));
            assert!(browser.has("main h1") && browser.has("nav [aria-current]"), "{path}");
        }
        if scripts {
            assert!(browser.has("#zone"), "the reader's zone is told");
        }

        browser.press("Sign out");
        browser.wait_for("Sign in");
        browser.go(&format!("{base}/settings"));
        browser.wait_for("Sign in with");

        let complaints = browser.complaints();
        let ours: Vec<_> = complaints.iter().filter(|line| line.contains(&base)).collect();
        assert!(ours.is_empty(), "{ours:#?}");
        let asked = browser.requests_of(&base);
        assert!(!asked.is_empty(), "the browser's log tells what its pages asked for");
        for url in asked {
            assert!(url.starts_with(&base) || url.starts_with("data:"), "a page asked {url}");
        }
    })
    .await
    .unwrap();
    assert!(stage.daemon.stop().await);
}
