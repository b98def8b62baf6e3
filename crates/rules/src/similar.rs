//! Texts that are nearly the same, by how many of their shingles they share.

use crate::fingerprint::{hash, mix, tokens};

/// Three neighbouring words each, as hashes, each once.
pub(crate) fn shingles(text: &str) -> Vec<u64> {
    let hashes: Vec<u64> = tokens(text).iter().map(|token| hash(token.as_bytes())).collect();
    let mut all: Vec<u64> = hashes
        .windows(3)
        .map(|three| mix(mix(three[0], three[1]), three[2]))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
