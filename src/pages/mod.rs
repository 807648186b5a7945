//! The pages of `web/pages`: the demo room and the console, built by `scripts/web-build` and embedded in
//! the binary. A debug build reads them from the folder.

mod policy;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    self, AcceptEncoding, CacheControl, CacheDirective, ContentType, ETag, Encoding, EntityTag, HeaderValue,
    IfNoneMatch,
};
use actix_web::middleware::Next;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, guard};
use rust_embed::{EmbeddedFile, RustEmbed};

pub use policy::Policy;

use crate::rest::error::OwnWords;

const ROOM: &str = "index.html";
const CONSOLE: &str = "console.html";

/// How long a file may be kept whose name changes with its content, in seconds.
const FOREVER_S: u32 = 365 * 24 * 3600;

/// What a server without pages says.
const ABSENT: &str = "This build of liveloom has no pages. To get them, install Node.js 20.19 or later and build \
    again: `make run`, or `scripts/web-build` and then `cargo build --release`.\n";

#[derive(RustEmbed)]
#[folder = "web/pages/dist"]
#[allow_missing = true]
struct Files;

/// The routes: the addresses of the two pages, and the files that they are made of.
pub fn configure(config: &mut ServiceConfig) {
    let page = |path: [&str; 2]| web::resource(path).guard(guard::Any(guard::Get()).or(guard::Head()));
    config
        .service(page(["/", "/room/{live_id}"]).to(room))
        .service(page(["/console", "/console/{path:.*}"]).to(console))
        .service(page(["/assets/{file}", "/gifts/{file}"]).to(file))
        .service(page(["/favicon.svg", "/robots.txt"]).to(file));
}

async fn room(request: HttpRequest, policy: web::Data<Policy>) -> HttpResponse {
    page(ROOM, &request, &policy)
}

async fn console(request: HttpRequest, policy: web::Data<Policy>) -> HttpResponse {
    page(CONSOLE, &request, &policy)
}

async fn file(request: HttpRequest) -> HttpResponse {
    let path = request.path().trim_start_matches('/');
    let Some(file) = Files::get(path) else { return HttpResponse::NotFound().finish() };
    let life = if path.starts_with("assets/") { FOREVER_S } else { 3600 };
    send(path, file, &request, &[CacheDirective::Public, CacheDirective::MaxAge(life)])
}

fn page(path: &str, request: &HttpRequest, policy: &Policy) -> HttpResponse {
    let Some(file) = Files::get(path) else { return absent() };
    // Asked for again each time, so that a new version is seen at once.
    let mut response = send(path, file, request, &[CacheDirective::NoCache]);
    for (name, value) in policy.headers() {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

fn absent() -> HttpResponse {
    let mut response = HttpResponse::NotFound().content_type(ContentType::plaintext()).body(ABSENT);
    response.extensions_mut().insert(OwnWords);
    response
}

/// Gives the headers of the pages to one that is made elsewhere.
///
/// # Errors
/// Those of the call.
pub async fn with_policy<B: MessageBody>(
    policy: web::Data<Policy>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in policy.headers() {
        headers.insert(name.clone(), value.clone());
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// A file in the smallest form that was made of it and that the caller takes.
fn send(path: &str, file: EmbeddedFile, request: &HttpRequest, cache: &[CacheDirective]) -> HttpResponse {
    let kind = file.metadata.mimetype().to_owned();
    let (encoding, file) = compressed(path, request).map_or((None, file), |(name, file)| (Some(name), file));
    let tag = EntityTag::new_strong(base16ct::lower::encode_string(&file.metadata.sha256_hash()));
    let mut response = HttpResponse::Ok();
    response
        .insert_header(CacheControl(cache.to_vec()))
        .insert_header((header::VARY, HeaderValue::from_static("Accept-Encoding")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .insert_header(ETag(tag.clone()));
    if is_known(request, &tag) {
        return response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish();
    }
    if let Some(encoding) = encoding {
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static(encoding)));
    }
    response.content_type(kind).body(web::Bytes::from(file.data.into_owned()))
}

/// The file's compressed form, best first, and what its encoding is called.
fn compressed(path: &str, request: &HttpRequest) -> Option<(&'static str, EmbeddedFile)> {
    let accepted = request.get_header::<AcceptEncoding>()?;
    let made = [("br", "br", Encoding::brotli()), ("gzip", "gz", Encoding::gzip())];
    made.into_iter().find_map(|(name, ending, encoding)| {
        accepted
            .negotiate([encoding.clone(), Encoding::identity()].iter())
            .filter(|best| *best == encoding)?;
        Some((name, Files::get(&format!("{path}.{ending}"))?))
    })
}

fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match request.get_header::<IfNoneMatch>() {
        Some(IfNoneMatch::Any) => true,
        Some(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::http::StatusCode;

    use super::*;

    #[actix_web::test]
    async fn a_build_without_pages_says_how_to_get_them() {
        let response = absent();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(response.extensions().contains::<OwnWords>(), "it is told in its own words");
        let body = to_bytes(response.into_body()).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.contains("Node.js") && text.contains("make run"), "{text}");
    }
}
