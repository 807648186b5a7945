//! Embedded mode: a server without a configuration file.

use std::path::Path;

use super::document::{Entry, Node, Value};
use super::load::{Loaded, document, finish, listen_at, merge, process_environment};
use super::problem::{EMBEDDED, Origin};
use super::substitute::Environment;
use super::{Config, GiftConfig, Problem, Problems, keys, listen_addrs};

/// What differs from the built-in defaults.
const DEFAULTS: &str = include_str!("embedded.yaml");

impl Config {
    /// The configuration of a server that runs alone, open to this machine only: SQLite and generated keys in
    /// `data_dir` (created when absent), in-process cache, built-in IM, streams on a media server of this machine,
    /// gifts paid by the stand-in payment service.
    /// The keys are made on the first start and kept in `keys.yaml` there. `LIVELOOM__SECTION__KEY`
    /// of `env` win over all of it; `LIVELOOM__NODE__DATA_DIR` moves the folder itself.
    ///
    /// # Errors
    /// The folder cannot be written, its keys cannot be read, or a variable is wrong.
    pub fn embedded(data_dir: &Path, env: &Environment) -> Result<Loaded, Problems> {
        let data_dir = env.get("LIVELOOM__NODE__DATA_DIR").map_or(data_dir, Path::new);
        let origin = |path: &Path| Origin::whole_file(&path.display().to_string().into(), 0);
        let kept = keys::load_or_create(data_dir).map_err(|failure| {
            let text = format!("cannot keep the generated keys here: {}", failure.reason);
            Problems::new(vec![Problem::new(origin(&failure.path), "", text)])
        })?;
        let mut problems = Vec::new();
        let mut root = document(DEFAULTS, &EMBEDDED.into(), 0, &Environment::new(), &mut problems);
        merge(&mut root, node_section(data_dir, origin(data_dir)));
        let name = kept.path.display().to_string().into();
        merge(&mut root, document(&kept.text, &name, 1, &Environment::new(), &mut problems));
        let mut loaded = finish(root, env, problems)?;
        pay_here(&mut loaded.config);
        if kept.exposed {
            let text = "can be read by other users of this machine: chmod 600";
            loaded.warnings.push(Problem::new(origin(&kept.path), "", text));
        }
        Ok(loaded)
    }

    /// [`Config::embedded`] with this process's environment, and over it an address to listen at.
    ///
    /// # Errors
    /// As there.
    pub fn embedded_here(data_dir: &Path, addr: Option<&str>) -> Result<Loaded, Problems> {
        let mut env = process_environment();
        listen_at(&mut env, addr);
        Self::embedded(data_dir, &env)
    }
}

/// Gifts are paid by the server's own stand-in, unless a payment service is named.
fn pay_here(config: &mut Config) {
    let port = listen_addrs(&config.httpq.addr).and_then(|addrs| Some(addrs.first()?.port())).unwrap_or(0);
    if config.gift.gift_addr.is_empty() && port != 0 {
        config.gift.gift_addr = GiftConfig::stand_in_at(port);
    }
}

fn node_section(data_dir: &Path, origin: Origin) -> Node {
    let map = |key: &str, value| {
        let node = Node { value, origin: origin.clone() };
        Value::Map(vec![Entry { key: key.to_owned(), node }])
    };
    let data_dir = Value::Text(data_dir.to_string_lossy().into_owned());
    let value = map("node", map("data_dir", data_dir));
    Node { value, origin }
}
