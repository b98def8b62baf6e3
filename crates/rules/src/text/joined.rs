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

/// Appends to `out`, as words of their own, what `text[range]` spells with signs between its letters: `c a s i n o`,
/// `c.a.s.i.n.o`, `cas-ino`. Gives their range, or nothing if there are none.
pub(crate) fn join(text: &str, range: Range<usize>, out: &mut Joined) -> Option<Range<usize>> {
    let begin = out.map.len();
    let mut singles: Vec<Range<usize>> = Vec::new();
    let flush = |singles: &mut Vec<Range<usize>>, out: &mut Joined| {
        if singles.len() >= FEWEST {
            let word = write(text, singles, &mut out.map, begin);
            out.loose.push(word);
        }
        singles.clear();
    };
    for chunk in chunks(text, range) {
        let parts: Vec<Range<usize>> = parts(text, chunk.clone());
        let all_single = parts.iter().all(|part| text[part.clone()].chars().count() == 1);
        if all_single {
            singles.extend(parts);
        } else {
            // A word beside the letters is none of them.
            flush(&mut singles, out);
            if parts.len() > 1 {
                write(text, &parts, &mut out.map, begin);
            }
        }
    }
    flush(&mut singles, out);
    (out.map.len() > begin).then(|| begin..out.map.len())
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
