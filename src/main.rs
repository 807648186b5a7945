//! The `liveloom` command.

use std::process::ExitCode;

/// Requests are many small allocations on several threads, which the system's allocator serves at
/// twice the cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    liveloom::cli::main()
}
