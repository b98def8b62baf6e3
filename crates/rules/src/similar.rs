//! Texts that are nearly the same, by how many of their shingles they share.

use std::collections::BTreeSet;

use crate::fingerprint::{hash, mix, tokens};

/// Three neighbouring words each, as hashes.
pub(crate) fn shingles(text: &str) -> BTreeSet<u64> {
    let hashes: Vec<u64> = tokens(text).iter().map(|token| hash(token.as_bytes())).collect();
    hashes
        .windows(3)
        .map(|three| mix(mix(three[0], three[1]), three[2]))
        .collect()
}
