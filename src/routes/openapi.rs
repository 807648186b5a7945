//! The OpenAPI document, made from the handlers.

mod aliases;

use utoipa::openapi::path::Operation;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr};
use utoipa::{Modify, OpenApi as _};

use self::aliases::{Aliases, Mirrored};
use super::health::paths as health;
use crate::callback::admin_handlers as callback;
use crate::censor::handlers as censor;
use crate::demo::handlers as demo;
use crate::edges::mesh::http as mesh;
use crate::gift::{admin_handlers as ledger, handlers as gift};
use crate::item::{demonstration_handlers as demonstration, handlers as item};
use crate::like::handlers as like;
use crate::live::{admin_handlers as rooms, handlers as live, stream};
use crate::mic::handlers as mic;
use crate::moderation::{handlers as moderation, message_handlers as messages, word_handlers as words};
use crate::overview::handlers as overview;
use crate::relay::handlers as relay;
use crate::rest::envelope::{Done, Failed};
use crate::stats::handlers as stats;
use crate::user::admin::handlers as admin;
use crate::user::{
    ban_handlers as bans, directory_handlers as directory, handlers as user, operations, sessions, tokens,
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "liveloom", description = "Backend for live streaming with interaction. Every answer is an envelope \
        `{request_id, code, message, data?}`; see docs/api.md for codes, paging and limits."),
    paths(
        tokens::token, tokens::admin_token, tokens::login, tokens::app_config,
        sessions::begin, sessions::end, sessions::show, demo::info, demo::login,
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
        mesh::publish, mesh::send,
        moderation::settings, moderation::change_settings, moderation::moderators, moderation::appoint,
        moderation::dismiss, moderation::mutes, moderation::mute, moderation::unmute, moderation::bans,
        moderation::ban, moderation::unban, moderation::kick, moderation::delete_message,
        words::list, words::add, words::delete, bans::list, bans::impose, bans::lift,
        admin::list, admin::create, admin::change, admin::delete, operations::list,
        overview::summary, overview::nodes, overview::jobs, overview::config,
        rooms::list, rooms::info, rooms::users, rooms::user, stats::of_room_for_admin, messages::list,
        directory::list, ledger::list, ledger::resolve, ledger::refund,
        callback::list, callback::waiting, callback::retry,
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
        if !["/server/", "/v1/"].iter().any(|start| path.starts_with(start)) {
            add("403", "A user's token where an administrator's is needed, or the other way round");
        }
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
