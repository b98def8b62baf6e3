//! Rules, and texts that are judged by what came out of them.

use chrono::{DateTime, Utc};
use rules::{NoCounters, Ruleset, Sets, Source, Subject};
use serde_json::json;

/// Parts a file of rules from the text it judges.
const THEN: &str = "\n~~~\n";

pub(super) fn read(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (file, content) = text.split_once(THEN).unwrap_or((text, text));
    let source = Source::new("fuzz.toml", file);
    let compiled = Ruleset::compile(&[source], &Sets::default());
    let ruleset = compiled.unwrap_or_else(|problems| {
        assert!(!problems.is_empty(), "refused without a word");
        Ruleset::empty()
    });
    let status = json!({
        "id": "1", "content": content, "spoiler_text": content, "visibility": "public",
        "account": { "id": "7", "acct": "eve@spam.example", "display_name": content, "note": content },
    });
    let subject = Subject::from_status(&status).expect("this is a status");
    let verdict = ruleset.judge(&subject, &NoCounters, DateTime::<Utc>::UNIX_EPOCH);
    for evidence in verdict.contributions.iter().flat_map(|it| &it.evidence) {
        if evidence.field.is_some() && !evidence.original.is_empty() {
            assert!(
                content.contains(&evidence.original),
                "{:?} was never written",
                evidence.original
            );
        }
    }
}
