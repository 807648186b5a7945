//! The ledger of gifts as administrators see it, and what they do to it.

use serde_json::{Value, json};

use super::gifts::Stage;
use super::lists::assert_page;
use super::own::OwnServer;
use super::world::{User, column, unique};
use super::{Api, NotApplicable, Verdict, cases};
use crate::support::fake_payment::Mood;

cases![
    gifts_are_listed_and_filtered,
    gifts_without_an_outcome_and_flagged_ones_are_resolved,
    a_paid_gift_is_refunded_once,
    what_is_asked_for_is_checked,
];

/// Nothing is asked again by itself there.
async fn quiet(api: &Api) -> Result<OwnServer, NotApplicable> {
    api.own_server(|config| config.gift.settle_every_s = 3600).await
}

async fn list(api: &Api, boss: &User, query: &str) -> Value {
    api.get(format!("/admin/gift/list?{query}")).by(boss).send().await.ok().clone()
}

fn id(gift: &Value) -> String {
    gift["biz_id"].as_str().expect("biz_id").to_owned()
}

/// The id of a gift whose outcome nobody knows.
async fn waiting(stage: &Stage, amount: i64) -> Result<String, NotApplicable> {
    stage.api.payer()?.script(amount, [Mood::Status { status: 500, charges: false }]);
    let biz_id = unique("b");
    stage.put(&biz_id, amount, false).await.refused(402, 20002);
    Ok(biz_id)
}

async fn post(api: &Api, boss: &User, biz_id: &str, act: &str, body: Value) -> super::answer::Answer {
    api.post(format!("/admin/gift/{biz_id}/{act}")).by(boss).json(&body).send().await
}

async fn gifts_are_listed_and_filtered(api: Api) -> Verdict {
    let own = quiet(&api).await?;
    let api = own.api();
    let (boss, stage) = (api.operator().await, Stage::set(&api).await?);
    let paid = id(&stage.paid(1).await);
    let refused = unique("b");
    api.payer()?.script(611_111, [Mood::Refuse { code: 3, message: "no".to_owned() }]);
    stage.put(&refused, 611_111, false).await.refused(402, 3);
    let waits = waiting(&stage, 622_222).await?;
    let other = Stage::set(&api).await?;
    let elsewhere = id(&other.paid(2).await);

    let all = list(&api, &boss, "").await;
    assert_eq!(column(&all["list"], "biz_id"), [&elsewhere, &waits, &refused, &paid]);
    assert_page(&all, 4, 4, 1, true);
    let row = &all["list"][3];
    let times = ["created_at", "updated_at"].map(|field| row[field].as_i64().expect("a time"));
    assert!(times[0] > 1_700_000_000 && times[1] >= times[0], "{row}");
    let name = row["gift_name"].as_str().expect("a name");
    assert!(!name.is_empty());
    let wanted = json!({
        "biz_id": paid, "gift_id": stage.gift_id, "gift_name": name, "amount": 1, "user_id": stage.guest.id,
        "anchor_id": stage.anchor.id, "live_id": stage.live_id, "status": "paid", "asks": 1,
        "is_scheduled": false, "flag": null, "created_at": times[0], "updated_at": times[1], "refund": null,
    });
    assert_eq!(row, &wanted);
    let filters = [
        ("status=waiting".to_owned(), vec![&waits]),
        ("status=paid".to_owned(), vec![&elsewhere, &paid]),
        ("status=refused".to_owned(), vec![&refused]),
        (format!("live_id={}", stage.live_id), vec![&waits, &refused, &paid]),
        (format!("user_id={}", other.guest.id), vec![&elsewhere]),
        (format!("user_id={}", other.guest.id.to_uppercase()), vec![]),
        (format!("anchor_id={}&status=paid", stage.anchor.id), vec![&paid]),
        ("flagged=true".to_owned(), vec![]),
        ("flagged=false&page_size=1&page_num=2".to_owned(), vec![&waits]),
    ];
    for (query, wanted) in filters {
        let page = list(&api, &boss, &query).await;
        assert_eq!(column(&page["list"], "biz_id"), wanted, "{query}");
    }
    assert_eq!(all["list"][1]["is_scheduled"], true, "{all}");
    own.stop().await;
    Ok(())
}

async fn gifts_without_an_outcome_and_flagged_ones_are_resolved(api: Api) -> Verdict {
    let own = quiet(&api).await?;
    let api = own.api();
    let (boss, stage) = (api.operator().await, Stage::set(&api).await?);
    a_waiting_gift_is_resolved_once(&stage, &boss).await?;
    a_gift_may_be_resolved_as_refused(&stage, &boss).await?;
    let paid = id(&stage.paid(6).await);
    own.execute(format!("UPDATE live_gift SET flag = 'refused later' WHERE biz_id = '{paid}'")).await;
    a_flagged_gift_is_found_and_seen_to(&api, &boss, &paid).await;
    own.stop().await;
    Ok(())
}

async fn a_waiting_gift_is_resolved_once(stage: &Stage, boss: &User) -> Verdict {
    let api = &stage.api;
    let waits = waiting(stage, 633_333).await?;
    let body = json!({"verdict": "paid", "reason": "the bank says so"});
    let resolved = post(api, boss, &waits, "resolve", body.clone()).await;
    assert_eq!((&resolved.ok()["status"], &resolved.ok()["biz_id"]), (&json!("paid"), &json!(waits)));
    assert_eq!(list(api, boss, "status=paid").await["list"][0], *resolved.ok());
    post(api, boss, &waits, "resolve", body.clone()).await.bad();
    post(api, boss, &waits, "resolve", json!({"verdict": "refused"})).await.bad();
    post(api, boss, &unique("b"), "resolve", body).await.not_found();
    Ok(())
}

async fn a_gift_may_be_resolved_as_refused(stage: &Stage, boss: &User) -> Verdict {
    let api = &stage.api;
    let waits = waiting(stage, 644_444).await?;
    let resolved = post(api, boss, &waits, "resolve", json!({"verdict": "refused"})).await;
    assert_eq!(resolved.ok()["status"], "refused");
    post(api, boss, &waits, "refund", json!({"reason": "r"})).await.bad();
    Ok(())
}

async fn a_flagged_gift_is_found_and_seen_to(api: &Api, boss: &User, paid: &str) {
    let flagged = list(api, boss, "flagged=true").await;
    assert_eq!(column(&flagged["list"], "flag"), ["refused later"]);
    let confirmed = post(api, boss, paid, "resolve", json!({"verdict": "paid"})).await;
    assert_eq!((&confirmed.ok()["status"], &confirmed.ok()["flag"]), (&json!("paid"), &Value::Null));
    assert_page(&list(api, boss, "flagged=true").await, 0, 0, 0, true);
}

async fn a_paid_gift_is_refunded_once(api: Api) -> Verdict {
    let (boss, stage) = (api.operator().await, Stage::set(&api).await?);
    let paid = id(&stage.paid(5).await);
    let refunded = post(&api, &boss, &paid, "refund", json!({"reason": "by mistake"})).await;
    let refund = &refunded.ok()["refund"];
    assert_eq!((&refund["operator"], &refund["reason"]), (&json!(boss.id), &json!("by mistake")));
    assert!(refund["at"].is_i64(), "{refund}");
    assert_eq!(refunded.ok()["status"], "paid");
    let listed = list(&api, &boss, &format!("live_id={}", stage.live_id)).await;
    assert_eq!(&listed["list"][0], refunded.ok());
    post(&api, &boss, &paid, "refund", json!({"reason": "again"})).await.bad();
    post(&api, &boss, &unique("b"), "refund", json!({"reason": "r"})).await.not_found();
    let notes = api.get(format!("/admin/operations?user_id={}", boss.id)).by(&boss).send().await;
    assert_eq!(notes.ok()["total_count"], 3, "each try is noted");
    Ok(())
}

async fn what_is_asked_for_is_checked(api: Api) -> Verdict {
    let boss = api.operator().await;
    let long = "x".repeat(65);
    let queries = [
        ("status", "status=0".to_owned()),
        ("flagged", "flagged=1".to_owned()),
        ("live_id", format!("live_id={long}")),
        ("user_id", format!("user_id={long}")),
        ("anchor_id", format!("anchor_id={long}")),
        ("page_num", "page_num=0".to_owned()),
    ];
    for (field, query) in queries {
        api.get(format!("/admin/gift/list?{query}")).by(&boss).send().await.bad_in(field);
    }
    let reason = "x".repeat(513);
    for (field, body) in [
        ("verdict", json!({})),
        ("verdict", json!({"verdict": "waiting"})),
        ("reason", json!({"verdict": "paid", "reason": reason})),
    ] {
        post(&api, &boss, "1", "resolve", body).await.bad_in(field);
    }
    for body in [json!({}), json!({"reason": " "}), json!({"reason": reason}), json!({"reason": 1})] {
        post(&api, &boss, "1", "refund", body).await.bad_in("reason");
    }
    Ok(())
}
