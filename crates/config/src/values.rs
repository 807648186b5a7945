//! The types of values that a [`Section`] reads.

use std::fmt::Display;
use std::fs::File;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

use super::document::Value;
use super::section::{Section, nearest, yaml_of_variable};

impl Section<'_> {
    /// The text of `key`, or `default` when it is absent or null.
    pub fn text(&self, key: &'static str, default: &str) -> String {
        self.scalar(key).map_or_else(|| default.to_owned(), str::to_owned)
    }

    /// A switch, in any spelling that viper or YAML know.
    pub fn flag(&self, key: &'static str, default: bool) -> bool {
        let Some(text) = self.filled(key) else { return default };
        match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "yes" | "on" => true,
            "false" | "f" | "0" | "no" | "off" => false,
            _ => {
                self.error(key, format!("{text:?} is neither true nor false"));
                default
            }
        }
    }

    /// A whole number within `range`; quoted or not.
    pub fn number<T>(&self, key: &'static str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.filled(key) else { return default };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (low, high) = range.into_inner();
                self.error(key, format!("{text:?} is not a whole number from {low} to {high}"));
                default
            }
        }
    }

    /// A part of a whole, from 0 to 1.
    pub fn ratio(&self, key: &'static str, default: f64) -> f64 {
        let Some(text) = self.filled(key) else { return default };
        match text.parse() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
            _ => {
                self.error(key, format!("{text:?} is not a number from 0 to 1"));
                default
            }
        }
    }

    /// One of the words in `choices`.
    pub fn choice<T: Clone>(&self, key: &'static str, default: T, choices: &[(&str, T)]) -> T {
        let Some(text) = self.filled(key) else { return default };
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
            return choice.clone();
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let nearest = nearest(text, words.iter().copied()).unwrap_or_default();
        self.error(key, format!("{text:?} is not one of {}; the nearest is {nearest}", words.join(", ")));
        default
    }

    /// An `http`, `rtmp` … address without a slash at its end. One that is no URL is only warned of,
    /// as the reference's sample has one: its uses fail as unreachable.
    pub fn address(&self, key: &'static str, default: &str) -> String {
        let Some(text) = self.filled(key) else { return default.to_owned() };
        match Url::parse(text) {
            Ok(url) if url.has_host() && url.password().is_some() => {
                self.warn(key, "holds a password, which logs may show");
            }
            Ok(url) if url.has_host() => {}
            _ => self.warn(key, format!("{text:?} is not a URL; every use of it will fail as unreachable")),
        }
        text.trim_end_matches('/').to_owned()
    }

    /// The path of a file that must be there and readable; None when it is not given.
    pub fn file(&self, key: &'static str) -> Option<PathBuf> {
        let path = PathBuf::from(self.filled(key)?);
        if let Err(error) = File::open(&path) {
            self.error(key, format!("{} cannot be read: {error}", path.display()));
        }
        Some(path)
    }

    /// The path of a PEM file that holds a certificate; None when it is not given.
    pub fn certificates(&self, key: &'static str) -> Option<PathBuf> {
        let path = self.file(key)?;
        let read = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match read {
            Ok(found) if found.is_empty() => {
                self.error(key, format!("{} holds no certificate in PEM", path.display()));
            }
            Ok(_) => {}
            Err(error) => self.error(key, format!("{} cannot be used: {error}", path.display())),
        }
        Some(path)
    }

    /// The path of a PEM file that holds a private key; None when it is not given.
    pub fn private_key(&self, key: &'static str) -> Option<PathBuf> {
        let path = self.file(key)?;
        if PrivateKeyDer::from_pem_file(&path).is_err() {
            self.error(key, format!("{} holds no private key in PEM", path.display()));
        }
        Some(path)
    }

    /// Several texts: a list, or one text with commas, as viper takes it.
    pub fn texts(&self, key: &'static str) -> Vec<String> {
        let split = |text: &str| text.split(',').map(|part| part.trim().to_owned()).collect();
        let texts: Vec<String> = self.items(key, split);
        texts.into_iter().filter(|text| !text.is_empty()).collect()
    }

    /// Networks such as `10.0.0.0/8`; a single address stands for itself.
    pub fn networks(&self, key: &'static str, default: &[IpNet]) -> Vec<IpNet> {
        if self.filled_node(key).is_none() {
            return default.to_vec();
        }
        let mut networks = Vec::new();
        for (index, text) in self.texts(key).into_iter().enumerate() {
            match text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => {
                    if IpNet::prefix_len(&network) == 0 {
                        self.warn(
                            key,
                            format!("{text} is every address of the internet: anybody is trusted"),
                        );
                    }
                    networks.push(network);
                }
                Err(_) => {
                    self.error_of_item(key, index, format!("{text:?} is not a network such as 10.0.0.0/8"));
                }
            }
        }
        networks
    }

    /// The items of a list of texts; `split` makes them of a single text.
    pub fn items(&self, key: &'static str, split: impl Fn(&str) -> Vec<String>) -> Vec<String> {
        let Some(node) = self.filled_node(key) else { return Vec::new() };
        let parsed = yaml_of_variable(node).filter(|node| matches!(node.value, Value::List(_)));
        let items = match &parsed.as_ref().unwrap_or(node).value {
            Value::List(items) => items,
            Value::Text(text) => return split(text),
            _ => {
                self.error(key, "must be a list");
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match &item.value {
                Value::Text(text) => texts.push(text.clone()),
                Value::Null | Value::Broken => {}
                _ => self.error_of_item(key, index, "must be a list of texts"),
            }
        }
        texts
    }
}
