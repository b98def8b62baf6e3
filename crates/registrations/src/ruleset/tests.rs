use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::Name;

fn rule(name: &str, verdict: Verdict, domains: &[&str]) -> Rule {
    Rule {
        domains: domains.iter().map(|name| Name::parse(name).unwrap()).collect(),
        ..Rule::new(name, verdict)
    }
}

/// The two lists of the handbook.
fn handbook() -> Vec<Rule> {
    vec![
        rule(
            "government",
            Verdict::Approve,
            &[".gov", ".gov.au", ".gov.uk", ".gc.ca", ".europa.eu"],
        ),
        rule("free-mail", Verdict::Reject, &["=gmail.com", "=aol.com", "=yahoo.com"]),
    ]
}

static HANDBOOK: LazyLock<Ruleset> = LazyLock::new(|| ruleset(&handbook()));

fn ruleset(rules: &[Rule]) -> Ruleset {
    Ruleset::new(rules, &Lists::new()).unwrap()
}

fn facts(email: &str) -> Facts {
    Facts {
        email: email.to_owned(),
        confirmed: true,
        ..Facts::default()
    }
}

fn verdict(rules: &[Rule], email: &str) -> Verdict {
    ruleset(rules).judge(&facts(email)).verdict
}

/// Check 45.
#[test]
fn addresses_that_patterns_got_wrong_are_judged_by_their_labels() {
    for (email, expected) in [
        ("mayor@nyc.gov", Verdict::Approve),
        ("A@NYC.GOV.", Verdict::Approve),
        ("a@ec.europa.eu", Verdict::Approve),
        ("a@b.c.gc.ca", Verdict::Approve),
        ("gmail.com.fan@agency.gov", Verdict::Approve),
        ("jane.governor@gmail.com", Verdict::Reject),
        ("x.gov@gmail.com", Verdict::Reject),
        ("u+x@gmail.com", Verdict::Reject),
        ("U@GMAIL.COM", Verdict::Reject),
        ("x@evil.gov.attacker.example", Verdict::Hold),
        ("a@my.government.example", Verdict::Hold),
        ("a@state.gov.br", Verdict::Hold),
        ("bob.gc.card@mail.com", Verdict::Hold),
        ("a@mygov", Verdict::Hold),
        ("a@mygov.uk", Verdict::Hold),
        ("u@notgmail.com", Verdict::Hold),
        ("u@gmail.com.au", Verdict::Hold),
        ("u@mail.gmail.com", Verdict::Hold),
        ("u@gmail.com.evil.example", Verdict::Hold),
        // nyc in Cyrillic letters below gov, and gov itself with a Cyrillic o.
        ("a@xn--m1ah5a.gov", Verdict::Hold),
        ("a@nyc.xn--gv-nmc", Verdict::Hold),
        ("a@nyc.gоv", Verdict::Hold),
        ("a@nyc.ｇｏｖ", Verdict::Hold),
        ("a@nyc。gov", Verdict::Hold),
        ("a@gm\u{ad}ail.com", Verdict::Hold),
        ("a@evil.example@nyc.gov", Verdict::Hold),
        ("a%evil.example@nyc.gov", Verdict::Hold),
        ("a@nyc.gov\u{0}.evil.example", Verdict::Hold),
        ("a@nyc.gov\n@evil.example", Verdict::Hold),
        ("a@nyc..gov", Verdict::Hold),
        ("a@nyc%2egov", Verdict::Hold),
        ("nyc.gov", Verdict::Hold),
        ("", Verdict::Hold),
    ] {
        assert_eq!(verdict(&handbook(), email), expected, "{email:?}");
    }
}

#[test]
fn the_longest_name_wins_and_a_draw_is_for_a_person() {
    let rules = [
        rule("gov", Verdict::Approve, &[".gov"]),
        rule("parks", Verdict::Reject, &[".parks.gov"]),
        rule("head office", Verdict::Approve, &["=parks.gov"]),
        rule("other", Verdict::Hold, &["=parks.gov", ".x.gov"]),
        rule("again", Verdict::Approve, &[".gov"]),
    ];
    assert_eq!(verdict(&rules, "a@nyc.gov"), Verdict::Approve);
    assert_eq!(verdict(&rules, "a@old.parks.gov"), Verdict::Reject);
    assert_eq!(verdict(&rules, "a@parks.gov"), Verdict::Hold);
    let judged = ruleset(&rules).judge(&facts("a@parks.gov"));
    assert!(
        judged.why.contains("head office") && judged.why.contains("other"),
        "{judged:?}"
    );
    assert_eq!(judged.rule, None);
}

#[test]
fn every_stated_kind_must_fit_and_other_signs_have_a_say() {
    let rules = [
        Rule {
            locales: vec!["de".into()],
            ..rule("german", Verdict::Approve, &[".bund.example"])
        },
        Rule {
            network_over: Some(3),
            ..Rule::new("crowd", Verdict::Hold)
        },
        Rule {
            usernames: vec!["^bot".into()],
            ips: vec!["192.0.2.0/24".parse().unwrap()],
            ..Rule::new("bots", Verdict::Reject)
        },
    ];
    let set = ruleset(&rules);
    let german = Facts {
        locale: Some("de-AT".into()),
        ..facts("a@x.bund.example")
    };
    assert_eq!(set.judge(&german).verdict, Verdict::Approve);
    assert_eq!(set.judge(&facts("a@x.bund.example")).verdict, Verdict::Hold);
    let crowd = Facts {
        neighbours: 4,
        ..german.clone()
    };
    assert_eq!(
        set.judge(&crowd).verdict,
        Verdict::Hold,
        "a closer name does not outweigh a crowd"
    );
    let bot = Facts {
        username: "Bot7".into(),
        ips: ["::ffff:192.0.2.9".parse().unwrap()].into(),
        ..facts("a@elsewhere.example")
    };
    assert_eq!(set.judge(&bot).verdict, Verdict::Reject);
    assert_eq!(
        set.judge(&Facts {
            ips: [].into(),
            ..bot.clone()
        })
        .verdict,
        Verdict::Hold
    );
    let german_bot = Facts {
        username: bot.username,
        ips: bot.ips,
        ..german
    };
    assert_eq!(set.judge(&german_bot).verdict, Verdict::Hold, "they disagree");
}

#[test]
fn what_could_not_be_found_out_is_for_a_person() {
    let rules = [
        rule("gov", Verdict::Approve, &[".gov"]),
        Rule {
            mx: vec![Name::parse(".throwaway.example").unwrap()],
            ..Rule::new("disposable", Verdict::Reject)
        },
        Rule {
            domain_lists: vec!["free.txt".into()],
            ..Rule::new("free", Verdict::Reject)
        },
    ];
    let unread = ruleset(&rules);
    assert!(unread.wants_mx());
    assert_eq!(unread.judge(&facts("a@nyc.gov")).verdict, Verdict::Hold);
    let lists = Lists::from([("free.txt".to_owned(), Names::read_list("mail.example\n").0)]);
    let set = Ruleset::new(&rules, &lists).unwrap();
    let with = |email: &str, mx: &[&str]| Facts {
        mx: Some(mx.iter().map(|host| (*host).to_owned()).collect()),
        ..facts(email)
    };
    assert_eq!(
        set.judge(&facts("a@nyc.gov")).verdict,
        Verdict::Hold,
        "who takes the mail is not known"
    );
    assert_eq!(
        set.judge(&with("a@nyc.gov", &["mx.nyc.gov."])).verdict,
        Verdict::Approve
    );
    assert_eq!(
        set.judge(&with("a@nyc.gov", &["mx.throwaway.example."])).verdict,
        Verdict::Hold,
        "they disagree"
    );
    assert_eq!(
        set.judge(&with("a@b.example", &["MX.throwaway.example"])).verdict,
        Verdict::Reject
    );
    assert_eq!(
        set.judge(&with("a@b.example", &["throwaway.example.org"])).verdict,
        Verdict::Hold
    );
    assert_eq!(set.judge(&with("a@mail.example", &[])).verdict, Verdict::Reject);
    assert_eq!(
        set.judge(&facts("a@mail.example")).verdict,
        Verdict::Reject,
        "the unknown would say the same"
    );
}

#[test]
fn a_ruleset_is_known_by_its_hash() {
    let hash = |rules: &[Rule]| ruleset(rules).hash().to_owned();
    assert_eq!(hash(&handbook()), hash(&handbook()));
    let mut changed = handbook();
    changed[0].domains.push(Name::parse(".mil").unwrap());
    assert_ne!(hash(&handbook()), hash(&changed));
    assert!(
        Ruleset::new(&[handbook(), handbook()].concat(), &Lists::new()).is_err(),
        "two of one name"
    );
}

/// What a correct reading of an address is, in the plainest words: the labels after the last `@`, from the right.
fn is_at(email: &str, name: &[&str], exact: bool) -> bool {
    let Some((_, domain)) = email.trim().rsplit_once('@') else {
        return false;
    };
    let domain = domain.to_ascii_lowercase();
    let labels: Vec<&str> = domain.strip_suffix('.').unwrap_or(&domain).split('.').collect();
    labels.ends_with(name) && (!exact || labels.len() == name.len())
}

/// Parts of which tricks are made.
fn part() -> impl Strategy<Value = String> {
    let fixed = [
        "gov",
        "GOV",
        "gov.au",
        "gov.uk",
        "gc.ca",
        "europa.eu",
        "gmail.com",
        "aol.com",
        "yahoo.com",
        "gmail",
        "com",
        "nyc",
        "evil.example",
        "government",
        "mygov",
        "gov-",
        "-gov",
        "@",
        ".",
        "..",
        "+",
        "%",
        "!",
        "\"",
        " ",
        "\n",
        "\t",
        "\0",
        "\\",
        "xn--",
        "xn--gov",
        "ｇｏｖ",
        "gоv",
        "。",
        "\u{200b}",
        "\u{ad}",
        "\u{202e}",
        "%2e",
        "%40",
        "#",
        "?",
        "/",
        ":25",
        "[127.0.0.1]",
        "x",
        "(",
        ")",
        ",",
        ";",
        "\u{212a}",
        "ı",
        "İ",
    ];
    prop_oneof![4 => proptest::sample::select(fixed.to_vec()).prop_map(str::to_owned), 1 => "[ -~]{0,6}", 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    /// Check 45, for any string: whoever is let in is at one of the suffixes by labels, whoever is turned away is at
    /// one of the free-mail domains exactly; there is one verdict, and it is the same each time.
    #[test]
    fn no_trick_turns_labels_into_text(parts in proptest::collection::vec(part(), 0..9)) {
        let email = parts.concat();
        let judged = HANDBOOK.judge(&facts(&email));
        let government = [&["gov"][..], &["gov", "au"], &["gov", "uk"], &["gc", "ca"], &["europa", "eu"]]
            .iter()
            .any(|name| is_at(&email, name, false));
        let free = [&["gmail", "com"][..], &["aol", "com"], &["yahoo", "com"]].iter().any(|name| is_at(&email, name, true));
        match judged.verdict {
            Verdict::Approve => {
                prop_assert!(government && !free, "{email:?} was let in");
                prop_assert!(!email.trim().trim_end_matches('.').contains("xn--"), "{email:?} was let in");
            }
            Verdict::Reject => prop_assert!(free && !government, "{email:?} was turned away"),
            other => prop_assert_eq!(other, Verdict::Hold),
        }
        prop_assert_eq!(HANDBOOK.judge(&facts(&email)), judged);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Whatever stands before the sign, and in whatever case, an ordinary address gets the verdict of its domain.
    #[test]
    fn the_mailbox_and_the_case_change_nothing(
        local in "[a-z0-9._+-]{1,20}",
        label in "[a-z0-9]{1,12}",
        shout in any::<bool>(),
        dot in any::<bool>(),
    ) {
        for (domain, expected) in [
            (format!("{label}.gov"), Verdict::Approve),
            ("gmail.com".to_owned(), Verdict::Reject),
            (format!("{label}gmail.com"), Verdict::Hold),
            (format!("gmail.com.{label}.example"), Verdict::Hold),
            (format!("{label}.gov.{label}.example"), Verdict::Hold),
        ] {
            let mut email = format!("{local}@{domain}");
            if shout {
                email = email.to_uppercase();
            }
            if dot {
                email.push('.');
            }
            prop_assert_eq!(HANDBOOK.judge(&facts(&email)).verdict, expected, "{}", email);
        }
    }

    /// The order of rules is no matter.
    #[test]
    fn the_order_of_rules_changes_no_verdict(rules in Just(vec![
        rule("a", Verdict::Approve, &[".gov"]), rule("b", Verdict::Reject, &[".x.gov"]), rule("c", Verdict::Ignore, &[".y.gov", "=gov"]),
        rule("d", Verdict::Hold, &["=a.y.gov"]), rule("e", Verdict::Wait, &[".gov"]),
    ]).prop_shuffle(), email in prop_oneof![Just("a@gov"), Just("a@b.x.gov"), Just("a@a.y.gov"), Just("a@y.gov"), Just("a@z.gov")]) {
        let sorted = [
            rule("a", Verdict::Approve, &[".gov"]), rule("b", Verdict::Reject, &[".x.gov"]),
            rule("c", Verdict::Ignore, &[".y.gov", "=gov"]), rule("d", Verdict::Hold, &["=a.y.gov"]),
            rule("e", Verdict::Wait, &[".gov"]),
        ];
        prop_assert_eq!(verdict(&rules, email), verdict(&sorted, email));
    }
}
