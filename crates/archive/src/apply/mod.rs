//! Carries out what is planned, a page at a time, and remembers.

mod audit;
mod context;
mod forget;
mod gaps;
mod keep;
mod links;
mod lists;
mod media;
mod recheck;
mod stumbles;
mod verify;
mod walk;

pub(crate) use audit::audit;
pub use audit::{Checked, checked};
pub(crate) use context::context;
pub use forget::{Forgotten, forget};
pub use gaps::Gap;
pub(crate) use lists::lists;
pub(crate) use media::media;
pub(crate) use recheck::{polls, recheck};
pub use verify::{Verified, verify};
pub(crate) use walk::{Kind, walk};
