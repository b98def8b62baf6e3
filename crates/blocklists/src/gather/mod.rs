//! Facts: what lists say, what a server has.

mod affected;
mod fetch;
mod fires;
mod lists;
mod server;

pub use affected::{Affected, affected};
pub use lists::{Library, Shelf, approve, refresh};
pub use server::{Counts, Gathered, blocks, guard, is_of_suspensions, plan};
