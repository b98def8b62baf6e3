//! The same on `GoToSocial`: names as cursors, `active` that includes those who wait, approvals that answer twice.

use fake_fediverse::Software;
use store::applicants::State;

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn lets_in_and_turns_away() {
    let house = House::with(|scenario| scenario.home = Software::GoToSocial).await;
    let mayor = house.apply("mayor", "mayor@nyc.gov");
    let fan = house.apply("fan", "fan@gmail.com");
    let later = house.apply_unconfirmed("later", "later@nyc.gov");
    house.tick().await;
    assert_eq!(house.state(&mayor).await, State::Approved);
    assert_eq!(house.state(&later).await, State::Waiting);
    house.fediverse.confirm("later");
    for _ in 0..12 {
        house.tick().await;
    }
    assert_eq!(
        (house.state(&fan).await, house.state(&later).await),
        (State::Rejected, State::Approved)
    );
    assert_eq!(
        (house.calls("approve"), house.calls("reject")),
        (vec![200, 200], vec![200])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_its_cursors_to_the_end() {
    let house = House::with(|scenario| {
        scenario.home = Software::GoToSocial;
        scenario.applicants = 450;
    })
    .await;
    house.tick().await;
    let counts = store::applicants::counts(&house.store).await.unwrap();
    assert_eq!(counts.iter().map(|(_, _, count)| count).sum::<i64>(), 450);
    for _ in 0..12 {
        house.tick().await;
    }
    let calls = [house.calls("approve"), house.calls("reject")].concat();
    assert!(
        calls.len() > 150 && calls.iter().all(|http_status| *http_status == 200),
        "{calls:?}"
    );
}

/// A second approval is answered like the first, so nobody can tell that somebody else was faster; the record says that
/// our call was answered, which is true. Everything else shows.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_answers_twice_is_made_once_by_us() {
    let house = House::with(|scenario| scenario.home = Software::GoToSocial).await;
    let (first, second) = house.beaten_to_it().await;
    assert_eq!(house.calls_of(&first, "approve"), [200, 200]);
    let row = house.one(&first).await;
    assert_eq!((row.state, row.ended_by.as_deref()), (State::Approved, Some("egret")));
    assert!(row.look_at.is_some(), "and is looked at again");
    let row = house.one(&second).await;
    assert_eq!((row.state, row.ended_by.as_deref()), (State::Gone, Some("elsewhere")));
    house.fediverse.clear_log();
    for _ in 0..3 {
        house.tick().await;
    }
    assert_eq!(house.writes(), 0);
}

/// `active` includes those who wait and those of other servers; a server that ignores the question shows them all.
#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_wait_here_are_judged() {
    let house = House::with(|scenario| {
        scenario.home = Software::GoToSocial;
        scenario.threads = 1;
        scenario.replies = 5;
        scenario.origins = vec![Software::Mastodon];
    })
    .await;
    let mayor = house.apply("mayor", "mayor@nyc.gov");
    let active = house
        .ask_as_moderator("GET", "/api/v2/admin/accounts?status=active&limit=200")
        .await;
    let active: Vec<serde_json::Value> = serde_json::from_slice(&active).unwrap();
    let mine = |one: &serde_json::Value| one["id"] == *mayor && one["approved"] == false;
    let remote = |one: &serde_json::Value| one["domain"].is_string() && one["confirmed"] == false;
    assert!(active.iter().any(mine) && active.iter().any(remote), "{active:?}");
    house.tick().await;
    let counts = store::applicants::counts(&house.store).await.unwrap();
    assert_eq!(counts, [(house.server(), State::Approved, 1)]);
}
