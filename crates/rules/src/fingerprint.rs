//! What a status says, in two numbers: one for the very same, one for nearly the same.

use serde::{Deserialize, Serialize};

use crate::{Field, StatusFacts, document::Document, document::View};

/// Fewest letters of a text worth comparing: many people write "good morning".
const SHORTEST: usize = 20;
/// Fewest words, or letters of scripts without blanks.
const FEWEST: usize = 4;

/// What a text says, without links, mentions, digits and signs, look-alikes read as what they pass for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The same for the same words.
    pub exact: u64,
    /// Differs in few bits for nearly the same words.
    pub near: u64,
}

impl Fingerprint {
    /// Most bits that two texts may differ in to be nearly the same.
    pub const NEAR: u32 = 6;

    /// Of a status's content; `None` when it says too little.
    pub fn of(status: &StatusFacts) -> Option<Self> {
        let only_content = StatusFacts {
            content: status.content.clone(),
            ..StatusFacts::default()
        };
        let mut document = Document::of_status(&only_content);
        document.read_again(false);
        let view = if document.text(View::Folded).is_empty() {
            View::Plain
        } else {
            View::Folded
        };
        let segment = document.segments(view).iter().find(|segment| {
            document
                .source(segment.source)
                .is_some_and(|source| source.field == Field::Content)
        })?;
        Self::of_text(&document.text(view)[segment.start..segment.end])
    }

    /// Of a normalised text.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let tokens = tokens(text);
        let letters: usize = tokens.iter().map(|token| token.chars().count()).sum();
        let unspaced = tokens
            .iter()
            .filter(|token| token.starts_with(crate::text::is_unspaced))
            .count();
        if tokens.len() < FEWEST || (letters < SHORTEST && unspaced < SHORTEST / 2) {
            return None;
        }
        let mut exact = hash(b"");
        for token in &tokens {
            exact = mix(exact, hash(token.as_bytes()));
        }
        let mut sums = [0_i32; 64];
        let mut count = |value: u64| {
            for (bit, sum) in sums.iter_mut().enumerate() {
                *sum += if value >> bit & 1 == 1 { 1 } else { -1 };
            }
        };
        for token in &tokens {
            count(hash(token.as_bytes()));
        }
        for pair in tokens.windows(2) {
            count(mix(hash(pair[0].as_bytes()), hash(pair[1].as_bytes())));
        }
        let near = sums
            .iter()
            .enumerate()
            .filter(|(_, sum)| **sum > 0)
            .fold(0, |all, (bit, _)| all | 1 << bit);
        Some(Self { exact, near })
    }

    /// Whether two texts say nearly the same.
    pub fn is_near(&self, other: &Self) -> bool {
        (self.near ^ other.near).count_ones() <= Self::NEAR
    }

    /// Keys of which two texts that differ in fewer bits than there are keys share one, for an index: eight keys, so
    /// nothing within [`Fingerprint::NEAR`] is missed.
    pub fn bands(&self) -> [u64; 8] {
        std::array::from_fn(|band| (band as u64) << 8 | (self.near >> (band * 8) & 0xFF))
    }
}

/// Words without links, mentions, digits and signs; letters of scripts without blanks one by one.
pub(crate) fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for chunk in text.split([' ', '\n']) {
        if chunk.starts_with('@') || chunk.contains("://") {
            continue;
        }
        for word in chunk
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty())
        {
            if word.chars().any(crate::text::is_unspaced) {
                tokens.extend(word.char_indices().map(|(at, c)| &word[at..at + c.len_utf8()]));
            } else {
                tokens.push(word);
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
