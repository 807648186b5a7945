//! SQL statements, counted on the database server.
//!
//! `Questions` counts every statement that a client sends, executions of prepared ones included, and leaves
//! out preparing, closing and pings. BEGIN, COMMIT and ROLLBACK (`Com_begin`, `Com_commit`, `Com_rollback`)
//! are taken off. [`SqlProbe::prove`] checks these rules on the running server before anything is counted.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{Connection as _, Executor as _, Row as _};

const STATUS: &str = "SHOW GLOBAL STATUS WHERE Variable_name = 'Questions' OR Variable_name LIKE 'Com\\_%'";
const TRANSACTION: [&str; 3] = ["begin", "commit", "rollback"];
/// Steps of the prepared-statement protocol: the statement itself is counted under its own kind.
const PROTOCOL: [&str; 6] =
    ["stmt_prepare", "stmt_execute", "stmt_close", "stmt_reset", "stmt_fetch", "stmt_reprepare"];
/// How often to prove the rules: a connection that closes just then moves its own counts.
const ATTEMPTS: u32 = 5;
/// What one reading of the counters adds to the next one.
const OWN: u64 = 1;

/// A connection of its own to read the counters over.
#[derive(Debug)]
pub struct SqlProbe {
    /// The connection.
    pub connection: MySqlConnection,
}

/// A reading, or the difference of two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlCount {
    questions: u64,
    kinds: BTreeMap<String, u64>,
}

impl SqlProbe {
    /// Connects.
    pub async fn connect(options: &MySqlConnectOptions) -> Result<Self> {
        Ok(Self { connection: MySqlConnection::connect_with(options).await? })
    }

    /// Reads the counters.
    pub async fn read(&mut self) -> Result<SqlCount> {
        let mut count = SqlCount::default();
        for row in self.connection.fetch_all(sqlx::raw_sql(STATUS)).await? {
            let name: String = row.try_get(0)?;
            let value: u64 = row.try_get::<String, _>(1)?.parse().unwrap_or_default();
            match name.strip_prefix("Com_").map(|kind| if kind == "admin_commands" { "ping" } else { kind }) {
                Some(kind) if value > 0 => {
                    count.kinds.insert(kind.to_owned(), value);
                }
                Some(_) => {}
                None => count.questions = value,
            }
        }
        Ok(count)
    }

    /// Executes three prepared statements in a transaction and a rolled-back one, and wants to count three.
    pub async fn prove(&mut self, options: &MySqlConnectOptions) -> Result<()> {
        let mut other = MySqlConnection::connect_with(options).await?;
        let mut counted = 0;
        for _ in 0..ATTEMPTS {
            let before = self.read().await?;
            three_statements(&mut other).await?;
            counted = self.read().await?.since(&before).statements();
            if counted == 3 {
                return Ok(other.close().await?);
            }
        }
        bail!("three prepared statements count as {counted} on this database: the counts would be wrong")
    }
}

async fn three_statements(connection: &mut MySqlConnection) -> Result<()> {
    let mut transaction = connection.begin().await?;
    for number in 0..3_i32 {
        sqlx::query("SELECT ? + 1").bind(number).fetch_one(&mut *transaction).await?;
    }
    transaction.commit().await?;
    connection.begin().await?.rollback().await?;
    connection.ping().await?;
    Ok(())
}

impl SqlCount {
    /// What was counted between `earlier` and this reading of the same probe, without the reading itself.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut kinds = BTreeMap::new();
        for (kind, value) in &self.kinds {
            let own = if kind == "show_status" { OWN } else { 0 };
            let delta = value.saturating_sub(earlier.kinds.get(kind).copied().unwrap_or_default() + own);
            if delta > 0 {
                kinds.insert(kind.clone(), delta);
            }
        }
        Self { questions: self.questions.saturating_sub(earlier.questions + OWN), kinds }
    }

    /// Statements without BEGIN, COMMIT and ROLLBACK.
    pub fn statements(&self) -> u64 {
        let transaction: u64 = TRANSACTION.iter().filter_map(|kind| self.kinds.get(*kind)).sum();
        self.questions.saturating_sub(transaction)
    }

    /// Statements by kind (`select`, `insert`, …), transaction control and pings included: these cost a round
    /// trip each, though they are no statements.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, u64)> {
        let kinds = self.kinds.iter().map(|(kind, value)| (kind.as_str(), *value));
        kinds.filter(|(kind, _)| !PROTOCOL.contains(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::SqlCount;

    fn count(questions: u64, kinds: &[(&str, u64)]) -> SqlCount {
        SqlCount {
            questions,
            kinds: kinds.iter().map(|(kind, value)| ((*kind).to_owned(), *value)).collect(),
        }
    }

    #[test]
    fn leaves_out_transactions_and_its_own_reading() {
        let before = count(100, &[("select", 50), ("show_status", 1)]);
        let after = count(
            109,
            &[("select", 54), ("begin", 2), ("commit", 2), ("show_status", 2), ("stmt_execute", 4)],
        );
        let delta = after.since(&before);
        assert_eq!(delta.statements(), 4);
        assert_eq!(delta.kinds().collect::<Vec<_>>(), [("begin", 2), ("commit", 2), ("select", 4)]);
    }
}
