//! From files and environment to a [`Config`].

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::check::check;
use super::document::{Node, Value};
use super::parse::{Source, parse};
use super::problem::{Origin, Problem, Problems};
use super::report::Report;
use super::section::Section;
use super::substitute::{Environment, substitute};
use super::{Config, environment};

/// Spellings of the reference's documents, and what they are called here.
const ALIASES: [(&str, &str); 3] =
    [("cache_config", "cache"), ("prome_config", "prome"), ("cron_config", "cron")];

/// Where a configuration comes from; later ones win.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The YAML file.
    pub file: PathBuf,
    /// A second file, merged over it.
    pub overlay: Option<PathBuf>,
    /// Fills `${NAME}` in the files; its `LIVELOOM__SECTION__KEY` win over them.
    pub env: Environment,
}

impl Sources {
    /// The files, and this process's environment.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>, overlay: Option<PathBuf>) -> Self {
        Self { file: file.into(), overlay, env: process_environment() }
    }

    /// With `addr` to listen at, whatever the files and the environment say.
    #[must_use]
    pub fn listening_at(mut self, addr: Option<&str>) -> Self {
        listen_at(&mut self.env, addr);
        self
    }
}

/// Puts an address to listen at, which somebody typed, over that of the environment.
pub(super) fn listen_at(env: &mut Environment, addr: Option<&str>) {
    if let Some(addr) = addr {
        env.insert(format!("{}HTTPQ__ADDR", environment::PREFIX), addr.to_owned());
    }
}

/// This process's environment, without the variables that are not UTF-8.
#[must_use]
pub(super) fn process_environment() -> Environment {
    let texts =
        std::env::vars_os().map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.flatten().collect()
}

/// A valid configuration, and what the operator should be told about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Things that are allowed but probably not meant; to be printed.
    pub warnings: Vec<Problem>,
}

/// Made in code, where nothing was written that a warning could be about.
impl From<Config> for Loaded {
    fn from(config: Config) -> Self {
        Self { config, warnings: Vec::new() }
    }
}

impl Config {
    /// Reads the files of `sources`, and the environment over them.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
        let Sources { file, overlay, env } = sources;
        let mut problems = Vec::new();
        let mut root = read_file(file, 0, env, &mut problems);
        let overlay = overlay.as_ref().map(|overlay| read_file(overlay, 1, env, &mut problems));
        // What an unusable file would have said cannot be missed in it.
        let is_broken = |node: &Node| matches!(node.value, Value::Broken);
        if is_broken(&root) || overlay.as_ref().is_some_and(is_broken) {
            return Err(Problems::new(problems));
        }
        if let Some(overlay) = overlay {
            merge(&mut root, overlay);
        }
        finish(root, env, problems)
    }

    /// Every key that a file may hold, dotted; those of a list's items as `mysql.databases[].host`.
    #[must_use]
    pub fn known_keys() -> BTreeSet<String> {
        let variables =
            Environment::from([(format!("{}MYSQL__DATABASES", environment::PREFIX), "[{}]".to_owned())]);
        let root = environment::document(&variables, &mut Vec::new());
        let report = Report::new(&root, Vec::new());
        Section::read_root(&report, Self::read);
        report.finish().2
    }
}

/// Merges the environment's variables over `root` and reads the result.
pub(super) fn finish(
    mut root: Node,
    env: &Environment,
    mut problems: Vec<Problem>,
) -> Result<Loaded, Problems> {
    let mut variables = environment::document(env, &mut problems);
    rename_aliases(&mut variables, &mut problems);
    merge(&mut root, variables);
    let report = Report::new(&root, problems);
    let config = Section::read_root(&report, Config::read);
    check(&config, &report);
    let (problems, mut warnings, _) = report.finish();
    warnings.sort();
    if problems.is_empty() {
        Ok(Loaded { config, warnings })
    } else {
        Err(Problems::new(problems).beside(warnings))
    }
}

/// Reads and parses a file; what is wrong with the whole of it is a problem, and it then counts as unusable.
fn read_file(path: &Path, rank: u8, env: &Environment, problems: &mut Vec<Problem>) -> Node {
    let name: Arc<str> = path.display().to_string().into();
    let text = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be read: {error}"),
    });
    let text = text.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned()));
    match text {
        Ok(text) => document(&text, &name, rank, env, problems),
        Err(reason) => {
            let origin = Origin::whole_file(&name, rank);
            problems.push(Problem::new(origin.clone(), "", reason));
            Node { value: Value::Broken, origin }
        }
    }
}

/// Parses `text` and fills its references.
pub(super) fn document(
    text: &str,
    name: &Arc<str>,
    rank: u8,
    env: &Environment,
    problems: &mut Vec<Problem>,
) -> Node {
    let source = Source::File { name: Arc::clone(name), rank };
    let mut root = parse(text, &source).unwrap_or_else(|problem| {
        problems.push(problem);
        Node { value: Value::Broken, origin: Origin::file(name, rank, 1) }
    });
    rename_aliases(&mut root, problems);
    substitute(&mut root, "", env, problems);
    root
}

/// Puts `other` over `root`. One that holds nothing changes nothing; a root that is no mapping stays,
/// to be reported.
pub(super) fn merge(root: &mut Node, other: Node) {
    match (&root.value, &other.value) {
        (_, Value::Null) => {}
        (Value::Null, _) => root.value = other.value,
        (Value::Map(_), _) => root.merge(other),
        _ => {}
    }
}

fn rename_aliases(root: &mut Node, problems: &mut Vec<Problem>) {
    for (alias, name) in ALIASES {
        let both = root.get(alias).is_some() && root.get(name).is_some();
        let Value::Map(entries) = &mut root.value else { return };
        for entry in entries.iter_mut().filter(|entry| entry.key.eq_ignore_ascii_case(alias)) {
            if both {
                let text = format!("is given twice, as {name} too");
                problems.push(Problem::new(entry.node.origin.clone(), alias, text));
            }
            name.clone_into(&mut entry.key);
        }
    }
}
