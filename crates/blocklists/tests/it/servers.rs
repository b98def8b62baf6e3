//! Many servers, one policy each.

use blocklists::config::Policy;
use fake_fediverse::{Fediverse, Scenario};

use crate::house::{House, pairs};

/// Check 30. Two servers, one list, one reading of it: each gets what its own policy and its own follows say.
#[tokio::test(flavor = "multi_thread")]
async fn each_server_has_its_own_severity() {
    let mut house = House::build("domain,severity\nbad.social,suspend\nsmall.social,silence\n").await;
    let second = Fediverse::start(Scenario::small()).await;
    let third = Fediverse::start(Scenario::small()).await;
    let host = |fediverse: &Fediverse| fediverse.home().rsplit('/').next().unwrap().to_owned();
    let named = Policy {
        name: "strict".into(),
        servers: vec![host(&third)],
        max_followed_severity: model::Severity::Suspend,
        allow: vec!["small.social".into()],
        ..Policy::default()
    };
    house.config.policies.push(named);
    house.fediverse.set_follows("bad.social", 3, 0);
    third.set_follows("bad.social", 3, 0);
    house.pass().await;
    for other in [&second, &third] {
        house
            .job("blocklists.domain_blocks", &house.cx_at(other, &other.admin_token()))
            .await
            .unwrap();
    }
    let blocks = |fediverse: &Fediverse| {
        let mut blocks = fediverse.domain_blocks();
        blocks.sort();
        blocks
    };
    assert_eq!(
        blocks(&house.fediverse),
        pairs(&[("bad.social", "silence"), ("small.social", "silence")])
    );
    assert_eq!(
        blocks(&second),
        pairs(&[("bad.social", "suspend"), ("small.social", "silence")])
    );
    assert_eq!(blocks(&third), pairs(&[("bad.social", "suspend")]));
    for server in [&house.fediverse, &second, &third] {
        server.clear_log();
        house
            .job("blocklists.domain_blocks", &house.cx_at(server, &server.admin_token()))
            .await
            .unwrap();
        let writes = server.log().home().path("/admin/domain_blocks").0;
        assert!(writes.iter().all(|it| it.method == "GET"), "{writes:?}");
    }
}

/// One that is down costs itself alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_delays_nobody() {
    let house = House::build("domain,severity\nbad.social,suspend\n").await;
    let dead = Fediverse::start(Scenario::small()).await;
    dead.fault(None, "", fake_fediverse::Fault::Close, None);
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    let (there, here) = (house.cx_at(&dead, &dead.admin_token()), house.cx());
    let job = "blocklists.domain_blocks";
    let (failed, lives) = tokio::join!(house.job(job, &there), house.job(job, &here));
    assert!(failed.is_err() && lives.is_ok());
    assert_eq!(house.blocks(), pairs(&[("bad.social", "suspend")]));
}
