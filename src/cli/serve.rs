//! `liveloom serve`

use std::io::{self, Write};
use std::net::SocketAddr;

use chrono::TimeDelta;

use super::source::Source;
use super::token;
use crate::app::Application;
use crate::config::Config;
use crate::telemetry::logging;

/// Options of `liveloom serve`.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Args {
    #[command(flatten)]
    source: Source,
}

/// The user whose token is shown in embedded mode, to try the API with.
const DEMO_USER: &str = "demo";

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When the configuration or a store cannot be used, or an address is taken.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let loaded = args.source.load_with_warnings()?;
    let config = loaded.config.clone();
    let _guard = logging::init(&config.log)?;
    let is_embedded = args.source.config.is_none();
    actix_web::rt::System::new().block_on(async move {
        let application = Application::build(loaded).await?;
        tracing::info!(addr = %application.addr(), node_id = config.node.node_id, "ready");
        if is_embedded {
            application.register(DEMO_USER).await?;
            welcome(&config, application.addr())?;
        }
        application.run_until_stopped().await
    })
}

/// What a newcomer needs: what to open, a token, a first call.
fn welcome(config: &Config, addr: SocketAddr) -> anyhow::Result<()> {
    let token = token::issue(config, DEMO_USER, TimeDelta::days(7))?;
    let url = format!("http://127.0.0.1:{}", addr.port());
    let text = format!(
        "\nliveloom runs alone: SQLite in {data}, in-process cache, built-in IM.\n\n\
         API reference   {url}/docs\n\
         Health          {url}/readyz\n\
         Server keys     {keys} (access_key, secret_key: for signed /server calls)\n\n\
         A client token for the user `{DEMO_USER}`, good for 7 days:\n{token}\n\n\
         Create a room:\n\
         curl -X POST {url}/client/live/room/instance \\\n  -H 'Authorization: {token}' -d '{{\"title\": \"My first live\"}}'\n",
        data = config.node.data_dir.display(),
        keys = config.node.data_dir.join("keys.yaml").display(),
    );
    // Nobody may be there to read it.
    let _ = writeln!(io::stdout(), "{text}");
    Ok(())
}
