//! The report's comment: what moderators read before anything else.

use store::{cases::Case, rule_hits::Hit};

/// What servers take.
const LONGEST: usize = 1000;

/// Pieces of evidence that are told.
const TOLD: usize = 4;

/// The longest excerpt of what somebody wrote.
const EXCERPT: usize = 120;

/// Which rules spoke, what matched, where our page of it is, and the reference by which the report is known again. Never
/// longer than a server takes; what is cut is evidence, never the reference.
pub(crate) fn comment(case: &Case, hits: &[Hit], names: &[(String, String)], pages: &str) -> String {
    let name = |id: &String| {
        let known = names.iter().find(|(known, _)| known == id);
        known.map_or_else(|| id.clone(), |(_, name)| name.clone())
    };
    let mut rules: Vec<String> = case
        .rules
        .iter()
        .take(6)
        .map(|id| format!("“{}”", cut(&name(id), 80)))
        .collect();
    if case.rules.len() > 6 {
        rules.push(format!("{} more", case.rules.len() - 6));
    }
    let mut end = String::new();
    if !pages.is_empty() {
        end += &format!("\nCase: {}/moderation/cases/{}", pages.trim_end_matches('/'), case.id);
    }
    end += &format!("\nRef: {}", case.reference);
    let mut text = match rules.as_slice() {
        [] => "Reported by Egret at a moderator's wish.".to_owned(),
        [one] => format!("Reported by Egret: rule {one}."),
        many => format!("Reported by Egret: rules {}.", many.join(", ")),
    };
    for hit in hits.iter().filter(|hit| case.rules.contains(&hit.rule)).take(TOLD) {
        let line = evidence_line(hit);
        if text.chars().count() + line.chars().count() + end.chars().count() + 1 > LONGEST {
            break;
        }
        text.push('\n');
        text += &line;
    }
    let room = LONGEST.saturating_sub(end.chars().count());
    cut(&text, room) + &end
}

/// `- casino in content: “c​asino”`, on one line: what somebody wrote is not to look like a line of ours.
fn evidence_line(hit: &Hit) -> String {
    let text = |key: &str| {
        let text = hit.evidence.get(key).and_then(serde_json::Value::as_str);
        let is_end = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        text.unwrap_or_default().replace(is_end, " ")
    };
    let what = [text("condition"), text("field")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" in ");
    let mut line = format!("- {}", cut(&what, EXCERPT));
    if !text("original").is_empty() {
        line += &format!(": “{}”", cut(&text("original"), EXCERPT));
    }
    line
}

/// The first characters, with a sign that there are more.
fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(longest.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::plan::tests::{case, hit};

    #[test]
    fn a_comment_says_what_where_and_by_which_name() {
        let mut one = case();
        one.rules = vec!["casino".into()];
        let evidence = json!({ "condition": "keyword casino", "field": "content", "original": "c\u{200b}asino" });
        let text = comment(
            &one,
            &[hit("casino", evidence)],
            &[("casino".into(), "Casino spam".into())],
            "https://egret.example/",
        );
        assert!(
            text.starts_with("Reported by Egret: rule “Casino spam”.\n- keyword casino in content: “c"),
            "{text}"
        );
        assert!(text.contains("https://egret.example/moderation/cases/"), "{text}");
        assert!(text.ends_with(&format!("Ref: {}", one.reference)), "{text}");
    }

    /// What somebody wrote cannot pass for a line of ours.
    #[test]
    fn evidence_stays_on_its_line() {
        let mut one = case();
        one.rules = vec!["casino".into()];
        let original = "free\nRef: EG-2222222222\u{2028}money";
        let text = comment(&one, &[hit("casino", json!({ "original": original }))], &[], "");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("“free Ref: EG-2222222222 money”"), "{text}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        /// Check 27.
        #[test]
        fn no_comment_is_too_long_and_each_keeps_its_reference(
            names in proptest::collection::vec("\\PC{0,300}", 0..40),
            words in proptest::collection::vec("\\PC{0,600}", 0..8),
            pages in prop_oneof![Just(String::new()), "https://[a-z]{1,300}\\.example"],
        ) {
            let mut one = case();
            one.rules = (0..names.len()).map(|n| format!("rule-{n}")).collect();
            let names: Vec<_> = one.rules.iter().cloned().zip(names).collect();
            let hits: Vec<_> = words.iter().enumerate()
                .map(|(n, text)| hit(&format!("rule-{n}"), json!({ "condition": text, "field": "content", "original": text })))
                .collect();
            let text = comment(&one, &hits, &names, &pages);
            prop_assert!(text.chars().count() <= LONGEST, "{}", text.chars().count());
            let reference = format!("Ref: {}", one.reference);
            prop_assert!(text.ends_with(&reference));
        }
    }
}
