//! A quick hash for domains. What is hashed comes from strangers, so it has a secret, drawn anew for each merge.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes [`Quick`] hashers that share a secret.
#[derive(Clone)]
pub(super) struct Secret(u64, u64);

impl Secret {
    pub(super) fn draw() -> Self {
        let random = RandomState::new();
        Self(random.hash_one(0_u8), random.hash_one(1_u8) | 1)
    }
}

impl BuildHasher for Secret {
    type Hasher = Quick;

    fn build_hasher(&self) -> Quick {
        Quick {
            state: self.0,
            secret: self.1,
        }
    }
}

/// Eight bytes at a time, each mixed in by a multiplication whose upper half is folded onto the lower one.
pub(super) struct Quick {
    state: u64,
    secret: u64,
}

impl Quick {
    fn mix(&mut self, word: u64) {
        let wide = u128::from(self.state ^ word) * u128::from(self.secret ^ 0x9e37_79b9_7f4a_7c15);
        let (low, high) = (wide as u64, (wide >> 64) as u64);
        self.state = (low ^ high).wrapping_add(self.secret);
    }
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.mix(u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
        }
        let rest = chunks.remainder();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(last));
        self.mix(bytes.len() as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_isize(&mut self, _which: isize) {
        // Which variant of a key: their bytes differ anyway.
    }

    fn write_u8(&mut self, _byte: u8) {
        // What strings end with; their length is in already.
    }

    fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn like_names_spread() {
        let secret = Secret::draw();
        let names: Vec<String> = (0..20_000).map(|n| format!("server{n}.social")).collect();
        let whole: HashSet<u64> = names.iter().map(|name| secret.hash_one(name.as_str())).collect();
        assert_eq!(whole.len(), names.len());
        // Tables go by the lowest bits.
        let low: HashSet<u64> = whole.iter().map(|hash| hash & 0xffff).collect();
        assert!(low.len() > 15_000, "{}", low.len());
        assert_ne!(Secret::draw().hash_one("a.social"), secret.hash_one("a.social"));
    }
}
