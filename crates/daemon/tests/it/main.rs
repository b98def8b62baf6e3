//! The program itself: processes, signals, exit codes, and what it says.

mod archive;
mod bad_input;
mod blocks;
mod callbacks;
mod commands;
mod dashboards;
mod doctor;
mod house;
mod init;
mod lifecycle;
mod meter;
mod metrics;
mod moving;
mod office;
mod outage;
mod registrations;
mod replicas;
mod rules;
mod tokens;
mod wire;
