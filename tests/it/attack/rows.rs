//! One user who creates rooms and statistics as fast as the server takes them.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::tally::Tally;
use super::target::Target;
use crate::support::client::Client;
use crate::support::server::ServerProcess;

const AT_ONCE: usize = 8;
/// As many as one call takes.
const COUNTS: usize = 200;

/// Taken, as far as the limits go.
pub const EXPECTED: &[&str] = &["200", "429", "over"];

/// Half of them create rooms, half count in that one.
pub async fn attack(target: &Target, attacker: &Client, live_id: &str) -> Tally {
    let flows = (0..AT_ONCE).map(async |number| {
        let attacker = target.client().with_token(attacker.token());
        let mut tally = Tally::default();
        for turn in 0.. {
            if target.is_over() {
                break;
            }
            let call = async {
                if number % 2 == 0 {
                    attacker
                        .try_post("/client/live/room/instance", json!({"title": format!("{number} {turn}")}))
                        .await
                } else {
                    attacker.try_post("/client/stats/singleLive", counts(live_id, number, turn)).await
                }
            };
            let answer = target.unless_over(call).await;
            tally.add(match answer {
                Some(Some(answer)) => answer.status.to_string(),
                Some(None) => "no answer".to_owned(),
                None => "over".to_owned(),
            });
        }
        tally
    });
    Tally::sum(join_all(flows).await)
}

/// Of things that nobody has counted before.
fn counts(live_id: &str, number: usize, turn: usize) -> Value {
    let count = |place: usize| json!({"live_id": live_id, "biz_id": format!("{number}-{turn}-{place}"), "type": 2, "count": 1});
    json!({"data": (0..COUNTS).map(count).collect::<Vec<_>>()})
}

/// The database holds what the limits allow: 60 rooms an hour, and 1,000 rows in a room.
pub async fn assert_bounded(server: &ServerProcess, lasted: Duration) {
    let rooms =
        count(server, "SELECT CAST(COUNT(*) AS CHAR) FROM live_entities WHERE anchor_id = 'attacker'").await;
    let counts =
        "SELECT CAST(COUNT(*) AS CHAR) FROM stats_single_live WHERE user_id = 'attacker' AND type = 2";
    let counts = count(server, counts).await;
    eprintln!("  {rooms} rooms, {counts} statistics");
    // One comes back each minute.
    assert!(rooms <= 61 + lasted.as_secs() / 60, "{rooms} rooms of one user");
    assert!(counts <= 1000, "{counts} statistics of one user in a room");
}

async fn count(server: &ServerProcess, sql: &str) -> u64 {
    server.database().rows(sql).await[0][0].as_deref().unwrap().parse().unwrap()
}
