//! Who calls, as extractors: a handler that takes a [`Client`] or a [`Backend`] is open to nobody
//! else.

use std::borrow::Cow;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::{Payload, RequestHead};
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use sha2::{Digest, Sha256};

use super::account_status::AccountStatus;
use super::backend::{BackendCall, BackendKeys, KnownBackend};
use super::console;
use super::signature::{ServerSignature, SignatureError};
use super::token::{Claims, TokenError, TokenService, strip_bearer};
use crate::rest::peer::TrustedProxies;
use crate::rest::user_limit::UserLimit;
use crate::rest::{ApiError, body};
use common::clock::SharedClock;
use common::failure::{Failure, Kind};
use config::Current;
use store::cache::Cache;

/// The role in an administrator's token.
pub const ADMIN_ROLE: &str = "admin";

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// What an [`AccountStore`] answers.
pub type StatusFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<Arc<AccountStatus>>, ApiError>> + 'a>>;

/// Users or administrators; those who stand above this floor answer.
pub trait AccountStore: Send + Sync + 'static {
    /// How `user_id` stands; None when they have no account.
    fn status<'a>(&'a self, user_id: &'a str) -> StatusFuture<'a>;
}

/// What [`Administrators::is_ended`] answers.
pub type IsEnded<'a> = Pin<Box<dyn Future<Output = Result<bool, ApiError>> + 'a>>;

/// What [`Administrators::end`] answers.
pub type Done<'a> = Pin<Box<dyn Future<Output = Result<(), ApiError>> + 'a>>;

/// Administrators, who can end a token of theirs. Tokens are named by their SHA-256, in hexadecimal digits.
pub trait Administrators: AccountStore {
    /// Whether a token was ended.
    fn is_ended<'a>(&'a self, hash: &'a str) -> IsEnded<'a>;

    /// Ends a token for good; it would be good until the Unix second `expires_at`.
    fn end<'a>(&'a self, hash: &'a str, expires_at: i64) -> Done<'a>;
}

/// A good token of somebody whom the route is not for.
#[derive(Debug, thiserror::Error)]
enum OtherAudience {
    #[error("this is for users of the app, not for administrators")]
    ForUsers,
    #[error("this is for administrators, not for users of the app")]
    ForAdmins,
}

impl Failure for OtherAudience {
    fn kind(&self) -> Kind {
        Kind::Forbidden
    }
}

/// What the extractors need to know.
pub struct Authenticator {
    tokens: TokenService,
    users: Arc<dyn AccountStore>,
    admins: Arc<dyn Administrators>,
    backends: Current<BackendKeys>,
    cache: Cache,
    clock: SharedClock,
    proxies: TrustedProxies,
}

impl Authenticator {
    /// An authenticator that knows users and administrators from `users` and `admins`, and repeated requests
    /// from `cache`.
    #[must_use]
    pub fn new(
        tokens: TokenService,
        users: Arc<dyn AccountStore>,
        admins: Arc<dyn Administrators>,
        backends: Current<BackendKeys>,
        cache: Cache,
        clock: SharedClock,
        proxies: TrustedProxies,
    ) -> Self {
        Self { tokens, users, admins, backends, cache, clock, proxies }
    }

    /// Issues and verifies tokens.
    #[must_use]
    pub fn tokens(&self) -> &TokenService {
        &self.tokens
    }

    /// The address of the caller, seen through trusted proxies.
    #[must_use]
    pub fn client_ip(&self, request: &HttpRequest) -> IpAddr {
        self.peer_ip(request.head())
    }

    /// The address of one who asks for a WebSocket, seen through trusted proxies.
    #[must_use]
    pub fn peer_ip(&self, handshake: &RequestHead) -> IpAddr {
        self.proxies.client_ip(handshake)
    }

    /// The host that the caller knows this server by.
    #[must_use]
    pub fn host<'r>(&self, request: &'r HttpRequest) -> &'r str {
        self.proxies.host(request.head())
    }

    /// Lets a business backend have a WebSocket: its handshake is signed as any call is.
    ///
    /// # Errors
    /// 401, as for any call; the store's.
    pub async fn admit_backend(&self, handshake: &RequestHead) -> Result<(), ApiError> {
        let asked = BackendCall {
            head: handshake,
            method: handshake.method.clone(),
            path: Cow::Borrowed(handshake.uri.path()),
            body: Bytes::new(),
        };
        self.backend(&asked, false).await.map(drop)
    }

    /// The user whose token this is, without a scheme before it.
    ///
    /// # Errors
    /// 401 and 499, as for any call; the store's.
    pub async fn client_of(&self, token: &str) -> Result<Client, ApiError> {
        match self.identify(Some(token)).await? {
            Known::User(client) => Ok(client),
            Known::Admin(_) => Err(TokenError::Bad.into()),
        }
    }

    /// Whose token it is. An administrator's id is not a user's, even where the two are spelled alike.
    async fn identify(&self, token: Option<&str>) -> Result<Known, ApiError> {
        let token = token.ok_or(TokenError::Bad)?;
        let claims = self.tokens.verify(token)?;
        let is_admin = claims.role == ADMIN_ROLE;
        let accounts: &dyn AccountStore = if is_admin { &*self.admins } else { &*self.users };
        let status = accounts.status(&claims.user_id).await?.ok_or(TokenError::Bad)?;
        status.admit(&claims, self.clock.now())?;
        if !is_admin {
            return Ok(Known::User(Client { claims }));
        }
        let token = base16ct::lower::encode_string(&Sha256::digest(token));
        if self.admins.is_ended(&token).await? {
            return Err(TokenError::Bad.into());
        }
        Ok(Known::Admin(Admin { claims, token: token.into() }))
    }

    /// Ends the token of a call.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_session(&self, admin: &Admin) -> Result<(), ApiError> {
        self.admins.end(&admin.token, admin.expires_at()).await
    }

    /// Refuses a call that is no business backend's by what its head tells: its body is read only if it may be.
    ///
    /// # Errors
    /// 401, 400 for a path that cannot be signed.
    pub fn expect_backend(&self, request: &HttpRequest) -> Result<(), ApiError> {
        let asked = BackendCall::of(request, Bytes::new());
        let backends = self.backends.get();
        if !backends.config.enable {
            return Ok(backends.check_address(asked.head)?);
        }
        let signed = asked.signed_headers();
        let checked =
            backends.signature.check_head(asked.authorization(), &asked.parts(&signed), self.clock.now());
        Ok(checked?)
    }

    async fn backend_of(&self, request: &HttpRequest, is_signature_needed: bool) -> Result<(), ApiError> {
        let known = request.extensions().get::<KnownBackend>().copied();
        if known.is_some_and(|known| known.has_signed || !is_signature_needed) {
            return Ok(());
        }
        let known = self.backend(&BackendCall::of(request, body::raw(request)), is_signature_needed).await?;
        request.extensions_mut().insert(known);
        Ok(())
    }

    async fn backend(
        &self,
        asked: &BackendCall<'_>,
        is_signature_needed: bool,
    ) -> Result<KnownBackend, ApiError> {
        // Kept to the end of the call, whatever is reloaded meanwhile.
        let backends = Arc::clone(&self.backends.get());
        if !backends.config.enable && !is_signature_needed {
            backends.check_address(asked.head)?;
            return Ok(KnownBackend { has_signed: false });
        }
        self.check_signature(&backends.signature, asked).await?;
        Ok(KnownBackend { has_signed: true })
    }

    async fn check_signature(
        &self,
        signature: &ServerSignature,
        asked: &BackendCall<'_>,
    ) -> Result<(), ApiError> {
        let signed = asked.signed_headers();
        let checked = signature.check(asked.authorization(), &asked.parts(&signed), self.clock.now());
        let Some(guard) = checked? else { return Ok(()) };
        if self.cache.set_if_absent(&guard.key, "", guard.keep).await? {
            Ok(())
        } else {
            Err(SignatureError::Replayed.into())
        }
    }
}

/// Whose token it is.
enum Known {
    User(Client),
    Admin(Admin),
}

/// The authenticator, or the limit of writes, is missing: a fault of the wiring.
#[derive(Debug, thiserror::Error)]
#[error("the gate or the limit of writes is not part of the application")]
struct NotWired;

impl Failure for NotWired {
    fn kind(&self) -> Kind {
        Kind::Internal
    }
}

fn authenticator(request: &HttpRequest) -> Result<web::Data<Authenticator>, ApiError> {
    request.app_data::<web::Data<Authenticator>>().cloned().ok_or_else(|| NotWired.into())
}

/// A user of the app, by a valid token. Left in the request's extensions, so that a token is checked once.
#[derive(Clone, Debug)]
pub struct Client {
    claims: Arc<Claims>,
}

impl Client {
    /// The user.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.claims.user_id
    }

    /// When the token was issued, in Unix seconds; some do not say it.
    #[must_use]
    pub fn issued_at(&self) -> Option<i64> {
        self.claims.issued_at
    }

    /// When the token ends, in Unix seconds.
    #[must_use]
    pub fn expires_at(&self) -> i64 {
        self.claims.exp
    }
}

impl FromRequest for Client {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // A call is counted once, however many ask who made it.
        if let Some(client) = request.extensions().get::<Self>() {
            return Box::pin(std::future::ready(Ok(client.clone())));
        }
        let authenticator = authenticator(request);
        let request = request.clone();
        Box::pin(async move {
            let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let client = match authenticator?.identify(header.map(strip_bearer)).await? {
                Known::User(client) => client,
                Known::Admin(_) => return Err(OtherAudience::ForUsers.into()),
            };
            if !request.method().is_safe() {
                let writes = request.app_data::<web::Data<WriteLimit>>().ok_or(NotWired)?;
                writes.0.check(client.user_id())?;
            }
            request.extensions_mut().insert(client.clone());
            Ok(client)
        })
    }
}

/// What users may write, whatever it is.
pub struct WriteLimit(pub UserLimit);

/// An administrator, by a valid token of that role, in the header or in the console's cookie. Left in the
/// request's extensions, for the operation log.
#[derive(Clone, Debug)]
pub struct Admin {
    claims: Arc<Claims>,
    /// SHA-256 of the token.
    token: Arc<str>,
}

impl Admin {
    /// The administrator.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.claims.user_id
    }

    /// When the token ends, in Unix seconds.
    #[must_use]
    pub fn expires_at(&self) -> i64 {
        self.claims.exp
    }
}

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // The operation log has asked already.
        if let Some(admin) = request.extensions().get::<Self>() {
            return Box::pin(std::future::ready(Ok(admin.clone())));
        }
        let authenticator = authenticator(request);
        let request = request.clone();
        Box::pin(async move {
            let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let authenticator = authenticator?;
            let cookie = header.is_none().then(|| console::token(&request)).flatten();
            let admin = match authenticator.identify(header.map(strip_bearer).or(cookie.as_deref())).await? {
                Known::Admin(admin) => admin,
                Known::User(_) => return Err(OtherAudience::ForAdmins.into()),
            };
            request.extensions_mut().insert(admin.clone());
            Ok(admin)
        })
    }
}

/// A business backend: by a signature, or, where signatures are off, by its address.
#[derive(Clone, Copy, Debug)]
pub struct Backend;

impl FromRequest for Backend {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let authenticator = authenticator(request);
        let request = request.clone();
        Box::pin(async move { authenticator?.backend_of(&request, false).await.map(|()| Self) })
    }
}

/// A business backend by a signature, even where signatures are off.
#[derive(Clone, Copy, Debug)]
pub struct SignedBackend;

impl FromRequest for SignedBackend {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let authenticator = authenticator(request);
        let request = request.clone();
        Box::pin(async move { authenticator?.backend_of(&request, true).await.map(|()| Self) })
    }
}
