//! `liveloom check-config`

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use config::{Config, Problem, Sources};

/// Options of `liveloom check-config`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Configuration file.
    #[arg(short = 'f', long, value_name = "FILE")]
    config: PathBuf,
    /// Second configuration file, merged over the first.
    #[arg(short = 'e', long, value_name = "FILE")]
    extra: Option<PathBuf>,
    /// Print the configuration as the server would run with it, secrets masked.
    #[arg(long)]
    show: bool,
}

/// Reads the files and the environment as `serve` would. Mistakes and warnings go to standard error,
/// a line each; without mistakes `ok` goes to standard output.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let loaded = match Config::load(&Sources::new(&args.config, args.extra.clone())) {
        Ok(loaded) => loaded,
        Err(problems) => {
            print(io::stderr(), &problems);
            warn(problems.warnings());
            return ExitCode::FAILURE;
        }
    };
    warn(&loaded.warnings);
    if args.show {
        print(io::stdout(), &loaded.config.to_string().trim_end());
    } else {
        print(io::stdout(), &"ok");
    }
    ExitCode::SUCCESS
}

fn warn(warnings: &[Problem]) {
    for warning in warnings {
        print(io::stderr(), &format_args!("warning: {warning}"));
    }
}

/// Writes a line; a reader that has gone is no failure of the check.
fn print(mut to: impl Write, line: &dyn Display) {
    let _ = writeln!(to, "{line}");
}
