//! Which node of a Redis Cluster serves a key (Redis Cluster Specification, "Key distribution
//! model" and "Hash tags").

use redis::{Value, from_redis_value};

use super::connector::Addr;

/// How many hash slots a cluster has.
const SLOTS: u16 = 16_384;

/// The nodes of a cluster, and which slots each master serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// First slot, last slot, master.
    ranges: Vec<(u16, u16, Addr)>,
    /// Replicas.
    replicas: Vec<Addr>,
}

impl Layout {
    /// A single server, which serves all slots.
    pub(crate) fn single(addr: Addr) -> Self {
        Self { ranges: vec![(0, SLOTS - 1, addr)], replicas: Vec::new() }
    }

    /// Reads the answer to CLUSTER SLOTS that the node at `asked` gave; none if it knows of no
    /// master.
    pub(crate) fn read(answer: Value, asked: &Addr) -> Option<Self> {
        let mut layout = Self::default();
        // A range is its first and last slot, then its nodes, the master first.
        let Value::Array(ranges) = answer else { return None };
        for range in ranges {
            let Value::Array(range) = range else { return None };
            let mut range = range.into_iter();
            let first = from_redis_value(range.next()?).ok()?;
            let last = from_redis_value(range.next()?).ok()?;
            layout.ranges.push((first, last, read_node(range.next()?, asked)?));
            layout.replicas.extend(range.filter_map(|node| read_node(node, asked)));
        }
        (!layout.ranges.is_empty()).then_some(layout)
    }

    /// The master that serves `key`.
    pub(crate) fn master_of(&self, key: &str) -> Option<&Addr> {
        let slot = slot_of(key);
        self.ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&slot)).map(|(_, _, addr)| addr)
    }

    /// All masters, some of them repeatedly.
    pub(crate) fn masters(&self) -> impl Iterator<Item = &Addr> {
        self.ranges.iter().map(|(_, _, addr)| addr)
    }

    /// All nodes, some of them repeatedly.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Addr> {
        self.masters().chain(&self.replicas)
    }
}

/// Reads a node: host, port, and more. A node that does not know its own host is where it was
/// asked.
fn read_node(node: Value, asked: &Addr) -> Option<Addr> {
    let Value::Array(fields) = node else { return None };
    let mut fields = fields.into_iter();
    let host: Option<String> = from_redis_value(fields.next()?).ok()?;
    let port = from_redis_value(fields.next()?).ok()?;
    let host = host.filter(|host| !host.is_empty() && host != "?");
    Some(Addr { host: host.unwrap_or_else(|| asked.host.clone()), port })
}

/// The hash slot of a key: of what stands in its first pair of braces, if anything does.
fn slot_of(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    crc16(tag.filter(|tag| !tag.is_empty()).unwrap_or(key).as_bytes()) % SLOTS
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn node(host: &str, port: i64) -> Value {
        Value::Array(vec![Value::BulkString(host.into()), Value::Int(port), Value::BulkString(b"id".into())])
    }

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot_of("{user1000}.following"), slot_of("{user1000}.followers"));
        assert_eq!(slot_of("foo{{bar}}zap"), slot_of("{bar"));
        assert_eq!(slot_of("foo{bar}{zap}"), slot_of("bar"));
        assert_eq!(slot_of("foo"), 12_182);
        assert_ne!(slot_of("foo{}{bar}"), slot_of("bar"));
    }

    #[test]
    fn a_layout_knows_the_master_of_every_slot() {
        let asked = Addr { host: "asked".to_owned(), port: 1 };
        let range = |first, last, nodes: Vec<Value>| {
            Value::Array([Value::Int(first), Value::Int(last)].into_iter().chain(nodes).collect())
        };
        let answer = Value::Array(vec![
            range(0, 8_191, vec![node("a", 1), node("b", 2)]),
            range(8_192, 16_383, vec![node("", 3)]),
        ]);
        let layout = Layout::read(answer, &asked).unwrap();
        assert_eq!(layout.master_of("foo").unwrap().to_string(), "asked:3");
        assert_eq!(layout.master_of("bar").unwrap().to_string(), "a:1");
        assert_eq!(layout.nodes().map(ToString::to_string).collect::<Vec<_>>(), ["a:1", "asked:3", "b:2"]);
    }

    #[test]
    fn nonsense_is_no_layout() {
        let asked = Addr { host: "asked".to_owned(), port: 1 };
        for nonsense in [Value::Nil, Value::Array(Vec::new()), Value::Array(vec![Value::Array(Vec::new())])] {
            assert_eq!(Layout::read(nonsense, &asked), None);
        }
    }
}
