//! The binary: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    leanlake::cmd::main(std::env::args_os())
}
