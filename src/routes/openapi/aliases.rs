//! Operations that the document has more than once: other spellings of a route, and the same route
//! for another audience.

use utoipa::Modify;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, RefOr};

/// Other spellings of a route, for SDKs and documents that use them: method, path, and the path
/// whose operation it is (with its method, where that differs).
const ALIASES: &[(Method, &str, Method, &str)] = &[
    (Method::Put, "/client/live/{live_id}/like", Method::Put, "/client/live/room/{live_id}/like"),
    (Method::Post, "/client/live/room/{live_id}", Method::Delete, "/client/live/room/{live_id}"),
    (Method::Delete, "/live/room/instance/{live_id}", Method::Delete, "/client/live/room/instance/{live_id}"),
    (Method::Post, "/client/mic/up", Method::Post, "/client/mic"),
    (Method::Post, "/client/mic/down", Method::Delete, "/client/mic"),
    (Method::Put, "/client/mic/room", Method::Put, "/client/mic/extension"),
    (Method::Delete, "/mic/live", Method::Delete, "/client/mic/live"),
    (Method::Get, "/client/user/{id}", Method::Get, "/client/user/user/{id}"),
    (Method::Get, "/manager/login", Method::Post, "/manager/login"),
    (Method::Get, "/hooks/publish", Method::Post, "/hooks/publish"),
    (Method::Get, "/hooks/publish_done", Method::Post, "/hooks/publish_done"),
    (Method::Put, "/client/item/add", Method::Post, "/client/item/add"),
    (Method::Put, "/server/item/add", Method::Post, "/server/item/add"),
    (Method::Get, "/server/items/{live_id}", Method::Get, "/server/item/{live_id}"),
    (Method::Get, "/client/gift/config", Method::Get, "/client/gift/config/{type}"),
    (Method::Get, "/server/gift/config", Method::Get, "/server/gift/config/{id}"),
    (Method::Get, "/admin/gift/config", Method::Get, "/admin/gift/config/{id}"),
    (Method::Get, "/client/gift/live/{live_id}", Method::Get, "/client/gift/list/live/{live_id}"),
    (Method::Get, "/server/gift/live/{live_id}", Method::Get, "/server/gift/list/live/{live_id}"),
];

#[derive(Clone, Copy)]
enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    fn slot(self, item: &mut PathItem) -> &mut Option<Operation> {
        match self {
            Self::Get => &mut item.get,
            Self::Post => &mut item.post,
            Self::Put => &mut item.put,
            Self::Delete => &mut item.delete,
        }
    }
}

/// What others may call as well, without the rule that one is the anchor or a moderator: how the paths
/// begin, how those of the others begin, and their credentials.
const MIRRORED: &[(&str, &str, &str)] = &[
    ("/client/item/", "/server/item/", "server"),
    ("/client/live/room/{live_id}/moderation", "/server/live/{live_id}/moderation", "server"),
    ("/client/live/room/{live_id}/moderation", "/admin/live/{live_id}/moderation", "admin"),
    ("/admin/bans", "/server/bans", "server"),
    ("/admin/banned_words", "/server/banned_words", "server"),
];

pub(super) struct Mirrored;

impl Modify for Mirrored {
    fn modify(&self, document: &mut OpenApi) {
        let paths = &mut document.paths.paths;
        let clients: Vec<_> = paths.iter().map(|(path, item)| (path.clone(), item.clone())).collect();
        for (path, item) in clients {
            for (start, other_start, credentials) in MIRRORED {
                let Some(rest) = path.strip_prefix(start) else { continue };
                let mut item = item.clone();
                for method in [Method::Get, Method::Post, Method::Put, Method::Delete] {
                    let Some(operation) = method.slot(&mut item) else { continue };
                    let needs = SecurityRequirement::new(*credentials, Vec::<String>::new());
                    operation.security = Some(vec![needs]);
                    operation.responses.responses.remove("403");
                }
                paths.insert(format!("{other_start}{rest}"), item);
            }
        }
    }
}

pub(super) struct Aliases;

impl Modify for Aliases {
    fn modify(&self, document: &mut OpenApi) {
        for &(method, path, canonical_method, canonical) in ALIASES {
            let known = document.paths.paths.get_mut(canonical);
            let Some(mut operation) = known.and_then(|item| canonical_method.slot(item).clone()) else {
                continue;
            };
            operation.summary = Some(format!("Alias of {canonical}"));
            drop_path_parameters(&mut operation, path);
            if canonical == "/manager/login" {
                operation.request_body = None;
                operation.parameters = Some(vec![RefOr::T(query("user_name")), RefOr::T(query("password"))]);
            }
            if canonical.starts_with("/hooks/") {
                operation.request_body = None;
                operation.parameters = Some(vec![RefOr::T(query("app")), RefOr::T(query("name"))]);
            }
            *method.slot(document.paths.paths.entry(path.to_owned()).or_default()) = Some(operation);
        }
    }
}

/// A shorter spelling lacks what only the canonical path has.
fn drop_path_parameters(operation: &mut Operation, path: &str) {
    let Some(parameters) = &mut operation.parameters else { return };
    parameters.retain(|parameter| match parameter {
        RefOr::T(parameter) => {
            parameter.parameter_in != ParameterIn::Path || path.contains(&format!("{{{}}}", parameter.name))
        }
        RefOr::Ref(_) => true,
    });
    if parameters.is_empty() {
        operation.parameters = None;
    }
}

fn query(name: &str) -> utoipa::openapi::path::Parameter {
    use utoipa::openapi::path::ParameterBuilder;
    use utoipa::openapi::{ObjectBuilder, Required, Type};
    let text = ObjectBuilder::new().schema_type(Type::String);
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::True)
        .schema(Some(text))
        .build()
}
