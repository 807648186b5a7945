//! Orders that do not reach a node: what they say takes effect there all the same.

use std::net::Ipv4Addr;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};

use super::bed::{Bed, join};
use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::client::Client;
use crate::support::env;
use crate::support::realtime::Socket;
use crate::support::redis::RedisCluster;
use crate::support::server::{Backend, Setup};
use crate::support::wait::wait_until;

/// Until then every order has had its effect.
const SOON: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(60);

/// How a node is kept from hearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Its connections to Redis are reset, and new ones are.
    Reset,
    /// They fall silent for good.
    Silence,
    /// The process stands still, its connections are cut, and both end after the order was given.
    Frozen,
}

/// Two nodes, of which one goes a way of its own to Redis.
struct Stage {
    here: Bed,
    there: Bed,
    way: Vec<ChaosProxy>,
    _cluster: Option<RedisCluster>,
    anchor: Client,
    live_id: String,
    room: String,
}

impl Stage {
    async fn of(backend: Backend) -> Self {
        let setup = Setup::new(backend).await;
        let (setup, cluster, way, from, to) = match backend {
            Backend::RedisCluster => {
                let cluster = tokio::task::spawn_blocking(RedisCluster::start).await.unwrap();
                let mut way = Vec::new();
                for node in &cluster.nodes {
                    // Nodes are named by their ports, and looked for at the address that was asked.
                    node.run::<()>(&["CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint"]);
                    let at = (Ipv4Addr::new(127, 0, 2, 77), node.port()).into();
                    way.push(ChaosProxy::listen_at(at, node.addr()).await.unwrap());
                }
                let shared = format!("{:?}", env::redis_cluster());
                let own = format!("{:?}", cluster.addrs());
                let apart: Vec<String> = way.iter().map(ChaosProxy::addr).collect();
                (setup.replacing(&shared, &own), Some(cluster), way, own, format!("{apart:?}"))
            }
            _ => {
                let proxy = ChaosProxy::start(env::redis()).await.unwrap();
                let to = proxy.addr();
                (setup, None, vec![proxy], env::redis(), to)
            }
        };
        let here = Bed::of(setup).await;
        let there = here.beside_as(here.setup().beside(2).replacing(&from, &to)).await;
        let anchor = here.client.log_in("anchor").await;
        let (live_id, room) = here.room(&anchor).await;
        Self { here, there, way, _cluster: cluster, anchor, live_id, room }
    }

    fn set(&self, mode: Mode) {
        self.way.iter().for_each(|proxy| proxy.set(mode));
    }

    fn cut(&self, how: Cut) {
        if how == Cut::Frozen {
            self.there.server.signal("STOP");
        }
        self.set(if how == Cut::Silence { Mode::Swallow } else { Mode::Reset });
    }

    /// Ends a cut that ends before the order has had its effect.
    fn thaw(&self, how: Cut) {
        if how == Cut::Frozen {
            self.set(Mode::Pass);
            self.there.server.signal("CONT");
        }
    }
}

/// Waits for the end of a subscription; its code.
async fn unsubscribed(socket: &mut Socket, channel: &str) -> i64 {
    loop {
        let push = socket.next_push().await;
        if push["channel"] == channel && push["unsubscribed"].is_object() {
            return push["unsubscribed"]["code"].as_i64().unwrap();
        }
    }
}

#[rstest]
#[case(Backend::Redis, Cut::Reset)]
#[case(Backend::Redis, Cut::Silence)]
#[case(Backend::Redis, Cut::Frozen)]
#[case(Backend::RedisCluster, Cut::Reset)]
#[case(Backend::RedisCluster, Cut::Silence)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ordered_while_a_node_is_cut_off_takes_effect_there(
    #[case] backend: Backend,
    #[case] how: Cut,
) {
    let stage = Stage::of(backend).await;
    let (here, there) = (&stage.here.client, &stage.there);
    let (_, mut banned) = there.user("banned").await;
    let (_, mut put_out) = there.viewer("put-out", &stage.live_id).await;
    let (_, mut kicked) = there.viewer("kicked", &stage.live_id).await;
    let (guest, mut stays) = there.viewer("guest", &stage.live_id).await;
    let (old, mut revoked) = there.user("revoked").await;
    stage.cut(how);
    let rules = format!("/client/live/room/{}/moderation", stage.live_id);
    here.put("/server/bans/banned", json!({"reason": "fraud"})).await.data();
    // A ban that was lifted leaves the tokens revoked.
    here.put("/server/bans/revoked", json!({})).await.data();
    here.delete("/server/bans/revoked").await.data();
    stage.anchor.put(&format!("{rules}/bans/put-out"), json!({})).await.data();
    stage.anchor.post(&format!("{rules}/kick/kicked"), json!({})).await.data();
    let until = Instant::now() + SOON;
    stage.thaw(how);
    let all = async {
        tokio::join!(
            banned.close_code(),
            revoked.close_code(),
            unsubscribed(&mut put_out, &stage.room),
            unsubscribed(&mut kicked, &stage.room),
        )
    };
    let ends = timeout_at(until, all).await.expect("the orders have their effect in time");
    assert_eq!(ends, (3501, 3500, 403, 403));
    wait_until("what the node remembers is forgotten", LONG, async || {
        let again = Client::new(format!("http://127.0.0.1:{}", there.setup().port()));
        again.with_token(old.token()).get("/client/user/profile").await.status == 401
    })
    .await;
    // Nobody else was touched.
    stage.set(Mode::Pass);
    assert_eq!(stays.result("ping", json!({})).await, json!({}));
    let speaker = stage.here.client.log_in("anchor").await;
    let mut speaker = Socket::log_in(&stage.here.url(), speaker.token()).await;
    speaker.follow(&stage.room).await;
    wait_until("a text is taken", LONG, async || {
        let params = json!({"channel": stage.room, "action": "liveroom-pubchat", "data": "after"});
        speaker.ask("publish", params).await["error"].is_null()
    })
    .await;
    let heard =
        timeout(LONG, async { while stays.next_of("liveroom-pubchat").await["pub"]["data"] != "after" {} });
    heard.await.expect("who stays hears on");
    assert_eq!(guest.get("/client/user/profile").await.status, 200);
    assert!(there.metric(r#"liveloom_realtime_reconciled_total{what="connection"}"#).await >= 2);
}

/// The node that bans cannot tell anybody: its own connections end at once, those of others by themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_by_a_node_that_is_cut_off_reaches_the_others() {
    let stage = Stage::of(Backend::Redis).await;
    let (user, mut at_here) = stage.here.user("banned").await;
    let mut at_there = Socket::log_in(&stage.there.url(), user.token()).await;
    stage.cut(Cut::Reset);
    stage.there.client.put("/server/bans/banned", json!({})).await.data();
    let until = Instant::now() + SOON;
    let both = async { tokio::join!(at_here.close_code(), at_there.close_code()) };
    assert_eq!(timeout_at(until, both).await.expect("the ban has its effect in time"), (3501, 3501));
}

/// A kick by a node that is cut off: the presence in the cache is that of one who is there, and is dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kick_by_a_node_that_is_cut_off_reaches_the_others() {
    let stage = Stage::of(Backend::Redis).await;
    let (guest, mut kicked) = stage.here.viewer("kicked", &stage.live_id).await;
    let anchor = stage.there.client.with_token(stage.anchor.token());
    stage.cut(Cut::Reset);
    let kick = format!("/client/live/room/{}/moderation/kick/kicked", stage.live_id);
    anchor.post(&kick, json!({})).await.data();
    let until = Instant::now() + SOON;
    let code = timeout_at(until, unsubscribed(&mut kicked, &stage.room)).await;
    assert_eq!(code.expect("the kick has its effect in time"), 403);
    let params = json!({"channel": stage.room});
    wait_until("who was kicked may not follow the room", LONG, async || {
        kicked.ask("subscribe", params.clone()).await["error"]["code"] == 403
    })
    .await;
    join(&guest, &stage.live_id).await;
    kicked.follow(&stage.room).await;
}
