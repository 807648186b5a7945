//! The realtime benchmark: messages over WebSocket, from many users to many.

mod bare;
mod clock;
mod crowd;
mod fan_out;
mod figures;
mod fleet;
mod judge;
mod kernel;
mod nodes;
mod rooms;
mod stage;
mod stalled;
mod table;
#[cfg(test)]
mod tests;
mod wire;
mod worker;

use anyhow::Result;

use self::crowd::Crowd;
use self::stage::Stage;
use crate::cli::{RealtimeArgs, Scene};

pub use self::figures::RealtimeFigures;
pub use self::judge::all as judge;
pub use self::table::print;
pub use self::worker::serve;

/// Viewers of a small room.
const ROOM: usize = 20;

/// Measures what was asked for.
pub async fn measure(args: &RealtimeArgs) -> Result<RealtimeFigures> {
    let stage = Stage::prepare(args).await?;
    let wants = |scene: Scene| args.only.is_empty() || args.only.contains(&scene);
    let mut figures = RealtimeFigures::default();

    // Users and rooms are made by a server of their own: what it remembers of them is not to be measured.
    let maker = stage.start("maker").await?;
    let small_rooms = match (wants(Scene::Idle) || wants(Scene::Rooms), wants(Scene::Nodes)) {
        (true, _) => (args.connections.min(stage.most_connections) / ROOM).max(1),
        (false, true) => nodes::ROOMS,
        (false, false) => 0,
    };
    let small = match small_rooms {
        0 => None,
        count => Some(Crowd::create(&stage.launcher, "small", count, ROOM).await?),
    };
    let large = match wants(Scene::FanOut) || wants(Scene::Stalled) {
        true => Some(Crowd::create(&stage.launcher, "large", 1, args.room_size).await?),
        false => None,
    };
    maker.stop().await?;

    if let Some(small) = small.as_ref().filter(|_| wants(Scene::Idle) || wants(Scene::Rooms)) {
        let (idle, rooms) = rooms::measure(&stage, small, args, wants(Scene::Rooms)).await?;
        (figures.idle, figures.rooms) = (Some(idle), rooms);
    }
    if let Some(large) = &large {
        let (fan_out, stalled) = fan_out::measure(&stage, large, args, wants(Scene::Stalled)).await?;
        (figures.fan_out, figures.stalled) = (Some(fan_out), stalled);
    }
    if let Some(small) = small.filter(|_| wants(Scene::Nodes)) {
        figures.nodes = Some(nodes::measure(&stage, &small.first(nodes::ROOMS), args).await?);
    }
    Ok(figures)
}
