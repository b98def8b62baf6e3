//! Stories of the whole daemon live in `main.rs`; a member crate needs a target of its own.
