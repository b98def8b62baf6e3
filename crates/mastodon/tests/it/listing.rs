//! Conversations at origins, played by the fake fediverse.

use std::collections::BTreeSet;

use fake_fediverse::{Fediverse, Giant, Scenario, Software};
use mastodon::{
    Error,
    remote::{self, Flavour, Listing},
};
use model::Uri;

async fn list(world: &Fediverse, origin: usize, uri: &str) -> Result<Listing, Error> {
    let net = crate::net();
    let software = remote::detect(&net, &world.origin(origin).parse().unwrap()).await?;
    remote::list_replies(&net, &software, &Uri::parse(uri).unwrap()).await
}

async fn complete(kind: Software, replies: usize) -> Listing {
    let world = Fediverse::start(Scenario {
        origins: vec![kind],
        threads: 0,
        replies: 0,
        ..Scenario::small()
    })
    .await;
    let thread = world.thread(0, replies);
    let listing = list(&world, 0, &thread.root).await.unwrap();
    let listed: BTreeSet<&str> = listing.replies.iter().map(|reply| reply.uri.as_str()).collect();
    let all: BTreeSet<&str> = thread.replies.iter().map(|(uri, _)| uri.as_str()).collect();
    assert_eq!(listed.len(), listing.replies.len(), "each once");
    let lost: Vec<_> = all.difference(&listed).collect();
    assert!(
        lost.is_empty(),
        "{kind:?}: {} of {} lost, {listing:?}",
        lost.len(),
        all.len()
    );
    assert!(listed.is_subset(&all), "{kind:?}: strangers");
    assert!(!listing.partial, "{kind:?}: {:?}", listing.warnings);
    listing
}

#[tokio::test]
async fn a_small_thread_is_one_request_and_a_whole_tree() {
    for kind in [Software::Mastodon, Software::MastodonOld, Software::Mitra] {
        let listing = complete(kind, 15).await;
        assert_eq!(listing.requests, 1, "{kind:?}");
        assert!(
            listing.replies.iter().all(|reply| reply.in_reply_to.is_some()),
            "{kind:?}"
        );
    }
    assert_eq!(complete(Software::Akkoma, 15).await.requests, 2);
    complete(Software::Other, 15).await;
}

#[tokio::test]
async fn a_cut_thread_is_completed() {
    let listing = complete(Software::Mastodon, 300).await;
    assert_eq!(listing.source, "context collection");
    assert!(listing.requests <= 9, "{}", listing.requests);
    let listing = complete(Software::MastodonOld, 300).await;
    assert_eq!(listing.source, "api context");
    // A request per reply would be 300.
    assert!(listing.requests < 100, "{}", listing.requests);
}

#[tokio::test]
async fn ten_thousand_replies_take_170_requests() {
    let world = Fediverse::start(Scenario {
        origins: vec![Software::Mastodon],
        threads: 1,
        replies: 10_000,
        known: 0.0,
        giant: Some(Giant {
            replies: 10_000,
            depth: 300,
            widest: 4_000,
        }),
        ..Scenario::small()
    })
    .await;
    let thread = &world.threads()[0];
    let listing = list(&world, thread.origin, &thread.root).await.unwrap();
    assert_eq!(listing.replies.len(), thread.replies.len());
    assert!(listing.requests <= 170, "{}", listing.requests);
}

#[tokio::test]
async fn a_closed_origin_is_not_asked() {
    let world = Fediverse::start(Scenario {
        origins: vec![Software::GoToSocial],
        ..Scenario::small()
    })
    .await;
    let net = crate::net();
    let software = remote::detect(&net, &world.origin(0).parse().unwrap()).await.unwrap();
    assert_eq!(software.flavour, Flavour::Closed);
    world.clear_log();
    let uri = Uri::parse(&format!("{}/users/a/statuses/01", world.origin(0))).unwrap();
    let refused = remote::list_replies(&net, &software, &uri).await;
    assert!(matches!(refused, Err(Error::NoToken { .. })));
    assert!(world.log().origins(None).is_empty());
}

#[tokio::test]
async fn a_deleted_root_is_gone() {
    let world = Fediverse::start(Scenario::small()).await;
    for origin in 0..3 {
        let thread = world.thread(origin, 3);
        world.delete(&thread.root);
        let error = list(&world, origin, &thread.root).await.unwrap_err();
        assert!(
            matches!(error, Error::Gone { .. } | Error::NotFound { .. }),
            "{error:?}"
        );
    }
}
