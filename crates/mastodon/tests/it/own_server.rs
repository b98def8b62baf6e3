//! Our own server, played by the fake fediverse.

use fake_fediverse::{Fault, Fediverse, Scenario};
use mastodon::{Client, Error};
use model::Uri;

fn client(world: &Fediverse, token: &str) -> Client {
    let base = world.home().parse().unwrap();
    Client::new(crate::net(), base, "home/me", token.to_owned().into())
}

#[tokio::test]
async fn the_calls_a_pass_makes() {
    let world = Fediverse::start(Scenario::small()).await;
    let me = client(&world, &world.token());
    assert!(!me.instance().await.unwrap().version.is_empty());
    assert!(!me.verify_credentials().await.unwrap().account.username.is_empty());
    let page = me.home_timeline(None).await.unwrap();
    assert!(!page.items.is_empty());
    let ids: Vec<_> = page.items.iter().map(|status| status.id.clone()).collect();
    assert_eq!(me.statuses(&ids).await.unwrap().len(), ids.len());
    let mut pages = 0;
    let mut after = page.next;
    while let Some(cursor) = after {
        after = me.home_timeline(Some(&cursor)).await.unwrap().next;
        pages += 1;
        assert!(pages < 50);
    }
    me.bookmarks(None).await.unwrap();
    me.favourites(None).await.unwrap();
    me.lists().await.unwrap();
    me.suspended_domains().await.unwrap();
    assert!(
        me.local_accounts(None)
            .await
            .unwrap()
            .items
            .iter()
            .all(|a| a.is_local())
    );
    me.context(&ids[0]).await.unwrap();
    assert_eq!(me.async_refresh("nonsense").await.unwrap(), None);
}

#[tokio::test]
async fn a_resolved_reply_is_the_one_asked_for() {
    let world = Fediverse::start(Scenario::small()).await;
    let me = client(&world, &world.token());
    let thread = &world.threads()[0];
    let missing = thread.replies.iter().find(|(uri, _)| !world.home_has(uri)).unwrap();
    let uri = Uri::parse(&missing.0).unwrap();
    let found = me.resolve(&uri).await.unwrap().unwrap();
    assert_eq!(found.uri, Some(uri.clone()));
    assert_eq!(world.log().resolves(), [uri.as_str()]);
    world.fault(None, "search", Fault::ResolvesNothing, None);
    assert_eq!(me.resolve(&uri).await.unwrap(), None);
    world.heal(None);
    world.fault(None, "search", Fault::WrongJson, None);
    assert!(matches!(me.resolve(&uri).await, Err(Error::NotJson { .. })));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let world = Fediverse::start(Scenario::small()).await;
    let weak = client(&world, &world.token_with(&["read:statuses"]));
    assert!(matches!(
        weak.bookmarks(None).await,
        Err(Error::Scope {
            scope: "read:bookmarks",
            ..
        })
    ));
    let missing = weak.missing_scopes(&["read:statuses", "read:bookmarks", "read:lists", "admin:read:accounts"]);
    assert_eq!(
        missing.await.unwrap(),
        ["read:bookmarks", "read:lists", "admin:read:accounts"]
    );
    let token = world.token();
    let me = client(&world, &token);
    assert!(
        me.missing_scopes(&["read", "read:search", "admin:read:accounts"])
            .await
            .unwrap()
            .is_empty()
    );
    let id = "1".into();
    for fault in [Fault::Html(200), Fault::WrongJson, Fault::Empty(200)] {
        world.fault(None, "context", fault.clone(), Some(1));
        let error = me.context(&id).await.unwrap_err();
        assert!(matches!(error, Error::NotJson { .. }), "{fault:?} {error:?}");
        assert!(!format!("{error} {error:?}").contains(&token));
    }
    world.fault(None, "context", Fault::Html(502), Some(1));
    assert!(matches!(
        me.context(&id).await,
        Err(Error::ServerDown { http_status: 502, .. })
    ));
    world.revoke(&token);
    assert!(matches!(me.verify_credentials().await, Err(Error::Revoked { .. })));
}
