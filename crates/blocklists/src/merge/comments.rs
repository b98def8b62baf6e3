//! Several lists' comments as one, the same however often it is done.

use std::borrow::Cow;

use crate::list::trimmed;

/// Characters of a merged comment.
pub const LONGEST_COMMENT: usize = 1000;

/// Merges comments. One alone stays as it is; several are cut at commas and semicolons, and each part is kept once.
pub fn comment<'a>(comments: impl Iterator<Item = &'a str>) -> Cow<'a, str> {
    let mut comments = comments.map(trimmed).filter(|comment| !comment.is_empty());
    let Some(first) = comments.next() else {
        return Cow::Borrowed("");
    };
    // Nearly always all lists say the same, or one says something.
    let Some(other) = comments.find(|comment| *comment != first) else {
        return cut(first);
    };
    let mut distinct: Vec<&'a str> = vec![first, other];
    for comment in comments {
        if !distinct.contains(&comment) {
            distinct.push(comment);
        }
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in distinct.iter().flat_map(|text| text.split([',', ';'])).map(str::trim) {
        if !part.is_empty() && !parts.iter().any(|known| known.eq_ignore_ascii_case(part)) {
            parts.push(part);
        }
    }
    Cow::Owned(cut(&parts.join(", ")).into_owned())
}

/// Not longer than a comment may be, and cut between characters.
fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_COMMENT {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(LONGEST_COMMENT) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Borrowed(text[..end].trim_end_matches([',', ' '])),
    }
}
