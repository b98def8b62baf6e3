//! The ledger over a real database.

mod effects;
