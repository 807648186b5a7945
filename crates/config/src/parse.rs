//! YAML text to a [`Node`] tree with line numbers.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::document::{Entry, Node, Value, entry};
use super::problem::{Origin, Problem};

/// Deeper than any configuration; keeps a hostile file from exhausting the stack.
const MAX_DEPTH: usize = 32;

/// The YAML key that merges another mapping into its own.
const MERGE_KEY: &str = "<<";

/// What a text is called in reports.
#[derive(Clone)]
pub(super) enum Source {
    /// A file, and its place in the order of reading.
    File { name: Arc<str>, rank: u8 },
    /// An environment variable, whose lines do not matter.
    Variable(Origin),
}

impl Source {
    fn at(&self, line: usize) -> Origin {
        match self {
            Self::File { name, rank } => Origin::file(name, *rank, line),
            Self::Variable(origin) => origin.clone(),
        }
    }
}

/// Reads the one document in `text`. Nothing in it is an empty mapping's worth of [`Value::Null`].
pub(super) fn parse(text: &str, source: &Source) -> Result<Node, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder { parser: Parser::new_from_str(text), source, anchors: HashMap::new() };
    builder.document()
}

struct Builder<'i> {
    parser: Parser<'i, StrInput<'i>>,
    source: &'i Source,
    anchors: HashMap<usize, Node>,
}

impl<'i> Builder<'i> {
    fn document(&mut self) -> Result<Node, Problem> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(self.problem(span, "holds more than one document"));
                }
                Event::DocumentStart(_) => root = Some(self.node(0)?),
                Event::StreamEnd => break,
                _ => return Err(self.problem(span, "not valid YAML")),
            }
        }
        let root = root.unwrap_or_else(|| Node::null(self.source.at(1)));
        Ok(Node { origin: self.source.at(1), ..root })
    }

    fn next(&mut self) -> Result<(Event<'i>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.invalid(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, depth: usize) -> Result<Node, Problem> {
        let event = self.next()?;
        self.node_from(event, depth)
    }

    fn node_from(&mut self, (event, span): (Event<'i>, Span), depth: usize) -> Result<Node, Problem> {
        if depth > MAX_DEPTH {
            return Err(self.problem(span, "nested too deeply"));
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::SequenceStart(anchor, _) => (Value::List(self.items(depth)?), anchor),
            Event::MappingStart(anchor, _) => (Value::Map(self.entries(depth)?), anchor),
            Event::Alias(anchor) => return self.alias(anchor, span),
            _ => return Err(self.problem(span, "not valid YAML")),
        };
        let node = Node { value, origin: self.source.at(span.start.line()) };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&self, anchor: usize, span: Span) -> Result<Node, Problem> {
        let unknown = || self.problem(span, "refers to an anchor that is not complete here");
        self.anchors.get(&anchor).cloned().ok_or_else(unknown)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                event => items.push(self.node_from(event, depth + 1)?),
            }
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (key, span) = match self.next()? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(key, ..), span) => (key.into_owned(), span),
                (_, span) => return Err(self.problem(span, "a key must be a plain word")),
            };
            let mut node = self.node(depth + 1)?;
            if key == MERGE_KEY {
                merged.extend(self.merged(node, span)?);
                continue;
            }
            if entry(&entries, &key).is_some() {
                return Err(Problem::new(self.source.at(span.start.line()), key, "is given twice"));
            }
            node.origin = self.source.at(span.start.line());
            entries.push(Entry { key, node });
        }
        for other in merged {
            if entry(&entries, &other.key).is_none() {
                entries.push(other);
            }
        }
        Ok(entries)
    }

    /// The entries that `<<` brings: those of one mapping, or of several, the first winning.
    fn merged(&self, node: Node, span: Span) -> Result<Vec<Entry>, Problem> {
        match node.value {
            Value::Map(entries) => Ok(entries),
            Value::List(items) => {
                let parts: Result<Vec<_>, _> =
                    items.into_iter().map(|item| self.merged(item, span)).collect();
                Ok(parts?.into_iter().flatten().collect())
            }
            _ => Err(self.problem(span, "`<<` takes a mapping")),
        }
    }

    fn problem(&self, span: Span, text: &str) -> Problem {
        Problem::new(self.source.at(span.start.line()), "", text)
    }

    fn invalid(&self, error: &ScanError) -> Problem {
        let origin = self.source.at(error.marker().line());
        Problem::new(origin, "", format!("not valid YAML: {}", error.info()))
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    let null = style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL");
    if null { Value::Null } else { Value::Text(text.to_owned()) }
}
