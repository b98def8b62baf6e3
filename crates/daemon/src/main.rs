//! The program `egret`: everything is in the library, so that tests and tools can run it in their own process.

fn main() -> std::process::ExitCode {
    daemon::run(std::env::args_os())
}
