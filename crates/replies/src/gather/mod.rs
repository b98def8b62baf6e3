//! Facts: what we ask our server, the origins and the store.

mod candidates;
mod counts;
mod heard;
mod joined;
mod known;
mod origin;

pub(crate) use candidates::{Candidate, Found, bookmarks, favourites, home, lists};
pub(crate) use counts::counts;
pub(crate) use heard::heard;
pub(crate) use job::origins::{Trouble, listing, software};
pub(crate) use joined::joined;
pub(crate) use known::{Known, known, pause, refreshed, wait};
