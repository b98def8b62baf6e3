//! Where people who sign up are approved by events: work whose every effect can be counted.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fake_fediverse::{Applicant, Event, Fediverse};

use crate::house::{House, Running, server};

const SECRET: &str = "a secret of sixteen and more";

/// A daemon on this database that approves whoever has an address of the government. Its lease is short, so that what is
/// left behind is soon looked after.
pub(crate) fn house(fediverse: &Fediverse, database: &str) -> House {
    let house = House::with("");
    let server = server(&fediverse.home(), &["mod"]);
    house.config(&format!(
        "timeout = \"1s\"\ntoken_per_five_minutes = 1000000\npaging_per_fifteen_minutes = 1000000\nserver_concurrency = 8\n\
         [store]\nurl = \"{database}\"\nconnections = 8\n\
         {server}\n[registrations]\nmode = \"act\"\nquota = 100000\napprovals_per_hour = 100000\n\
         [registrations.pending]\nenabled = true\nevery = \"1s\"\n\
         [operations.snapshot]\nenabled = false\n\
         [[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\"]\n"
    ));
    let text = std::fs::read_to_string(house.path().join("egret.toml")).unwrap();
    let text = text.replace("drain = \"5s\"", "drain = \"20s\"\nlease = \"2s\"");
    let text = text.replacen(
        "[[servers.logins]]",
        "webhook_secret_files = [\"hook.secret\"]\n[[servers.logins]]",
        1,
    );
    house.write("egret.toml", &text);
    house.write("mod.token", &fediverse.admin_token());
    house.write("hook.secret", SECRET);
    house
}

/// Somebody who will be approved signs up.
pub(crate) fn sign_up(fediverse: &Fediverse, name: &str) {
    fediverse.apply(&Applicant::new(name, &format!("{name}@nyc.gov")));
}

/// Hands the event of a sign-up over once, with Mastodon's patience; the status of the answer, if there was one.
pub(crate) async fn deliver(fediverse: &Fediverse, daemon: &Running, name: &str) -> Option<u16> {
    let body = fediverse.webhook_body(Event::AccountCreated, name);
    let signature = fake_fediverse::signature(SECRET, body.as_bytes());
    let host = fediverse.home().trim_start_matches("http://").to_owned();
    let url = format!("http://{}/webhooks/mastodon/{host}", daemon.address);
    let sent = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .build()
            .into();
        let request = agent.post(&url).header("content-type", "application/json");
        request.header("x-hub-signature", &signature).send(body)
    });
    sent.await.unwrap().ok().map(|answer| answer.status().as_u16())
}

/// How often each account was approved.
pub(crate) fn approvals(fediverse: &Fediverse) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in fediverse.log().home().path("/approve").0 {
        if call.method == "POST" && call.http_status == 200 {
            *counts.entry(call.path).or_default() += 1;
        }
    }
    counts
}

/// Waits until all of these are approved, and nobody was twice.
pub(crate) async fn everybody_is_approved_once(fediverse: &Fediverse, names: &[String]) {
    let deadline = Instant::now() + Duration::from_secs(120);
    let waits = |name: &&String| !fediverse.user(name).is_some_and(|user| user.approved);
    while names.iter().any(|name| waits(&name)) {
        let left: Vec<_> = names.iter().filter(waits).collect();
        assert!(Instant::now() < deadline, "nobody approves {left:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let counts = approvals(fediverse);
    assert_eq!(counts.len(), names.len(), "{counts:?}");
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
