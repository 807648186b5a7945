//! `liveloom admin create`

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Context;

use super::database;
use super::source::Source;
use crate::auth::Passwords;
use crate::user::{Admins, NewAdmin};
use common::text::check_new_user_id;

/// `liveloom admin …`
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Create an administrator who can log in at the console. The password is asked for, or taken from
    /// LIVELOOM_ADMIN_PASSWORD or the first line of standard input.
    Create(Create),
}

/// Options of `liveloom admin create`.
#[derive(clap::Args, Debug)]
pub struct Create {
    #[command(flatten)]
    source: Source,
    /// Name to log in with.
    #[arg(long)]
    name: String,
    /// Id in tokens and logs; the name when left out.
    #[arg(long)]
    user_id: Option<String>,
    /// What they are.
    #[arg(long, default_value = "")]
    description: String,
}

/// Runs an `admin` command.
///
/// # Errors
/// When the administrator exists, the password is bad, or the database cannot be used.
pub fn run(command: Command) -> anyhow::Result<()> {
    let Command::Create(create) = command;
    let config = create.source.load()?;
    let user_id = create.user_id.unwrap_or_else(|| create.name.clone());
    check_new_user_id(&user_id).map_err(|reason| anyhow::anyhow!("--user-id {reason}"))?;
    let new =
        NewAdmin { user_id, user_name: create.name, password: password()?, description: create.description };
    let name = new.user_name.clone();
    super::block_on(async {
        let (db, clock) = database::open(&config).await?;
        Admins::new(db.clone(), Passwords::default(), clock).create(new).await?;
        println!("administrator `{name}` created");
        db.close().await;
        Ok(())
    })
}

/// The password from `LIVELOOM_ADMIN_PASSWORD`, else the first line of standard input: on the
/// command line it would show in the list of processes.
fn password() -> anyhow::Result<String> {
    if let Some(password) = std::env::var("LIVELOOM_ADMIN_PASSWORD").ok().filter(|text| !text.is_empty()) {
        return Ok(password);
    }
    if io::stdin().is_terminal() {
        eprint!("Password (shown while you type): ");
        io::stderr().flush()?;
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("no password on standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(
        !password.is_empty(),
        "no password came: put it into LIVELOOM_ADMIN_PASSWORD, or write it to standard input"
    );
    Ok(password.to_owned())
}
