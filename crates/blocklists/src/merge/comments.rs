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
        return Cow::Borrowed(cut(first));
    };
    let mut distinct: Vec<&'a str> = vec![first, other];
    for comment in comments {
        if !distinct.contains(&comment) {
            distinct.push(comment);
        }
    }
    let mut parts: Vec<&str> = Vec::new();
    // Each cut first: what a stranger writes may be megabytes of commas, and every part is compared with all others.
    let texts = distinct.into_iter().map(cut);
    for part in texts.flat_map(|text| text.split([',', ';'])).map(str::trim) {
        if !part.is_empty() && !parts.iter().any(|known| known.eq_ignore_ascii_case(part)) {
            parts.push(part);
        }
    }
    Cow::Owned(cut(&parts.join(", ")).to_owned())
}

/// Not longer than a comment may be, and cut between characters.
fn cut(text: &str) -> &str {
    if text.len() <= LONGEST_COMMENT {
        return text;
    }
    match text.char_indices().nth(LONGEST_COMMENT) {
        None => text,
        Some((end, _)) => text[..end].trim_end_matches([',', ' ']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every part is compared with all others: megabytes of them would take days.
    #[test]
    fn a_comment_without_end_is_cut_before_it_is_taken_apart() {
        let endless: String = (0..300_000).map(|n| format!("{n},")).collect();
        let merged = comment([endless.as_str(), "spam"].into_iter());
        assert!(merged.chars().count() <= LONGEST_COMMENT, "{}", merged.len());
        assert!(merged.starts_with("0, 1, 2"), "{merged}");
        assert_eq!(comment(["spam, hate", "Hate; other"].into_iter()), "spam, hate, other");
    }
}
