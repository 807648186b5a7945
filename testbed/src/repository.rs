//! Files that this repository ships, changed for one machine: what is shipped is what is tested.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where the repository is.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads a file, by its path in the repository.
pub(crate) fn read(path: &str) -> Result<String> {
    let file = root().join(path);
    fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))
}

/// A text of which parts are replaced.
pub(crate) struct Draft {
    path: &'static str,
    text: String,
}

impl Draft {
    /// The file as it is shipped.
    pub(crate) fn of(path: &'static str) -> Result<Self> {
        Ok(Self { path, text: read(path)? })
    }

    /// Puts `new` in the place of `old`, everywhere.
    ///
    /// # Errors
    /// When `old` is not there any more: then the file changed and this must follow.
    pub(crate) fn replace(&mut self, old: &str, new: &str) -> Result<&mut Self> {
        self.contains(old)?;
        self.text = self.text.replace(old, new);
        Ok(self)
    }

    /// Puts `new` in the place of all lines that begin so, indented or not.
    ///
    /// # Errors
    /// As [`Draft::replace`].
    pub(crate) fn replace_lines(&mut self, beginning: &str, new: &str) -> Result<&mut Self> {
        self.contains(beginning)?;
        let mut lines = Vec::new();
        let mut is_replaced = false;
        for line in self.text.lines() {
            if !line.trim_start().starts_with(beginning) {
                lines.push(line);
            } else if !is_replaced {
                is_replaced = true;
                lines.push(new);
            }
        }
        self.text = lines.join("\n") + "\n";
        Ok(self)
    }

    /// Adds to the end.
    pub(crate) fn append(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// What became of it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn contains(&self, old: &str) -> Result<()> {
        self.text.contains(old).then_some(()).with_context(|| format!("{}: no {old:?}", self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_any_more_is_not_replaced_in_silence() {
        let mut draft = Draft { path: "a file", text: "one 1;\n  one 2;\ntwo;\n".to_owned() };
        draft.replace_lines("one ", "three;").unwrap().replace("two", "four").unwrap();
        assert_eq!(draft.text(), "three;\nfour;\n");
        assert!(draft.replace_lines("one ", "three;").is_err());
        assert!(draft.replace("two", "four").is_err());
    }
}
