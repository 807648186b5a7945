//! The routes that are measured.

use crate::fixture::{Fixture, KEYWORD, Person, Room, join, token};
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
}

/// One pass of the counted phase over users who join and leave: each request is sent once, in this order.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Its name in tables.
    pub name: &'static str,
    /// What is done.
    pub shown: &'static str,
    /// One request per user.
    pub requests: Vec<Request>,
    /// Limits of the counted phase.
    pub limits: Limits,
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
    }
}

/// All routes but the bare one and joining and leaving.
pub fn routes(renderer: &Renderer, fixture: &Fixture) -> Vec<Route> {
    let viewers = &fixture.viewers;
    let each = |target: &dyn Fn(&str) -> String| -> Vec<Request> {
        let all = viewers
            .iter()
            .map(|(person, live_id)| renderer.client("GET", &target(live_id), &person.token, None));
        all.collect()
    };
    let route = |name, shown, requests, limits, timed| Route { name, shown, requests, limits, timed };
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
        self.requests.get(..WARM_ROOMS).unwrap_or(&self.requests)
    }
}

/// Requests that make the look-ups of `people` and of all rooms warm and change nothing.
pub fn greetings(renderer: &Renderer, rooms: &[Room], people: &[Person]) -> Vec<Request> {
    let people =
        people.iter().map(|person| renderer.client("GET", "/client/app/config", &person.token, None));
    let rooms = rooms.iter().map(|room| {
        let target = format!("/client/live/room/info/{}", room.live_id);
        renderer.client("GET", &target, &room.anchor.token, None)
    });
    people.chain(rooms).collect()
}

/// Requests with which `people` join `rooms`, spread over them from the `first` room on.
pub fn joins(renderer: &Renderer, rooms: &[Room], people: &[Person], first: usize) -> Vec<Request> {
    let rooms = rooms.iter().cycle().skip(first);
    people.iter().zip(rooms).map(|(person, room)| join(renderer, person, &room.live_id)).collect()
}

/// Requests with which they leave these rooms.
pub fn leaves(renderer: &Renderer, rooms: &[Room], people: &[Person], first: usize) -> Vec<Request> {
    let rooms = rooms.iter().cycle().skip(first);
    let leave = |(person, room): (&Person, &Room)| {
        renderer.client("DELETE", &format!("/client/live/room/user/{}", room.live_id), &person.token, None)
    };
    people.iter().zip(rooms).map(leave).collect()
}

type Requests = fn(&Renderer, &[Room], &[Person], usize) -> Vec<Request>;

/// Joining and leaving as counted: for the first time, again, twice, from another room, and leaving; by
/// `people`, then by the anchors of their `own` rooms.
pub fn passes(renderer: &Renderer, rooms: &[Room], people: &[Person], own: &[Room]) -> Vec<Pass> {
    let pass = |name, shown, requests| Pass { name, shown, requests, limits: sql(3) };
    let few = rooms.get(..WARM_ROOMS).unwrap_or(rooms);
    let join = |first| joins(renderer, few, people, first);
    let leave = |first| leaves(renderer, few, people, first);
    let anchors: Vec<Person> = own.iter().map(|room| room.anchor.clone()).collect();
    let own = |requests: Requests| requests(renderer, own, &anchors, 0);
    vec![
        pass("join_first", "POST /client/live/room/user/{live_id}, never in it before", join(0)),
        pass("leave", "DELETE /client/live/room/user/{live_id}", leave(0)),
        pass("join", "POST again after leaving", join(0)),
        pass("join_twice", "POST while in it", join(0)),
        pass("join_move", "POST while in another room", join(1)),
        pass("leave_moved", "DELETE after moving", leave(1)),
        pass("leave_anchor", "DELETE by the anchor of a live", own(leaves)),
        pass("join_anchor", "POST by the anchor, back to their live", own(joins)),
    ]
}

/// A request that marks users as heard, for viewers who must not fall silent.
pub fn heartbeats(renderer: &Renderer, viewers: &[(Person, String)]) -> Vec<Request> {
    let one = |(person, live_id): &(Person, String)| {
        renderer.client("GET", &format!("/client/live/room/heartbeat/{live_id}"), &person.token, None)
    };
    viewers.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Keys;

    #[test]
    fn people_leave_the_rooms_that_they_joined() {
        let renderer = Renderer::new("h".into(), Keys { access_key: "a".into(), secret_key: "s".into() });
        let person = |id: &str| Person { user_id: id.into(), token: format!("token-{id}") };
        let rooms = ["1", "2", "3"].map(|id| Room { live_id: id.into(), anchor: person("x") }).to_vec();
        let people: Vec<Person> = ["a", "b", "c", "d"].map(person).to_vec();
        let target =
            |request: &Request| String::from_utf8_lossy(request).split(' ').nth(1).map(str::to_owned);
        let joined: Vec<_> = joins(&renderer, &rooms, &people, 1).iter().map(target).collect();
        let left: Vec<_> = leaves(&renderer, &rooms, &people, 1).iter().map(target).collect();
        assert_eq!(joined, left);
        assert_eq!(joined.first().cloned().flatten().as_deref(), Some("/client/live/room/user/2"));
    }
}
