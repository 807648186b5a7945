//! The native protocol (docs/realtime.md): requests and pushes in JSON, one document per frame.

mod limits;
mod methods;
mod presence;
mod reconcile;
mod request;
mod subscribe;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::web;
use bytes::BytesMut;
use tokio::task::spawn_local;
use tokio::time::sleep;

use self::request::{MAX_BAD, Request};
use super::limits::{ConnectionCount, Counted, HistoryBudget, RequestLimit};
use super::problem::push_problem;
use super::socket::{self, Message, command_id};
use crate::auth::token::strip_bearer;
use crate::auth::{Client, Gate};
use crate::live::Lives;
use crate::moderation::Moderation;
use crate::relay::Relays;
use crate::rest::ApiError;
use crate::user::Users;
use common::failure::Kind;
use common::supervise;
use realtime::message::push_text;
use realtime::{Closing, Connection, Endpoint, LocalHub, Login, frame};
use telemetry::context;

/// Bytes that a message of a peer may have.
const MAX_MESSAGE: usize = 16 * 1024;
/// How long a peer may take to say who it is.
const LOGIN_LIMIT: Duration = Duration::from_secs(10);

/// What the protocol needs; one for all workers.
#[derive(Clone)]
pub struct Parts {
    /// Lets users in.
    pub gate: web::Data<Gate>,
    /// The rooms.
    pub lives: web::Data<Lives>,
    /// The PKs, over which users of two rooms reach each other.
    pub relays: web::Data<Relays>,
    /// Who may write and enter where.
    pub moderation: web::Data<Moderation>,
    /// The users, and how they stand.
    pub users: web::Data<Users>,
    /// How much users may publish.
    pub limit: Arc<PublishLimits>,
    /// Connections of each user.
    pub connections: ConnectionCount<Arc<str>>,
    /// From one heartbeat of a connection that follows a room to the next.
    pub heartbeat_every: Duration,
}

pub use self::limits::PublishLimits;

/// The protocol on one worker thread.
pub struct Native {
    local: LocalHub,
    parts: Rc<Parts>,
}

/// One connection.
struct Session {
    local: LocalHub,
    parts: Rc<Parts>,
    connection: Rc<Connection>,
    requests: RequestLimit,
    history: HistoryBudget,
    bad: u32,
    /// Counts it among its user's, once they are known.
    counted: Option<Counted<Arc<str>>>,
}

impl Native {
    /// The protocol over a worker's hub.
    #[must_use]
    pub fn new(local: LocalHub, parts: Parts) -> Self {
        let parts = Rc::new(parts);
        supervise::spawn_local("connections", presence::keep(local.clone(), Rc::clone(&parts)));
        supervise::spawn_local("connections", reconcile::keep(local.clone(), Rc::clone(&parts)));
        Self { local, parts }
    }

    /// Serves a connection that may have brought its token with the handshake.
    pub(super) async fn serve(&self, io: TcpStream, early: BytesMut, token: Option<String>) {
        let registered = self.local.register(Endpoint::Native);
        let mut session = Box::new(Session {
            local: self.local.clone(),
            parts: Rc::clone(&self.parts),
            connection: Rc::clone(registered.connection()),
            requests: RequestLimit::new(self.local.now()),
            history: HistoryBudget::new(self.local.now()),
            bad: 0,
            counted: None,
        });
        let connection = Rc::clone(registered.connection());
        match token {
            Some(token) => session.log_in(&token, None).await,
            None => _ = spawn_local(end_nameless(Rc::clone(&connection))),
        }
        let local = &self.local;
        socket::serve((io, early), MAX_MESSAGE, local, &connection, async |message| {
            // What a request needs is there while it is handled, and no longer.
            Box::pin(session.take(message)).await;
        })
        .await;
    }
}

/// Closes a connection that does not say whose it is.
async fn end_nameless(connection: Rc<Connection>) {
    sleep(LOGIN_LIMIT).await;
    if connection.user_id().is_none() {
        connection.close_now(Closing::BAD_TOKEN);
    }
}

impl Session {
    async fn take(&mut self, message: Message) {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary => return self.connection.close(Closing::PROTOCOL),
        };
        if self.connection.user_id().is_none() {
            return self.first(&text).await;
        }
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            // The answer to the one before is taken first.
            if self.connection.is_clogged() {
                self.connection.drained().await;
            }
            if self.connection.is_closing() {
                return;
            }
            self.request(line).await;
        }
    }

    /// The first message: a token, or a request that brings it.
    async fn first(&mut self, text: &str) {
        match request::connect(text) {
            Ok((id, token)) => self.log_in(&token, Some(id)).await,
            Err(_) if text.trim_start().starts_with('{') => self.connection.close(Closing::PROTOCOL),
            Err(_) => self.log_in(strip_bearer(text.trim()), None).await,
        }
    }

    async fn log_in(&mut self, token: &str, id: Option<u64>) {
        let client = match self.parts.gate.client_of(token).await {
            Ok(client) => client,
            Err(error) => return self.connection.close(closing_of(error.kind())),
        };
        let login = login_of(&client);
        self.counted = self.parts.connections.enter(Arc::clone(&login.user_id));
        if self.counted.is_none() {
            return self.connection.close(Closing::TOO_MANY);
        }
        self.local.authenticate(&self.connection, login);
        // A ban that came meanwhile did not find the connection.
        if let Err(error) = self.parts.gate.client_of(token).await {
            return self.connection.close(closing_of(error.kind()));
        }
        let mut hello = format!(r#"{{"client":"{}","user_id":"#, self.connection.client_id());
        push_text(&mut hello, client.user_id());
        hello.push_str(&format!(
            r#","node_id":{},"ping_s":{},"expires_at":{}}}"#,
            self.local.hub().node_id(),
            realtime::PING_EVERY.as_secs(),
            client.expires_at(),
        ));
        let text = match id {
            Some(id) => format!(r#"{{"id":{id},"result":{hello}}}"#),
            None => format!(r#"{{"push":{{"connected":{hello}}}}}"#),
        };
        self.connection.reply(frame::text(&text));
    }

    async fn request(&mut self, line: &str) {
        let request = match Request::read(line) {
            Ok(request) => request,
            Err(problem) => {
                self.bad += 1;
                self.answer_error(problem.id, &problem.error.into());
                if self.bad >= MAX_BAD || !problem.is_json {
                    self.connection.close(Closing::PROTOCOL);
                }
                return;
            }
        };
        match self.requests.check(self.local.now()) {
            Ok(()) => {}
            Err(error) => {
                if error.is_flood {
                    self.connection.close(Closing::FLOOD);
                }
                return self.answer_error(request.id, &error.into());
            }
        }
        let id = command_id(&self.connection, Some(request.id));
        if let Err(error) = context::within(id, self.handle(&request)).await {
            self.answer_error(request.id, &error);
        }
    }

    fn answer(&self, id: u64, result: &str) {
        self.connection.reply(frame::text(&format!(r#"{{"id":{id},"result":{result}}}"#)));
    }

    fn answer_error(&self, id: u64, error: &ApiError) {
        let mut json = format!(r#"{{"id":{id},"error":"#);
        push_problem(&mut json, error);
        json.push('}');
        self.connection.reply(frame::text(&json));
    }
}

fn login_of(client: &Client) -> Login {
    Login { user_id: client.user_id().into(), issued_at: client.issued_at(), expires_at: client.expires_at() }
}

/// With what a connection is closed whose token was refused.
fn closing_of(refused: Kind) -> Closing {
    match refused {
        Kind::TokenExpired => Closing::EXPIRED,
        Kind::Forbidden => Closing::BANNED,
        Kind::Unauthorized => Closing::BAD_TOKEN,
        // A database that is away says nothing about the token.
        _ => Closing::FAILED,
    }
}
