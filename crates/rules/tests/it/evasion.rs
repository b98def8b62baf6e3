//! Fifty terms, each written in every way that spam is known to dodge filters by.

use crate::house::{judge, ruleset, status};

/// What the rules look for.
pub(crate) const TERMS: [&str; 50] = [
    "casino",
    "viagra",
    "bitcoin",
    "giveaway",
    "jackpot",
    "lottery",
    "escort",
    "airdrop",
    "forex",
    "payday",
    "cialis",
    "replica",
    "rolex",
    "xanax",
    "tramadol",
    "oxycodone",
    "onlyfans",
    "webcam",
    "betting",
    "poker",
    "roulette",
    "blackjack",
    "sportsbook",
    "presale",
    "metamask",
    "sextape",
    "binance",
    "ransom",
    "phishing",
    "carding",
    "seed phrase",
    "free money",
    "free crypto",
    "double your income",
    "click here",
    "hot singles",
    "wire transfer",
    "gift card",
    "cash prize",
    "crypto signals",
    "passive income",
    "miracle cure",
    "weight loss",
    "male enhancement",
    "adult dating",
    "fake passport",
    "cheap followers",
    "instant loan",
    "казино",
    "заработок",
];

/// A live rule for each term.
pub(crate) fn rules_for_terms() -> String {
    let rules = TERMS.iter().enumerate().map(|(n, term)| {
        format!("[[rules]]\nid = \"term-{n}\"\nstate = \"live\"\nwhen = {{ keywords = [\"{term}\"], spaced = true }}\n")
    });
    rules.collect()
}

/// Puts `between` after each letter but the last one of a word.
fn between(term: &str, between: &str) -> String {
    let words = term.split(' ').map(|word| {
        let letters: Vec<String> = word.chars().map(String::from).collect();
        letters.join(between)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Puts `inside` into the middle of each word.
fn middle(term: &str, inside: &str) -> String {
    let words = term.split(' ').map(|word| {
        let letters: Vec<char> = word.chars().collect();
        let (head, tail) = letters.split_at(letters.len() / 2);
        format!(
            "{}{inside}{}",
            head.iter().collect::<String>(),
            tail.iter().collect::<String>()
        )
    });
    words.collect::<Vec<_>>().join(" ")
}

fn each(term: &str, change: impl Fn(char) -> String) -> String {
    term.chars()
        .map(|c| if c == ' ' { " ".to_owned() } else { change(c) })
        .collect()
}

fn table(term: &str, from: &str, to: &str) -> String {
    each(term, |c| match from.chars().position(|known| known == c) {
        Some(at) => to.chars().nth(at).unwrap_or(c).to_string(),
        None => c.to_string(),
    })
}

/// Letters of a block that stand in for `a` to `z`, from `first` on.
fn styled(term: &str, first: u32) -> String {
    each(term, |c| {
        let letter = u32::from(c).wrapping_sub(u32::from('a'));
        if letter < 26 {
            char::from_u32(first + letter).unwrap_or(c).to_string()
        } else {
            c.to_string()
        }
    })
}

type Transformation = (&'static str, fn(&str) -> String);

const TRANSFORMATIONS: [Transformation; 36] = [
    ("as it is", str::to_owned),
    ("upper case", str::to_uppercase),
    ("every other letter in upper case", |term| {
        term.chars()
            .enumerate()
            .map(|(n, c)| {
                if n % 2 == 0 {
                    c.to_uppercase().to_string()
                } else {
                    c.to_string()
                }
            })
            .collect()
    }),
    ("zero-width spaces", |term| between(term, "\u{200b}")),
    ("zero-width joiners", |term| between(term, "\u{200d}")),
    ("word joiner inside", |term| middle(term, "\u{2060}")),
    ("soft hyphen inside", |term| middle(term, "\u{ad}")),
    ("soft hyphen as an entity", |term| middle(term, "&shy;")),
    ("invisible separators", |term| between(term, "\u{2063}")),
    ("variation selectors", |term| between(term, "\u{fe0f}")),
    ("tag letters", |term| middle(term, "\u{e0041}\u{e007f}")),
    ("decimal entities", |term| {
        each(term, |c| format!("&#{};", u32::from(c)))
    }),
    ("hexadecimal entities", |term| {
        each(term, |c| format!("&#x{:X};", u32::from(c)))
    }),
    ("entities without an end", |term| {
        each(term, |c| format!("&#{}", u32::from(c))).replace(' ', "&#32;")
    }),
    ("a tag inside", |term| middle(term, "<b></b>")),
    ("a tag around each letter", |term| each(term, |c| format!("<i>{c}</i>"))),
    ("a comment inside", |term| middle(term, "<!-- x > y -->")),
    ("a span nobody sees inside", |term| {
        middle(term, "<span class=\"invisible\">zzz</span>")
    }),
    ("cyrillic look-alikes", |term| table(term, "aceopxyisjk", "асеорхуіѕјк")),
    ("greek look-alikes", |term| table(term, "aoinptkuv", "αοιηρτκυν")),
    ("latin look-alikes", |term| table(term, "aceinorstu", "ɑƈɛɩɳɵɾʂƭʉ")),
    ("latin letters in cyrillic words", |term| table(term, "аоезр", "aoe3p")),
    ("fullwidth", |term| styled(term, 0xFF41)),
    ("mathematical bold", |term| styled(term, 0x1_D41A)),
    ("mathematical script, bold", |term| styled(term, 0x1_D4EA)),
    ("mathematical monospace", |term| styled(term, 0x1_D68A)),
    ("circled", |term| styled(term, 0x24D0)),
    ("negative squared", |term| styled(term, 0x1_F170)),
    ("regional indicators, kept apart", |term| {
        between(&styled(term, 0x1_F1E6), "\u{200b}")
    }),
    ("struck through", |term| each(term, |c| format!("{c}\u{336}"))),
    ("heaps of marks", |term| {
        each(term, |c| format!("{c}\u{300}\u{335}\u{323}\u{35b}\u{489}"))
    }),
    ("accents", |term| table(term, "aceinosuyzl", "áçëíñöšúýžł")),
    ("digits for letters", |term| table(term, "aeios", "43105")),
    ("blanks between letters", |term| between(term, " ").replace("  ", " ")),
    ("dots between letters", |term| between(term, ".")),
    ("turned around by a direction mark", |term| {
        let turned: String = term.chars().rev().collect();
        format!("\u{202e}{turned}\u{202c}")
    }),
];

/// Check 13, and 500 variants or more that all hit. A variant that comes out as the term itself is not counted.
#[test]
fn every_variant_of_every_term_is_found() {
    let ruleset = ruleset(&rules_for_terms());
    let (mut variants, mut missed) = (0, Vec::new());
    for (n, term) in TERMS.iter().enumerate() {
        for (name, transform) in TRANSFORMATIONS {
            let written = transform(term);
            if written == *term && name != "as it is" {
                continue;
            }
            variants += 1;
            let subject = status(&format!(
                "<p>Psst, look at {written}, dear neighbours &amp; friends</p>"
            ));
            let verdict = judge(&ruleset, &subject);
            let wanted = format!("term-{n}");
            let Some(hit) = verdict.contributions.iter().find(|hit| hit.rule == wanted) else {
                missed.push(format!("{name}: {written}"));
                continue;
            };
            let content = &subject.statuses[0].content;
            for evidence in &hit.evidence {
                let original = content.get(evidence.span.clone());
                assert_eq!(original, Some(evidence.original.as_str()), "{name}: {written}");
                assert!(!evidence.original.contains("look"), "{name}: {evidence:?}");
            }
        }
    }
    assert!(missed.is_empty(), "{} of {variants} missed: {missed:#?}", missed.len());
    assert!(variants >= 500, "{variants}");
}
