//! Pictures of the pages for the docs: `cargo xtask screenshots`.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fake_fediverse::Scenario;
use serde_json::json;

use super::{
    driver::Browser,
    stage::{Stage, sign_in},
};

/// What is taken, and what it is called.
const PAGES: [(&str, &str); 9] = [
    ("overview", "/"),
    ("jobs", "/jobs"),
    ("run", ""),
    ("replies", "/replies"),
    ("backfill", "/backfill"),
    ("registrations", "/registrations"),
    ("blocklists", "/blocklists"),
    ("effects", "/effects"),
    ("settings", "/settings"),
];

/// Width, height, name.
const SIZES: [(u32, u32, &str); 2] = [(1280, 860, ""), (390, 844, "-phone")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes docs/images; run by `cargo xtask screenshots`"]
async fn pictures() {
    let folder = PathBuf::from(std::env::var_os("SCREENSHOTS").expect("SCREENSHOTS names the folder"));
    // Enough to look lived in, and over before anybody waits for it.
    let stage = Stage::full(Scenario {
        threads: 30,
        replies: 500,
        applicants: 12,
        ..Scenario::medium()
    })
    .await;
    let (base, password) = (stage.base(), stage.fediverse.password_of("admin"));
    tokio::task::spawn_blocking(move || {
        let browser = Browser::start(true).expect("a browser");
        sign_in(&browser, &base, &password);
        let job = format!("{base}/jobs/replies.home");
        browser.wait(
            || {
                browser.go(&job);
                browser.text().contains("finished")
            },
            || "a run".to_owned(),
        );
        browser.press_at("table a[href^='/runs/']");
        browser.wait_for("What it did");
        // Each feature has something to show.
        for path in [
            "backfill.followings",
            "registrations.pending",
            "blocklists.domain_blocks",
        ] {
            let job = format!("{base}/jobs/{path}");
            browser.wait(
                || {
                    browser.go(&job);
                    browser.text().contains("finished")
                },
                || format!("a run of {path}: {}", browser.text()),
            );
        }
        browser.go(&job);
        browser.press_at("table a[href^='/runs/']");
        browser.wait_for("What it did");
        let run = browser.url();
        for (name, path) in PAGES {
            let url = if path.is_empty() {
                run.clone()
            } else {
                format!("{base}{path}")
            };
            for (width, height, size) in SIZES {
                for theme in ["light", "dark"] {
                    browser.chrome(
                        "Emulation.setDeviceMetricsOverride",
                        json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}),
                    );
                    let features = json!([{"name": "prefers-color-scheme", "value": theme}]);
                    browser.chrome("Emulation.setEmulatedMedia", json!({"features": features}));
                    browser.go(&url);
                    let picture = browser.chrome("Page.captureScreenshot", json!({"format": "png"}));
                    let bytes = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
                    let dark = if theme == "dark" { "-dark" } else { "" };
                    std::fs::write(folder.join(format!("{name}{size}{dark}.png")), bytes).unwrap();
                }
            }
        }
    })
    .await
    .unwrap();
    assert!(stage.daemon.stop().await);
}
