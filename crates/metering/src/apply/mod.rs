//! Carrying a plan out: points, events, who is tried again.

mod accounts;
mod own;
mod thin;
mod wishes;

pub(crate) use accounts::{now, retries, slot};
pub(crate) use own::{followers, posts, server, sources};
pub(crate) use thin::thin;
pub(crate) use wishes::wishes;
