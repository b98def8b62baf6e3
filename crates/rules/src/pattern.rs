//! Patterns that people write: checked when read, made ready when first needed, and linear in time whatever the text.

use regex::{Regex, RegexBuilder};
use regex_syntax::{
    ParserBuilder,
    hir::{Hir, HirKind},
};

/// The most that a pattern may take when it is made ready, in bytes. What it can cost a text grows with it.
const SIZE: usize = 256 << 10;
/// How deep groups may stand in each other.
const DEEPEST: u32 = 50;

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatternError {
    pub(crate) message: String,
    /// From 1.
    pub(crate) column: Option<usize>,
    pub(crate) next: String,
}

/// Whether a pattern can be used.
pub(crate) fn check(pattern: &str) -> Result<(), PatternError> {
    let hir = parse(pattern, true).map_err(|error| said(&error))?;
    if hir.properties().minimum_len() == Some(0) {
        return Err(PatternError {
            message: "it matches an empty text, so it would match everybody".to_owned(),
            column: None,
            next: "ask for one letter at least, `+` in place of `*`".to_owned(),
        });
    }
    // Making it ready takes a while; small ones need no proof.
    if cost(&hir) > 2_000 && build(pattern, false).is_none() {
        return Err(PatternError {
            message: format!("it takes more than {} KiB when made ready", SIZE >> 10),
            column: None,
            next: "take smaller numbers in {…}, or list words in `keywords`".to_owned(),
        });
    }
    Ok(())
}

/// Signs and blanks as they stand between words. Of the classes that say it better, `\W` and `\w`, a few make a pattern
/// larger than it may be.
const SIGNS: &str = r"\x00-/:-@\[-\^`\{-\x7F\u{AB}\u{B7}\u{BB}\u{2010}-\u{205E}\u{3000}-\u{303F}";

/// A pattern for words that stand one after the other with up to `gap` others between two of them.
pub(crate) fn of_phrase(words: &[String], gap: u32) -> String {
    let escaped: Vec<String> = words.iter().map(|word| regex_syntax::escape(word)).collect();
    // Only letters have a border to stand at.
    let border = |c: Option<char>| {
        if c.is_some_and(char::is_alphanumeric) {
            r"\b"
        } else {
            ""
        }
    };
    let first = border(words.first().and_then(|word| word.chars().next()));
    let last = border(words.last().and_then(|word| word.chars().next_back()));
    let between = format!("[{SIGNS}]+(?:[^{SIGNS}]+[{SIGNS}]+){{0,{gap}}}?");
    format!("{first}{}{last}", escaped.join(&between))
}

/// Makes a pattern ready; `None` when it is no good, which [`check`] told before.
pub(crate) fn build(pattern: &str, cased: bool) -> Option<Regex> {
    RegexBuilder::new(pattern)
        .case_insensitive(!cased)
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .nest_limit(DEEPEST)
        .build()
        .ok()
}

/// The pattern's structure, case as written.
pub(crate) fn structure(pattern: &str) -> Option<Hir> {
    parse(pattern, false).ok()
}

#[expect(clippy::result_large_err, reason = "read once, where it arises")]
fn parse(pattern: &str, folds: bool) -> Result<Hir, regex_syntax::Error> {
    ParserBuilder::new()
        .nest_limit(DEEPEST)
        .case_insensitive(folds)
        .build()
        .parse(pattern)
}

fn said(error: &regex_syntax::Error) -> PatternError {
    let (message, column) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span().start.column)),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span().start.column)),
        other => (other.to_string(), None),
    };
    let next = if message.contains("look-around") {
        "say with `all` and `not` what must or must not stand there"
    } else if message.contains("backreference") {
        "write out what may be repeated"
    } else {
        "mend the pattern there"
    };
    PatternError {
        message,
        column,
        next: next.to_owned(),
    }
}

/// About how many steps a pattern unrolls to.
fn cost(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        // Letters beyond ASCII are several bytes, and some steps each.
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => {
            class.ranges().len() as u64 * 2 + if class.is_ascii() { 0 } else { 16 }
        }
        HirKind::Class(_) => 1,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1);
            cost(&repetition.sub).saturating_mul(times.into())
        }
        HirKind::Capture(capture) => cost(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(0, |sum, part| sum.saturating_add(cost(part)))
        }
    }
}
