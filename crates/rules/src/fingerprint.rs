//! What a status says, in two numbers: one for the very same, one for nearly the same.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Field, StatusFacts, document::Document, text};

/// Fewest letters of a text worth comparing: many people write "good morning".
const SHORTEST: usize = 20;
/// Fewest words, or letters of scripts without blanks.
const FEWEST: usize = 4;

/// What a text says, without links, mentions, digits and signs, look-alikes read as what they pass for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The same for the same words.
    pub exact: u64,
    /// Has most of its eight bytes in common for nearly the same words.
    pub near: u64,
}

impl Fingerprint {
    /// How many of eight parts of `near` are the same in texts that say nearly the same.
    pub const NEAR: usize = 5;

    /// Of a status's content; `None` when it says too little.
    pub fn of(status: &StatusFacts) -> Option<Self> {
        let only_content = StatusFacts {
            content: status.content.clone(),
            ..StatusFacts::default()
        };
        let document = Document::of_status(&only_content);
        let text = document.field(Field::Content).next()?;
        Self::of_text(text)
    }

    /// Of a normalised text.
    fn of_text(text: &str) -> Option<Self> {
        let tokens = tokens(text);
        let letters: usize = tokens.iter().map(|token| token.chars().count()).sum();
        let unspaced = tokens
            .iter()
            .filter(|token| token.starts_with(text::is_unspaced))
            .count();
        if tokens.len() < FEWEST || (letters < SHORTEST && unspaced < SHORTEST / 2) {
            return None;
        }
        let mut exact = hash(b"");
        for token in &tokens {
            exact = mix(exact, hash(token.as_bytes()));
        }
        // The smallest of all pairs of words, in eight different orders of size: two texts have as many of them in common
        // as they have of their pairs.
        let pairs: Vec<u64> = tokens
            .windows(2)
            .map(|pair| mix(hash(pair[0].as_bytes()), hash(pair[1].as_bytes())))
            .collect();
        let near = (0..8_u64).fold(0, |near, order| {
            let least = pairs.iter().map(|pair| mix(order, *pair)).min().unwrap_or(0);
            near << 8 | least & 0xFF
        });
        Some(Self { exact, near })
    }

    /// Whether two texts say nearly the same: about two thirds of it and more, word by word.
    pub fn is_near(&self, other: &Self) -> bool {
        let (a, b) = (self.near.to_be_bytes(), other.near.to_be_bytes());
        a.iter().zip(b).filter(|(a, b)| *a == b).count() >= Self::NEAR
    }

    /// Keys for an index: two texts that are near have at least one in common.
    pub fn bands(&self) -> [u64; 4] {
        std::array::from_fn(|band| (band as u64) << 16 | (self.near >> (band * 16) & 0xFFFF))
    }
}

/// Words without links, mentions, digits and signs, read as what they pass for; letters of scripts without blanks one by
/// one.
pub(crate) fn tokens(text: &str) -> Vec<Cow<'_, str>> {
    let mut tokens = Vec::new();
    for chunk in text.split([' ', '\n']) {
        if chunk.starts_with('@') || chunk.contains("://") {
            continue;
        }
        for word in chunk
            .split(|c: char| !text::is_letter(c))
            .filter(|word| !word.is_empty())
        {
            if word.is_ascii() {
                tokens.push(Cow::Borrowed(word));
            } else if word.chars().any(text::is_unspaced) {
                tokens.extend(
                    word.char_indices()
                        .map(|(at, c)| Cow::Borrowed(&word[at..at + c.len_utf8()])),
                );
            } else {
                tokens.push(text::fold_word(word).map_or(Cow::Borrowed(word), Cow::Owned));
            }
        }
    }
    tokens
}

/// FNV-1a with a last stir: the same on every machine and in every version, since it is kept.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let sum = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    });
    stir(sum)
}

/// Two numbers as one; their order counts.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    stir(a.rotate_left(23).wrapping_add(b))
}

fn stir(mut value: u64) -> u64 {
    value ^= value >> 33;
    value = value.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    value ^= value >> 33;
    value = value.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    value ^ value >> 33
}
