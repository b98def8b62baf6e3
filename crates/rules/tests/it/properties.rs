//! What holds for any text: nothing panics, and every span is one.

use proptest::prelude::*;
use rules::{AccountFacts, NoCounters, Ruleset, Sets, Source, StatusFacts, Subject};

use crate::house::{noon, ruleset};

/// Pieces that break readers of HTML and of Unicode.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z0-9 ]{0,12}",
        proptest::sample::select(vec![
            "<",
            ">",
            "</",
            "<!--",
            "-->",
            "&",
            "&#",
            "&#x",
            ";",
            "&amp;",
            "&lt;",
            "&#105;",
            "&#x0;",
            "\"",
            "'",
            "=",
            "<p>",
            "</p>",
            "<br>",
            "<span class=\"invisible\">",
            "</span>",
            "<a href=\"https://x.example\">",
            "<a href='",
            "</a>",
            "<script>",
            "casino",
            "cas",
            "ino",
            "\u{200b}",
            "\u{202e}",
            "\u{202c}",
            "\u{301}",
            "\u{336}",
            "\u{ad}",
            "\u{fdfa}",
            "ﬁ",
            "İ",
            "ß",
            "ĳ",
            "Ǆ",
            "가",
            "\u{1100}",
            "\u{1161}",
            "が",
            "か\u{3099}",
            "с",
            "а",
            "𝓬",
            "🅰",
            "c.a.s",
            "c a s i n o",
            "1",
            "4",
            "@",
            "\n",
            "\u{a0}",
            "\u{2800}",
            "\u{feff}",
        ])
        .prop_map(str::to_owned),
    ]
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

fn rules() -> Ruleset {
    ruleset(
        "[[rules]]\nid = \"words\"\nwhen = { keywords = [\"casino\", \"c*\", \"*a*\"], spaced = true, whole_word = false, in = [\"text\", \"links\"] }\n\
         [[rules]]\nid = \"case\"\nwhen = { keywords = [\"a\", \"A\"], case = true, whole_word = false }\n\
         [[rules]]\nid = \"pattern\"\nwhen = { regex = ['[^x]', 'cas\\w+'] }\n\
         [[rules]]\nid = \"cased\"\nwhen = { regex = ['[^x]'], case = true }\n\
         [[rules]]\nid = \"fuzzy\"\nwhen = { fuzzy = [\"casino\"] }\n\
         [[rules]]\nid = \"not\"\nwhen = { not = { keywords = [\"zzz\"] } }\n",
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_piece_of_evidence_is_where_it_says(content in text(), name in text(), bio in text()) {
        thread_local!(static RULES: Ruleset = rules());
        let subject = Subject {
            account: AccountFacts { id: "1".into(), username: "x".into(), display_name: name, bio, ..AccountFacts::default() },
            statuses: vec![StatusFacts {
                id: "2".into(), content, visibility: model::Visibility::Public, ..StatusFacts::default()
            }],
        };
        let verdict = RULES.with(|rules| rules.judge(&subject, &NoCounters, noon()));
        for hit in &verdict.contributions {
            prop_assert!(!hit.evidence.is_empty());
            for evidence in &hit.evidence {
                let source = match evidence.field {
                    Some(rules::Field::Content) => &subject.statuses[0].content,
                    Some(rules::Field::DisplayName) => &subject.account.display_name,
                    Some(rules::Field::Bio) => &subject.account.bio,
                    _ => continue,
                };
                let there = source.get(evidence.span.clone());
                prop_assert!(there.is_some(), "{evidence:?}");
                prop_assert!(there.unwrap().starts_with(&evidence.original));
                prop_assert!(!evidence.original.is_empty(), "{evidence:?}");
            }
        }
        let explained = RULES.with(|rules| rules.explain(&subject, &NoCounters, noon(), |_| true));
        for rule in explained {
            prop_assert_eq!(rule.hit(), verdict.contributions.iter().any(|hit| hit.rule == rule.rule), "{}", rule.rule);
        }
    }

    /// The search for literals leaves nothing out.
    #[test]
    fn a_pattern_hits_what_it_matches(
        pattern in proptest::collection::vec(proptest::sample::select(vec![
            "abc", "Bca", "(abc|bcc|Cab)", "a+", "b?", "[ab]", "c{2}", r"\w", ".", "(?:abca|bb)?", "(cab)+", r"\b", "ca*b", "é", "[^a]", " ",
        ]), 1..6),
        text in proptest::collection::vec(proptest::sample::select(vec!["abc", "bca", "bcc", "CAB", "a", "b", "c", "cc", " ", "é", "abca"]), 0..10),
    ) {
        let (pattern, text) = (pattern.concat(), text.concat());
        let toml = format!("[[rules]]\nid = \"r\"\nwhen = {{ regex = ['{pattern}'], in = [\"content_warning\"], exact_letters = true }}\n");
        if let Ok(set) = Ruleset::compile(&[Source::new("x.toml", toml)], &Sets::default()) {
            let read = text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").to_lowercase();
            let regex = regex::RegexBuilder::new(&pattern).case_insensitive(true).build().unwrap();
            let mut subject = crate::house::status("");
            subject.statuses[0].content_warning = text;
            prop_assert_eq!(crate::house::hits(&set, &subject), regex.is_match(&read), "{} on {:?}", pattern, read);
        }
    }

    /// Nor does picking the rules that are worth judging.
    #[test]
    fn a_tree_holds_when_its_words_say_so(tree in tree(), there in proptest::collection::vec(any::<bool>(), 5)) {
        let set = ruleset(&format!("[[rules]]\nid = \"r\"\nwhen = {}\n", tree.toml()));
        let text: Vec<&str> = WORDS.into_iter().zip(&there).filter(|(_, there)| **there).map(|(word, _)| word).collect();
        let subject = crate::house::status(&format!("hello {}", text.join(" ")));
        prop_assert_eq!(crate::house::hits(&set, &subject), tree.holds(&there), "{} on {:?}", tree.toml(), text);
    }

    #[test]
    fn any_text_is_a_ruleset_or_has_problems(text in ".{0,200}") {
        check(&text)?;
    }

    #[test]
    fn nearly_rules_are_read_or_told(lines in proptest::collection::vec(line(), 0..14)) {
        check(&lines.concat())?;
    }

    #[test]
    fn any_pattern_is_compiled_or_told(pattern in r"[a-z(){}\[\]|*+?.\\d0-9^$,-]{0,30}") {
        check(&format!("[[rules]]\nid = \"r\"\nwhen = {{ regex = ['{pattern}'] }}\n"))?;
    }
}

const WORDS: [&str; 5] = ["alpha", "beta", "gamma", "delta", "omega"];

/// Conditions over five words.
#[derive(Debug, Clone)]
enum Tree {
    Word(usize),
    Number(bool),
    Not(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
    AtLeast(usize, Vec<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![4 => (0..5_usize).prop_map(Tree::Word), 1 => any::<bool>().prop_map(Tree::Number)];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let several = || proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            inner.clone().prop_map(|one| Tree::Not(Box::new(one))),
            several().prop_map(Tree::All),
            several().prop_map(Tree::Any),
            (several(), 1..4_usize).prop_map(|(all, least)| Tree::AtLeast(least.min(all.len()), all)),
        ]
    })
}

impl Tree {
    fn toml(&self) -> String {
        let list = |all: &[Tree]| all.iter().map(Tree::toml).collect::<Vec<_>>().join(", ");
        match self {
            Self::Word(word) => format!("{{ keywords = [\"{}\"], in = [\"content\"] }}", WORDS[*word]),
            Self::Number(holds) => format!(
                "{{ fact = \"content_length\", at_least = {} }}",
                if *holds { 0 } else { 10_000 }
            ),
            Self::Not(inner) => format!("{{ not = {} }}", inner.toml()),
            Self::All(all) => format!("{{ all = [{}] }}", list(all)),
            Self::Any(all) => format!("{{ any = [{}] }}", list(all)),
            Self::AtLeast(least, all) => format!("{{ at_least = {least}, of = [{}] }}", list(all)),
        }
    }

    fn holds(&self, there: &[bool]) -> bool {
        match self {
            Self::Word(word) => there[*word],
            Self::Number(holds) => *holds,
            Self::Not(inner) => !inner.holds(there),
            Self::All(all) => all.iter().all(|one| one.holds(there)),
            Self::Any(all) => all.iter().any(|one| one.holds(there)),
            Self::AtLeast(least, all) => all.iter().filter(|one| one.holds(there)).count() >= *least,
        }
    }
}

fn line() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("1".to_owned()),
        Just("-1.5".to_owned()),
        Just("nan".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("[{ not = { keywords = [\"a\", 1] } }]".to_owned()),
        Just("{ at_least = 9, of = [{ is = \"bot\" }] }".to_owned()),
        "[ -~]{0,12}".prop_map(|text| format!("{text:?}")),
    ];
    let key = proptest::sample::select(vec![
        "id",
        "name",
        "state",
        "weight",
        "most",
        "when",
        "unless",
        "scope",
        "action",
        "allow",
        "undo_after",
        "exempt",
        "category",
        "server_rules",
        "when.keywords",
        "when.regex",
        "when.in",
        "when.fact",
        "when.below",
        "when.window",
        "when.counter",
        "when.domains",
        "exempt.domains",
    ]);
    prop_oneof![
        Just("[[rules]]\n".to_owned()),
        Just("[exempt]\n".to_owned()),
        Just("[scoring]\n".to_owned()),
        Just("[[sets]]\n".to_owned()),
        (key, value).prop_map(|(key, value)| format!("{key} = {value}\n")),
    ]
}

fn check(toml: &str) -> Result<(), TestCaseError> {
    if let Err(problems) = Ruleset::compile(&[Source::new("x.toml", toml)], &Sets::default()) {
        prop_assert!(!problems.is_empty());
        for problem in problems {
            prop_assert!(
                problem.line >= 1 && problem.line <= toml.lines().count().max(1) + 1,
                "{problem}"
            );
            prop_assert!(!problem.next.is_empty() && !problem.message.is_empty());
        }
    }
    Ok(())
}
