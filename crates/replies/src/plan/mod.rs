//! Every decision of the feature. No async, no clock, no I/O.

mod visit;
mod wanted;

pub(crate) use visit::{Facts, Visit, next_count, next_visit, visit};
pub(crate) use wanted::{Missing, digest, leaves, loose, missing, retry, together};
