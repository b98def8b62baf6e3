//! The third look, for rules that ask for it: words written with blanks or signs between their letters.

use std::ops::Range;

use super::Mapped;

/// Words put together from their parts.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// Leads back to the text that was read.
    pub(crate) map: Mapped,
    /// Where single letters stood in a row: which of them make a word cannot be seen, so a term fits anywhere in them.
    pub(crate) loose: Vec<Range<usize>>,
}

/// Fewest single letters in a row that are taken for one word.
const FEWEST: usize = 3;

/// Appends to `out` the text `text[range]` with words put together that have signs between their letters (`c.a.s.i.n.o`,
/// `cas-ino`) or blanks (`c a s i n o`). Gives their range, or nothing if there are none.
pub(crate) fn join(text: &str, range: Range<usize>, out: &mut Joined) -> Option<Range<usize>> {
    let begin = out.map.len();
    let (rows, mut changed) = (out.loose.len(), false);
    let mut singles: Vec<Range<usize>> = Vec::new();
    for chunk in chunks(text, range.clone()).chain(std::iter::once(range.end..range.end)) {
        let parts = parts(text, chunk.clone());
        let all_single = !parts.is_empty() && parts.iter().all(|part| text[part.clone()].chars().count() == 1);
        if all_single {
            singles.extend(parts);
            continue;
        }
        // A word beside single letters is none of them.
        if singles.len() >= FEWEST {
            let row = write(text, &singles, &mut out.map, begin);
            out.loose.push(row);
            changed = true;
        } else {
            for single in &singles {
                write(text, std::slice::from_ref(single), &mut out.map, begin);
            }
        }
        singles.clear();
        changed |= parts.len() > 1;
        if !parts.is_empty() {
            write(text, &parts, &mut out.map, begin);
        }
    }
    if !changed {
        out.map.truncate(begin);
        out.loose.truncate(rows);
        return None;
    }
    Some(begin..out.map.len())
}

/// What stands between blanks.
fn chunks(text: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    text[range].split(' ').map(move |chunk| {
        let begin = at;
        at += chunk.len() + 1;
        begin..begin + chunk.len()
    })
}

/// What stands between signs.
fn parts(text: &str, chunk: Range<usize>) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for (at, c) in text[chunk.clone()].char_indices() {
        let at = chunk.start + at;
        if c.is_alphanumeric() {
            match parts.last_mut().filter(|_| open) {
                Some(last) => last.end = at + c.len_utf8(),
                None => parts.push(at..at + c.len_utf8()),
            }
        }
        open = c.is_alphanumeric();
    }
    parts
}

fn write(text: &str, parts: &[Range<usize>], out: &mut Mapped, begin: usize) -> Range<usize> {
    if out.len() > begin {
        out.push(" ", parts[0].start..parts[0].start);
    }
    let word = out.len();
    for part in parts {
        out.push_verbatim(&text[part.clone()], part.start);
    }
    word..out.len()
}
