//! The routing tables, one per audience, and the document that describes them.

mod admin;
mod client;
mod copies;
mod health;
mod items;
mod moderation;
mod open;
mod openapi;
mod readiness;
mod server;

use actix_web::web::ServiceConfig;

pub use openapi::document;
pub use readiness::{Readiness, Stores};

use crate::pages;

/// All routes; `is_cors_on` lets browsers of any origin call `/client/*`.
pub fn configure(config: &mut ServiceConfig, is_cors_on: bool) {
    config
        .service(client::scope(is_cors_on))
        .configure(client::aliases)
        .service(server::scope())
        .configure(server::mesh)
        .service(admin::scope())
        .configure(open::configure)
        .configure(health::configure)
        .configure(pages::configure);
}
