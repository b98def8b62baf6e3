//! Ledger and leases over a real database.

mod effects;
mod lease;
