//! Requests made from the OpenAPI document: mostly what a schema wants, here and there anything at all.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::client::escape;
use super::openapi::{Document, Operation, resolve};
use super::world::User;

/// Ids that exist, so that some requests get past the look-up.
#[derive(Clone, Debug)]
pub struct Pool {
    pub user: User,
    /// One in whose name nothing is asked, who may be banned.
    pub bystander: String,
    pub live_ids: Vec<String>,
}

/// A request to one operation.
#[derive(Clone, Debug)]
pub struct Request {
    pub operation: Box<Operation>,
    /// The path and query, escaped.
    pub target: String,
    pub content_type: &'static str,
    pub body: Payload,
}

#[derive(Clone, Debug)]
pub enum Payload {
    None,
    Json(Value),
    /// JSON with one field's value replaced by a token that JSON does not know, or only just.
    OddToken(String, &'static str),
    /// The front of a JSON text.
    Cut(Value, usize),
    Nested(&'static str, usize),
    Bytes(Vec<u8>),
    Large(usize),
}

impl Payload {
    /// What goes over the wire.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::None => return None,
            Self::Json(value) => value.to_string().into_bytes(),
            Self::OddToken(field, token) => format!("{{{}:{token}}}", json!(field)).into_bytes(),
            Self::Cut(value, length) => value.to_string().into_bytes().into_iter().take(*length).collect(),
            Self::Nested(open, depth) => open.repeat(*depth).into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Large(length) => json!({"title": "x".repeat(*length)}).to_string().into_bytes(),
        })
    }
}

/// A request to any operation of the document.
pub fn any_request(document: &Document, pool: &Pool) -> BoxedStrategy<Request> {
    let every = document.operations.iter().map(|operation| request(&document.root, operation, pool));
    proptest::strategy::Union::new(every.collect::<Vec<_>>()).boxed()
}

fn request(root: &Value, operation: &Operation, pool: &Pool) -> BoxedStrategy<Request> {
    let kinds = prop_oneof![
        8 => Just("application/json"),
        1 => Just("text/plain"),
        1 => Just("application/x-www-form-urlencoded"),
        1 => Just(""),
    ];
    let operation = operation.clone();
    let body = payload(root, &operation, pool);
    (target(&operation, pool), kinds, body)
        .prop_map(move |(target, content_type, body)| Request {
            operation: Box::new(operation.clone()),
            target,
            content_type,
            body,
        })
        .boxed()
}

/// A path with something in place of its parameters, and a query of known and odd parameters.
fn target(operation: &Operation, pool: &Pool) -> BoxedStrategy<String> {
    let parts = operation.path.split('/').skip(1).map(|part| match part.strip_prefix('{') {
        Some(name) => prop_oneof![
            6 => known_in(operation, name.trim_end_matches('}'), pool).prop_map(|text| escape(&text)),
            3 => odd_text().prop_map(|text| escape(&text)),
            1 => prop::sample::select(vec!["%FF", "%00", "%C3%28", "%2F", "%3F", "a%0Ab"]).prop_map(str::to_owned),
        ]
        .boxed(),
        None => Just(part.to_owned()).boxed(),
    });
    let asked = operation.parameters.iter().filter(|parameter| !parameter.in_path).map(|parameter| {
        let name = parameter.name.clone();
        let value = prop_oneof![4 => known(&name, pool), 2 => plain_text(&parameter.schema), 3 => odd_text()];
        let name = prop_oneof![6 => Just(escape(&name)), 1 => Just(format!("{name}[]"))];
        prop::collection::vec((name, value), 0..3)
    });
    (parts.collect::<Vec<_>>(), asked.collect::<Vec<_>>())
        .prop_map(|(parts, query)| {
            let pairs: Vec<String> = query
                .into_iter()
                .flatten()
                .map(|(name, value)| format!("{name}={}", escape(&value)))
                .collect();
            let tail = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
            format!("/{}{tail}", parts.join("/"))
        })
        .boxed()
}

/// As [`known`], but that the caller is not banned from the platform.
fn known_in(operation: &Operation, name: &str, pool: &Pool) -> BoxedStrategy<String> {
    let bans = ["/admin/bans/{user_id}", "/server/bans/{user_id}"];
    if bans.contains(&operation.path.as_str()) {
        return Just(pool.bystander.clone()).boxed();
    }
    known(name, pool)
}

/// A value that exists for parameters of that name, or a likely one.
fn known(name: &str, pool: &Pool) -> BoxedStrategy<String> {
    let values = if name.contains("live") || name == "id" {
        pool.live_ids.clone()
    } else if name.contains("user") || name.contains("anchor") {
        vec![pool.user.id.clone()]
    } else {
        ["1", "2", "10", "-1", "0"].map(str::to_owned).to_vec()
    };
    prop::sample::select(values).boxed()
}

fn plain_text(schema: &Value) -> BoxedStrategy<String> {
    match schema["type"].as_str() {
        Some("integer" | "number") => any::<i64>().prop_map(|number| number.to_string()).boxed(),
        Some("boolean") => any::<bool>().prop_map(|flag| flag.to_string()).boxed(),
        _ => "[ -~]{0,80}".boxed(),
    }
}

/// Text that breaks what is fragile.
fn odd_text() -> BoxedStrategy<String> {
    let odd = [
        "",
        " ",
        "_",
        "NaN",
        "Infinity",
        "-Infinity",
        "-1",
        "0",
        "-0",
        "1e999",
        "0x10",
        "9223372036854775808",
        "null",
        "true",
        "undefined",
        "\0",
        "a\0b",
        "\r\n",
        "\u{feff}",
        "\u{202e}abc",
        "'",
        "\"",
        "\\",
        "' OR '1'='1",
        "; DROP TABLE x",
        "%",
        "%25",
        "%s%n",
        "_%",
        "..",
        "../../etc/passwd",
        "${7*7}",
        "{{7*7}}",
        "2021-12-02 11:11:11",
        "2021-12-02T11:11:11Z",
        "0000-00-00 00:00:00",
        "9999-12-31 23:59:59",
        "\u{1f600}",
        "e\u{301}",
        "\u{130}",
    ];
    prop_oneof![
        6 => prop::sample::select(odd.map(str::to_owned).to_vec()),
        2 => any::<String>(),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => (prop::sample::select(vec!["x", "\u{674e}", "9", "%"]), prop::sample::select(vec![64_usize, 65, 256, 2000]))
            .prop_map(|(letter, count)| letter.repeat(count)),
    ]
    .boxed()
}

fn odd_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|flag| json!(flag)),
        prop::sample::select(vec![json!(0), json!(-1), json!(i64::MIN), json!(i64::MAX), json!(u64::MAX)]),
        prop::sample::select(vec![
            json!(1.5),
            json!(-0.0),
            json!(1e308),
            json!(5e-324),
            json!(2_147_483_648_i64)
        ]),
        any::<i64>().prop_map(|number| json!(number)),
        odd_text().prop_map(|text| json!(text)),
        prop::sample::select(vec![300_usize, 70_000]).prop_map(|length| json!("x".repeat(length))),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| json!(items)),
            prop::collection::btree_map(odd_text(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
    .boxed()
}

fn payload(root: &Value, operation: &Operation, pool: &Pool) -> BoxedStrategy<Payload> {
    let Some(schema) = &operation.body else {
        return prop_oneof![12 => Just(Payload::None), 1 => odd_json().prop_map(Payload::Json)].boxed();
    };
    let fitting = fitting(root, schema, "", pool, 4);
    let fields: Vec<String> =
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let field = prop::sample::select(if fields.is_empty() { vec!["title".to_owned()] } else { fields });
    let tokens = vec![
        "NaN",
        "Infinity",
        "1e999",
        "-",
        "01",
        "1.",
        "nul",
        "'a'",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "{",
        "",
    ];
    prop_oneof![
        12 => fitting.clone().prop_map(Payload::Json),
        2 => odd_json().prop_map(Payload::Json),
        2 => (field, prop::sample::select(tokens)).prop_map(|(field, token)| Payload::OddToken(field, token)),
        2 => (fitting, 0_usize..200).prop_map(|(value, length)| Payload::Cut(value, length)),
        1 => prop::collection::vec(any::<u8>(), 0..100).prop_map(Payload::Bytes),
        1 => (prop::sample::select(vec!["[", "{\"a\":", "[{\"extends\":"]), 1_usize..5000)
            .prop_map(|(open, depth)| Payload::Nested(open, depth)),
        1 => Just(Payload::None),
        1 => prop::sample::select(vec![1_000_usize, 900_000]).prop_map(Payload::Large),
    ]
    .boxed()
}

/// Mostly what the schema wants; here and there a field is missing, or anything at all.
fn fitting(root: &Value, schema: &Value, name: &str, pool: &Pool, depth: u32) -> BoxedStrategy<Value> {
    let schema = resolve(root, schema);
    for union in ["oneOf", "anyOf", "allOf"] {
        let ways = schema[union].as_array().filter(|ways| !ways.is_empty() && depth > 0);
        if let Some(ways) = ways {
            let each = ways.iter().map(|way| fitting(root, way, name, pool, depth - 1));
            return proptest::strategy::Union::new(each.collect::<Vec<_>>()).boxed();
        }
    }
    let kind =
        schema["type"].as_str().or_else(|| schema["type"].get(0).and_then(Value::as_str)).unwrap_or("object");
    match kind {
        "string" => prop_oneof![
            3 => known_field(name, pool),
            3 => "[ -~]{1,40}".prop_map(|text| json!(text)),
            2 => odd_text().prop_map(|text| json!(text)),
        ]
        .boxed(),
        "integer" | "number" => {
            prop_oneof![any::<i32>().prop_map(|number| json!(number)), any::<i64>().prop_map(|n| json!(n))]
                .boxed()
        }
        "boolean" => any::<bool>().prop_map(|flag| json!(flag)).boxed(),
        "array" if depth > 0 => {
            let item = fitting(root, &schema["items"], name, pool, depth - 1);
            prop::collection::vec(item, 0..5).prop_map(|items| json!(items)).boxed()
        }
        "object" if depth > 0 => object(root, &schema, pool, depth),
        _ => odd_json(),
    }
}

fn known_field(name: &str, pool: &Pool) -> BoxedStrategy<Value> {
    known(name, pool).prop_map(|text| json!(text)).boxed()
}

fn object(root: &Value, schema: &Value, pool: &Pool, depth: u32) -> BoxedStrategy<Value> {
    let Some(properties) = schema["properties"].as_object() else {
        let map = prop::collection::btree_map("[a-z]{1,8}", "[ -~]{0,20}", 0..4);
        return prop_oneof![3 => map.prop_map(|map| json!(map)), 1 => odd_json()].boxed();
    };
    let fields = properties.iter().map(|(name, schema)| {
        let value = prop_oneof![
            8 => fitting(root, schema, name, pool, depth - 1).prop_map(Some),
            2 => odd_json().prop_map(Some),
            1 => Just(None),
        ];
        (Just(name.clone()), value)
    });
    fields
        .collect::<Vec<_>>()
        .prop_map(|fields| {
            let there = fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
            Value::Object(there.collect::<Map<_, _>>())
        })
        .boxed()
}
