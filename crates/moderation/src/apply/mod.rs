//! Judges, opens cases, files reports, and remembers.

mod act;
mod backtests;
mod cases;
mod circles;
mod counts;
mod file;
mod inbox;
mod judge;
mod learn;
mod media;
mod pass;
mod stream;
mod tidy;
mod walk;

pub(crate) use backtests::backtests;
pub(crate) use cases::cases;
pub(crate) use inbox::inbox;
pub(crate) use media::media;
pub(crate) use pass::{House, Pass, US};
pub(crate) use stream::stream;
pub(crate) use tidy::tidy;
pub(crate) use walk::accounts;

use serde_json::Value;
use store::cases::Case;

/// What would be sent for a case, for pages: the report as it stands now.
pub fn would_send(case: &Case, hits: &[store::rule_hits::Hit], names: &[(String, String)], pages: &str) -> Value {
    serde_json::to_value(file::report(case, hits, names, pages)).unwrap_or_default()
}
