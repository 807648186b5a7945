//! Ids that nobody has, on every route and by everybody: nothing is kept of them, in the process's metrics, in the
//! cache or in the database, however many there are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, stream};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::database::TestDatabase;
use crate::support::realtime::Socket;
use crate::support::server::{Backend, ServerProcess, Setup, free_port};
use crate::support::{env, metrics};

/// What each of these ids has in it, and nothing else.
const MARK: &str = "zqx";
const ROUNDS: usize = 12;
const AT_ONCE: usize = 16;
/// For how long a key may be there that names an id.
const MOMENT_MS: i64 = 15_000;
/// What the cache holds of a caller for a while, such as that they have written.
const OF_CALLERS: usize = 8;

/// The calls that name something by its id.
pub struct Routes(Vec<(Method, String)>);

impl Routes {
    /// Those of the server's own document that callers with a user's token, a backend's rights or none may make.
    pub async fn of(client: &Client) -> Self {
        let document = client.try_get("/openapi.json").await.expect("an answer").body;
        let paths = document["paths"].as_object().expect("the document names paths");
        let named = paths.iter().flat_map(|(path, methods)| {
            methods.as_object().into_iter().flatten().map(move |(method, _)| {
                (Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), path.clone())
            })
        });
        let mut routes: Vec<_> = named
            .filter(|(method, path)| {
                // Each write of an administrator is noted, and a user may be banned before they are known.
                let is_noted = path.starts_with("/admin") && *method != Method::GET;
                path.contains('{') && !is_noted && !path.contains("/bans/")
            })
            .collect();
        let others = [
            (Method::GET, "/client/live/room/user_list?live_id={id}"),
            (Method::GET, "/client/live/room?keyword={id}"),
            (Method::GET, "/client/user/users?user_ids={id}"),
            (Method::GET, "/client/user/imusers?im_user_ids={id}"),
            (Method::POST, "/client/stats/singleLive"),
            (Method::POST, "/client/mic/up"),
            (Method::POST, "/client/relay/start"),
            (Method::POST, "/client/gift/send"),
            (Method::POST, "/client/item/add"),
            (Method::GET, "/{id}"),
            (Method::GET, "/client/{id}"),
            (Method::PUT, "/server/{id}/{id}"),
        ];
        routes.extend(others.map(|(method, path)| (method, path.to_owned())));
        assert!(routes.len() > 50, "{routes:?}");
        Self(routes)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Makes one of the calls, with ids that were never used before.
    pub async fn call(&self, client: &Client, number: usize) -> Option<Answer> {
        let (method, path) = &self.0[number % self.0.len()];
        let path = filled(path);
        let body = (*method != Method::GET).then(body);
        client.try_send(method.clone(), &path, body).await
    }

    /// What a call is called in a report.
    pub fn name(&self, number: usize) -> String {
        let (method, path) = &self.0[number % self.0.len()];
        format!("{method} {path}")
    }
}

/// An id that looks like none that the server gives.
fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{MARK}{}{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A path with an id in place of each of its parameters.
fn filled(path: &str) -> String {
    let mut parts = path.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        filled.push_str(&fresh());
        filled.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    filled
}

/// Whatever a route may want.
fn body() -> Value {
    let id = fresh();
    json!({
        "live_id": id, "room_id": id, "init_room_id": id, "recv_room_id": id, "user_id": id, "item_id": id,
        "gift_id": 1, "amount": 1, "type": 2, "title": "t", "mic": true, "camera": true, "count": 1,
        "data": [{"live_id": id, "biz_id": id, "user_id": id, "type": 2, "count": 1}],
        "items": [{"item_id": id, "title": "t"}],
        "extends": {id: "1"},
    })
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_of_ids_that_nobody_has(#[case] backend: Backend) {
    let exporter = format!("127.0.0.1:{}", free_port());
    let settings =
        format!("prome: {{client_mode: exporter, exporter_config: {{listen_addr: '{exporter}'}}}}");
    let server = Setup::new(backend).await.with(&settings).start().await;
    let nobody = server.client();
    let callers = [nobody.clone(), server.client_of("caller").await, nobody.with_token("a.b.c")];
    let routes = Routes::of(&nobody).await;
    // What there is of each route, caller and status is there from now on.
    call_all(&routes, &callers, 1).await;
    watch_videos(&server).await;
    let before = Kept::of(&server, backend, &exporter).await;
    call_all(&routes, &callers, ROUNDS).await;
    watch_videos(&server).await;
    let after = Kept::of(&server, backend, &exporter).await;
    assert_eq!(before.series, after.series, "series of the metrics");
    assert_eq!(before.rows, after.rows, "rows of the database");
    assert!(after.keys.len() <= before.keys.len() + OF_CALLERS, "{:?}", after.keys);
}

/// Each caller makes each call, so many times; none is answered as if the server were at fault.
async fn call_all(routes: &Routes, callers: &[Client], rounds: usize) {
    let calls =
        (0..rounds * routes.len()).flat_map(|number| callers.iter().map(move |caller| (number, caller)));
    let faults: Vec<String> = stream::iter(calls)
        .map(|(number, caller)| async move {
            let answer = routes.call(caller, number).await.expect("an answer");
            // The heartbeat's 500 means that one is not in the room.
            let is_fault = answer.status >= 500 && !routes.name(number).contains("heartbeat");
            is_fault.then(|| format!("{}: {} {}", routes.name(number), answer.status, answer.body))
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(faults.is_empty(), "{faults:?}");
}

/// Somebody follows videos that nobody publishes, and goes.
async fn watch_videos(server: &ServerProcess) {
    let url = format!("ws://127.0.0.1:{}/barrage-videos", server.setup().port());
    let mut viewer = Socket::open(&url).await;
    for _ in 0..10 {
        viewer.send(&json!({"op": "subscribe", "channel": format!("{}@video", fresh())}).to_string()).await;
        viewer.next_text().await.expect("an answer");
    }
    viewer.close().await;
}

/// What a server keeps.
struct Kept {
    /// How many series each metric has, but for those of buckets.
    series: BTreeMap<String, usize>,
    /// How many rows each table has.
    rows: BTreeMap<String, String>,
    /// The keys in Redis that last.
    keys: Vec<String>,
}

impl Kept {
    async fn of(server: &ServerProcess, backend: Backend, exporter: &str) -> Self {
        let page = metrics::page(exporter).await;
        assert!(!page.contains(MARK), "the metrics name an id");
        let mut series = BTreeMap::new();
        // What answers requests; jobs and connections may show up at any time.
        for name in
            page.lines().filter_map(|line| line.split('{').next()).filter(|name| name.starts_with("qnlive_"))
        {
            *series.entry(name.to_owned()).or_default() += 1;
        }
        assert!(!series.is_empty(), "{page}");
        let keys = match backend {
            Backend::Embedded => Vec::new(),
            Backend::Redis | Backend::RedisCluster => keys(server.database().schema()).await,
        };
        Self { series, rows: rows(server.database()).await, keys }
    }
}

async fn rows(database: &TestDatabase) -> BTreeMap<String, String> {
    let tables = if database.schema().is_empty() {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    } else {
        "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE()"
    };
    let mut rows = BTreeMap::new();
    for table in database.rows(tables).await.into_iter().flatten().flatten() {
        let count = database.rows(&format!("SELECT CAST(COUNT(*) AS CHAR) FROM {table}")).await;
        rows.insert(table, count[0][0].clone().expect("a count"));
    }
    assert!(rows.len() > 20, "{rows:?}");
    rows
}

/// Those but for the ones that name an id, which are gone in a moment.
async fn keys(prefix: &str) -> Vec<String> {
    let client = redis::Client::open(format!("redis://{}", env::redis())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let all: Vec<String> =
        redis::cmd("KEYS").arg(format!("{prefix}:*")).query_async(&mut connection).await.unwrap();
    let (named, lasting): (Vec<_>, Vec<_>) = all.into_iter().partition(|key| key.contains(MARK));
    for key in named {
        let left: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await.unwrap();
        // -1 is for ever, -2 gone.
        assert!(left != -1 && left <= MOMENT_MS, "{key} lives for {left} ms");
    }
    lasting
}
