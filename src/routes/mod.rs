//! The routing tables, one per audience, and the document that describes them.

mod admin;
mod client;
mod health;
mod intake;
mod items;
mod moderation;
mod open;
mod openapi;
mod readiness;
mod replicas;
mod server;

use actix_web::web::ServiceConfig;

pub use openapi::document;
pub use readiness::{Readiness, Stores};

use crate::pages;

/// All routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(client::scope())
        .configure(client::aliases)
        .service(server::scope())
        .configure(server::mesh)
        .service(admin::scope())
        .configure(open::configure)
        .configure(health::configure)
        .configure(pages::configure);
}
