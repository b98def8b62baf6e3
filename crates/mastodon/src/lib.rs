//! Mastodon's API: our own server's with a token, and other people's servers, of any software, without one.

pub mod oauth;
pub mod remote;

mod answer;
mod api;
mod call;
mod client;
mod error;
mod page;
mod permit;
mod raw;
mod refresh;
pub mod streaming;

pub use api::{
    Action, AdminDomainBlock, AdminList, AdminReport, Counted, Creation, DomainBlockFields, NewReport, Notification,
    Number, Shelf, Ties, scopes::permission_behind,
};
pub use client::{Client, Known};
pub use error::Error;
pub use page::{Cursor, Links, Page, links};
pub use permit::Permit;
pub use raw::{field as raw_field, items as raw_items};
pub use refresh::Refresh;
