//! The queue of cases in a real browser, by keyboard alone.

use fake_fediverse::Scenario;

use super::{
    driver::Browser,
    pictures::spam,
    stage::{Stage, sign_in_as},
};

/// Enter, as browsers are told of it.
const ENTER: &str = "\u{e007}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moderator_goes_through_the_queue_by_keyboard() {
    let stage = Stage::full(Scenario::small(), spam).await;
    let (base, password) = (stage.base(), stage.fediverse.password_of("me"));
    tokio::task::spawn_blocking(move || {
        let Some(browser) = Browser::start(true) else { return };
        sign_in_as(&browser, &base, "me", &password);
        let queue = format!("{base}/moderation");
        let rows = |browser: &Browser, n: u32| browser.has(&format!("#cases tbody tr:nth-child({n})"));
        browser.wait(
            || {
                browser.go(&queue);
                rows(&browser, 3)
            },
            || format!("three cases: {}", browser.text()),
        );

        // Down, down, up: the second is where the focus is, and it is ticked; a tick is taken back by the same key.
        let focused = |n: u32| browser.has(&format!("#cases tbody tr:nth-child({n}) a:focus"));
        browser.type_keys("j");
        assert!(focused(1));
        browser.type_keys("jjk");
        assert!(focused(2));
        browser.type_keys("x");
        let ticked = |n: u32| browser.has(&format!("#cases tbody tr:nth-child({n}) input:checked"));
        assert!(ticked(2) && !ticked(1) && !ticked(3));
        browser.type_keys("kxx");
        assert!(focused(1) && ticked(2) && !ticked(1));

        // What somebody types into a field is no command.
        browser.press_at("input[name=search]");
        browser.type_keys("jx");
        assert!(browser.has("input[name=search]:focus") && ticked(2) && !ticked(1));

        // Of those that are ticked: dismissed, and no longer in the queue.
        browser.press("Dismiss");
        browser.wait(
            || {
                browser.go(&queue);
                rows(&browser, 2) && !rows(&browser, 3)
            },
            || format!("two cases: {}", browser.text()),
        );
        browser.type_keys(&format!("j{ENTER}"));
        browser.wait_for("What would be sent");
        assert!(browser.url().starts_with(&format!("{base}/moderation/cases/")));
        assert!(
            browser.text().contains("Casino spam"),
            "rules go by their names: {}",
            browser.text()
        );
    })
    .await
    .unwrap();
    assert!(stage.daemon.stop().await);
}
