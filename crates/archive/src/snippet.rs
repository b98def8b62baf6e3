//! The piece of a text that shows why it was found.

use serde::Serialize;
use store::archive::search::Term;

use crate::words::words;

/// Letters around the first hit.
const AROUND: usize = 70;

/// A piece of a text; `hit` is what was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether it is to be shown as found.
    pub hit: bool,
}

/// The part of a text around the first hit, with all hits in it marked; its beginning when nothing in it was looked
/// for.
pub fn snippet(text: &str, terms: &[Term]) -> Vec<Piece> {
    let tokens = tokens(text);
    let hit = |word: &str| {
        let found = words(word);
        terms.iter().filter(|term| !term.not).any(|term| {
            term.words.iter().enumerate().any(|(n, wanted)| {
                let open = term.prefix && n + 1 == term.words.len();
                found.iter().any(|w| w == wanted || (open && w.starts_with(wanted)))
            })
        })
    };
    let mut hits: Vec<bool> = tokens.iter().map(|token| token.is_word && hit(token.text)).collect();
    // Letters of unspaced scripts stand alone here and in pairs in the index.
    for n in 1..tokens.len() {
        if tokens[n - 1].is_unspaced && tokens[n].is_unspaced && hit_pair(tokens[n - 1].text, tokens[n].text, terms) {
            (hits[n - 1], hits[n]) = (true, true);
        }
    }
    let first = hits.iter().position(|hit| *hit).unwrap_or(0);
    let mut begin = first;
    let mut letters = 0;
    while begin > 0 && letters + tokens[begin - 1].text.chars().count() <= AROUND {
        begin -= 1;
        letters += tokens[begin].text.chars().count();
    }
    let mut pieces: Vec<Piece> = Vec::new();
    if begin > 0 {
        push(&mut pieces, "… ", false);
    }
    let mut letters = 0;
    for (token, hit) in tokens.iter().zip(&hits).skip(begin) {
        letters += token.text.chars().count();
        if letters > AROUND * 3 {
            // A word may be as long as a book.
            let short: String = token.text.chars().take(AROUND).collect();
            if pieces.is_empty() {
                push(&mut pieces, &short, *hit);
            }
            push(&mut pieces, " …", false);
            break;
        }
        push(&mut pieces, token.text, *hit);
    }
    pieces
}

/// Whether two letters in a row are what was looked for.
fn hit_pair(first: &str, second: &str, terms: &[Term]) -> bool {
    let pair = words(&format!("{first}{second}"));
    let wanted = terms.iter().filter(|term| !term.not).flat_map(|term| &term.words);
    pair.first()
        .is_some_and(|pair| wanted.into_iter().any(|word| word == pair))
}

fn push(pieces: &mut Vec<Piece>, text: &str, hit: bool) {
    match pieces.last_mut() {
        Some(last) if last.hit == hit => last.text.push_str(text),
        _ => pieces.push(Piece {
            text: text.to_owned(),
            hit,
        }),
    }
}

struct Token<'t> {
    text: &'t str,
    is_word: bool,
    is_unspaced: bool,
}

/// A text cut between words and what is between them; each letter of an unspaced script stands alone.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut begin = 0;
    let mut kind = 0;
    for (at, c) in text.char_indices() {
        let now = match c {
            c if crate::words::is_unspaced(c) => 3,
            c if c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}') => 1,
            _ => 2,
        };
        if (now != kind || now == 3) && at > begin {
            tokens.push(token(&text[begin..at], kind));
            begin = at;
        }
        kind = now;
    }
    if begin < text.len() {
        tokens.push(token(&text[begin..], kind));
    }
    tokens
}

fn token(text: &str, kind: u8) -> Token<'_> {
    Token {
        text,
        is_word: kind != 2,
        is_unspaced: kind == 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, query: &str) -> String {
        let terms = crate::query::parse(query).unwrap().terms;
        let pieces = snippet(text, &terms);
        pieces
            .iter()
            .map(|p| if p.hit { format!("[{}]", p.text) } else { p.text.clone() })
            .collect()
    }

    /// Check 40: hits are marked.
    #[test]
    fn hits_are_marked_as_they_stand() {
        assert_eq!(shown("Ein Café am See", "cafe"), "Ein [Café] am See");
        assert_eq!(shown("one two three", "\"two three\" -one"), "one [two] [three]");
        assert_eq!(shown("beginning", "begin*"), "[beginning]");
        assert_eq!(shown("これは日本語です", "日本").matches('[').count(), 1);
        let long = format!("{} needle {}", "hay ".repeat(200), "hay ".repeat(200));
        let cut = shown(&long, "needle");
        assert!(cut.starts_with("… ") && cut.contains("[needle]") && cut.ends_with(" …") && cut.len() < 400);
        assert_eq!(shown("", "x"), "");
        assert!(shown(&"x".repeat(100_000), "y").len() < 200);
    }
}
