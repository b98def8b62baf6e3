//! `egret blocks`, from a plan to its undoing.

use crate::house::{House, fediverse, server};

/// A login that may, and these lists.
async fn house(fediverse: &fake_fediverse::Fediverse, list: &str) -> House {
    let house = House::with(&format!(
        "{}[blocklists]\nmode = \"act\"\n[[blocklists.sources]]\nname = \"own\"\nfile = \"own.csv\"\n[[blocklists.policies]]\n",
        server(&fediverse.home(), &["me"]),
    ));
    house.write("me.token", &fediverse.admin_token());
    house.write("own.csv", list);
    house
}

/// Check 44. What was planned is what is done; when the server changed since, nothing is, and the plan that is shown now
/// is another.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_carried_out_exactly_or_not_at_all() {
    let fediverse = fediverse().await;
    let house = house(&fediverse, "domain,severity\nbad.social,suspend\ncf,suspend\n").await;
    let plan = house.egret(&["blocks", "plan", "--follows", "--json"]).await;
    let hash = plan.json()[0]["hash"].as_str().unwrap().to_owned();
    fediverse.block_domain("other.social", "silence", None);
    let refused = house.egret(&["blocks", "apply", &hash, "--json"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let newer = refused.json()["plan"]["hash"].as_str().unwrap().to_owned();
    assert_ne!(newer, hash);
    assert_eq!(fediverse.domain_blocks().len(), 1, "nothing was done");

    let done = house.egret(&["blocks", "apply", &newer[..12], "--json"]).await;
    assert_eq!((done.code, &done.json()["created"]), (Some(0), &1.into()), "{done:?}");
    let run = done.json()["run"].as_str().unwrap().to_owned();
    let told = house.egret(&["blocks", "why", "bad.social"]).await;
    assert!(told.stdout.contains("own says suspend"), "{told:?}");
    let undone = house.egret(&["blocks", "undo", &run, "--yes", "--json"]).await;
    assert_eq!(undone.json()["deleted"], 1, "{undone:?}");
    assert_eq!(fediverse.domain_blocks().len(), 1);
}

/// What another tool made and stamped is handed over in one go.
#[tokio::test(flavor = "multi_thread")]
async fn blocks_of_another_tool_are_adopted_by_their_stamp() {
    let fediverse = fediverse().await;
    let house = house(&fediverse, "domain,severity\na.social,suspend\nb.social,silence\n").await;
    for domain in ["a.social", "b.social"] {
        fediverse.block_domain(domain, "silence", Some("Added by Fediblock Sync"));
    }
    fediverse.block_domain("hand.social", "suspend", Some("court order"));
    let stamp = ["blocks", "adopt", "--private-comment", "fediblock sync", "--json"];
    let adopted = house.egret(&stamp).await;
    assert_eq!(adopted.json()["adopted"], 2, "{adopted:?}");
    assert_eq!(house.egret(&stamp).await.code, Some(1), "once is enough");
    assert_eq!(
        house.egret(&["blocks", "adopt"]).await.code,
        Some(2),
        "which ones has to be said"
    );
    let plan = house.egret(&["blocks", "plan", "--follows", "--json"]).await.json();
    let operations = plan[0]["operations"].as_array().unwrap();
    assert_eq!(
        (operations.len(), &operations[0]["domain"]),
        (1, &"a.social".into()),
        "{plan}"
    );
}

/// What the server had is kept before anything of a list is applied; where it cannot be kept, nothing is.
#[tokio::test(flavor = "multi_thread")]
async fn before_an_apply_the_server_is_kept_as_it_was() {
    let fediverse = fediverse().await;
    let house = house(&fediverse, "domain,severity\nbad.social,suspend\n").await;
    fediverse.block_domain("hand.social", "silence", Some("court order"));
    let hash = async || {
        let plan = house.egret(&["blocks", "plan", "--json"]).await;
        plan.json()[0]["hash"].as_str().unwrap().to_owned()
    };
    // A file where the folder should be.
    let backups = house.path().join("state/egret/backups");
    std::fs::create_dir_all(backups.parent().unwrap()).unwrap();
    std::fs::write(&backups, "in the way").unwrap();
    let refused = house.egret(&["blocks", "apply", &hash().await]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("no snapshot can be written"), "{refused:?}");
    assert_eq!(fediverse.domain_blocks().len(), 1, "nothing was done");

    std::fs::remove_file(&backups).unwrap();
    let done = house.egret(&["blocks", "apply", &hash().await]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(fediverse.domain_blocks().len(), 2);
    let kept = house.egret(&["backup", "list", "--json"]).await.json();
    let snapshots = kept["snapshots"].as_array().unwrap();
    assert_eq!(snapshots.len(), 1, "{kept}");
    assert_eq!(snapshots[0]["manifest"]["why"], "before blocklists", "{kept}");
    assert_eq!(
        snapshots[0]["manifest"]["counts"]["domain_blocks"], 1,
        "as it was: {kept}"
    );

    // And it brings that back.
    let name = snapshots[0]["name"].as_str().unwrap();
    let plan = house
        .egret(&["backup", "restore", name, "--plan", "--exact", "--json"])
        .await;
    let steps = plan.json()["steps"].as_array().unwrap().clone();
    assert_eq!((steps.len(), &steps[0]["key"]), (1, &"bad.social".into()), "{plan:?}");
}
