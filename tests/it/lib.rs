//! What strangers may send to everything that reads, for the fuzzers and for the test that replays what they found.
//! Stories of the whole daemon live in `main.rs`.

pub mod hostile;
