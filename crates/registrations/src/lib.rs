//! Decides who may come in: sign-ups that wait for approval are judged by rules, and each decision can be explained.

mod address;
mod facts;
mod names;
mod rule;
mod ruleset;
mod verdict;

pub use address::{Address, AddressError};
pub use facts::Facts;
pub use names::{Closeness, Fit, Name, NameError, Names};
pub use rule::Rule;
pub use ruleset::{Lists, Ruleset};
pub use verdict::{Judgement, Verdict};
