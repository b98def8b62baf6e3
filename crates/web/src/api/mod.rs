//! The JSON beside the pages: the same data, one file per noun.

pub(crate) mod job_runs;
pub(crate) mod jobs;
