//! Routes without credentials of the common kinds: the managers' and the demo room's logins, the media
//! servers' hooks, and the document of the API.

use std::sync::LazyLock;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{ContentType, LOCATION, UPGRADE};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{Error, HttpResponse, Resource};
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};

use super::intake::{self, BodySender, MediaServer, ReviewService};
use super::openapi;
use crate::demo::Demo;
use crate::gift::TestPayment;
use crate::pages;
use crate::rest::rate_limit::LimitsAddresses;
use crate::user::LogIns;
use crate::{censor, demo, gift, live, user};

/// The routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(limited::<LogIns>("/manager/login").post(user::tokens::login).get(user::tokens::login))
        .service(limited::<LogIns>("/manager/session").post(user::sessions::begin))
        .service(web::resource("/demo/info").get(demo::handlers::info))
        .service(limited::<Demo>("/demo/login").post(demo::handlers::login))
        .service(limited::<TestPayment>("/manager/gift/test").post(gift::handlers::test_payment))
        .service(of_sender::<ReviewService>("/manager/censor/callback").post(censor::handlers::callback))
        .service(
            of_sender::<MediaServer>("/hooks/publish").post(live::stream::publish).get(live::stream::publish),
        )
        .service(
            of_sender::<MediaServer>("/hooks/publish_done")
                .post(live::stream::publish_done)
                .get(live::stream::publish_done),
        )
        .service(web::resource(["/realtime", "/barrage-videos", "/ws/v1"]).get(upgrade_required))
        .service(web::resource("/docs").get(docs))
        .service(web::resource("/openapi.json").get(document))
        .service(
            web::scope("/docs")
                .wrap(from_fn(pages::with_policy))
                .service(SwaggerUi::new("/{_:.*}").config(SwaggerConfig::from("/openapi.json"))),
        );
}

/// A route for anybody, as often as a limit for each address allows.
fn limited<L: LimitsAddresses>(
    path: &str,
) -> Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<L>,
> {
    web::resource(path).wrap(from_fn(intake::limited::<L, _>))
}

/// A route that takes bodies from those alone whom `F` lets in.
fn of_sender<F: BodySender + 'static>(
    path: &str,
) -> Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<F>,
> {
    web::resource(path).wrap(from_fn(intake::bodies::<F, _>))
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
