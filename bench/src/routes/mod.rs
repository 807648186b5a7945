//! The routes that are measured.

pub mod interactions;
pub mod membership;

use crate::fixture::{Fixture, KEYWORD, Person, token};
use crate::request::{Renderer, Request};

/// Rooms that the counted phase reads: few, so that look-ups stay warm while requests come one by one.
const WARM_ROOMS: usize = 20;

/// What the issue allows per request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// SQL statements.
    pub sql: Option<u32>,
    /// Cache round trips.
    pub trips: Option<u32>,
}

/// A route whose requests can be repeated at will.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name in tables.
    pub name: &'static str,
    /// Method and path.
    pub shown: &'static str,
    /// Requests, repeated in turn.
    pub requests: Vec<Request>,
    /// Limits of the counted phase.
    pub limits: Limits,
    /// Whether it is timed too.
    pub timed: bool,
    /// How many of the requests, the first ones, the counted phase repeats.
    pub warm: usize,
    /// How its statements are counted.
    pub by: By,
}

/// How statements are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// By MariaDB's counters: all of them.
    #[default]
    Counters,
    /// By MariaDB's general log, while consumers of events are held up: those that no consumer or job sends.
    Log,
}

const fn sql(most: u32) -> Limits {
    Limits { sql: Some(most), trips: None }
}

/// The bare route, to which the others are compared.
pub fn bare(renderer: &Renderer) -> Route {
    Route {
        name: "bare",
        shown: "GET /healthz",
        requests: vec![renderer.open("GET", "/healthz")],
        limits: Limits::default(),
        timed: true,
        warm: WARM_ROOMS,
        by: By::Counters,
    }
}

/// The routes of rooms and users, but for joining and leaving.
pub fn routes(renderer: &Renderer, fixture: &Fixture) -> Vec<Route> {
    let viewers = &fixture.viewers;
    let each = |target: &dyn Fn(&str) -> String| -> Vec<Request> {
        let all = viewers
            .iter()
            .map(|(person, live_id)| renderer.client("GET", &target(live_id), &person.token, None));
        all.collect()
    };
    let route = |name, shown, requests, limits, timed| Route {
        name,
        shown,
        requests,
        limits,
        timed,
        warm: WARM_ROOMS,
        by: By::Counters,
    };
    let heartbeat = Limits { sql: Some(0), trips: Some(1) };
    let own: Vec<Request> = fixture
        .rooms
        .iter()
        .map(|room| {
            renderer.client(
                "GET",
                &format!("/client/live/room/heartbeat/{}", room.live_id),
                &room.anchor.token,
                None,
            )
        })
        .collect();
    let server_info = fixture
        .rooms
        .iter()
        .map(|room| renderer.server("GET", &format!("/server/live/{}", room.live_id), None));
    let tokens = viewers.iter().map(|(person, _)| token(renderer, &person.user_id));
    vec![
        route("client_auth", "GET /client/app/config", each(&|_| "/client/app/config".into()), sql(0), true),
        route(
            "heartbeat",
            "GET /client/live/room/heartbeat/{live_id}",
            each(&|id| format!("/client/live/room/heartbeat/{id}")),
            heartbeat,
            true,
        ),
        route("heartbeat_anchor", "the same, by the anchor", own, heartbeat, false),
        route(
            "room_info",
            "GET /client/live/room/info/{live_id}",
            each(&|id| format!("/client/live/room/info/{id}")),
            sql(1),
            true,
        ),
        route("room_info_server", "GET /server/live/{live_id}", server_info.collect(), sql(1), false),
        route(
            "list_20",
            "GET /client/live/room/list?page_size=20",
            each(&|_| "/client/live/room/list?page_num=1&page_size=20".into()),
            sql(4),
            true,
        ),
        route(
            "list_100",
            "GET /client/live/room/list?page_size=100",
            each(&|_| "/client/live/room/list?page_num=1&page_size=100".into()),
            sql(4),
            false,
        ),
        route(
            "search",
            "GET /client/live/room?keyword=",
            each(&|_| format!("/client/live/room?keyword={KEYWORD}&page_num=1&page_size=20")),
            Limits::default(),
            true,
        ),
        route(
            "profile",
            "GET /client/user/profile",
            each(&|_| "/client/user/profile".into()),
            Limits::default(),
            true,
        ),
        route("auth_token", "GET /server/auth/token", tokens.collect(), Limits::default(), true),
    ]
}

impl Route {
    /// The requests of the counted phase.
    pub fn warm_requests(&self) -> &[Request] {
        self.requests.get(..self.warm).unwrap_or(&self.requests)
    }
}

/// A request that marks users as heard, for viewers who must not fall silent.
pub fn heartbeats(renderer: &Renderer, viewers: &[(Person, String)]) -> Vec<Request> {
    let one = |(person, live_id): &(Person, String)| {
        renderer.client("GET", &format!("/client/live/room/heartbeat/{live_id}"), &person.token, None)
    };
    viewers.iter().map(one).collect()
}
