//! Reads the config, wires the rooms together, schedules. The program `egret` and, for tests and tools, the same in
//! somebody else's process.

pub mod args;
pub mod callbacks;
mod clock;
pub mod commands;
pub mod config;
pub mod daemon;
pub mod doors;
mod gauges;
pub mod lifecycle;
mod listeners;
pub mod logins;
pub mod out;
pub mod registry;
mod run_lines;
pub mod runner;
pub mod scheduler;
mod systemd;
pub mod telemetry;
mod tidy;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser as _;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0.
    Done,
    /// 1.
    Failed,
    /// 3: some of it.
    Part,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::from(0),
            Exit::Failed => Self::from(1),
            Exit::Part => Self::from(3),
        }
    }
}

/// The program: does what the arguments say. Bad usage is 2.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    #[cfg(debug_assertions)]
    clock::be_wrong_as_told();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let args = match args::Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(error) => {
            let code = error.exit_code();
            // Help and the version are no errors; and who asks for JSON gets it even when the rest is not understood.
            if code != 0 && arguments.iter().any(|argument| argument == "--json") {
                out::usage(&error);
            } else {
                let _ = error.print();
            }
            return ExitCode::from(u8::try_from(code).unwrap_or(2));
        }
    };
    // Two threads: the work is waiting for others, and each thread costs memory.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(commands::run(&args));
            // A thread that waits for the terminal must not keep the process.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            out::error(&error, args.json);
            Exit::Failed.into()
        }
    }
}
