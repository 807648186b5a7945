//! The OpenAPI document, made from the handlers.

use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr};
use utoipa::{Modify, OpenApi as _};

use super::health::paths as health;
use crate::censor::handlers as censor;
use crate::gift::handlers as gift;
use crate::item::{demonstration_handlers as demonstration, handlers as item};
use crate::like::handlers as like;
use crate::live::{handlers as live, stream};
use crate::mic::handlers as mic;
use crate::moderation::{handlers as moderation, word_handlers as words};
use crate::relay::handlers as relay;
use crate::rest::envelope::{Done, Failed};
use crate::stats::handlers as stats;
use crate::user::admin::handlers as admin;
use crate::user::{ban_handlers as bans, handlers as user, operations, tokens};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "liveloom", description = "Backend for live streaming with interaction. Every answer is an envelope \
        `{request_id, code, message, data?}`; see docs/api.md for codes, paging and limits."),
    paths(
        tokens::token, tokens::admin_token, tokens::login, tokens::app_config,
        user::register, user::register_batch, user::update, user::info, user::infos, user::profile, user::profiles,
        user::own_profile, user::info_for_client, user::infos_for_client, user::im_users, user::update_own,
        live::create, live::create_for, live::info, live::info_for_server, live::start, live::stop,
        live::stop_by_server, live::delete, live::delete_by_server, live::list, live::list_own, live::search,
        live::join, live::leave, live::heartbeat, live::set_extends, live::users,
        mic::up, mic::down, mic::take_off, mic::list, mic::set_extends, mic::switch, mic::forbid, mic::unforbid,
        relay::start, relay::info, relay::token, relay::started, relay::stop, relay::set_extends,
        relay::set_extends_by_server,
        like::give, stats::report, stats::of_room,
        stream::publish, stream::publish_done,
        item::add, item::delete, item::set_statuses, item::set_orders, item::move_item, item::update,
        item::merge_extends, item::set_extend, item::list,
        demonstration::demonstrate, demonstration::record, demonstration::end, demonstration::end_of_item,
        demonstration::demonstrated, demonstration::records, demonstration::newest_record,
        demonstration::delete_records,
        gift::types, gift::types_for_server, gift::types_for_admin, gift::save_types, gift::save_types_by_admin,
        gift::delete_type, gift::delete_type_by_admin, gift::send, gift::send_for, gift::find, gift::find_for_server,
        gift::of_room, gift::received, gift::given, gift::of_room_for_server, gift::received_for_server,
        gift::given_for_server, gift::test_payment,
        censor::settings, censor::set_settings, censor::stop_live, censor::start_job, censor::close_job,
        censor::list_jobs, censor::query_job, censor::rooms, censor::pictures, censor::audit, censor::callback,
        moderation::settings, moderation::change_settings, moderation::moderators, moderation::appoint,
        moderation::dismiss, moderation::mutes, moderation::mute, moderation::unmute, moderation::bans,
        moderation::ban, moderation::unban, moderation::kick, moderation::delete_message,
        words::list, words::add, words::delete, bans::list, bans::impose, bans::lift,
        admin::list, admin::create, admin::change, admin::delete, operations::list,
        health::healthz, health::status, health::readyz, health::ping,
    ),
    components(schemas(Done, Failed)),
    modifiers(&Credentials, &Mirrored, &Aliases, &CommonFailures)
)]
struct Document;

/// The document of all routes, aliases included.
#[must_use]
pub fn document() -> OpenApi {
    Document::openapi()
}

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

struct Mirrored;

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

struct Aliases;

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

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let header = |description: &str| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "Authorization",
                description,
            )))
        };
        components.add_security_scheme("client", header("A user's token: a JWT, with or without `Bearer `. While the user is banned every call is 403"));
        components
            .add_security_scheme("admin", header("An administrator's token: a JWT whose `Role` is `admin`"));
        components.add_security_scheme("server", header("`Qiniu <access key>:<signature>`; see docs/api.md"));
    }
}

/// Failures that follow from what an operation takes.
struct CommonFailures;

impl Modify for CommonFailures {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let methods = [
                ("get", &mut item.get),
                ("post", &mut item.post),
                ("put", &mut item.put),
                ("delete", &mut item.delete),
            ];
            for (method, operation) in methods {
                let Some(operation) = operation else { continue };
                operation.operation_id = Some(operation_id(method, path));
                declare(path, operation);
            }
        }
    }
}

/// Handlers of several features share names, so that operations are named after their route.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |id, word| format!("{id}_{word}"))
}

fn declare(path: &str, operation: &mut Operation) {
    let has_id = path.contains('{');
    let has_input = operation.parameters.is_some() || operation.request_body.is_some();
    let mut add = |status: &str, description: &str| {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(failed(description)));
    };
    if has_input {
        add("400", "Malformed or invalid input; the message says which field and why");
    }
    if has_id {
        add("404", "Unknown id");
    }
    if operation.security.is_some() {
        add("401", "No or bad credentials");
    }
    add("default", "Any other failure");
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            response.description = "Done".to_owned();
        }
        if response.content.is_empty() {
            response.content = failed("").content;
        }
    }
}

fn failed(description: &str) -> Response {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Failed"))).build();
    ResponseBuilder::new().description(description).content("application/json", body).build()
}
