//! What changed between two versions of a text, word by word.

/// A run of words, and whether both versions have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// In both.
    Same(String),
    /// Only in the earlier one.
    Gone(String),
    /// Only in the later one.
    New(String),
}

/// Pairs of words that are compared at most: beyond, what is between the common beginning and end counts as written
/// anew. Enough for two texts of 2,000 words that have nothing in common at either end.
const MOST: usize = 4_000_000;

/// What changed from one text to the other: put together, `Same` and `Gone` are the first, `Same` and `New` the second.
pub fn changes(before: &str, after: &str) -> Vec<Change> {
    let (old, new) = (words(before), words(after));
    let begin = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let end = old[begin..]
        .iter()
        .rev()
        .zip(new[begin..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let mut out = Runs::default();
    out.add(Kind::Same, &old[..begin]);
    between(&old[begin..old.len() - end], &new[begin..new.len() - end], &mut out);
    out.add(Kind::Same, &old[old.len() - end..]);
    out.0
}

#[derive(Clone, Copy)]
enum Kind {
    Same,
    Gone,
    New,
}

/// Changes in order, neighbours of one kind put together.
#[derive(Default)]
struct Runs(Vec<Change>);

impl Runs {
    fn add(&mut self, kind: Kind, words: &[&str]) {
        for word in words {
            match (kind, self.0.last_mut()) {
                (Kind::Same, Some(Change::Same(text)))
                | (Kind::Gone, Some(Change::Gone(text)))
                | (Kind::New, Some(Change::New(text))) => text.push_str(word),
                (Kind::Same, _) => self.0.push(Change::Same((*word).to_owned())),
                (Kind::Gone, _) => self.0.push(Change::Gone((*word).to_owned())),
                (Kind::New, _) => self.0.push(Change::New((*word).to_owned())),
            }
        }
    }
}

/// The longest words in common, by the table that every textbook has.
fn between(old: &[&str], new: &[&str], out: &mut Runs) {
    if old.len().saturating_mul(new.len()) > MOST {
        out.add(Kind::Gone, old);
        out.add(Kind::New, new);
        return;
    }
    let width = new.len() + 1;
    let mut common = vec![0_u16; (old.len() + 1) * width];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            common[a * width + b] = if old[a] == new[b] {
                common[(a + 1) * width + b + 1].saturating_add(1)
            } else {
                common[(a + 1) * width + b].max(common[a * width + b + 1])
            };
        }
    }
    let (mut a, mut b) = (0, 0);
    while a < old.len() && b < new.len() {
        if old[a] == new[b] {
            out.add(Kind::Same, &old[a..=a]);
            (a, b) = (a + 1, b + 1);
        } else if common[(a + 1) * width + b] >= common[a * width + b + 1] {
            out.add(Kind::Gone, &old[a..=a]);
            a += 1;
        } else {
            out.add(Kind::New, &new[b..=b]);
            b += 1;
        }
    }
    out.add(Kind::Gone, &old[a..]);
    out.add(Kind::New, &new[b..]);
}

/// Words, blanks, and each other sign by itself; so is a letter of a script without blanks.
fn words(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_whitespace() => 1,
        c if crate::words::is_unspaced(c) => 0,
        c if c.is_alphanumeric() => 2,
        _ => 0,
    };
    let mut out = Vec::new();
    let mut from = 0;
    let mut before = None;
    for (at, c) in text.char_indices() {
        let kind = kind(c);
        if at > 0 && (kind == 0 || before != Some(kind)) {
            out.push(&text[from..at]);
            from = at;
        }
        before = Some(kind);
    }
    if from < text.len() {
        out.push(&text[from..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `-gone-` and `+new+` in the text.
    fn told(before: &str, after: &str) -> String {
        let changes = changes(before, after);
        let side = |later: bool| -> String {
            let mut out = String::new();
            for change in &changes {
                match change {
                    Change::Same(text) => out.push_str(text),
                    Change::Gone(text) if !later => out.push_str(text),
                    Change::New(text) if later => out.push_str(text),
                    _ => {}
                }
            }
            out
        };
        assert_eq!((side(false).as_str(), side(true).as_str()), (before, after));
        let tell = |change: &Change| match change {
            Change::Same(text) => text.clone(),
            Change::Gone(text) => format!("-{text}-"),
            Change::New(text) => format!("+{text}+"),
        };
        changes.iter().map(tell).collect()
    }

    #[test]
    fn words_are_told_apart() {
        for (before, after, expected) in [
            ("", "", ""),
            ("", "new", "+new+"),
            ("a heron flies", "a heron flies", "a heron flies"),
            (
                "a heron flies",
                "two herons fly",
                "-a-+two+ -heron-+herons+ -flies-+fly+",
            ),
            ("one two three", "one three", "one -two -three"),
            ("see you, all", "see you all!", "see you-,- all+!+"),
            (
                "\u{4eca}\u{65e5}\u{306f}\u{96e8}",
                "\u{4eca}\u{65e5}\u{306f}\u{6674}",
                "\u{4eca}\u{65e5}\u{306f}-\u{96e8}-+\u{6674}+",
            ),
        ] {
            assert_eq!(told(before, after), expected);
        }
    }

    #[test]
    fn endless_texts_end() {
        let (a, b) = ("a ".repeat(100_000), "b ".repeat(100_000));
        assert_eq!(changes(&a, &b).len(), 3, "the last blank is in both");
        told(&"x y ".repeat(500), &"y z ".repeat(500));
    }
}
