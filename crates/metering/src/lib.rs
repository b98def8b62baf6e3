//! Measures accounts over time: followers, accounts followed, statuses, and what happened to them.
//!
//! | job | what it does |
//! | --- | --- |
//! | `metering.accounts` | measures every account once in each slot |
//! | `metering.retries` | tries again, within the slot, what could not be measured |
//! | `metering.wishes` | looks up accounts that were asked for |
//! | `metering.thinning` | thins old points |
//! | `metering.server` | what a server of ours counts of itself |
//! | `metering.posts` | what the recent statuses of a login's owner brought |
//! | `metering.followers` | who came and who left |
//! | `metering.sources` | adds whom the owners follow, or who lives on their server |
//!
//! Accounts are asked for at their own server, forty in one request where it has that; those of a server of ours with
//! its token. A point is a row, and a row goes on as long as nothing changes. [`chart`], [`report`](mod@report) and
//! [`export`] are pure, and for the pages and the API as well.

pub mod address;
mod apply;
pub mod chart;
mod config;
pub mod export;
mod gather;
mod jobs;
pub mod meter;
mod plan;
pub mod posts;
pub mod report;
mod resolve;
mod track;

pub use config::{Accounts, Config, Followers, Posts, Retries, Server, Sources, Thinning, Wishes};
pub use jobs::jobs;
pub use plan::length;
pub use resolve::{Refusal, Resolved, resolve};
pub use track::{NOW, Tracked, add, import_rows, measure_now, wish};
