//! The words that lists use for severities and for yes and no.

use model::Severity;

/// A severity as lists write it, in any case; `limit` is the interface's word for `silence`.
pub fn severity(text: &str) -> Option<Severity> {
    match text {
        "suspend" => return Some(Severity::Suspend),
        "silence" => return Some(Severity::Silence),
        _ => {}
    }
    const WORDS: [(&str, Severity); 9] = [
        ("suspend", Severity::Suspend),
        ("silence", Severity::Silence),
        ("limit", Severity::Silence),
        ("noop", Severity::Noop),
        ("suspended", Severity::Suspend),
        ("block", Severity::Suspend),
        ("silenced", Severity::Silence),
        ("limited", Severity::Silence),
        ("none", Severity::Noop),
    ];
    WORDS
        .iter()
        .find(|(word, _)| text.eq_ignore_ascii_case(word))
        .map(|(_, severity)| *severity)
}

/// As Mastodon's API spells it.
pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Noop => "noop",
        Severity::Silence => "silence",
        Severity::Suspend => "suspend",
    }
}

/// Yes or no as lists write it; `Some(None)` for an empty cell, which says neither.
pub fn boolean(text: &str) -> Option<Option<bool>> {
    const YES: [&str; 5] = ["true", "t", "1", "y", "yes"];
    const NO: [&str; 5] = ["false", "f", "0", "n", "no"];
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match text {
        "" => Some(None),
        "false" => Some(Some(false)),
        "true" => Some(Some(true)),
        _ if is(&NO) => Some(Some(false)),
        _ if is(&YES) => Some(Some(true)),
        _ => None,
    }
}
