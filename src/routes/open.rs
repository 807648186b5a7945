//! Routes without credentials of the common kinds: the managers' and the demo room's logins, the media
//! servers' hooks, and the document of the API.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{ContentType, LOCATION, UPGRADE};
use actix_web::web::{self, Bytes, ServiceConfig};
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};

use super::openapi;
use crate::{censor, demo, gift, live, user};

/// The routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/manager/login").post(user::tokens::login).get(user::tokens::login))
        .service(web::resource("/manager/session").post(user::sessions::begin))
        .service(web::resource("/demo/info").get(demo::handlers::info))
        .service(web::resource("/demo/login").post(demo::handlers::login))
        .service(web::resource("/manager/gift/test").post(gift::handlers::test_payment))
        .service(web::resource("/manager/censor/callback").post(censor::handlers::callback))
        .service(web::resource("/hooks/publish").post(live::stream::publish).get(live::stream::publish))
        .service(
            web::resource("/hooks/publish_done")
                .post(live::stream::publish_done)
                .get(live::stream::publish_done),
        )
        .service(web::resource(["/realtime", "/barrage-videos", "/ws/v1"]).get(upgrade_required))
        .service(web::resource("/docs").get(docs))
        .service(web::resource("/openapi.json").get(document))
        .service(SwaggerUi::new("/docs/{_:.*}").config(SwaggerConfig::from("/openapi.json")));
}

/// WebSocket handshakes go another way; what asks for something else comes here (RFC 9110 section 15.5.22).
async fn upgrade_required() -> HttpResponse {
    HttpResponse::UpgradeRequired().insert_header((UPGRADE, "websocket")).finish()
}

/// Made when it is first asked for: most servers never are, and every worker thread would hold one.
async fn document() -> HttpResponse {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| openapi::document().to_json().unwrap_or_default().into());
    HttpResponse::Ok().content_type(ContentType::json()).body(DOCUMENT.clone())
}

/// Trailing slashes are taken off before routing, so the page has to be named.
async fn docs() -> HttpResponse {
    HttpResponse::Found().insert_header((LOCATION, "/docs/index.html")).finish()
}
