//! The jobs against servers that count.

mod accounts;
mod house;
mod own;
mod tracking;
mod trouble;
