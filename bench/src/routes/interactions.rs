//! Likes, gifts, items, seats and statistics.

use serde_json::json;

use super::{By, Limits, Route, WARM_ROOMS, sql};
use crate::fixture::interactions::{GIFT_AMOUNT, GIFT_ID};
use crate::fixture::{Fixture, Person};
use crate::request::{Renderer, Request};

/// The list of guests on seats.
pub const SEAT_LIST: &str = "seat_list";

/// Routes after whose answers nothing is left to do.
pub fn reads(renderer: &Renderer, fixture: &Fixture) -> Vec<Route> {
    let route = |name, shown, prefix: &str, limits| Route {
        name,
        shown,
        requests: gets(renderer, &fixture.viewers, prefix),
        limits,
        timed: true,
        warm: WARM_ROOMS,
        by: By::Counters,
    };
    vec![
        route("item_list", "GET /client/item/{live_id}", "/client/item/", sql(1)),
        route("stats", "GET /client/stats/singleLive/{live_id}", "/client/stats/singleLive/", sql(1)),
        route(SEAT_LIST, "GET /client/mic/room/list/{live_id}", "/client/mic/room/list/", sql(2)),
    ]
}

/// Routes that leave work to consumers and jobs: measured after all others, which that work would disturb.
pub fn writes(renderer: &Renderer, fixture: &Fixture) -> Vec<Route> {
    let mut by_room: Vec<&(Person, String)> = fixture.viewers.iter().collect();
    by_room.sort_by_key(|(_, live_id)| live_id);
    let in_first = by_room.iter().filter(|(_, live_id)| Some(live_id) == by_room.first().map(|(_, id)| id));
    vec![
        Route {
            name: "like",
            shown: "PUT /client/live/room/{live_id}/like",
            // Each room that is liked is told of it a few times a second, over the cache: one room is enough.
            warm: in_first.count(),
            requests: by_room.iter().map(|(viewer, live_id)| like(renderer, viewer, live_id)).collect(),
            limits: Limits { sql: Some(0), trips: Some(2) },
            timed: true,
            by: By::Counters,
        },
        Route {
            name: "gift_send",
            shown: "POST /client/gift/send",
            requests: fixture
                .viewers
                .iter()
                .map(|(viewer, live_id)| gift(renderer, viewer, live_id))
                .collect(),
            limits: sql(5),
            timed: true,
            warm: WARM_ROOMS,
            by: By::Log,
        },
    ]
}

/// One list of seats of each room.
pub fn seat_list_of_each(renderer: &Renderer, fixture: &Fixture) -> Vec<Request> {
    let anchors: Vec<(Person, String)> =
        fixture.rooms.iter().map(|room| (room.anchor.clone(), room.live_id.clone())).collect();
    gets(renderer, &anchors, "/client/mic/room/list/")
}

fn gets(renderer: &Renderer, callers: &[(Person, String)], prefix: &str) -> Vec<Request> {
    let get = |(caller, live_id): &(Person, String)| {
        renderer.client("GET", &format!("{prefix}{live_id}"), &caller.token, None)
    };
    callers.iter().map(get).collect()
}

fn like(renderer: &Renderer, viewer: &Person, live_id: &str) -> Request {
    let target = format!("/client/live/room/{live_id}/like");
    renderer.client("PUT", &target, &viewer.token, Some(&json!({ "count": 1 })))
}

fn gift(renderer: &Renderer, viewer: &Person, live_id: &str) -> Request {
    let body = json!({ "live_id": live_id, "gift_id": GIFT_ID, "amount": GIFT_AMOUNT });
    renderer.client("POST", "/client/gift/send", &viewer.token, Some(&body))
}
