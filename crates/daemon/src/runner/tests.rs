//! Runs, on a store of their own.
