//! The dashboard, rendered here, one file per page.

pub(crate) mod effects;
pub(crate) mod jobs;
pub(crate) mod overview;
pub(crate) mod replies;
