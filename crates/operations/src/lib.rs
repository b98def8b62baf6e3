//! Looks after the server and after us: backups, the operator's commands, and telling people what happened.
//!
//! | job | runs | does |
//! | --- | --- | --- |
//! | `operations.snapshot` | per server | keeps what moderators decided, and what we wrote there, as a file |
//! | `operations.pg_dump` | once | drives the real `pg_dump`, and checks what came out |
//! | `operations.command.NAME` | once | runs a command of the operator |
//! | `operations.freshness` | once | says when the newest good backup is too old |
//! | `operations.notify` | once | hands notices to people where they are |
//! | `operations.digest` | once | a week in one message |

pub mod apply;
pub mod config;
pub mod gather;
mod jobs;
pub mod plan;
pub mod process;

pub use apply::safeguard::Safeguard;
pub use config::Config;
pub use jobs::{SNAPSHOT, jobs};
