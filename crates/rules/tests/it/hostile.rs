//! Texts and patterns that are made to stop a moderator.

use std::time::{Duration, Instant};

use crate::house::{compile, hits, judge, ruleset, status, when};

/// Check 11: a hundred thousand letters take no longer than fifty milliseconds. Built without optimisation everything
/// takes some thirty times as long, so there the same is asked of a thirtieth.
const LETTERS: usize = if cfg!(debug_assertions) { 3_000 } else { 100_000 };

fn quick(what: &str, judged: impl Fn()) {
    // The quickest of three: the others measure the neighbours.
    let took = (0..3)
        .map(|_| {
            let begun = Instant::now();
            judged();
            begun.elapsed()
        })
        .min()
        .unwrap();
    assert!(took < Duration::from_millis(50), "{what}: {took:?}");
}

#[test]
fn nested_repetitions_take_no_longer_than_others() {
    let alternatives: Vec<String> = (0..1_200).map(|n| format!("word{n}x")).collect();
    let long = alternatives.join("|");
    for pattern in [
        r"(a+)+$",
        r"(\w*)*x",
        r"(a|aa)+b",
        r"([a-z]+)*\d",
        r"(.*)(.*)(.*)=",
        long.as_str(),
    ] {
        let toml = format!("[[rules]]\nid = \"r\"\nwhen = {{ regex = ['{pattern}'] }}\n");
        // Refused is as good as quick.
        let Ok(set) = compile(&toml) else { continue };
        let subject = status(&format!("{}!", "a".repeat(LETTERS)));
        hits(&set, &subject);
        quick(pattern, || drop(judge(&set, &subject)));
    }
}

/// Borders of words beyond ASCII are the slowest that patterns know.
#[test]
fn borders_of_foreign_words_take_no_longer_than_others() {
    for pattern in [
        r"\b\w+\s+casinox\b",
        r"(\w+\s*)+casinoy",
        r"\bcasinox?\b.*\b\w+\b.*casinoz",
    ] {
        let set = when(&format!("{{ regex = ['{pattern}'] }}"));
        let text = "é слово casino ".repeat(LETTERS / 20) + "casinoxy casinoyz";
        let subject = status(&text);
        hits(&set, &subject);
        quick(pattern, || drop(judge(&set, &subject)));
    }
}

#[test]
fn hostile_texts_take_no_longer_than_others() {
    let set = ruleset(
        "[[rules]]\nid = \"a\"\nwhen = { keywords = [\"casino\", \"a b c\"], spaced = true }\n\
         [[rules]]\nid = \"b\"\nwhen = { fuzzy = [\"aaaaaabbbbbb\"] }\n\
         [[rules]]\nid = \"c\"\nwhen = { regex = ['casino\\s+\\w+x'] }\n\
         [[rules]]\nid = \"d\"\nwhen = { similar = [\"one two three four five six seven\"] }\n",
    );
    for (what, text) in [
        ("letters", "a".repeat(LETTERS)),
        ("marks", format!("a{}", "\u{301}".repeat(LETTERS / 2))),
        ("open tags", "<a href='".repeat(LETTERS / 9)),
        ("tags in tags", "<b>".repeat(LETTERS / 3)),
        ("unclosed comments", "<!-- ".repeat(LETTERS / 5)),
        ("ampersands", "&".repeat(LETTERS)),
        ("scripts", "<script>".repeat(LETTERS / 8)),
        ("closed scripts", "</script".repeat(LETTERS / 8)),
        (
            "anchors",
            "<a href=x><span class=\"invisible\">https://".repeat(LETTERS / 43),
        ),
        (
            "closed anchors",
            "<a href=x><span class=\"invisible\">https://</span>y</a>".repeat(LETTERS / 54),
        ),
        ("direction marks", "\u{202e}a\u{202c}".repeat(LETTERS / 7)),
        ("one direction mark", format!("\u{202e}{}", "a ".repeat(LETTERS / 2))),
        ("nearly the word", "casinos ".repeat(LETTERS / 8)),
        ("the word", "casino ".repeat(LETTERS / 7)),
        ("spaced letters", "c a s i n ".repeat(LETTERS / 10)),
        ("parts of a fuzzy word", "aaaaaa".repeat(LETTERS / 6)),
        ("digits", "a1".repeat(LETTERS / 2)),
        ("ligatures", "\u{fdfa}".repeat(LETTERS / 18)),
        ("links", "<a href=\"https://x.example/1\">x</a>".repeat(LETTERS / 35)),
    ] {
        let subject = status(&text);
        quick(what, || drop(judge(&set, &subject)));
    }
}

#[test]
fn patterns_without_letters_are_few() {
    let rule = |n: usize| format!("[[rules]]\nid = \"r{n}\"\nwhen = {{ regex = ['\\d{{4}}-\\d{{4}}'] }}\n");
    assert!(compile(&(0..50).map(rule).collect::<String>()).is_ok());
    let problems = compile(&(0..52).map(rule).collect::<String>()).unwrap_err();
    assert_eq!(problems.len(), 2);
    assert_eq!(problems[0].rule.as_deref(), Some("r50"));
    // Beside a keyword they cost nothing.
    let beside = |n: usize| {
        format!("[[rules]]\nid = \"r{n}\"\nwhen = [{{ regex = ['\\d{{4}}-\\d{{4}}'] }}, {{ keywords = [\"call\"] }}]\n")
    };
    assert!(compile(&(0..80).map(beside).collect::<String>()).is_ok());
}

#[test]
fn a_flood_of_near_misses_hides_nothing() {
    let rule = when(r#"{ keywords = ["casino"] }"#);
    let text = format!("{} casino", "casinos ".repeat(3_000));
    assert!(hits(&rule, &status(&text)));
    let many = judge(&rule, &status(&"casino ".repeat(3_000)));
    assert!(many.contributions[0].evidence.len() <= 12);
}

/// A word of honest letters that ends with a Latin one was looked through once for each of them: minutes for one status.
#[test]
fn one_latin_letter_at_the_end_of_a_long_word_is_looked_for_once() {
    let rule = when(r#"{ keywords = ["casino"] }"#);
    let subject = status(&format!("{}a", "д".repeat(99_000)));
    let begun = Instant::now();
    assert!(!hits(&rule, &subject));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn what_is_accepted_can_be_made_ready() {
    for gap in [1, 3, 10] {
        for words in [
            "buy followers",
            "buy cheap followers",
            "one two three four five six seven",
        ] {
            let rule = when(&format!("{{ phrases = [\"{words}\"], gap = {gap} }}"));
            let spread = words.replace(' ', &format!(" {}", "é, ".repeat(gap)));
            assert!(
                hits(&rule, &status(words)) && hits(&rule, &status(&spread)),
                "{words}, {gap}"
            );
            let wider = words.replace(' ', &format!(" {}", "é, ".repeat(gap + 1)));
            assert!(!hits(&rule, &status(&wider)), "{words}, {gap}");
        }
    }
    let long = (0..30).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
    let problems = compile(&format!(
        "[[rules]]\nid = \"r\"\nwhen = {{ phrases = [\"{long}\"], gap = 10 }}\n"
    ));
    assert!(problems.unwrap_err()[0].message.contains("too long"));
    for (pattern, letter) in [
        (".{100}", "a"),
        (".{300}", "a"),
        (r"[^x]{200}", "a"),
        (r"[à-ÿЀ-ӿ]{250}", "é"),
    ] {
        let toml = format!("[[rules]]\nid = \"r\"\nstate = \"live\"\nwhen = {{ regex = ['{pattern}'] }}\n");
        // Refused is as good as ready.
        let Ok(set) = compile(&toml) else { continue };
        assert!(hits(&set, &status(&letter.repeat(400))), "{pattern}");
    }
}
