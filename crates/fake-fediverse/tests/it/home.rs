//! Home as its users' programs see it.

use fake_fediverse::{Fediverse, Scenario, Software};

use crate::client::{get, post};

#[tokio::test]
async fn the_same_seed_makes_the_same_world() {
    let (one, two) = (
        Fediverse::start(Scenario::small()).await,
        Fediverse::start(Scenario::small()).await,
    );
    let sizes = |fediverse: &Fediverse| {
        fediverse
            .threads()
            .iter()
            .map(|t| (t.origin, t.replies.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(sizes(&one), sizes(&two));
    assert_eq!(one.token(), two.token());
    let replies: usize = one.threads().iter().map(|thread| thread.replies.len()).sum();
    assert_eq!(replies, 60);
    assert_eq!(one.missing(), two.missing());
    assert!((40..=50).contains(&one.missing()), "{}", one.missing());
    let leaves: usize = one.threads().iter().map(|thread| thread.leaves().len()).sum();
    assert!((30..=45).contains(&leaves), "{leaves} of 60");
}

/// The figure that `shapes` states, over several worlds.
#[tokio::test]
async fn the_medium_scenario_has_leaves_as_conversations_have() {
    for seed in [7, 11] {
        let fediverse = Fediverse::start(Scenario {
            seed,
            ..Scenario::medium()
        })
        .await;
        let threads = fediverse.threads();
        let replies: usize = threads.iter().map(|thread| thread.replies.len()).sum();
        assert_eq!((threads.len(), replies), (300, 6000));
        let leaves: std::collections::HashSet<_> = threads.iter().flat_map(|thread| thread.leaves()).collect();
        let all = threads.iter().flat_map(|thread| &thread.replies);
        let missing: Vec<_> = all.filter(|(uri, _)| !fediverse.home_has(uri)).collect();
        let share =
            missing.iter().filter(|(uri, _)| leaves.contains(uri.as_str())).count() as f64 / missing.len() as f64;
        assert!(
            (0.54..=0.61).contains(&share),
            "{share} of {} with seed {seed}",
            missing.len()
        );
    }
}

#[tokio::test]
async fn the_home_timeline_is_paged_newest_first() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let token = fediverse.token();
    let mut url = Some(format!("{}/api/v1/timelines/home?limit=4", fediverse.home()));
    let mut seen = Vec::new();
    let mut requests = 0;
    while let Some(at) = url {
        let answer = get(&at, Some(&token)).await;
        requests += 1;
        seen.extend(answer.uris());
        url = answer.link("next");
        if let Some(prev) = answer.link("prev") {
            assert!(prev.contains("limit=4&min_id="), "{prev}");
        }
    }
    let mut roots: Vec<_> = fediverse.threads().into_iter().map(|thread| thread.root).collect();
    roots.reverse();
    assert_eq!(seen, roots);
    assert_eq!(requests, 3, "an empty page, which has no link, ends it");
}

#[tokio::test]
async fn min_id_is_the_page_directly_above_and_since_id_the_newest() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let token = fediverse.token();
    let base = format!("{}/api/v1/timelines/home", fediverse.home());
    let all = get(&base, Some(&token)).await.json();
    let id = |n: usize| all[n]["id"].as_str().unwrap().to_owned();
    let above = get(&format!("{base}?limit=2&min_id={}", id(5)), Some(&token))
        .await
        .json();
    assert_eq!(
        (above[0]["id"].as_str(), above[1]["id"].as_str()),
        (Some(&*id(3)), Some(&*id(4)))
    );
    let newest = get(&format!("{base}?limit=2&since_id={}", id(5)), Some(&token))
        .await
        .json();
    assert_eq!(newest[0]["id"].as_str(), Some(&*id(0)));
}

#[tokio::test]
async fn tokens_are_told_apart() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let home = fediverse.home();
    let root = fediverse.home_id(&fediverse.threads()[0].root).unwrap();
    let verify = format!("{home}/api/v1/accounts/verify_credentials");
    let context = format!("{home}/api/v1/statuses/{root}/context");
    assert_eq!(get(&verify, None).await.status, 401);
    assert_eq!(get(&verify, Some("made-up")).await.status, 401);
    assert_eq!(get(&context, Some("made-up")).await.status, 200, "as a stranger");
    let narrow = fediverse.token_with(&["read:statuses"]);
    assert_eq!(get(&verify, Some(&narrow)).await.status, 403);
    assert_eq!(get(&context, Some(&narrow)).await.status, 200);
    assert_eq!(
        get(&format!("{home}/api/v1/bookmarks"), Some(&narrow)).await.status,
        403
    );
    let admin = format!("{home}/api/v1/admin/accounts");
    assert_eq!(get(&admin, None).await.status, 403, "not 401");
    assert_eq!(get(&admin, Some(&narrow)).await.status, 403);
    assert_eq!(
        get(&admin, Some(&fediverse.token())).await.status,
        403,
        "the scope alone does not do"
    );
    let all = get(&admin, Some(&fediverse.admin_token())).await.json();
    assert_eq!(all.as_array().unwrap().len(), 9, "all who are local");
    fediverse.revoke(&narrow);
    assert_eq!(get(&context, Some(&narrow)).await.status, 401);
}

#[tokio::test]
async fn strangers_see_sixty_descendants() {
    let scenario = Scenario {
        threads: 1,
        replies: 200,
        known: 1.0,
        ..Scenario::small()
    };
    let fediverse = Fediverse::start(scenario).await;
    let thread = &fediverse.threads()[0];
    let id = fediverse.home_id(&thread.root).unwrap();
    let context = format!("{}/api/v1/statuses/{id}/context", fediverse.home());
    let descendants = |answer: serde_json::Value| answer["descendants"].as_array().unwrap().len();
    assert_eq!(descendants(get(&context, None).await.json()), 60);
    assert_eq!(descendants(get(&context, Some(&fediverse.token())).await.json()), 200);
}

#[tokio::test]
async fn bookmarks_have_cursors_of_their_own() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let token = fediverse.token();
    for thread in fediverse.threads() {
        fediverse.bookmark(&thread.root);
    }
    let mut url = Some(format!("{}/api/v1/bookmarks?limit=2", fediverse.home()));
    let mut seen = 0;
    while let Some(at) = url {
        let answer = get(&at, Some(&token)).await;
        let items = answer.json();
        seen += items.as_array().unwrap().len();
        url = answer.link("next");
        if let Some(next) = &url {
            let last = items[1]["id"].as_str().unwrap();
            assert!(!next.contains(last), "{next} has a status id");
        }
    }
    assert_eq!(seen, 6);
}

#[tokio::test]
async fn batches_have_a_ceiling_and_a_first_version() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let ids: Vec<_> = (0..21).map(|n| format!("id[]={n}")).collect();
    let url = format!("{}/api/v1/statuses?{}", fediverse.home(), ids.join("&"));
    let answer = get(&url, Some(&fediverse.token())).await;
    assert_eq!(
        (answer.status, answer.json()["error"].as_str()),
        (422, Some("Mastodon::ValidationError"))
    );
    let old = Fediverse::start(Scenario {
        api_version: 0,
        ..Scenario::small()
    })
    .await;
    assert_eq!(
        get(&format!("{}/api/v1/statuses?id[]=1", old.home()), None)
            .await
            .status,
        404
    );
    let instance = get(&format!("{}/api/v2/instance/", old.home()), None).await.json();
    assert!(instance.get("api_versions").is_none());
}

#[tokio::test]
async fn limits_count_pages_apart_and_speak_of_the_fullest() {
    let fediverse = Fediverse::start(Scenario {
        rate_limits: true,
        ..Scenario::small()
    })
    .await;
    let token = fediverse.token();
    let home = fediverse.home();
    let plain = format!("{home}/api/v1/accounts/verify_credentials");
    let paged = format!("{home}/api/v1/timelines/home?max_id=1");
    let first = get(&plain, Some(&token)).await;
    assert_eq!(
        (first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")),
        (Some("300"), Some("299"))
    );
    let reset = first.header("x-ratelimit-reset").unwrap();
    assert!(reset.len() == 27 && reset.ends_with('Z'), "{reset}: six digits");
    let other = fediverse.token_with(&["read"]);
    for _ in 0..150 {
        get(&paged, Some(&token)).await;
        get(&paged, Some(&other)).await;
    }
    let refused = get(&paged, Some(&other)).await;
    assert_eq!(refused.status, 429, "one budget for all tokens of a user");
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(refused.header("retry-after"), None);
    assert_eq!(get(&plain, Some(&token)).await.status, 200, "another bucket");
}

#[tokio::test]
async fn domain_blocks_refuse_what_is_covered() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let token = fediverse.admin_token();
    let url = format!("{}/api/v1/admin/domain_blocks", fediverse.home());
    let block = post(
        &url,
        Some(&token),
        &[("domain", "Bad.example"), ("severity", "suspend")],
    )
    .await
    .json();
    assert_eq!(
        (block["domain"].as_str(), block["severity"].as_str()),
        (Some("bad.example"), Some("suspend"))
    );
    let again = post(&url, Some(&token), &[("domain", "x.bad.example")]).await;
    assert_eq!(again.status, 422);
    assert_eq!(again.json()["existing_domain_block"]["domain"], "bad.example");
    assert_eq!(get(&url, Some(&token)).await.json().as_array().unwrap().len(), 1);
    let public = get(&format!("{}/api/v1/instance/domain_blocks", fediverse.home()), None).await;
    assert_eq!((public.status, public.text.as_str()), (404, ""));
}

#[tokio::test]
async fn the_oddities_of_real_timelines_are_there() {
    let fediverse = Fediverse::start(Scenario {
        oddities: true,
        ..Scenario::small()
    })
    .await;
    let token = fediverse.token();
    let all = get(
        &format!("{}/api/v1/timelines/home?limit=40", fediverse.home()),
        Some(&token),
    )
    .await
    .json();
    let all = all.as_array().unwrap();
    let boosts: Vec<_> = all.iter().filter(|status| !status["reblog"].is_null()).collect();
    assert_eq!(boosts.len(), 5);
    assert!(
        boosts
            .iter()
            .all(|boost| boost["reblog"]["uri"] == boosts[0]["reblog"]["uri"])
    );
    for visibility in ["private", "direct"] {
        assert!(
            all.iter().any(|status| status["visibility"] == visibility),
            "{visibility}"
        );
    }
    assert!(all.iter().any(|status| status["local_only"] == true));
}

#[tokio::test]
async fn a_giant_is_as_deep_and_wide_as_asked() {
    let giant = fake_fediverse::Giant {
        replies: 2000,
        depth: 100,
        widest: 800,
    };
    let scenario = Scenario {
        giant: Some(giant),
        origins: vec![Software::Mastodon],
        ..Scenario::small()
    };
    let fediverse = Fediverse::start(scenario).await;
    let thread = fediverse.threads().pop().unwrap();
    assert_eq!(thread.replies.len(), 2000);
    let wide = thread
        .replies
        .iter()
        .filter(|(_, parent)| *parent == thread.root)
        .count();
    assert!((790..=810).contains(&wide), "{wide}");
    let parents: std::collections::HashMap<_, _> = thread.replies.iter().cloned().collect();
    let depth = |uri: &String| std::iter::successors(Some(uri), |uri| parents.get(*uri)).count() - 1;
    assert_eq!(thread.replies.iter().map(|(uri, _)| depth(uri)).max(), Some(100));
}
