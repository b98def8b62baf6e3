//! `egret registrations`: from the first look to the audit.

use fake_fediverse::{Applicant, Fediverse};

use crate::house::{House, fediverse, server};

/// A moderator's login, the first of the handbook's lists, and no waiting before a rejection.
fn house(fediverse: &Fediverse, mode: &str) -> House {
    let house = House::with("");
    let rules = "[[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\"]\n";
    house.config(&format!(
        "{}[registrations]\n{mode}\n[registrations.pending]\nenabled = true\n{rules}",
        server(&fediverse.home(), &["mod"])
    ));
    house.write("mod.token", &fediverse.admin_token());
    house
}

/// Check 50, the part about the first start: nothing is sent, and everything shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_observes_and_shows() {
    let fediverse = fediverse().await;
    fediverse.apply(&Applicant::new("mayor", "mayor@nyc.gov"));
    fediverse.apply(&Applicant::new("other", "o@elsewhere.example"));
    let house = house(&fediverse, "");
    let ended = house.egret(&["once", "registrations.pending", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!fediverse.user("mayor").unwrap().approved);
    let writes = fediverse
        .log()
        .0
        .into_iter()
        .filter(|call| call.method != "GET")
        .count();
    assert_eq!(writes, 0);
    let list = house.egret(&["registrations", "list", "--json"]).await.json();
    let of = |name: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .find(|one| one["username"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (&of("mayor")["verdict"], &of("mayor")["state"]),
        (&"approve".into(), &"ready".into())
    );
    assert_eq!(of("other")["state"], "hold");
    assert!(
        house
            .egret(&["registrations", "list"])
            .await
            .stdout
            .contains("no rule fits")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_decide_and_everything_is_told_afterwards() {
    let fediverse = fediverse().await;
    for (name, email) in [
        ("mayor", "mayor@nyc.gov"),
        ("in", "i@b.example"),
        ("out", "o@b.example"),
        ("late", "l@b.example"),
    ] {
        fediverse.apply(&Applicant::new(name, email));
    }
    let house = house(&fediverse, "mode = \"act\"");
    let once = async || {
        let ended = house.egret(&["once", "registrations.pending"]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
    };
    once().await;
    assert!(fediverse.user("mayor").unwrap().approved);
    for (what, who) in [("approve", "in"), ("reject", "out"), ("hold", "late")] {
        let ended = house.egret(&["registrations", what, who]).await;
        assert!(
            ended.code == Some(0) && ended.stdout.contains(&format!("{what} asked")),
            "{ended:?}"
        );
    }
    house.egret(&["registrations", "approve", "nobody"]).await;
    once().await;
    assert!(fediverse.user("in").unwrap().approved);
    assert!(fediverse.user("out").is_none());
    let show = house.egret(&["registrations", "show", "out", "--json"]).await.json();
    assert_eq!(
        (&show["applicant"]["state"], &show["applicant"]["ended_by"]),
        (&"rejected".into(), &"operator".into())
    );
    let search = house
        .egret(&["registrations", "list", "--search", "nyc.gov", "--json"])
        .await
        .json();
    assert_eq!(search.as_array().unwrap().len(), 1);

    let rules = house.write(
        "new.toml",
        "[[rules]]\nname = \"b\"\nverdict = \"approve\"\ndomains = [\"=b.example\"]\n",
    );
    let replay = house
        .egret(&["registrations", "replay", "--rules", rules.to_str().unwrap(), "--json"])
        .await
        .json();
    assert_eq!(
        (&replay["judged"], &replay["changed"]),
        (&4.into(), &4.into()),
        "{replay}"
    );
    let same = house.egret(&["registrations", "replay", "--json"]).await.json();
    assert_eq!((&same["judged"], &same["changed"]), (&4.into(), &0.into()), "{same}");

    let audit = house.egret(&["registrations", "audit"]).await.stdout;
    let lines: Vec<serde_json::Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((kinds("asked"), kinds("ended")), (3, 3), "{audit}");
    assert!(
        lines
            .iter()
            .any(|line| line["kind"] == "ended" && line["by"] == "operator")
    );
    for private in ["mayor@nyc.gov", "b.example", "birds", "198.51.100"] {
        assert!(!audit.contains(private), "the audit names nobody: {audit}");
    }
}
