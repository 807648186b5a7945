//! Joining and leaving, which undo each other.

use super::{By, Limits, WARM_ROOMS, sql};
use crate::fixture::{Person, Room, join};
use crate::request::{Renderer, Request};

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
    /// How its statements are counted.
    pub by: By,
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
    let pass = |name, shown, requests| Pass { name, shown, requests, limits: sql(3), by: By::Counters };
    // An event tells that an anchor has left.
    let logged = |name, shown, requests| Pass { by: By::Log, ..pass(name, shown, requests) };
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
        logged("leave_anchor", "DELETE by the anchor of a live", own(leaves)),
        logged("join_anchor", "POST by the anchor, back to their live", own(joins)),
    ]
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
