//! What is told of a drill.

use std::fmt;
use std::time::Duration;

/// One fault and what was seen of it through nginx.
pub struct Line {
    pub fault: String,
    pub lasted: Duration,
    pub requests: usize,
    pub errors: usize,
    /// From its end to the last error; zero without one after it.
    pub recovery: Duration,
}

/// All of them, as a table.
#[derive(Default)]
pub struct Table(pub Vec<Line>);

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headings = ["fault", "lasted", "requests", "errors", "last error after its end"];
        writeln!(
            f,
            "{:<28} {:>9} {:>9} {:>7} {:>25}",
            headings[0], headings[1], headings[2], headings[3], headings[4]
        )?;
        for line in &self.0 {
            let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
            let recovery = if line.recovery.is_zero() { "none".to_owned() } else { seconds(line.recovery) };
            let lasted = seconds(line.lasted);
            writeln!(
                f,
                "{:<28} {lasted:>9} {:>9} {:>7} {recovery:>25}",
                line.fault, line.requests, line.errors
            )?;
        }
        Ok(())
    }
}
