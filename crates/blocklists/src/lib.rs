//! Syncs shared blocklists. Every block is an effect.
//!
//! Empty so far: the room is here so that the feature has a place. Its six files are named in `docs/architecture.md`.
