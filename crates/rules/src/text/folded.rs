//! The second look: words in which letters pass for others, read as what they pass for.
//!
//! Only words that look made up are folded, so that honest words of other scripts stay what they are: a word that mixes
//! Latin letters with look-alikes, one that consists of nothing but exact look-alikes, one with digits or signs in place
//! of letters. A hit in this reading must touch such a word.

use std::ops::Range;

use super::{Mapped, letters};

/// A text read the second way.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// Leads back to the plain text.
    pub(crate) map: Mapped,
    /// Where words were changed, in order.
    pub(crate) changed: Vec<Range<usize>>,
}

/// How a word can be folded.
#[derive(Default)]
struct Word {
    latin: usize,
    wide: usize,
    /// Of those, letters with a Latin reading.
    foldable: usize,
    /// Of those, letters that are the same to look at, or of no script people write words in.
    exact: usize,
    /// Of those, letters of no script people write words in.
    styled: usize,
    leet: usize,
    /// It holds a letter that is only a Latin one among Latin ones.
    other: bool,
    /// `1`, `!` and `|` are `i` or `l`.
    either: usize,
}

/// Shortest word of another script that is taken for a Latin one.
const SHORTEST: usize = 4;
/// Shortest word in which digits are taken for letters.
const SHORTEST_LEET: usize = 3;

/// A word of letters read as what it passes for, if it passes for something.
pub(crate) fn fold_word(word: &str) -> Option<String> {
    Word::of(word)
        .folds()
        .filter(|(letters, _)| *letters)
        .map(|_| fold_all(word))
}

/// A word with each letter read as what it passes for, whatever it looks like: what a mixed word is read as.
pub(crate) fn fold_all(word: &str) -> String {
    word.chars().map(|c| letters::lookalike(c).unwrap_or(c)).collect()
}

/// Appends the second reading of `plain[range]` to `out`; gives its range, or nothing if it is no other.
pub(crate) fn fold(plain: &str, range: Range<usize>, out: &mut Folded) -> Option<Range<usize>> {
    let begin = out.map.len();
    let changed = out.changed.len();
    let mut either: Vec<Range<usize>> = Vec::new();
    let mut at = range.start;
    let mut copied = range.start;
    while at < range.end {
        let rest = &plain[at..range.end];
        let word = at..at + rest.find(|c| !is_wordy(c)).unwrap_or(rest.len());
        if let Some(word) = trimmed(plain, word.clone()) {
            let kind = Word::of(&plain[word.clone()]);
            if let Some((letters, leet)) = kind.folds() {
                out.map.push_verbatim(&plain[copied..word.start], copied);
                write(plain, word.clone(), letters, leet, 'i', out);
                copied = word.end;
                if leet && kind.either > 0 {
                    either.push(word);
                }
            }
        }
        at = word.end;
        at += plain[at..range.end].chars().next().map_or(0, char::len_utf8);
    }
    if out.changed.len() == changed {
        out.map.truncate(begin);
        return None;
    }
    out.map.push_verbatim(&plain[copied..range.end], copied);
    // The other reading stands behind, as words of their own.
    for word in either {
        out.map.push(" ", word.start..word.start);
        write(plain, word, true, true, 'l', out);
    }
    Some(begin..out.map.len())
}

/// What may be part of a made-up word: signs beyond ASCII among them, but for punctuation.
fn is_wordy(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || letters::leet(c).is_some()
    } else {
        !matches!(u32::from(c), 0x00AB | 0x00B7 | 0x00BB | 0x2010..=0x2027 | 0x2030..=0x205E | 0x3000..=0x303F)
    }
}

/// The word without the signs around it: `@` of a name, `!` of a call.
fn trimmed(plain: &str, word: Range<usize>) -> Option<Range<usize>> {
    let text = &plain[word.clone()];
    let end = text.trim_end_matches(['!', '+', '|', '@']).len();
    let start = text[..end].len() - text[..end].trim_start_matches(['!', '+', '|', '@']).len();
    (start < end).then_some(word.start + start..word.start + end)
}

impl Word {
    fn of(word: &str) -> Self {
        let mut kind = Self::default();
        // Looked for once: a word may be as long as a text.
        let mut has_latin = None;
        for c in word.chars() {
            if c.is_ascii_alphabetic() {
                kind.latin += 1;
            } else if c.is_ascii() {
                kind.leet += 1;
                kind.either += usize::from(matches!(c, '1' | '!' | '|'));
            } else {
                kind.wide += 1;
                if kind.latin == 0 && letters::is_of_another_script(c) && !letters::is_same_to_look_at(c) {
                    // An honest word of its script, unless there are Latin letters in it.
                    kind.other = true;
                    if !*has_latin.get_or_insert_with(|| word.bytes().any(|byte| byte.is_ascii_alphabetic())) {
                        return kind;
                    }
                }
                if letters::lookalike(c).is_some() {
                    kind.foldable += 1;
                    kind.styled += usize::from(!letters::is_of_another_script(c));
                    kind.exact += usize::from(!letters::is_of_another_script(c) || letters::is_same_to_look_at(c));
                }
            }
        }
        kind
    }

    /// Whether letters and whether digits are folded; nothing when neither.
    fn folds(&self) -> Option<(bool, bool)> {
        if self.other && self.latin == 0 {
            return None;
        }
        let all = self.latin + self.wide + self.leet;
        let letters = self.foldable > 0
            && (self.latin > 0 || self.styled == self.wide || (self.exact == self.wide && all >= SHORTEST));
        let read = self.latin + if letters { self.foldable } else { 0 };
        let leet = self.leet > 0 && read * 3 >= self.leet && all >= SHORTEST_LEET && (self.latin > 0 || letters);
        (letters || leet).then_some((letters, leet))
    }
}

fn write(plain: &str, word: Range<usize>, fold_letters: bool, leet: bool, either: char, out: &mut Folded) {
    let begin = out.map.len();
    for (at, c) in plain[word.clone()].char_indices() {
        let source = word.start + at..word.start + at + c.len_utf8();
        let read = match c {
            '1' | '!' | '|' if leet => Some(either),
            _ if c.is_ascii() => letters::leet(c).filter(|_| leet),
            _ => letters::lookalike(c).filter(|_| fold_letters),
        };
        out.map.push_char(read.unwrap_or(c), source);
    }
    out.changed.push(begin..out.map.len());
}
