//! Facts: what lists say, what a server has.

mod fetch;
mod lists;
mod server;

pub use lists::{Library, Shelf, approve, refresh};
pub use server::{Counts, Gathered, blocks, guard, is_of_suspensions, plan};
