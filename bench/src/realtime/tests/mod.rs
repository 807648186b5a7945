//! The generator against a fake server: what it counts, and that it finds what the server does wrong.

mod fake;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use self::fake::Wrong;
use super::bare::{Bare, Job};
use super::clock::{nanos, now};
use super::wire::{Command, Measured, Pace, Reply, Seat, Settled};
use super::worker::{Control, Flaws, Worker};

const TIME: Duration = Duration::from_millis(300);

/// A loop of the generator on a thread of its own.
struct Generator {
    control: Control,
    replies: UnboundedReceiver<Reply>,
    folder: tempfile::TempDir,
}

impl Generator {
    fn start() -> Self {
        let (mut worker, control) = Worker::new().unwrap();
        let (sender, replies) = unbounded_channel();
        std::thread::spawn(move || worker.run(|reply| Ok(sender.send(reply)?)));
        Self { control, replies, folder: tempfile::tempdir().unwrap() }
    }

    async fn call(&mut self, command: Command) -> Reply {
        assert!(self.control.send(command));
        tokio::time::timeout(Duration::from_secs(20), self.replies.recv()).await.unwrap().unwrap()
    }

    async fn open(&mut self, nodes: &[SocketAddr], count: usize, rooms: usize) -> Reply {
        let plan = self.folder.path().join("plan");
        let seats = (0..count).map(|number| {
            let (room, node) = (number % rooms, (number / rooms) % nodes.len());
            let seat = Seat {
                address: nodes[node],
                source: Ipv4Addr::new(127, 0, 1, 1),
                token: "secret".into(),
                channel: format!("room:{room}"),
                room,
                node: u8::try_from(node).unwrap(),
                is_slow: number + 1 == count,
            };
            serde_json::to_string(&seat).unwrap()
        });
        std::fs::write(&plan, seats.collect::<Vec<_>>().join("\n")).unwrap();
        self.call(Command::Open { plan }).await
    }

    async fn measure(&mut self, pace: Pace) -> Measured {
        let begin = now();
        match self.call(Command::Measure { pace, begin, end: begin + nanos(TIME) }).await {
            Reply::Measured(measured) => measured,
            other => panic!("{other:?}"),
        }
    }

    async fn settle(&mut self, tops: Vec<u64>, within_ms: u64) -> Settled {
        match self.call(Command::Settle { tops, within_ms }).await {
            Reply::Settled(settled) => settled,
            other => panic!("{other:?}"),
        }
    }
}

/// What four subscribers of one room find when the server does `wrong` to the first.
async fn found(wrong: Wrong) -> (Measured, Settled) {
    let (server, mut generator) = (fake::start(wrong).await, Generator::start());
    assert!(matches!(generator.open(&[server], 4, 1).await, Reply::Opened));
    let measured = generator.measure(Pace::PerSecond(100.0)).await;
    let settled = generator.settle(measured.tops.clone(), 500).await;
    (measured, settled)
}

#[tokio::test]
async fn a_good_server_is_found_to_be_good() {
    let (measured, settled) = found(Wrong::Nothing).await;
    assert!((20..=31).contains(&measured.published), "{measured:?}");
    assert_eq!(settled.flaws, Flaws::default());
    assert_eq!((settled.unanswered, settled.announced), (0, 0));
    assert!(settled.ended.is_empty() && settled.refused.is_empty(), "{settled:?}");
    // The slow one is not timed.
    assert_eq!((timed(&settled), settled.across.len()), (measured.published * 3, 0));
}

fn timed(settled: &Settled) -> u64 {
    settled.near.iter().map(|(_, count)| count).sum()
}

#[tokio::test]
async fn a_lost_message_is_found() {
    let (_, settled) = found(Wrong::Loses(8)).await;
    assert_eq!(settled.flaws, Flaws { lost: 1, ..Flaws::default() });
}

#[tokio::test]
async fn a_message_that_is_lost_at_the_end_is_found() {
    let (server, mut generator) = (fake::start(Wrong::Nothing).await, Generator::start());
    generator.open(&[server], 4, 1).await;
    let tops = generator.measure(Pace::Listen).await.tops;
    let settled = generator.settle(tops.iter().map(|top| top + 2).collect(), 50).await;
    assert_eq!(settled.flaws.lost, 8, "another process knows of two messages that none of the four got");
}

#[tokio::test]
async fn a_repeated_message_is_found() {
    let (_, settled) = found(Wrong::Repeats(8)).await;
    assert_eq!(settled.flaws, Flaws { repeated: 1, ..Flaws::default() });
}

#[tokio::test]
async fn a_message_out_of_order_is_found() {
    let (_, settled) = found(Wrong::Delays(8)).await;
    assert_eq!(settled.flaws, Flaws { late: 1, ..Flaws::default() });
}

#[tokio::test]
async fn a_connection_that_the_server_closes_is_told_with_its_code() {
    let (_, settled) = found(Wrong::Closes(8)).await;
    assert_eq!(settled.ended, [("closed: 3008 slow".to_owned(), 1)].into());
}

#[tokio::test]
async fn an_announced_gap_is_counted() {
    assert_eq!(found(Wrong::Announces(8)).await.1.announced, 1);
}

#[tokio::test]
async fn refused_publications_are_told_with_their_code() {
    let (measured, settled) = found(Wrong::Sheds).await;
    assert_eq!(settled.refused, [("429 no".to_owned(), measured.published)].into());
}

#[tokio::test]
async fn a_refused_subscription_ends_the_measurement() {
    let (server, mut generator) = (fake::start(Wrong::Refuses).await, Generator::start());
    let Reply::Failed(why) = generator.open(&[server], 4, 1).await else { panic!() };
    assert!(why.contains("subscription to room:0 refused: 429 no"), "{why}");
}

#[tokio::test]
async fn a_window_keeps_so_many_on_their_way() {
    let (server, mut generator) = (fake::start(Wrong::Nothing).await, Generator::start());
    generator.open(&[server], 4, 1).await;
    let measured = generator.measure(Pace::Window(8)).await;
    let settled = generator.settle(measured.tops.clone(), 5_000).await;
    assert!(measured.published > 8, "{measured:?}");
    assert_eq!((settled.flaws, settled.unanswered), (Flaws::default(), 0));
}

#[tokio::test]
async fn what_a_stalled_connection_has_not_read_is_not_lost() {
    let (server, mut generator) = (fake::start(Wrong::Nothing).await, Generator::start());
    generator.open(&[server], 4, 1).await;
    assert!(matches!(generator.call(Command::Stall(true)).await, Reply::Stalled));
    let measured = generator.measure(Pace::PerSecond(100.0)).await;
    let stalled = generator.settle(measured.tops.clone(), 5_000).await;
    assert!(measured.deliveries <= measured.published * 3, "the stalled one reads");
    assert_eq!((timed(&stalled), stalled.flaws), (measured.published * 3, Flaws::default()));
    generator.call(Command::Stall(false)).await;
    assert_eq!(generator.settle(measured.tops, 5_000).await.flaws, Flaws::default());
}

#[tokio::test]
async fn deliveries_on_other_nodes_are_told_apart() {
    // One server under two numbers.
    let (server, mut generator) = (fake::start(Wrong::Nothing).await, Generator::start());
    generator.open(&[server, server], 8, 2).await;
    let measured = generator.measure(Pace::PerSecond(100.0)).await;
    let settled = generator.settle(measured.tops.clone(), 5_000).await;
    let count = |times: &[(u64, u64)]| times.iter().map(|(_, count)| count).sum::<u64>();
    let (near, across) = (count(&settled.near), count(&settled.across));
    assert!(near > 0 && across > 0, "{settled:?}");
    assert_eq!(settled.flaws, Flaws::default());
}

#[tokio::test]
async fn a_bare_writer_writes_what_the_generator_reads() {
    let (bare, mut generator) = (Bare::start().unwrap(), Generator::start());
    assert!(matches!(generator.open(&[bare.address], 4, 1).await, Reply::Opened));
    bare.write(Job { batch: 3, length: 200, distance: nanos(TIME) / 30, end: now() + nanos(TIME) }).unwrap();
    let measured = generator.measure(Pace::Listen).await;
    let settled = generator.settle(measured.tops, 5_000).await;
    assert_eq!(settled.flaws, Flaws::default());
    assert!(measured.deliveries >= 4 * 3 * 5, "{}", measured.deliveries);
}
