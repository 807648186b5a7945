//! Callbacks as administrators see them, and sending them again.

use serde_json::{Value, json};

use super::lists::assert_page;
use super::own::OwnServer;
use super::world::{User, column, unique};
use super::{Api, Verdict, cases};

cases![callbacks_are_listed_filtered_and_sent_again, what_waits_is_counted, what_is_asked_for_is_checked,];

async fn list(api: &Api, boss: &User, query: &str) -> Value {
    api.get(format!("/admin/callback/list?{query}")).by(boss).send().await.ok().clone()
}

async fn retry(api: &Api, boss: &User, body: Value) -> super::answer::Answer {
    api.post("/admin/callback/retry").by(boss).json(&body).send().await
}

/// Callbacks of room `a` (pending, failed), and of room `b` (delivered, failed), where nobody delivers any.
async fn four(own: &OwnServer) {
    for (webhook_id, live_id, state) in [("p", "a", 0), ("f", "a", 1), ("d", "b", 2), ("g", "b", 1)] {
        let (due, at) = (if state == 0 { "4102444800000" } else { "NULL" }, "'2026-01-02 03:04:05'");
        own.execute(format!(
            "INSERT INTO callback_delivery (webhook_id, live_id, seq, kind, body, state, attempts, due, \
             last_error, event_at, created_at, updated_at) \
             VALUES ('{webhook_id}', '{live_id}', 7, 'gift_send', '{{}}', {state}, 8, {due}, 'why', {at}, {at}, {at})"
        ))
        .await;
    }
}

async fn callbacks_are_listed_filtered_and_sent_again(api: Api) -> Verdict {
    let own = api.own_server(|_| {}).await?;
    let api = own.api();
    let boss = api.operator().await;
    four(&own).await;
    let all = list(&api, &boss, "").await;
    assert_eq!(column(&all["list"], "webhook_id"), ["g", "d", "f", "p"]);
    assert_page(&all, 4, 4, 1, true);
    let pending = &all["list"][3];
    let at = pending["event_at"].clone();
    assert!(at.as_i64().is_some_and(|at| at > 1_700_000_000), "{pending}");
    let wanted = json!({
        "webhook_id": "p", "live_id": "a", "seq": 7, "kind": "gift_send", "state": "pending", "attempts": 8,
        "next_at": 4_102_444_800_i64, "last_error": "why", "event_at": at, "updated_at": at,
    });
    assert_eq!(pending, &wanted);
    let filters = [
        ("state=pending", vec!["p"]),
        ("state=failed", vec!["g", "f"]),
        ("state=delivered", vec!["d"]),
        ("live_id=a", vec!["f", "p"]),
        ("live_id=a&state=failed", vec!["f"]),
        ("page_size=3&page_num=2", vec!["p"]),
        ("live_id=c", vec![]),
    ];
    for (query, wanted) in filters {
        assert_eq!(column(&list(&api, &boss, query).await["list"], "webhook_id"), wanted, "{query}");
    }
    failed_ones_are_sent_again(&api, &boss).await;
    own.stop().await;
    Ok(())
}

async fn failed_ones_are_sent_again(api: &Api, boss: &User) {
    assert_eq!(retry(api, boss, json!({"webhook_id": "f"})).await.ok(), &json!({"retried": 1}));
    let again = list(api, boss, "live_id=a&state=pending").await;
    assert_eq!(column(&again["list"], "webhook_id"), ["f", "p"]);
    assert_eq!(again["list"][0]["attempts"], 0);
    retry(api, boss, json!({"webhook_id": "d"})).await.bad();
    assert_eq!(retry(api, boss, json!({"all_failed": true})).await.ok(), &json!({"retried": 1}));
    assert_page(&list(api, boss, "state=failed").await, 0, 0, 0, true);
}

async fn what_waits_is_counted(api: Api) -> Verdict {
    let boss = api.operator().await;
    let waiting = api.get("/admin/callback/waiting").by(&boss).send().await;
    let fields: Vec<&String> = waiting.ok().as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["rooms", "events"]);
    Ok(())
}

async fn what_is_asked_for_is_checked(api: Api) -> Verdict {
    let boss = api.operator().await;
    let long = format!("live_id={}", "x".repeat(65));
    for (field, query) in [("state", "state=1"), ("live_id", &long), ("page_size", "page_size=x")] {
        api.get(format!("/admin/callback/list?{query}")).by(&boss).send().await.bad_in(field);
    }
    for body in [
        json!({}),
        json!({"webhook_id": ""}),
        json!({"webhook_id": "x".repeat(256)}),
        json!({"webhook_id": "x", "all_failed": true}),
        json!({"all_failed": false}),
    ] {
        retry(&api, &boss, body).await.bad_in("webhook_id");
    }
    retry(&api, &boss, json!({"all_failed": "yes"})).await.bad_in("all_failed");
    retry(&api, &boss, json!({"webhook_id": unique("w")})).await.not_found();
    Ok(())
}
