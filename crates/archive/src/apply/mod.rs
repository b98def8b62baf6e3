//! Carries out what is planned, a page at a time, and remembers.

mod audit;
mod context;
mod keep;
mod links;
mod lists;
mod media;
mod recheck;
mod verify;
mod walk;

pub(crate) use audit::audit;
pub(crate) use context::context;
pub(crate) use lists::lists;
pub(crate) use media::media;
pub(crate) use recheck::{polls, recheck};
pub use verify::{Verified, verify};
pub(crate) use walk::{Kind, walk};
