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
use store::{Db, cases::Case, rule_hits::Hit};

use crate::book;

/// What would be sent for a case, for people to look at: the report as it stands now, with the rules by their names.
///
/// # Errors
/// When the store cannot be read.
pub async fn would_send(db: &Db, case: &Case, hits: &[Hit], pages: &str) -> Result<Value, store::Error> {
    let report = file::report(case, hits, &book::names(db).await?, pages);
    Ok(serde_json::to_value(report).unwrap_or_default())
}
