//! Carries plans out, a thread at a time, and remembers.

mod drain;
mod pass;
mod proof;
mod refresh;
mod visit;

pub(crate) use drain::{Batch, wanted};
pub(crate) use pass::{HOLD, Pass, run};
pub(crate) use proof::{View, prove};
pub(crate) use refresh::{Awaited, settle};
pub(crate) use visit::{due_now, visit};
