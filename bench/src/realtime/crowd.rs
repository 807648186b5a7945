//! Who sits where: rooms with users who are in them, and the connections that they open.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;

use super::wire::Seat;
use crate::api::call_all;
use crate::fixture::{Person, create_people, create_rooms, join};
use crate::server::Launcher;

/// Connections from one address: far fewer than there are ports.
const PER_SOURCE: usize = 5_000;

/// Rooms of the same size.
#[derive(Clone, Debug)]
pub struct Crowd {
    rooms: Vec<String>,
    /// One after the other into each room in turn.
    people: Vec<Person>,
}

impl Crowd {
    /// Makes rooms with so many viewers each, through the API.
    pub async fn create(launcher: &Launcher, name: &str, rooms: usize, size: usize) -> Result<Self> {
        eprintln!("making {rooms} rooms with {size} viewers each");
        let (address, renderer) = (launcher.address(), launcher.renderer());
        let made = create_rooms(address, &renderer, &format!("{name}-host"), u32::try_from(rooms)?).await?;
        let rooms: Vec<String> = made.into_iter().map(|room| room.live_id).collect();
        let count = u32::try_from(rooms.len() * size)?;
        let people = create_people(address, &renderer, &format!("{name}-viewer"), count).await?;
        let seated = people.iter().zip(rooms.iter().cycle());
        call_all(address, seated.map(|(person, room)| join(&renderer, person, room)).collect()).await?;
        Ok(Self { rooms, people })
    }

    /// The first rooms alone.
    pub fn first(&self, count: usize) -> Self {
        let rooms = self.rooms.len().max(1);
        let people = self.people.iter().enumerate().filter(|(number, _)| number % rooms < count);
        Self {
            rooms: self.rooms.iter().take(count).cloned().collect(),
            people: people.map(|(_, person)| person.clone()).collect(),
        }
    }

    /// How many rooms there are.
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.people.len()
    }

    /// A plan for each of `processes`. Every room is spread evenly over all processes, and over all `nodes` in each
    /// of them. One connection of each `slow_of` stalls when told to; none when that is 0.
    pub fn plans(&self, nodes: &[SocketAddr], processes: usize, slow_of: usize) -> Vec<Vec<Seat>> {
        let (rooms, processes) = (self.rooms.len().max(1), processes.max(1));
        let mut plans = vec![Vec::new(); processes];
        for (number, (person, (room, live_id))) in
            self.people.iter().zip(self.rooms.iter().enumerate().cycle()).enumerate()
        {
            let row = number / rooms;
            let node = (row / processes) % nodes.len().max(1);
            let (Some(plan), Some(address)) = (plans.get_mut(row % processes), nodes.get(node)) else {
                continue;
            };
            plan.push(Seat {
                address: *address,
                source: source(number / PER_SOURCE),
                token: person.token.clone(),
                channel: format!("room:{live_id}"),
                room,
                node: u8::try_from(node).unwrap_or(u8::MAX),
                is_slow: slow_of > 0 && number % slow_of == slow_of / 2,
            });
        }
        plans
    }
}

/// Addresses of the loopback interface beside the server's.
fn source(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(number % 250 + 1).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(rooms: usize, size: usize) -> Crowd {
        let person = |number| Person { user_id: format!("u{number}"), token: String::new() };
        Crowd {
            rooms: (0..rooms).map(|room| room.to_string()).collect(),
            people: (0..rooms * size).map(person).collect(),
        }
    }

    #[test]
    fn every_room_is_spread_over_processes_and_nodes() {
        let nodes = [SocketAddr::from(([127, 0, 0, 1], 1)), SocketAddr::from(([127, 0, 0, 1], 2))];
        let plans = crowd(3, 8).plans(&nodes, 2, 0);
        for plan in &plans {
            for room in 0..3 {
                for node in 0..2 {
                    let seats = plan.iter().filter(|seat| seat.room == room && seat.node == node);
                    assert_eq!(seats.count(), 2);
                }
            }
        }
    }

    #[test]
    fn the_first_rooms_keep_their_viewers() {
        let first = crowd(3, 2).first(2);
        let names: Vec<&str> = first.people.iter().map(|person| person.user_id.as_str()).collect();
        assert_eq!((first.rooms(), names), (2, vec!["u0", "u1", "u3", "u4"]));
    }

    #[test]
    fn one_of_so_many_is_slow() {
        let nodes = [SocketAddr::from(([127, 0, 0, 1], 1))];
        let plans = crowd(1, 500).plans(&nodes, 2, 100);
        assert_eq!(plans.iter().flatten().filter(|seat| seat.is_slow).count(), 5);
    }
}
