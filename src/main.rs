//! The `liveloom` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    liveloom::cli::main()
}
