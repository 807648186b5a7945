//! The OpenAPI document of the target, read far enough to check coverage and to make requests from it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Api;

const METHODS: [&str; 5] = ["get", "post", "put", "delete", "patch"];

/// The document.
#[derive(Debug)]
pub struct Document {
    pub root: Value,
    pub operations: Vec<Operation>,
}

/// One method of one route.
#[derive(Clone, Debug)]
pub struct Operation {
    /// In capitals.
    pub method: String,
    /// With `{name}` for path parameters.
    pub path: String,
    pub parameters: Vec<Parameter>,
    /// The schema of a JSON body, references resolved one level.
    pub body: Option<Value>,
    /// Whether it wants credentials.
    pub secured: bool,
    /// The declared statuses.
    pub responses: BTreeSet<u16>,
}

/// A path or query parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub in_path: bool,
    pub schema: Value,
}

impl Api {
    /// Fetches and reads the document.
    pub async fn document(&self) -> Document {
        let answer = self.get("/openapi.json").document().send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let root = answer.json.clone().unwrap_or_else(|| panic!("not JSON: {answer:?}"));
        let paths = root["paths"].as_object().expect("paths");
        let mut operations = Vec::new();
        for (path, item) in paths {
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    operations.push(Operation::read(&root, method, path, item, operation));
                }
            }
        }
        Document { root, operations }
    }
}

impl Document {
    /// The operation that answers `method` on `path`: of several, the one with the most fixed segments,
    /// the leftmost first, as routers choose.
    pub fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let fitting =
            self.operations.iter().filter(|operation| operation.method == method && operation.fits(path));
        fitting.min_by_key(|operation| {
            operation.path.split('/').map(|part| part.starts_with('{')).collect::<Vec<_>>()
        })
    }
}

impl Operation {
    fn read(root: &Value, method: &str, path: &str, item: &Value, operation: &Value) -> Self {
        let own = operation["parameters"].as_array().into_iter().flatten();
        let shared = item["parameters"].as_array().into_iter().flatten();
        let parameters = own
            .chain(shared)
            .map(|parameter| resolve(root, parameter))
            .filter(|parameter| ["path", "query"].contains(&parameter["in"].as_str().unwrap_or_default()));
        let content = &resolve(root, &operation["requestBody"])["content"];
        let schema =
            content.as_object().and_then(|kinds| kinds.get("application/json").or(kinds.values().next()));
        let security = operation.get("security").or(root.get("security"));
        let statuses = operation["responses"].as_object().into_iter().flatten();
        Self {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            parameters: parameters.map(|parameter| Parameter::read(root, &parameter)).collect(),
            body: schema.map(|media| resolve(root, &media["schema"])),
            secured: security.and_then(Value::as_array).is_some_and(|ways| !ways.is_empty()),
            responses: statuses.filter_map(|(status, _)| status.parse().ok()).collect(),
        }
    }

    /// Whether the route has a path parameter.
    pub fn has_path_id(&self) -> bool {
        self.path.contains('{')
    }

    /// Whether there is input besides the path.
    pub fn has_input(&self) -> bool {
        self.body.is_some() || self.parameters.iter().any(|parameter| !parameter.in_path)
    }

    fn fits(&self, path: &str) -> bool {
        let (mut pattern, mut parts) = (self.path.split('/'), path.split('/'));
        loop {
            match (pattern.next(), parts.next()) {
                (None, None) => return true,
                (Some(wanted), Some(part))
                    if wanted == part || (wanted.starts_with('{') && !part.is_empty()) => {}
                _ => return false,
            }
        }
    }
}

impl Parameter {
    fn read(root: &Value, parameter: &Value) -> Self {
        Self {
            name: parameter["name"].as_str().expect("the name of a parameter").to_owned(),
            in_path: parameter["in"] == "path",
            schema: resolve(root, &parameter["schema"]),
        }
    }
}

/// `value`, or what its `$ref` points at.
pub fn resolve(root: &Value, value: &Value) -> Value {
    let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return value.clone() };
    let pointer = reference.strip_prefix('#').expect("a reference within the document");
    let found = root.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"));
    resolve(root, found)
}

/// Every `$ref` in `value`.
pub fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
