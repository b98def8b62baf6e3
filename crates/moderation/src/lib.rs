//! Watches statuses and accounts and files explained reports. Every report is an effect.
//!
//! Empty so far: the room is here so that the feature has a place. Its six files are named in `docs/architecture.md`.
