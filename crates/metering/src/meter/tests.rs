use std::io::Write as _;

use super::*;

/// Check 50: its dump yields the same counts, whichever JSON it was written in.
#[test]
fn both_kinds_of_json_give_the_same_counts() {
    let lines = r#"{"_id":{"$oid":"1"},"toot_count":2000,"subscribers_count":102,"parent_account_internal_id":"x","timestamp":{"$date":"2021-09-07T03:00:00.123Z"}}
{"toot_count":{"$numberInt":"2001"},"subscribers_count":{"$numberLong":"-1"},"parent_account_internal_id":"x","timestamp":{"$date":{"$numberLong":"1631070000000"}}}"#;
    let list = format!("[{}]", lines.replace('\n', ","));
    let read = meterings(lines.as_bytes()).unwrap();
    assert_eq!(meterings(list.as_bytes()).unwrap(), read);
    let ids = HashMap::from([("x".to_owned(), 7)]);
    let points = points(&read, &ids);
    assert_eq!(
        (points[0].slot, points[0].followers, points[0].statuses),
        (1_630_983_600, Some(102), Some(2000))
    );
    assert_eq!((points[1].followers, points[1].statuses), (None, Some(2001)));
    assert!(points[1].gap.is_some());
    assert!(meterings(b"{\"toot_count\":1}").is_err());
    assert!(meterings(b"not json").unwrap_err().starts_with("line 1"));
    assert!(meterings(b"\xff\xff\xff\xff").is_err());
}

/// Check 50: and the BSON of `mongodump`, packed or not, made by MongoDB's own library.
#[test]
fn a_dump_gives_the_same_counts_as_the_json() {
    let dump = include_bytes!("meterings.bson");
    let json = include_bytes!("meterings.json");
    let read = meterings(dump).unwrap();
    assert_eq!(read, meterings(json).unwrap());
    assert_eq!(
        (read.len(), read[0].followers, read[2].statuses),
        (3, Some(102), Some(2005))
    );
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(dump).unwrap();
    assert_eq!(meterings(&packed.finish().unwrap()).unwrap(), read);
    let tracked = accounts(include_bytes!("tracked-accounts.bson")).unwrap();
    assert_eq!(tracked.len(), 2);
    assert_eq!(tracked[0].address(), "@Name@host.example");
    assert!(tracked.iter().any(|account| account.internal_id == read[0].account));
}

#[test]
fn an_account_becomes_an_address() {
    let text = br#"[{"username":"Name","instance":"https://host.example/","id":"1","internal_id":"x","added_on":{"$date":"2021-09-07T03:00:00Z"}}]"#;
    let account = accounts(text).unwrap().remove(0);
    assert_eq!(account.address(), "@Name@host.example");
    assert_eq!(account.as_new().unwrap().acct, "name@host.example");
}
