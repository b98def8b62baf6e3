//! Mastodon's API: our own server's with a token, and other people's servers, of any software, without one.

pub mod remote;

mod client;
mod error;
mod page;
mod permit;

pub use client::{Client, Known, Refresh};
pub use error::Error;
pub use page::{Cursor, Page};
pub use permit::Permit;
