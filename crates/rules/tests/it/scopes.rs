//! Where rules look, how conditions stand together, and how hits add up.

use rules::{Contribution, Hit, MediaFacts, MentionFacts, NoCounters, StatusFacts, Subject};

use crate::house::{hits, judge, noon, ruleset, status, when};

fn with(change: impl Fn(&mut Subject)) -> Subject {
    let mut subject = status("<p>nothing here</p>");
    change(&mut subject);
    subject
}

type Place = (&'static str, fn(&mut Subject));

const PLACES: [Place; 15] = [
    ("username", |s| s.account.username = "zebra".into()),
    ("display_name", |s| s.account.display_name = "Zebra".into()),
    ("bio", |s| s.account.bio = "<p>a <b>ze</b>bra</p>".into()),
    ("field_name", |s| s.account.fields = vec![("Zebra".into(), "x".into())]),
    ("field_value", |s| {
        s.account.fields = vec![("x".into(), "<span>zebra</span>".into())]
    }),
    ("content", |s| s.statuses[0].content = "<p>zebra!</p>".into()),
    ("content_warning", |s| s.statuses[0].content_warning = "ZEBRA".into()),
    ("alt_text", |s| {
        s.statuses[0].media = vec![MediaFacts {
            description: "a zebra".into(),
            ..MediaFacts::default()
        }];
    }),
    ("poll_option", |s| {
        s.statuses[0].poll_options = vec!["no".into(), "zebra".into()]
    }),
    ("url", |s| {
        s.statuses[0].content = "<a href=\"https://x.example/zebra/1\">x</a>".into()
    }),
    ("host", |s| s.statuses[0].links = vec!["https://zebra.example/1".into()]),
    ("tag", |s| s.statuses[0].tags = vec!["Zebra".into()]),
    ("mention", |s| {
        s.statuses[0].mentions = vec![MentionFacts {
            acct: "zebra@x.example".into(),
            knows_author: None,
        }];
    }),
    ("language", |s| s.statuses[0].language = Some("zebra".into())),
    ("application", |s| s.statuses[0].application = Some("Zebra".into())),
];

/// Check 15.
#[test]
fn a_rule_looks_where_it_says_and_nowhere_else() {
    for (field, _) in PLACES {
        let rule = when(&format!("{{ keywords = [\"zebra\"], in = [\"{field}\"] }}"));
        for (place, put) in PLACES {
            let hit = hits(&rule, &with(put));
            // An address holds its host.
            let wanted = field == place || (field == "url" && place == "host");
            assert_eq!(hit, wanted, "a rule for {field}, a word in {place}");
        }
    }
    let everywhere = when(r#"{ keywords = ["zebra"] }"#);
    for (place, put) in &PLACES[..9] {
        assert!(hits(&everywhere, &with(put)), "{place}");
    }
}

/// Check 14.
#[test]
fn html_is_read_as_people_see_it() {
    let content = |pattern: &str| when(&format!("{{ regex = ['{pattern}'], in = [\"content\"] }}"));
    assert!(hits(&content("^<b>casino$"), &status("&lt;b&gt;casino")));
    assert!(hits(&content("^&lt;$"), &status("&amp;lt;")), "decoded once");
    let link = "<p>see <a href=\"https://bad.example/very/long/path\"><span class=\"invisible\">https://</span>\
                <span class=\"ellipsis\">bad.example/very/l</span><span class=\"invisible\">ong/path</span></a></p>";
    assert!(hits(
        &content("^see https://bad.example/very/long/path$"),
        &status(link)
    ));
    for parted in [
        "cas</p><p>ino",
        "cas<br />ino",
        "cas<br>ino",
        "<li>cas</li><li>ino</li>",
    ] {
        assert!(hits(&content("^cas ino$"), &status(parted)), "{parted}");
    }
    let disguised = "<a href=\"https://x.example\"><span class=\"invisible\">https://</span>cas<span class=\"invisible\">zz</span>ino</a>";
    assert!(
        hits(&content("casino"), &status(disguised)),
        "what is shown is not the address"
    );
    assert!(hits(
        &content("^ab$"),
        &status("a<script>casino</script><style>x</style>b")
    ));
}

/// Check 16.
#[test]
fn conditions_stand_together_as_written() {
    let two = |scope: &str| {
        ruleset(&format!(
            "[[rules]]\nid = \"r\"\nstate = \"live\"\nscope = \"{scope}\"\n\
             when = [{{ keywords = [\"alpha\"], case = true }}, {{ keywords = [\"Beta\"], whole_word = false }}]\n"
        ))
    };
    let mut spread = status("alpha");
    spread.statuses.push(StatusFacts {
        id: "2".into(),
        ..status("alphabeta").statuses.remove(0)
    });
    spread.statuses[1].content = "xbetax".into();
    assert!(!hits(&two("status"), &spread));
    let verdict = judge(&two("account"), &spread);
    assert_eq!(verdict.contributions[0].status, None);
    let of: Vec<_> = verdict.contributions[0]
        .evidence
        .iter()
        .map(|e| e.status.as_deref().unwrap())
        .collect();
    assert_eq!(of, ["1", "2"]);
    assert!(hits(&two("status"), &status("alpha and xbetax")));
    assert!(
        !hits(&two("status"), &status("ALPHA and xbetax")),
        "the first keeps its case"
    );
    assert!(
        !hits(&two("status"), &status("alphas and beta")),
        "the first keeps its borders"
    );

    let few =
        when(r#"{ at_least = 2, of = [{ keywords = ["a"] }, { keywords = ["b"] }, { not = { keywords = ["c"] } }] }"#);
    for (text, hit) in [
        ("a b c", true),
        ("a", true),
        ("c a", false),
        ("x", false),
        ("b x", true),
    ] {
        assert_eq!(hits(&few, &status(text)), hit, "{text}");
    }
    let nested = when(
        r#"{ all = [{ any = [{ keywords = ["a"] }, { all = [{ keywords = ["b"] }, { not = { any = [{ keywords = ["c"] }, { is = "bot" }] } }] }] }, { is = "remote" }] }"#,
    );
    for (text, hit) in [("a c", true), ("b", true), ("b c", false)] {
        assert_eq!(hits(&nested, &status(text)), hit, "{text}");
    }
    let unless = ruleset(
        "[[rules]]\nid = \"r\"\nwhen = { keywords = [\"a\"] }\nunless = [{ keywords = [\"b\"] }, { is = \"bot\" }]\n",
    );
    assert!(hits(&unless, &status("a")) && !hits(&unless, &status("a b")));
}

#[test]
fn what_nobody_knows_is_neither_a_hit_nor_its_opposite() {
    for condition in [
        r#"{ fact = "followers", below = 5 }"#,
        r#"{ not = { fact = "followers", at_least = 5 } }"#,
        r#"{ is = "followed" }"#,
        r#"{ not = { is = "followed" } }"#,
        r#"{ not = { counter = "posts", window = "1h", at_least = 5 } }"#,
    ] {
        assert!(!hits(&when(condition), &status("x")), "{condition}");
    }
    // Without a status nobody knows what it would say.
    let not = when(
        r#"{ all = [{ keywords = ["eve"], in = ["username"] }, { not = { keywords = ["x"], in = ["content"] } }] }"#,
    );
    let mut alone = status("y");
    assert!(hits(&not, &alone));
    alone.statuses.clear();
    assert!(!hits(&not, &alone));
    let set = ruleset("[[rules]]\nid = \"r\"\nwhen = { fact = \"followers\", below = 5 }\n");
    let mut known = status("x");
    known.account.followers = Some(4);
    assert_eq!(judge(&set, &known).contributions[0].evidence[0].matched, "4");
}

/// Check 17.
#[test]
fn weights_add_up_to_the_threshold_once() {
    let rule = |id: &str, word: &str, more: &str| {
        format!(
            "[[rules]]\nid = \"{id}\"\nstate = \"live\"\nweight = 0.4\nwhen = {{ keywords = [\"{word}\"] }}\n{more}\n"
        )
    };
    let set = ruleset(&(rule("a", "one", "") + &rule("b", "two", "") + &rule("c", "three", "")));
    let verdict = judge(&set, &status("one two three"));
    assert_eq!((verdict.contributions.len(), verdict.score), (3, 1.2));
    assert!(set.is_enough(verdict.score));
    assert!(!set.is_enough(judge(&set, &status("one two")).score));

    let hit = |rule: &str, status: &str, hours: i64| Hit {
        rule: rule.into(),
        status: Some(status.into()),
        at: noon() - chrono::TimeDelta::hours(hours),
    };
    let total = set.add_up(
        &[hit("a", "1", 1), hit("b", "2", 30), hit("c", "3", 100)],
        false,
        noon(),
    );
    assert!(total.reached && total.score == 1.2 && total.rules.len() == 3);
    assert!(
        !set.add_up(
            &[hit("a", "1", 1), hit("b", "2", 30), hit("c", "3", 169)],
            false,
            noon()
        )
        .reached,
        "a week is over"
    );
    let copies: Vec<Hit> = (0..10).map(|n| hit("a", &n.to_string(), 1)).collect();
    assert_eq!(set.add_up(&copies, false, noon()).score, 0.4, "one rule counts once");
    let thrice = ruleset(&rule("a", "one", "most = 3"));
    assert_eq!(thrice.add_up(&copies, false, noon()).score, 1.2);
    assert_eq!(
        thrice
            .add_up(&[hit("a", "1", 1), hit("a", "1", 2)], false, noon())
            .score,
        0.4,
        "an edit is the same status"
    );
    // The same in one verdict over many statuses.
    let mut many = status("one");
    for n in 2..=10 {
        many.statuses.push(StatusFacts {
            id: n.to_string(),
            ..many.statuses[0].clone()
        });
    }
    assert_eq!(judge(&set, &many).score, 0.4);
    assert_eq!(judge(&thrice, &many).score, 1.2);
    assert_eq!(
        judge(&thrice, &many)
            .contributions
            .iter()
            .filter(|c| Contribution::counts(c))
            .count(),
        10
    );
}

#[test]
fn fuzzy_similar_and_phrases_hit_what_is_near() {
    let fuzzy = when(r#"{ fuzzy = ["airdrop", "metamask"] }"#);
    for (text, hit) in [
        ("airdrp", true),
        ("aidrrop", true),
        ("airdropp", true),
        ("metamsak", true),
        ("metarmask", true),
        ("air drop", false),
        ("raindrops", false),
    ] {
        assert_eq!(hits(&fuzzy, &status(text)), hit, "{text}");
    }
    let similar = when(
        r#"{ similar = ["Congratulations you have been selected to receive a reward of five thousand dollars from our team"], percent = 50 }"#,
    );
    assert!(hits(
        &similar,
        &status(
            "Congratulations! You have been selected to receive a BIG reward of five thousand dollars from us 1234"
        )
    ));
    assert!(!hits(
        &similar,
        &status("You have been selected to read a poem to our team, congratulations")
    ));
    let phrase = when(r#"{ phrases = ["free money"], gap = 2 }"#);
    for (text, hit) in [
        ("free<br>money", true),
        ("free and easy money", true),
        ("free and easy but honest money", false),
        ("freemoney", false),
        ("carefree money", false),
    ] {
        assert_eq!(hits(&phrase, &status(text)), hit, "{text}");
    }
    let starred = when(r#"{ keywords = ["casin*"] }"#);
    assert!(hits(&starred, &status("CASINOS")) && !hits(&starred, &status("minicasino")));
    // No blanks between words there, so no borders either.
    assert!(hits(&when(r#"{ keywords = ["赌场"] }"#), &status("在线赌场注册")));
}

#[test]
fn media_are_known_by_their_hashes() {
    let sha = "a".repeat(64);
    let pdq = "0".repeat(64);
    let rule = when(&format!(
        "{{ media_hashes = [\"{sha}\", \"pdq:{pdq}\"], distance = 31 }}"
    ));
    let with_hash = |hash: String| {
        with(|s| {
            s.statuses[0].media = vec![MediaFacts {
                hashes: vec![hash.clone()],
                ..MediaFacts::default()
            }];
        })
    };
    assert!(hits(&rule, &with_hash(format!("sha256:{}", sha.to_uppercase()))));
    assert!(
        hits(&rule, &with_hash(format!("pdq:7fffffff{}", "0".repeat(56)))),
        "31 bits"
    );
    assert!(
        !hits(&rule, &with_hash(format!("pdq:ffffffff{}", "0".repeat(56)))),
        "32 bits"
    );
    assert!(
        !hits(&rule, &with_hash(format!("sha256:{}b", "a".repeat(63)))),
        "files are the same or are not"
    );
    let types = when(r#"{ media_types = ["video", "image/png"] }"#);
    for (kind, url, hit) in [
        ("video", "https://x.example/1", true),
        ("image", "https://x.example/1.PNG?x", true),
        ("image", "https://x.example/1.jpg", false),
    ] {
        let subject = with(|s| {
            s.statuses[0].media = vec![MediaFacts {
                kind: kind.into(),
                url: Some(url.into()),
                ..MediaFacts::default()
            }];
        });
        assert_eq!(hits(&types, &subject), hit, "{kind} {url}");
    }
}

/// A file that nobody looked at is neither the one nor another; whoever cannot look says so.
#[test]
fn a_file_that_nobody_looked_at_is_unknown() {
    let sha = format!("sha256:{}", "a".repeat(64));
    let rule = when(&format!("{{ not = {{ media_hashes = [\"{sha}\"] }} }}"));
    let with_media = |media: MediaFacts| {
        with(|s| {
            s.statuses[0].media = vec![media.clone()];
        })
    };
    assert!(!hits(&rule, &with_media(MediaFacts::default())));
    assert!(hits(
        &rule,
        &with_media(MediaFacts {
            unreadable: true,
            ..MediaFacts::default()
        })
    ));
    assert!(hits(
        &rule,
        &with_media(MediaFacts {
            hashes: vec![format!("sha256:{}", "b".repeat(64))],
            ..MediaFacts::default()
        })
    ));
    assert!(rule.needs().hashes && !rule.needs().strangers);
    let blurhash = when(r#"{ not = { media_hashes = ["blurhash:LEHV6nWB2yk8"] } }"#);
    assert!(
        hits(&blurhash, &with_media(MediaFacts::default())),
        "it comes with the status"
    );
    assert!(!blurhash.needs().hashes);
    assert!(
        when(r#"{ counter = "same_media_accounts", window = "1h", at_least = 2 }"#)
            .needs()
            .hashes
    );
}

/// Some of it may be known, and enough.
#[test]
fn strangers_are_counted_as_far_as_they_are_known() {
    let named = |known: &[Option<bool>]| {
        with(|s| {
            s.statuses[0].mentions = known
                .iter()
                .enumerate()
                .map(|(n, knows_author)| rules::MentionFacts {
                    acct: format!("user{n}"),
                    knows_author: *knows_author,
                })
                .collect();
        })
    };
    let many = when(r#"{ fact = "stranger_mentions", at_least = 2 }"#);
    let few = when(r#"{ fact = "stranger_mentions", below = 2 }"#);
    assert!(many.needs().strangers);
    for (known, is_many, is_few) in [
        (&[Some(false), Some(false), None][..], true, false),
        (&[Some(false), None], false, false),
        (&[Some(false), Some(true)], false, true),
        (&[None], false, true),
        (&[], false, true),
    ] {
        let subject = named(known);
        assert_eq!(
            (hits(&many, &subject), hits(&few, &subject)),
            (is_many, is_few),
            "{known:?}"
        );
    }
}

#[test]
fn explanations_say_what_held_and_what_did_not() {
    let set = ruleset(
        "[[rules]]\nid = \"r\"\nwhen = [{ keywords = [\"casino\"] }, { fact = \"followers\", below = 5 }, { not = { is = \"bot\" } }]\n",
    );
    let mut subject = status("ca&shy;sino");
    subject.account.followers = Some(9);
    let told = set
        .explain(&subject, &NoCounters, noon(), |rule| rule.id == "r")
        .remove(0);
    let parts: Vec<_> = told.when.parts.iter().map(|part| part.holds).collect();
    assert_eq!(parts, [rules::Holds::Yes, rules::Holds::No, rules::Holds::Yes]);
    assert!(!told.hit());
    assert_eq!(told.when.parts[0].evidence[0].original, "ca&shy;sino");
    assert_eq!(
        told.when.parts[1].evidence[0].matched, "9",
        "the number is told though it is too high"
    );
    subject.account.followers = Some(1);
    assert!(set.explain(&subject, &NoCounters, noon(), |_| true)[0].hit());
}

#[test]
fn addresses_that_are_no_links_are_looked_at_too() {
    let rule = when(r#"{ domains = ["bad.example"] }"#);
    assert!(hits(&rule, &status("<p>see https://www.bad.example/x, now</p>")));
    assert!(hits(
        &rule,
        &with(|s| s.account.display_name = "HTTPS://BAD.example".into())
    ));
    assert!(hits(
        &rule,
        &with(|s| s.statuses[0].content_warning = "(http://bad.example)".into())
    ));
    assert!(!hits(&rule, &status("<p>https://good.example/?to=bad.example</p>")));
    let count = when(r#"{ fact = "links", is = 1 }"#);
    let link = "<a href=\"https://x.example/Path\"><span class=\"invisible\">https://</span><span class=\"\">x.example/Path</span></a>";
    assert!(hits(&count, &status(link)), "what a link shows is no other link");
}

#[test]
fn what_not_everybody_may_see_is_looked_at_by_rules_that_say_so() {
    let rule = |more: &str| {
        ruleset(&format!(
            "[[rules]]\nid = \"r\"\nscope = \"account\"\n{more}\nwhen = [{{ keywords = [\"alpha\"] }}, {{ keywords = [\"beta\"] }}]\n"
        ))
    };
    let mut subject = status("beta");
    subject.statuses.insert(
        0,
        StatusFacts {
            id: "2".into(),
            visibility: model::Visibility::Direct,
            ..status("alpha").statuses.remove(0)
        },
    );
    assert!(!hits(&rule(""), &subject));
    assert!(hits(&rule("private = true"), &subject));
}
