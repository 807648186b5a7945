//! The API suite: what `http-api.md` says, asked over HTTP of any running server.
//!
//! Every case makes its own users and rooms and so stands alone; all of one target run at the same
//! time. `LIVELOOM_TARGET_URL`, `_AK`, `_SK` and, when known, `_JWT_KEY` point the suite at a server
//! that is running somewhere; otherwise it starts one in this process, once per backend. A case that
//! needs more than the target gives answers [`NotApplicable`] and is named in the summary.

#![allow(clippy::panic)]

mod addresses;
mod admin_callbacks;
mod admin_directory;
mod admin_gifts;
mod admin_rooms;
mod admins;
mod answer;
mod auth;
mod bad_input;
mod censor;
mod client;
mod cors;
mod coverage;
mod demo;
mod demonstrations;
mod documents;
mod envelope;
mod fuzz;
mod gift_lists;
mod gift_types;
mod gifts;
mod heads;
mod health;
mod heartbeat_timeout;
mod hooks;
mod intake;
mod item_changes;
mod item_order;
mod item_rights;
mod items;
mod ledger;
mod likes;
mod lists;
mod log_ins;
mod membership;
mod mesh;
mod mics;
mod moderation;
mod moderation_limits;
mod moderation_words;
mod moderators;
mod mutation;
mod openapi;
mod operation_log;
mod overview;
mod own;
mod peers;
mod permissions;
mod platform_bans;
mod raw;
mod records;
mod relays;
mod review_client;
mod room_life;
mod rooms;
mod runner;
mod search;
mod sessions;
mod shop;
pub mod sign;
mod signature;
mod spellings;
mod stats;
mod streams;
mod target;
mod user_limits;
mod user_lists;
mod users;
mod widths;
mod world;

use own::Backend;
use target::Target;

/// Everything a case may use: the target, a client and the record of what was asked.
pub use client::Api;

/// The outcome of a case that did not panic.
pub type Verdict = Result<(), NotApplicable>;

/// Why a case says nothing about this target.
#[derive(Debug)]
pub struct NotApplicable(pub &'static str);

/// One named case.
pub struct Case {
    name: &'static str,
    run: fn(Api) -> futures_util::future::BoxFuture<'static, Verdict>,
}

/// Lists the cases of a module under their full names.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        /// The cases of this module.
        pub fn cases() -> Vec<super::Case> {
            vec![$(super::Case {
                name: concat!(module_path!(), "::", stringify!($case)),
                run: |api| Box::pin($case(api)),
            }),*]
        }
    };
}
use cases;

fn all_cases() -> Vec<Case> {
    [
        envelope::cases(),
        auth::cases(),
        sessions::cases(),
        log_ins::cases(),
        addresses::cases(),
        demo::cases(),
        review_client::cases(),
        signature::cases(),
        users::cases(),
        user_limits::cases(),
        user_lists::cases(),
        rooms::cases(),
        room_life::cases(),
        membership::cases(),
        mics::cases(),
        relays::cases(),
        heartbeat_timeout::cases(),
        lists::cases(),
        search::cases(),
        bad_input::cases(),
        widths::cases(),
        spellings::cases(),
        health::cases(),
        documents::cases(),
        cors::cases(),
        heads::cases(),
        intake::cases(),
        peers::cases(),
        hooks::cases(),
        streams::cases(),
        permissions::cases(),
        items::cases(),
        item_changes::cases(),
        item_order::cases(),
        item_rights::cases(),
        demonstrations::cases(),
        records::cases(),
        gift_types::cases(),
        gifts::cases(),
        gift_lists::cases(),
        likes::cases(),
        stats::cases(),
        censor::cases(),
        admins::cases(),
        overview::cases(),
        admin_rooms::cases(),
        admin_directory::cases(),
        admin_gifts::cases(),
        admin_callbacks::cases(),
        operation_log::cases(),
        mesh::cases(),
        moderation::cases(),
        moderation_limits::cases(),
        moderation_words::cases(),
        moderators::cases(),
        platform_bans::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Runs the cases, then the property test, then the check that nothing of the document was left out.
async fn whole_suite(api: Api) {
    let mut failures = runner::run(&api, all_cases()).await;
    failures.extend(runner::alone(&api, "it::api::fuzz", fuzz::every_route_withstands).await);
    failures.extend(runner::alone(&api, "it::api::coverage", coverage::nothing_is_left_out).await);
    assert!(failures.is_empty(), "{} cases failed:\n\n{}", failures.len(), failures.join("\n\n"));
}

async fn on_a_server_of_our_own(test: &str, backend: Backend) {
    if Target::from_env().is_some() {
        return runner::not_run(test, "LIVELOOM_TARGET_URL names the server to ask");
    }
    let own = own::start(backend, |_| {}).await;
    whole_suite(own.api()).await;
    own.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_on_sqlite_and_memory() {
    on_a_server_of_our_own("api_on_sqlite_and_memory", Backend::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_on_mariadb_and_redis() {
    on_a_server_of_our_own("api_on_mariadb_and_redis", Backend::MariaDbAndRedis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_of_the_server_named_in_the_environment() {
    match Target::from_env() {
        Some(target) => whole_suite(Api::new(target, None)).await,
        None => {
            let test = "api_of_the_server_named_in_the_environment";
            runner::not_run(test, "LIVELOOM_TARGET_URL is not set");
        }
    }
}
