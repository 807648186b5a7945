//! What the console shows of the whole installation.

use std::time::Duration;

use serde_json::{Value, json};

use super::gifts::Stage;
use super::own::OwnServer;
use super::world::{User, eventually};
use super::{Api, Verdict, cases};

cases![
    the_overview_counts_what_is_there_on_all_nodes,
    a_summary_is_given_again_for_a_second,
    nodes_tell_what_they_count,
    the_leader_tells_of_its_jobs,
    the_configuration_is_shown_without_secrets,
];

const SOON: Duration = Duration::from_secs(20);

async fn get(api: &Api, boss: &User, what: &str) -> Value {
    api.get(format!("/admin/{what}")).by(boss).send().await.ok().clone()
}

async fn the_overview_counts_what_is_there_on_all_nodes(api: Api) -> Verdict {
    let own = api.own_server(|_| {}).await?;
    let api = own.api();
    let boss = api.operator().await;
    let stage = Stage::set(&api).await?;
    api.room(&api.user().await).await;
    let like = format!("/client/live/room/{}/like", stage.live_id);
    api.put(like).by(&stage.guest).json(&json!({"count": 3})).send().await.ok();
    stage.paid(1).await;
    for (biz_id, status, flag) in [("waits", 0, "NULL"), ("flagged", 2, "'why'")] {
        own.execute(format!(
            "INSERT INTO live_gift (biz_id, live_id, user_id, anchor_id, gift_id, status, flag) \
             VALUES ('{biz_id}', '1', 'u', 'a', 1, {status}, {flag})"
        ))
        .await;
    }
    for (url, review) in [("a", "0"), ("b", "1"), ("c", "NULL")] {
        own.execute(format!(
            "INSERT INTO censor_image (url, job_id, live_id, is_review) VALUES ('{url}', 'j', '1', {review})"
        ))
        .await;
    }
    // Pictures of a room that an operator has ended wait for nobody.
    for row in [
        "live_entities (live_id, status, stop_reason) VALUES ('2', 2, 'censor')",
        "censor_image (url, job_id, live_id, is_review) VALUES ('d', 'j', '2', 0)",
    ] {
        own.execute(format!("INSERT INTO {row}")).await;
    }
    let wanted = json!({
        "rooms_live": 1, "users_online": 2, "likes_total": 3, "gifts_total": 1,
        "gifts": {"waiting": 1, "flagged": 1}, "review": {"waiting": 2},
        "callbacks": {"pending": 0, "failed": 0, "oldest_s": 0}, "warnings": [], "weak_secrets": [],
    });
    eventually("the overview shows it", SOON, || async {
        let seen = get(&api, &boss, "overview").await;
        let is_counted = wanted.as_object().expect("fields").iter().all(|(name, value)| seen[name] == *value);
        is_counted && !seen["leader"].is_null()
    })
    .await;
    let seen = get(&api, &boss, "overview").await;
    assert_eq!(seen["nodes"].as_array().map(Vec::len), Some(1), "{seen}");
    let node = seen["nodes"][0]["node_id"].clone();
    assert_eq!(seen["leader"], json!({"node_id": node, "preferred_node_id": node}));
    // The built-in IM has told the room of what happened.
    for total in ["messages_total", "requests_total", "at_ms"] {
        assert!(seen[total].as_u64().is_some_and(|total| total > 0), "{total}: {seen}");
    }
    a_node_that_tells_nothing_has_zeros(&own, &boss).await;
    own.stop().await;
    Ok(())
}

async fn a_summary_is_given_again_for_a_second(api: Api) -> Verdict {
    let boss = api.operator().await;
    eventually("two have the same time", SOON, || async {
        get(&api, &boss, "overview").await["at_ms"] == get(&api, &boss, "overview").await["at_ms"]
    })
    .await;
    let before = get(&api, &boss, "overview").await["at_ms"].clone();
    eventually("it is counted anew", SOON, || async {
        get(&api, &boss, "overview").await["at_ms"] != before
    })
    .await;
    Ok(())
}

async fn nodes_tell_what_they_count(api: Api) -> Verdict {
    let boss = api.operator().await;
    let nodes = get(&api, &boss, "nodes").await;
    let answering: Vec<&Value> =
        nodes.as_array().expect("a list").iter().filter(|node| node["is_answering"] == true).collect();
    let [node] = answering.as_slice() else { panic!("one node answers: {nodes}") };
    let fields: Vec<&String> = node.as_object().expect("an object").keys().collect();
    let wanted = [
        "node_id",
        "host",
        "pid",
        "version",
        "started_at",
        "seen_ms_ago",
        "is_leader",
        "is_answering",
        "cpu_seconds_total",
        "memory_bytes",
        "connections",
        "requests_total",
        "messages_total",
        "deliveries_total",
        "gifts_total",
        "likes_total",
    ];
    assert_eq!(fields, wanted);
    for positive in ["pid", "started_at", "cpu_seconds_total", "memory_bytes", "requests_total"] {
        assert!(node[positive].as_f64().is_some_and(|value| value > 0.0), "{positive}: {node}");
    }
    let again = get(&api, &boss, "nodes").await;
    let requests = |nodes: &Value| nodes[0]["requests_total"].as_u64().expect("a count");
    assert!(nodes.as_array().map(Vec::len) != Some(1) || requests(&again) > requests(&nodes), "{again}");
    Ok(())
}

async fn a_node_that_tells_nothing_has_zeros(own: &OwnServer, boss: &User) {
    let api = own.api();
    let reports = ["NULL", "'{'", r#"'{"likes":7,"started_at":1700000000,"new":1}'"#];
    for (node_id, report) in (901..).zip(reports) {
        own.execute(format!(
            "INSERT INTO node_registry (node_id, owner, lease_until_ms, id_high_water_ms, cache_failed_ms, \
             version, updated_ms, report) VALUES ({node_id}, 'host-b/b/n/77/1/0', 4102444800000, 0, 0, '9.9', \
             4102444800000, {report})"
        ))
        .await;
    }
    let nodes = get(&api, boss, "nodes").await;
    let others = &nodes.as_array().expect("a list")[1..];
    assert_eq!(others.len(), 3, "{nodes}");
    for (other, likes) in others.iter().zip([0, 0, 7]) {
        let told = json!([other["host"], other["pid"], other["version"], other["is_answering"]]);
        assert_eq!(told, json!(["host-b", 77, "9.9", false]));
        assert_eq!(json!([other["likes_total"], other["requests_total"]]), json!([likes, 0]), "{other}");
    }
    eventually("their counts are in the sum", SOON, || async {
        get(&api, boss, "overview").await["likes_total"] == 10
    })
    .await;
}

async fn the_leader_tells_of_its_jobs(api: Api) -> Verdict {
    let boss = api.operator().await;
    let flush = async || {
        let jobs = get(&api, &boss, "jobs").await;
        jobs.as_array().expect("a list").iter().find(|job| job["name"] == "flush_likes").cloned()
    };
    eventually("a job has run", SOON, || async { flush().await.is_some_and(|job| job["runs_total"] != 0) })
        .await;
    let job = flush().await.expect("the job");
    let fields: Vec<&String> = job.as_object().expect("an object").keys().collect();
    let wanted = [
        "name",
        "every_ms",
        "node_id",
        "last_at_ms",
        "last_took_ms",
        "last_is_ok",
        "runs_total",
        "failures_total",
    ];
    assert_eq!(fields, wanted);
    assert_eq!((&job["every_ms"], &job["last_is_ok"]), (&json!(1000), &json!(true)));
    assert!(job["last_at_ms"].as_i64().is_some_and(|at| at > 1_700_000_000_000), "{job}");
    Ok(())
}

async fn the_configuration_is_shown_without_secrets(api: Api) -> Verdict {
    let boss = api.operator().await;
    let answer = api.get("/admin/config").by(&boss).send().await;
    let shown = answer.ok();
    assert_eq!(shown["config"]["auth"]["server"]["secret_key"], "***");
    assert_eq!(shown["node_id"], shown["config"]["node"]["node_id"]);
    assert!(shown["warnings"].is_array() && shown["version"].is_string(), "{shown}");
    let text = String::from_utf8_lossy(&answer.body);
    for secret in [api.jwt_key()?, api.stream_keys()?.1, &api.target.secret_key] {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
    Ok(())
}
