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
