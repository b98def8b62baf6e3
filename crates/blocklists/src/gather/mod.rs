//! Facts: what lists say, what a server has.

mod affected;
mod fetch;
mod fires;
mod keep_away;
mod library;
mod lists;
mod server;

pub use affected::{Affected, affected};
pub(crate) use keep_away::keep_away;
pub use library::{Library, Shelf};
pub use lists::{approve, refresh};
pub use server::{Counts, Gathered, blocks, guard, is_of_suspensions, plan};
