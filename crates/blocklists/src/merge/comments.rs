//! Several lists' comments as one, the same however often it is done.

use std::borrow::Cow;

/// Characters of a merged comment.
pub const LONGEST_COMMENT: usize = 1000;

/// Merges comments. One alone stays as it is; several are cut at commas and semicolons, and each part is kept once.
pub fn comment<'a>(comments: impl Iterator<Item = &'a str>) -> Cow<'a, str> {
    let mut distinct: Vec<&'a str> = Vec::new();
    for comment in comments.map(str::trim).filter(|comment| !comment.is_empty()) {
        if !distinct.contains(&comment) {
            distinct.push(comment);
        }
    }
    match distinct[..] {
        [] => Cow::Borrowed(""),
        [one] => cut(one),
        _ => {
            let mut parts: Vec<&str> = Vec::new();
            for part in distinct.iter().flat_map(|text| text.split([',', ';'])).map(str::trim) {
                if !part.is_empty() && !parts.iter().any(|known| known.eq_ignore_ascii_case(part)) {
                    parts.push(part);
                }
            }
            Cow::Owned(cut(&parts.join(", ")).into_owned())
        }
    }
}

/// Not longer than a comment may be, and cut between characters.
fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_COMMENT) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Borrowed(text[..end].trim_end_matches([',', ' '])),
    }
}
