//! What a run did.

use std::collections::BTreeMap;

/// What a run did: counters by name (`resolved`, `arrived`, `failed`), in the words of the feature's page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    counters: BTreeMap<&'static str, i64>,
}

impl Summary {
    /// Adds to a counter.
    pub fn add(&mut self, counter: &'static str, count: impl TryInto<i64>) {
        *self.counters.entry(counter).or_default() += count.try_into().unwrap_or(i64::MAX);
    }

    /// One counter.
    pub fn get(&self, counter: &str) -> i64 {
        self.counters.get(counter).copied().unwrap_or(0)
    }

    /// All counters, by name.
    pub fn counters(&self) -> BTreeMap<String, i64> {
        self.counters
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    }
}
