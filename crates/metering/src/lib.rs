//! Measures accounts over time.
//!
//! Empty so far: the room is here so that the feature has a place. Its six files are named in `docs/architecture.md`.
