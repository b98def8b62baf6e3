//! Facts: what servers show, what lies in folders, what waits to be told.

pub mod snapshot;
