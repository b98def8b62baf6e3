//! Fetches the posts of accounts that federation never delivered. Its wants go to `store::wanted`, which
//! `replies.wanted` drains.
//!
//! Empty so far: the room is here so that the feature has a place. Its six files are named in `docs/architecture.md`.
