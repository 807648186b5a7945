//! nginx before the nodes, with the configuration of `deploy/compose`.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use crate::daemon::Daemon;
use crate::mariadb::program;
use crate::probe::Probe;
use crate::repository::Draft;
use crate::spawner::tethered;

/// An nginx at `addr` before `nodes`, not running yet.
pub(crate) fn nginx(folder: &Path, addr: SocketAddr, nodes: &[SocketAddr]) -> Result<Daemon> {
    let own = folder.join("nginx");
    fs::create_dir_all(&own)?;
    let file = own.join("nginx.conf");
    fs::write(&file, configuration(&own, addr, nodes)?)?;
    let mut command = tethered(program("nginx"));
    command.arg("-e").arg("stderr").arg("-p").arg(&own).arg("-c").arg(&file);
    Ok(Daemon::new("nginx", command, folder.join("nginx.log"), Probe::Tcp(addr)))
}

fn configuration(own: &Path, addr: SocketAddr, nodes: &[SocketAddr]) -> Result<String> {
    let servers: String =
        nodes.iter().map(|node| format!("        server {node} max_fails=1 fail_timeout=2s;\n")).collect();
    // Debian's nginx knows no `resolve`, and none is needed for addresses.
    let servers = if nodes.is_empty() { "        server 127.0.0.1:1 down;".to_owned() } else { servers };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("    {kind}_temp_path {}/{kind};\n", own.display()))
        .collect();
    let mut draft = Draft::of("deploy/compose/nginx.conf")?;
    // One process, which keeps the user that it was started by and leaves no workers behind.
    draft
        .replace_lines("worker_processes ", "daemon off;\nmaster_process off;")?
        .replace_lines("pid ", &format!("pid {}/nginx.pid;", own.display()))?
        .replace("http {\n", &format!("http {{\n{temporary}"))?
        .replace_lines("resolver ", "")?
        .replace_lines("server live", servers.trim_end())?
        .replace("listen 80;", &format!("listen {addr};"))?;
    Ok(draft.text().to_owned())
}
