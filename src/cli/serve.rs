//! `liveloom serve`

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::rc::Rc;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;

use super::signals::Signals;
use super::source::{self, Source};
use super::token;
use crate::app::Application;
use crate::user::admin::AdminError;
use crate::user::{Admins, NewAdmin};
use config::{Config, listen_addrs};
use telemetry::logging::Logging;
use telemetry::open_files;
use telemetry::traces::Traces;

/// Options of `liveloom serve`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// Address to listen at, over `httpq.addr`: `:8099` is open to the network. Without a file it is
    /// 127.0.0.1:8099.
    #[arg(long, value_name = "HOST:PORT", value_parser = listen_addr)]
    addr: Option<String>,
}

fn listen_addr(text: &str) -> Result<String, &'static str> {
    match listen_addrs(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("not an address to listen on, such as :8099 or 127.0.0.1:8099"),
    }
}

/// The user whose token is shown in embedded mode, to try the API with.
const DEMO_USER: &str = "demo";

/// The administrator whom the first start of embedded mode makes.
const FIRST_ADMIN: &str = "admin";

/// Where their password is kept, in the data folder.
pub(super) const PASSWORD_FILE: &str = "admin-password";

/// Serves until SIGTERM, which drains, or SIGINT; SIGHUP reads the configuration again.
///
/// # Errors
/// When the configuration or a store cannot be used, or an address is taken.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let source = Source { addr: args.addr.clone(), ..args.source.clone() };
    let loaded = source.load_with_warnings()?;
    let config = loaded.config.clone();
    // Until the very end: what is logged while the server ends is written, too.
    let logging = Rc::new(Logging::start(&config.log)?);
    source::tell_of_weak_secrets(&loaded);
    let followed = Rc::clone(&logging);
    let is_embedded = args.source.config.is_none();
    actix_web::rt::System::new().block_on(async move {
        // From the beginning on: the first process of a container ignores a signal that it does not listen to.
        let mut signals = Signals::listen()?;
        open_files::raise_limit();
        let traces = Traces::begin(&config.traces, config.node.node_id)?;
        let application = tokio::select! {
            built = Application::build(loaded) => built?,
            () = signals.end() => {
                tracing::info!("asked to end before the start was done");
                return Ok(());
            }
        };
        tracing::info!(addr = %application.addr(), node_id = config.node.node_id, "ready");
        if is_embedded {
            application.register(DEMO_USER).await?;
            let password = create_first_admin(&config, application.admins()).await?;
            welcome(&config, application.addr(), password.as_deref())?;
        }
        let stopped = application.run_until_stopped(|control| signals.obey(control, source, followed)).await;
        traces.finish().await;
        stopped
    })
}

/// Where nobody can log in at the console yet, creates an administrator; answers the password. None also
/// where one of that name is there without a password.
async fn create_first_admin(config: &Config, admins: &Admins) -> anyhow::Result<Option<String>> {
    if admins.can_anybody_log_in().await? {
        return Ok(None);
    }
    let password = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 15]>());
    // First, so that nobody is created whose password nobody knows.
    keep_password(config, &password).context("the password of the console cannot be kept")?;
    let new = NewAdmin {
        user_id: FIRST_ADMIN.to_owned(),
        user_name: FIRST_ADMIN.to_owned(),
        password: password.clone(),
        description: "created on the first start".to_owned(),
    };
    match admins.create(new).await {
        Ok(_) => Ok(Some(password)),
        Err(AdminError::AlreadyExists) => {
            fs::remove_file(config.node.data_dir.join(PASSWORD_FILE))?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Keeps the first password where only the owner of the data can read it: it is shown once.
fn keep_password(config: &Config, password: &str) -> io::Result<()> {
    let path = config.node.data_dir.join(PASSWORD_FILE);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{password}")?;
    file.sync_all()
}

/// Who can reach the server, and how that is changed.
fn openness(addr: SocketAddr) -> String {
    let port = addr.port();
    if addr.ip().is_loopback() {
        format!("Only this machine can reach it. To open it to the network: serve --addr :{port}")
    } else {
        format!("The network can reach it at port {port}. To close it: serve --addr 127.0.0.1:{port}")
    }
}

/// What a newcomer needs: what to open, how to log in, a token, a first call.
fn welcome(config: &Config, addr: SocketAddr, password: Option<&str>) -> anyhow::Result<()> {
    let token = token::issue(config, DEMO_USER, TimeDelta::days(7))?;
    let url = format!("http://127.0.0.1:{}", addr.port());
    let data = &config.node.data_dir;
    let kept = data.join(PASSWORD_FILE);
    let log_in = match password {
        Some(password) => format!("user {FIRST_ADMIN}, password {password}"),
        None if kept.exists() => format!("the first password of {FIRST_ADMIN} is in {}", kept.display()),
        None => "any administrator".to_owned(),
    };
    let text = format!(
        "\nliveloom runs alone: SQLite in {data}, in-process cache, built-in IM.\n\
         {open}\n\n\
         Demo room       {url}/\n\
         Console         {url}/console   ({log_in})\n\
         API reference   {url}/docs\n\
         Realtime        {realtime}/realtime (messages), /barrage-videos (barrage)\n\
         Health          {url}/readyz\n\
         Server keys     {keys} (access_key, secret_key: for signed /server calls)\n\n\
         A client token for the user `{DEMO_USER}`, good for 7 days:\n{token}\n\n\
         Create a room:\n\
         curl -X POST {url}/client/live/room/instance \\\n  -H 'Authorization: {token}' -d '{{\"title\": \"My first live\"}}'\n",
        data = data.display(),
        open = openness(addr),
        realtime = url.replacen("http", "ws", 1),
        keys = data.join("keys.yaml").display(),
    );
    // Nobody may be there to read it.
    let _ = writeln!(io::stdout(), "{text}");
    Ok(())
}
