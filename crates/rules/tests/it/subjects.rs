//! Subjects as servers send them.

use rules::{AccountFacts, StatusFacts, Subject};
use serde_json::json;

use crate::house::{hits, status, when};

/// Check 9, of the engine: the nested account of an `Admin::Account` is read.
#[test]
fn the_public_account_inside_an_admin_account_is_read() {
    let account = AccountFacts::from_json(&json!({
        "id": "108", "username": "eve", "domain": null, "email": "eve@secret.example", "ip": "192.0.2.7",
        "created_at": "2026-08-01T13:49:58.223Z", "silenced": true, "suspended": false,
        "role": { "id": "3", "name": "Owner", "permissions": "0" },
        "account": { "id": "108", "username": "eve", "acct": "eve", "display_name": "Buy Now", "note": "<p>casino</p>",
            "fields": [{ "name": "Web", "value": "<a href=\"https://bad.example\">x</a>" }], "followers_count": -1,
            "created_at": "2026-08-01T00:00:00.000Z", "avatar": "https://x.example/avatars/original/missing.png" },
    }))
    .unwrap();
    assert_eq!(
        (account.display_name.as_str(), account.bio.as_str()),
        ("Buy Now", "<p>casino</p>")
    );
    assert!(account.silenced && account.is_local() && !account.is_staff());
    assert_eq!((account.followers, account.has_avatar), (None, Some(false)));
    assert_eq!(
        account.created_at.unwrap().timestamp_subsec_millis(),
        223,
        "the time of day, too"
    );
    let kept = serde_json::to_string(&account).unwrap();
    assert!(!kept.contains("secret") && !kept.contains("192.0.2.7"));
    let rule = when(r#"{ all = [{ domains = ["bad.example"] }, { keywords = ["casino"], in = ["bio"] }] }"#);
    let subject = Subject {
        account,
        statuses: Vec::new(),
    };
    assert!(hits(&rule, &subject));
}

/// Check 23, of the engine.
#[test]
fn local_and_remote_are_told_apart() {
    let read = |acct: &str| AccountFacts::from_json(&json!({ "id": "1", "username": "bob", "acct": acct })).unwrap();
    assert!(read("bob").is_local() && !read("bob@x.example").is_local());
    assert_eq!(read("bob@BÜCHER.example").acct(), "bob@xn--bcher-kva.example");
    assert_ne!(read("bob@x.example").acct(), read("bob@y.example").acct());
    assert_ne!(read("bob@x.example").acct(), read("bob").acct());
}

#[test]
fn a_status_is_read_whole() {
    let status = json!({
        "id": 9, "uri": "https://x.example/9", "content": "<p>hi</p>", "spoiler_text": "cw", "sensitive": true, "language": "en",
        "visibility": "unlisted", "created_at": "2026-08-01T13:49:58.223Z", "edited_at": null, "in_reply_to_id": "7",
        "application": { "name": "Tusky" }, "poll": { "options": [{ "title": "yes" }, { "title": 5 }] },
        "media_attachments": [{ "type": "image", "description": null, "remote_url": null, "url": "https://x.example/1.png", "blurhash": "UBL_:rOpGG-oBUNG,qRj" }],
        "mentions": [{ "acct": "bob" }, { "acct": "eve@x.example" }], "tags": [{ "name": "birds" }], "reblog": null,
        "card": { "url": "https://card.example/" }, "account": { "id": "1", "acct": "a" },
    });
    let subject = Subject::from_status(&status).unwrap();
    let facts = &subject.statuses[0];
    assert!(facts.sensitive && facts.is_reply && !facts.is_reblog && facts.edited_at.is_none());
    assert_eq!(
        (facts.id.as_str(), facts.poll_options.len(), facts.media.len()),
        ("9", 2, 1)
    );
    assert_eq!((facts.mentions.len(), facts.tags[0].as_str()), (2, "birds"));
    assert_eq!(facts.links, ["https://card.example/"]);
    assert!(hits(&when(r#"{ domains = ["card.example"] }"#), &subject));
    assert!(hits(
        &when(r#"{ all = [{ fact = "media_without_alt", is = 1 }, { fact = "local_mentions", is = 1 }] }"#),
        &subject
    ));
    let round: Subject = serde_json::from_str(&serde_json::to_string(&subject).unwrap()).unwrap();
    assert_eq!(round, subject);
    for odd in [
        json!({}),
        json!({ "id": null }),
        json!([]),
        json!("x"),
        json!({ "id": "1", "content": 5, "tags": {} }),
    ] {
        let _ = StatusFacts::from_json(&odd);
        let _ = AccountFacts::from_json(&odd);
    }
}

#[test]
fn a_name_in_punycode_is_read_as_people_see_it() {
    let mut subject = crate::house::status("<a href=\"https://xn--csino-4ve.example/\">x</a>");
    let rule = when(r#"{ keywords = ["casino"], in = ["host"] }"#);
    assert!(hits(&rule, &subject), "cаsino.example with a Cyrillic letter");
    subject.statuses[0].content = "<a href=\"https://ocasino.example/\">x</a>".into();
    assert!(!hits(&rule, &subject));
}

/// A text that a direction mark turns around is read twice and counted once.
#[test]
fn what_is_read_twice_is_as_long_as_it_is() {
    let rule = when(r#"{ fact = "content_length", is = 6 }"#);
    assert!(hits(&rule, &status("onisac")));
    assert!(hits(&rule, &status("\u{202e}onisac\u{202c}")));
}

/// Pictures without a word are no copies of each other.
#[test]
fn statuses_that_say_nothing_are_no_duplicates() {
    let rule = when(r#"{ fact = "recent_duplicates", above = 50 }"#);
    let of = |text: &dyn Fn(usize) -> String| {
        let mut subject = status("");
        subject.statuses = (0..4)
            .map(|n| StatusFacts {
                id: n.to_string(),
                content: text(n),
                ..subject.statuses[0].clone()
            })
            .collect();
        subject
    };
    assert!(hits(&rule, &of(&|n| format!("offer number {n}"))));
    assert!(!hits(&rule, &of(&|_| String::new())));
    assert!(!hits(&rule, &of(&|n| format!("https://x.example/{n}"))));
}

/// Servers write the domain of somebody named in letters of its own.
#[test]
fn a_domain_in_other_letters_is_found_in_mentions() {
    let rule = when(r#"{ domains = ["xn--bcher-kva.example"], of = "mentions" }"#);
    let mut subject = status("hello");
    subject.statuses[0].mentions.push(rules::MentionFacts {
        acct: "bob@Bücher.example".to_owned(),
        knows_author: None,
    });
    assert!(hits(&rule, &subject));
}

/// A number may begin with any number of zeros.
#[test]
fn letters_are_read_from_long_numbers() {
    let rule = when(r#"{ keywords = ["casino"], exact_letters = true }"#);
    assert!(hits(&rule, &status("&#0000000099;as&#x0000000069;no")));
    assert!(!hits(&rule, &status("&#99999999999999999999;asino")));
}
