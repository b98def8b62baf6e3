//! What fuzzers found or might begin with is read again, whole and damaged, without a fuzzer.

use std::path::Path;

use it::hostile::{TARGETS, run};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// Damaged copies of each seed.
const COPIES: u64 = 150;

#[test]
fn nothing_that_strangers_send_is_too_much() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, _) in TARGETS {
        let mut seeds = 0;
        for seed in std::fs::read_dir(corpus.join(name)).unwrap() {
            let data = std::fs::read(seed.unwrap().path()).unwrap();
            run(name, &data);
            for copy in 0..COPIES {
                run(name, &damaged(&data, copy));
            }
            seeds += 1;
        }
        assert!(seeds > 1, "{name} has no seeds to begin with");
    }
}

/// A copy with some bytes changed, left out, doubled or cut off: always the same for the same number.
fn damaged(data: &[u8], number: u64) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(number);
    let mut data = data.to_vec();
    for _ in 0..random.random_range(1..8) {
        if data.is_empty() {
            break;
        }
        let at = random.random_range(0..data.len());
        let end = (at + random.random_range(1..40)).min(data.len());
        match random.random_range(0..6) {
            0 => data[at] = random.random(),
            1 => drop(data.drain(at..end)),
            2 => {
                let again = data[at..end].to_vec();
                data.splice(at..at, again);
            }
            3 => data.truncate(at),
            4 => {
                let odd = [
                    "\0",
                    "\u{202e}",
                    "\"",
                    "[[[[[[",
                    "<<<&#x",
                    "99999999999999999999",
                    "\u{1F426}",
                    "\n",
                ];
                let odd = odd[random.random_range(0..odd.len())];
                data.splice(at..at, odd.bytes());
            }
            _ => data[at] ^= 1 << random.random_range(0..8),
        }
    }
    data
}
