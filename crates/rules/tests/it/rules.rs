//! Rules and what they hit.

use crate::house::{compile, hits, judge, status, when};

/// Check 13.
#[test]
fn a_word_is_found_however_it_is_written() {
    let rule = when(r#"{ keywords = ["casino"], spaced = true }"#);
    for text in [
        "casino",
        "CASINO",
        "cas\u{200b}ino",
        "c\u{430}sino",
        "ｃａｓｉｎｏ",
        "cas\u{ad}ino",
        "cas&#105;no",
        "<span>cas</span>ino",
        "c.a.s.i.n.o",
        "c a s i n o",
        "\u{202e}onisac\u{202c}",
        "cas\u{202e}ino",
        "c\u{336}a\u{336}sino",
        "cäsïnö",
        "c4s1n0",
        "𝓬𝓪𝓼𝓲𝓷𝓸",
        "🅲🅰🆂🅸🅽🅾",
        "cas<span class=\"invisible\">xyz</span>ino",
    ] {
        let subject = status(&format!("<p>the best {text} of all</p>"));
        assert!(hits(&rule, &subject), "{text}");
        let verdict = judge(&rule, &subject);
        let evidence = &verdict.contributions[0].evidence[0];
        assert_eq!(evidence.matched, "casino", "{text}");
        let content = &subject.statuses[0].content;
        assert_eq!(
            content.get(evidence.span.clone()),
            Some(evidence.original.as_str()),
            "{text}"
        );
        assert!(
            !evidence.original.contains("best") && !evidence.original.contains("of all"),
            "{text}: {evidence:?}"
        );
    }
    for text in [
        "casinos",
        "cas</p><p>ino",
        "cas<br>ino",
        "<a href=\"https://casino.example\">x</a>",
        "occasion",
    ] {
        assert!(!hits(&rule, &status(text)), "{text}");
    }
    let links = when(r#"{ keywords = ["casino"], in = ["content", "links"] }"#);
    assert!(hits(&links, &status("<a href=\"https://casino.example\">x</a>")));
}

/// Check 12.
#[test]
fn empty_terms_are_refused() {
    for condition in [
        r#"{ keywords = ["casino", ""] }"#,
        r#"{ keywords = [","] }"#,
        r#"{ keywords = [",,"] }"#,
        r#"{ keywords = [" "] }"#,
        r#"{ keywords = ["\u200b"] }"#,
        r#"{ keywords = ["*"] }"#,
        r#"{ keywords = [] }"#,
        r#"{ regex = [""] }"#,
        r#"{ regex = ["a*"] }"#,
        r#"{ domains = [""] }"#,
        r#"{ tags = [""] }"#,
        r#"{ phrases = [""] }"#,
        r#"{ similar = [""] }"#,
        r#"{ fuzzy = [""] }"#,
        r#"{ media_hashes = [""] }"#,
    ] {
        let problems = compile(&format!("[[rules]]\nid = \"r\"\nwhen = {condition}\n")).unwrap_err();
        assert_eq!(problems[0].line, 3, "{condition}: {problems:?}");
    }
}
