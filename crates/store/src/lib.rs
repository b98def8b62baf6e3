//! The door to SQL: one set of queries over two engines.
//!
//! Plain functions over `&Db`, one file per table family. A transaction begins and ends inside one function.

#[macro_use]
mod db;
mod dialect;
mod error;
mod fold;
mod migrate;
mod moving;
mod newest;
mod size;
mod text;
mod url;
mod vacuum;

pub mod api_tokens;
pub mod applicants;
pub mod archive;
pub mod backfills;
pub mod block_entries;
pub mod block_plans;
pub mod block_sources;
pub mod cases;
pub mod clock;
pub mod cursors;
pub mod deliveries;
pub mod effects;
pub mod exemptions;
pub mod findings;
pub mod heard;
pub mod hosts;
pub mod job_runs;
pub mod job_states;
pub mod lama;
pub mod leases;
mod list;
pub mod lock;
pub mod measures;
pub mod metered_accounts;
pub mod metered_events;
pub mod metered_followers;
pub mod metered_hosts;
pub mod metered_points;
pub mod metered_statuses;
pub mod metered_wishes;
pub mod modes;
pub mod notices;
pub mod oauth_apps;
pub mod queues;
pub mod reply_counts;
pub mod reversals;
pub mod rule_hits;
pub mod rulesets;
pub mod run_logs;
pub mod seen;
pub mod seen_media;
pub mod servers;
pub mod sessions;
pub mod shunned;
pub mod sign_ins;
pub mod threads;
pub mod visits;
pub mod walks;
pub mod wanted;
pub mod webhook_events;
pub mod wrote_to;

#[cfg(feature = "testing")]
pub mod testing;

pub use db::{Config, Db};
pub use error::Error;
pub use fold::keep_folded;
pub use migrate::{Migrations, migrate, migrations};
pub use moving::move_all;
pub use newest::Before;
pub use size::size;
pub use url::state_folder;
pub use vacuum::vacuum;
