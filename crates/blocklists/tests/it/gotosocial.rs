//! A server that knows suspension alone.

use crate::house::{House, pairs};
use fake_fediverse::{Scenario, Software};

/// A silence is never sent there: it would be a suspension.
#[tokio::test(flavor = "multi_thread")]
async fn a_silence_is_never_sent() {
    let mut house = House::around(Scenario {
        home: Software::GoToSocial,
        ..Scenario::small()
    })
    .await;
    let source = house.source("list");
    house.write(
        "list",
        "domain,severity,public_comment\nbad.social,suspend,spam\nloud.social,silence,\n",
    );
    house.config.sources.push(source);
    house.policy().max_followed_severity = model::Severity::Suspend;
    house.pass().await;
    assert_eq!(house.blocks(), pairs(&[("bad.social", "suspend")]));
    house.fediverse.clear_log();
    house.pass_after(1).await;
    assert_eq!(house.methods(), Vec::<String>::new());
}

/// It has no exceptions either: what would cover an allowed domain is left out there, whatever the policy says.
#[tokio::test(flavor = "multi_thread")]
async fn an_exception_is_never_asked_for() {
    let mut house = House::around(Scenario {
        home: Software::GoToSocial,
        ..Scenario::small()
    })
    .await;
    let source = house.source("list");
    house.write("list", "domain,severity\nbad.social,suspend\nworse.social,suspend\n");
    house.config.sources.push(source);
    house.policy().allow = vec!["good.bad.social".into()];
    house.policy().covering = blocklists::merge::Covering::Exempt;
    house.policy().max_followed_severity = model::Severity::Suspend;
    house.pass().await;
    assert_eq!(house.blocks(), pairs(&[("worse.social", "suspend")]));
}
