//! `egret meter` and `egret import mastodon-meter`, from outside.

use crate::house::House;

/// What mastodon-meter's MongoDB held, as `mongodump` wrote the points and `mongoexport` the accounts.
fn dump(house: &House) {
    let folder = house.path().join("dump");
    std::fs::create_dir(&folder).unwrap();
    let meterings = include_bytes!("../../../metering/src/meter/meterings.bson");
    std::fs::write(folder.join("meterings.bson"), meterings).unwrap();
    let accounts = serde_json::json!({
        "username": "Name", "instance": "http://127.0.0.1:9", "id": "109348",
        "internal_id": "5f0c2a7e3b8d4c6f9a1e2d3c4b5a6978", "added_on": {"$date": "2021-09-07T12:30:00.123Z"},
    });
    std::fs::write(folder.join("tracked-accounts.json"), accounts.to_string()).unwrap();
}

/// Check 50: mastodon-meter's dump yields the same counts, even of an account that is gone; importing it twice changes
/// nothing; and what is exported comes back as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_is_taken_over_and_an_export_comes_back() {
    let house = House::with("");
    dump(&house);
    let first = house.egret(&["import", "mastodon-meter", "dump", "--json"]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    let again = house.egret(&["import", "mastodon-meter", "dump", "--json"]).await;
    for (ended, new) in [(&first, 3), (&again, 0)] {
        let said = ended.json();
        let lines = said["lines"].as_array().unwrap();
        let points = lines.iter().find(|line| line["what"] == "meterings").unwrap();
        assert_eq!(points["counts"], serde_json::json!([3, new]), "{said}");
    }
    let listed = house.egret(&["meter", "list", "--json"]).await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["acct"], "name@127.0.0.1:9");
    let csv = house.egret(&["meter", "export", "name@127.0.0.1:9"]).await;
    assert_eq!(csv.code, Some(0), "{csv:?}");
    let counts: Vec<(&str, &str)> = csv
        .stdout
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[8], cells[10])
        })
        .collect();
    assert_eq!(
        counts,
        [("102", "2000"), ("", "2001"), ("107", "2005")],
        "{}",
        csv.stdout
    );

    for format in ["csv", "json"] {
        let written = house
            .egret(&["meter", "export", "name@127.0.0.1:9", "--format", format])
            .await;
        let other = House::with("");
        let file = other.write("rows", &written.stdout);
        let file = file.to_str().unwrap();
        let read = other.egret(&["meter", "import", file]).await;
        assert_eq!(read.code, Some(0), "{read:?}");
        let back = other
            .egret(&["meter", "export", "name@127.0.0.1:9", "--format", format])
            .await;
        assert_eq!(back.stdout, written.stdout);
    }
    let metrics = house
        .egret(&["meter", "export", "name@127.0.0.1:9", "--format", "openmetrics"])
        .await;
    assert!(
        metrics
            .stdout
            .contains("egret_account_followers{acct=\"name@127.0.0.1:9\"} 107 1631156400"),
        "{metrics:?}"
    );
    let empty = house.path().join("nothing");
    std::fs::create_dir(&empty).unwrap();
    house
        .egret(&["import", "mastodon-meter", "nothing"])
        .await
        .refused(&["tracked-accounts.bson", "mongodump"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_and_a_chart_come_out() {
    let house = House::with("");
    dump(&house);
    assert_eq!(house.egret(&["import", "mastodon-meter", "dump"]).await.code, Some(0));
    let report = house
        .egret(&["meter", "report", "name@127.0.0.1:9", "--since", "24h"])
        .await;
    assert!(report.stdout.contains("name@127.0.0.1:9: 107 followers"), "{report:?}");
    let page = house.egret(&["meter", "report", "name@127.0.0.1:9", "--html"]).await;
    assert!(page.stdout.starts_with("<!doctype html>"), "{page:?}");
    for (file, begin) in [("growth.png", b"\x89PNG".as_slice()), ("growth.svg", b"<svg")] {
        let drawn = house
            .egret(&["meter", "chart", "name@127.0.0.1:9", "--metric", "both", "--out", file])
            .await;
        assert_eq!(drawn.code, Some(0), "{drawn:?}");
        assert!(std::fs::read(house.path().join(file)).unwrap().starts_with(begin));
    }
    house
        .egret(&["meter", "chart", "--out", "x.png"])
        .await
        .refused(&["--group"]);
    house.egret(&["meter", "posts"]).await.refused(&["[metering.posts]"]);
    house
        .egret(&["meter", "followers"])
        .await
        .refused(&["[metering.followers]"]);
    house.egret(&["meter", "server"]).await.refused(&["[metering.server]"]);
    // A list is asked for by the daemon.
    house.write(
        "following_accounts.csv",
        "Account address,Show boosts\nalice@a.example,true\n@,true\n",
    );
    let asked = house
        .egret(&["meter", "import", "following_accounts.csv", "--group", "followed"])
        .await;
    assert_eq!(asked.code, Some(3), "one line is nobody: {asked:?}");
    assert!(asked.stdout.contains("1 accounts are asked for"), "{asked:?}");
}
