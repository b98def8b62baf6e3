//! Pictures of the pages for the docs: `cargo xtask screenshots`.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use fake_fediverse::{Fediverse, Scenario};
use model::{Clock as _, SystemClock};
use serde_json::json;

use super::{
    driver::Browser,
    stage::{Stage, sign_in_as},
};

/// What is taken, and what it is called.
const PAGES: [(&str, &str); 13] = [
    ("overview", "/"),
    ("jobs", "/jobs"),
    ("run", ""),
    ("replies", "/replies"),
    ("backfill", "/backfill"),
    ("moderation", "/moderation"),
    ("moderation-rules", "/moderation/rules"),
    ("registrations", "/registrations"),
    ("blocklists", "/blocklists"),
    ("archive", "/archive"),
    ("archive-numbers", "/archive/numbers"),
    ("effects", "/effects"),
    ("settings", "/settings"),
];

/// What somebody wrote who watches birds.
const DIARY: [(&str, &str, &str); 8] = [
    (
        "A little egret at the weir this morning, quite unimpressed by the rain. #birds",
        "public",
        "",
    ),
    (
        "Counted eleven herons on the way to work. The twelfth was a traffic cone.",
        "public",
        "",
    ),
    ("The kingfisher is back. Nobody tell the newspaper.", "private", ""),
    ("Found what the owl had for dinner.", "public", "owl pellets, in detail"),
    (
        "Which lens for small waders? I own exactly one and will take it anyway. #birds #photography",
        "unlisted",
        "",
    ),
    ("See you at the hide at six, bring tea.", "direct", ""),
    (
        "Storks over the motorway, forty at least, circling as if they had all the time there is. #birds",
        "public",
        "",
    ),
    ("Long walk, no birds. A good one all the same.", "public", ""),
];

fn diary(fediverse: &Fediverse) {
    let now: chrono::DateTime<chrono::Utc> = SystemClock.now();
    for (n, (text, visibility, warning)) in (0..).zip(DIARY.iter().cycle().take(40)) {
        let fields = json!({
            "visibility": visibility, "spoiler_text": warning,
            "tags": text.split('#').skip(1).map(|tag| json!({"name": tag.trim(), "url": "https://home.example/tags"})).collect::<Vec<_>>(),
        });
        let uri = fediverse.post(text, now - TimeDelta::hours(31 * n + 2), fields);
        if n % 9 == 0 {
            fediverse.edit_to(
                &uri,
                &format!("{text} (And a wren.)"),
                now - TimeDelta::hours(31 * n + 1),
                json!({}),
            );
        }
    }
}

/// Somebody elsewhere who sells something, and says so to everybody.
pub(super) fn spam(fediverse: &Fediverse) {
    let host = fediverse.origin(0).trim_start_matches("http://").to_owned();
    for name in ["lucky", "jackpot", "roulette"] {
        fediverse.joins(Some(0), name);
        for offer in ["The best casino in town", "Free spins in our casino until Sunday"] {
            fediverse.says(&format!("{name}@{host}"), &format!("<p>{offer}</p>"));
        }
    }
}

/// Width, height, name.
const SIZES: [(u32, u32, &str); 2] = [(1280, 860, ""), (390, 844, "-phone")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes docs/images; run by `cargo xtask screenshots`"]
async fn pictures() {
    let folder = PathBuf::from(std::env::var_os("SCREENSHOTS").expect("SCREENSHOTS names the folder"));
    // Enough to look lived in, and over before anybody waits for it.
    let scenario = Scenario {
        threads: 30,
        replies: 500,
        applicants: 12,
        ..Scenario::medium()
    };
    let stage = Stage::full(scenario, |fediverse| {
        diary(fediverse);
        spam(fediverse);
    })
    .await;
    let (base, password) = (stage.base(), stage.fediverse.password_of("me"));
    tokio::task::spawn_blocking(move || {
        let browser = Browser::start(true).expect("a browser");
        // The archive shows people their own alone, and `me` may everything at home.
        sign_in_as(&browser, &base, "me", &password);
        let job = format!("{base}/jobs/replies.home");
        browser.wait(
            || {
                browser.go(&job);
                browser.text().contains("finished")
            },
            || format!("a run of replies.home: {}", browser.text()),
        );
        browser.press_at("table a[href^='/runs/']");
        browser.wait_for("What it did");
        // Each feature has something to show.
        for path in [
            "backfill.followings",
            "moderation.accounts",
            "registrations.pending",
            "blocklists.domain_blocks",
            "archive.statuses",
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
