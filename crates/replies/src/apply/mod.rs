//! Carries plans out, a thread at a time, and remembers.

mod drain;
mod pass;
mod visit;

pub(crate) use drain::{Batch, wanted};
pub(crate) use pass::{Pass, run};
pub(crate) use visit::visit;
