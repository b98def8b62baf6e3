//! Words with mistakes in them.

use std::ops::Range;

/// Longest word that is compared, in letters: what is longer is no word.
const LONGEST: usize = 80;

/// The word that a part stands in.
pub(crate) fn word_around(text: &str, segment: Range<usize>, part: &Range<usize>) -> Range<usize> {
    let before = &text[segment.start..part.start];
    let after = &text[part.end..segment.end];
    let is_border = |c: char| !c.is_alphanumeric();
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| !is_border(*c))
        .last()
        .map_or(part.start, |(at, _)| segment.start + at);
    let end = after
        .char_indices()
        .take_while(|(_, c)| !is_border(*c))
        .last()
        .map_or(part.end, |(at, c)| part.end + at + c.len_utf8());
    start..end
}

/// Whether two words differ in `most` letters at most: one changed, missing, too many, or two neighbours swapped.
pub(crate) fn is_within(wanted: &str, word: &str, most: usize) -> bool {
    if wanted == word {
        return true;
    }
    if word.len() > LONGEST * 4 {
        return false;
    }
    let a: Vec<char> = wanted.chars().take(LONGEST + 1).collect();
    let b: Vec<char> = word.chars().take(LONGEST + 1).collect();
    if a.len() > LONGEST || b.len() > LONGEST || a.len().abs_diff(b.len()) > most {
        return false;
    }
    let width = b.len() + 1;
    let mut before_last = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    let mut row = vec![0; width];
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..width {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        if row.iter().all(|distance| *distance > most) {
            return false;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[width - 1] <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_counted() {
        for (word, within) in [
            ("casino", true),
            ("cassino", true),
            ("caino", true),
            ("caisno", true),
            ("cazino", true),
            ("cazzino", false),
            ("case", false),
        ] {
            assert_eq!(is_within("casino", word, 1), within, "{word}");
        }
    }
}
