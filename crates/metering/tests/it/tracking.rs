//! Check 41: adding accounts.

use metering::Refusal;
use serde_json::json;
use store::metered_accounts::{self, Added};

use crate::house::{Fault, House};

/// Check 41: resolved once, the same id however often and however it is written.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_one_in_all_its_spellings() {
    let house = House::build().await;
    let host = house.host(0);
    house.person(0, 1, |_| {});
    let first = house.try_add(&format!("@U1@{host}")).await.unwrap();
    assert_eq!(first.added, Added::New);
    assert_eq!(house.points(first.id).await.len(), 1, "measured at once");
    for address in [
        format!("u1@{host}"),
        format!("acct:u1@{host}"),
        format!("http://{host}/@u1"),
        format!("http://{host}/users/u1"),
    ] {
        let again = house.try_add(&address).await.unwrap();
        assert_eq!((again.id, again.added), (first.id, Added::Known), "{address}");
    }
    let account = house.account(first.id).await;
    assert_eq!(
        (account.acct.as_str(), account.remote_id.as_deref()),
        (&*format!("u1@{host}"), Some("1"))
    );
}

/// Check 41: who cannot be measured is refused with the reason.
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_measured_is_refused() {
    let house = House::build().await;
    house.person(0, 1, |_| {});
    let nobody = house.try_add(&format!("@u9@{}", house.host(0))).await.unwrap_err();
    assert!(matches!(nobody, Refusal::Nobody { .. }), "{nobody}");
    house.fault(1, Some(Fault::Html));
    let no_server = house.try_add(&format!("@u1@{}", house.host(1))).await.unwrap_err();
    assert!(matches!(no_server, Refusal::NoServer { .. }), "{no_server}");
    house.fault(2, Some(Fault::Status(503)));
    let down = house.try_add(&format!("@u1@{}", house.host(2))).await.unwrap_err();
    assert!(down.may_pass(), "{down}");
    let nonsense = house.try_add("nobody").await.unwrap_err();
    assert!(matches!(nonsense, Refusal::Address(_)));
    assert!(metered_accounts::find(&house.store, "u1").await.unwrap().is_empty());
}

/// Check 41: what only we can reach is not asked, whatever it is called.
#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_refused() {
    let house = House::build().await;
    for address in [
        "@a@10.0.0.1:8080",
        "http://192.168.1.1/@a",
        "http://169.254.169.254/users/a",
        "http://[::1]/@a",
        "https://[fe80::1]/@a",
    ] {
        let refused = house.try_add(address).await.unwrap_err();
        assert!(matches!(refused, Refusal::Forbidden { .. }), "{address}: {refused:?}");
    }
}

/// Check 50: removed without its points, an account is restored with them; purged, nothing is left.
#[tokio::test(flavor = "multi_thread")]
async fn removing_keeps_the_points_and_purging_does_not() {
    let house = House::build().await;
    let address = format!("@u1@{}", house.host(0));
    house.person(0, 1, |_| {});
    let id = house.try_add(&address).await.unwrap().id;
    assert!(metered_accounts::remove(&house.store, id).await.unwrap());
    house.later(48);
    assert_eq!(house.measure().await.get("measured"), 0);
    let back = house.try_add(&address).await.unwrap();
    assert_eq!((back.id, back.added), (id, Added::Restored));
    assert_eq!(house.points(id).await.len(), 2, "a missed day is no run");
    assert!(metered_accounts::purge(&house.store, id).await.unwrap());
    assert!(house.points(id).await.is_empty() && house.events(id).await.is_empty());
    assert!(!metered_accounts::purge(&house.store, id).await.unwrap());
    assert_eq!(house.try_add(&address).await.unwrap().added, Added::New);
}

/// What was asked for on the page or in a file is looked up by the job, and what came of it is kept.
#[tokio::test(flavor = "multi_thread")]
async fn wishes_are_looked_up() {
    let house = House::build().await;
    house.person(0, 1, |_| {});
    house.fault(1, Some(Fault::Status(503)));
    let now = at_now(&house);
    let wishes: Vec<_> = [
        format!("@u1@{}", house.host(0)),
        "nonsense".to_owned(),
        format!("@u1@{}", house.host(1)),
    ]
    .iter()
    .map(|address| metering::wish(address, vec!["friends".into()], "import", now))
    .collect();
    store::metered_wishes::insert(&house.store, &wishes).await.unwrap();
    let summary = house.run("metering.wishes").await;
    let counts = ["added", "refused", "waiting"].map(|counter| summary.get(counter));
    assert_eq!(counts, [1, 1, 1], "{summary:?}");
    let done = store::metered_wishes::load(&house.store, &wishes[0].id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(done.state, "done");
    let groups = metered_accounts::groups(&house.store).await.unwrap();
    assert_eq!(groups, [("friends".to_owned(), 1)]);
    house.person(1, 1, |account| account["note"] = json!("back"));
    house.fault(1, None);
    house.later(1);
    assert_eq!(house.run("metering.wishes").await.get("added"), 1);
}

fn at_now(house: &House) -> chrono::DateTime<chrono::Utc> {
    use model::Clock as _;
    house.clock.now()
}
