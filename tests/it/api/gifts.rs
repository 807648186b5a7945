//! http-api.md §9 and events.md §3: sending gifts.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::world::{User, eventually, unique};
use super::{Api, NotApplicable, Verdict, cases};
use crate::support::fake_payment::{FakePayment, Mood};

cases![
    a_paid_gift_is_answered_and_found,
    a_backend_sends_for_a_user,
    the_payment_service_is_told_who_gives_what_to_whom,
    a_refusal_is_told_with_its_code_and_text,
    a_refusal_without_code_or_text_has_ours,
    an_unknown_outcome_is_told_and_settled,
    a_key_in_the_header_or_in_the_body_is_one_gift,
    a_key_with_other_content_is_refused,
    a_key_is_the_users_own,
    keys_are_limited,
    a_repeat_is_answered_when_it_could_not_be_sent_any_more,
    a_backends_id_is_one_gift,
    redo_asks_again,
    amounts_follow_the_gift_type,
    a_gift_of_no_price_is_paid_with_nothing,
    the_sender_is_in_the_room_and_the_room_is_live,
    rooms_senders_and_types_must_exist,
    input_is_checked,
    callers_need_credentials,
    a_gift_is_shown_to_its_sender_and_to_backends,
    spellings_of_a_send,
    unpaid_may_be_answered_with_200,
    nothing_is_free_without_a_payment_service,
    the_stand_in_pays_where_it_is_in_use,
    a_gift_that_is_given_up_raises_an_alert,
];

impl Api {
    /// The payment service of the target, when it is ours.
    pub fn payer(&self) -> Result<&Arc<FakePayment>, NotApplicable> {
        self.target.payer.as_ref().ok_or(NotApplicable("the target's payment service is not known"))
    }
}

/// A live room with its anchor, and someone in it.
pub struct Stage {
    pub api: Api,
    pub anchor: User,
    pub guest: User,
    pub live_id: String,
    pub gift_id: i32,
}

impl Stage {
    /// With a gift type of any amount.
    pub async fn set(api: &Api) -> Result<Self, NotApplicable> {
        api.payer()?;
        let (anchor, guest) = (api.user().await, api.user().await);
        let live_id = api.live_room(&anchor).await;
        api.join(&guest, &live_id).await;
        let gift_id = api.gift_type(0).await;
        Ok(Self { api: api.clone(), anchor, guest, live_id, gift_id })
    }

    fn body(&self, amount: i64) -> Value {
        json!({"live_id": self.live_id, "gift_id": self.gift_id, "amount": amount})
    }

    fn with(&self, amount: i64, field: &str, value: impl Into<Value>) -> Value {
        let mut body = self.body(amount);
        body[field] = value.into();
        body
    }

    pub async fn send(&self, body: Value) -> Answer {
        self.api.post("/client/gift/send").by(&self.guest).json(&body).send().await
    }

    async fn send_under(&self, key: &str, amount: i64) -> Answer {
        let call = self.api.post("/client/gift/send").by(&self.guest).json(&self.body(amount));
        call.header("Idempotency-Key", key).send().await
    }

    pub async fn put(&self, biz_id: &str, amount: i64, redo: bool) -> Answer {
        let body = json!({
            "biz_id": biz_id, "user_id": self.guest.id, "gift_id": self.gift_id, "amount": amount, "redo": redo,
        });
        self.put_body(&body).await
    }

    async fn put_body(&self, body: &Value) -> Answer {
        self.api.put(format!("/server/gift/live/{}", self.live_id)).server().json(body).send().await
    }

    /// A gift that was sent and paid.
    pub async fn paid(&self, amount: i64) -> Value {
        self.send(self.body(amount)).await.ok().clone()
    }

    async fn row(&self, biz_id: &str) -> Value {
        self.api.get(format!("/server/gift/{biz_id}")).server().send().await.ok().clone()
    }

    async fn settles(&self, biz_id: &str, status: i64) {
        eventually("the gift has its outcome", Duration::from_secs(60), || async {
            self.row(biz_id).await["status"] == status
        })
        .await;
    }
}

/// An amount that no other case uses, to script the payment service with.
fn amount() -> i64 {
    use std::sync::atomic::{AtomicI64, Ordering};
    static NEXT: AtomicI64 = AtomicI64::new(500_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[track_caller]
fn unpaid(answer: &Answer, code: i64, message: &str, status: i64) -> String {
    answer.refused(402, code).says(message);
    let data = &answer.json.as_ref().expect("an envelope")["data"];
    assert_eq!(data["status"], status, "{answer:?}");
    assert_eq!(data.as_object().map(serde_json::Map::len), Some(2), "biz_id and status: {answer:?}");
    data["biz_id"].as_str().expect("biz_id").to_owned()
}

fn pending(answer: &Answer) -> String {
    unpaid(answer, 20002, "PayGift Failure", 0)
}

async fn a_paid_gift_is_answered_and_found(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let gift = stage.paid(12).await;
    let biz_id = gift["biz_id"].as_str().expect("biz_id");
    assert!(biz_id.parse::<u64>().is_ok(), "issued by this server: {gift}");
    let wanted = json!({
        "biz_id": biz_id, "user_id": stage.guest.id, "live_id": stage.live_id, "anchor_id": stage.anchor.id,
        "gift_id": stage.gift_id, "amount": 12, "status": 1,
    });
    assert_eq!(gift, wanted);
    let row = stage.row(biz_id).await;
    for field in ["biz_id", "user_id", "live_id", "anchor_id", "gift_id", "amount", "status"] {
        assert_eq!(row[field], wanted[field], "{row}");
    }
    assert_eq!(row.as_object().map(serde_json::Map::len), Some(10), "{row}");
    for field in ["id", "created_at", "updated_at"] {
        assert!(row[field].as_i64().is_some_and(|number| number > 0), "{field}: {row}");
    }
    assert_ne!(stage.paid(12).await["biz_id"], biz_id, "without a key each send is a gift of its own");
    Ok(())
}

async fn a_backend_sends_for_a_user(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let biz_id = unique("biz");
    let wanted = json!({
        "biz_id": biz_id, "user_id": stage.guest.id, "live_id": stage.live_id, "anchor_id": stage.anchor.id,
        "gift_id": stage.gift_id, "amount": 3, "status": 1,
    });
    assert_eq!(stage.put(&biz_id, 3, false).await.ok(), &wanted);
    assert_eq!(api.payer()?.calls()[&biz_id], 1);
    Ok(())
}

async fn the_payment_service_is_told_who_gives_what_to_whom(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let reqid = unique("reqid");
    let call = api.post("/client/gift/send").by(&stage.guest).json(&stage.body(12));
    let gift = call.header("X-Reqid", reqid.as_str()).send().await.ok().clone();
    let decision = api.payer()?.decisions()[gift["biz_id"].as_str().expect("biz_id")].clone();
    let wanted = json!({
        "biz_id": gift["biz_id"], "user_id": stage.guest.id, "live_id": stage.live_id,
        "anchor_id": stage.anchor.id, "gift_id": stage.gift_id, "amount": 12,
    });
    assert_eq!((decision.order, decision.refusal), (wanted, None));
    assert!(api.payer()?.request_ids().contains(&reqid), "the request id is passed on");
    Ok(())
}

async fn a_refusal_is_told_with_its_code_and_text(api: Api) -> Verdict {
    let (stage, amount) = (Stage::set(&api).await?, amount());
    api.payer()?.script(amount, [Mood::Refuse { code: 4711, message: "余额不足".to_owned() }]);
    let first = stage.send_under("refused", amount).await;
    let biz_id = unpaid(&first, 4711, "余额不足", 2);
    assert_eq!(stage.row(&biz_id).await["status"], 2);
    let again = stage.send_under("refused", amount).await;
    assert_eq!(unpaid(&again, 4711, "余额不足", 2), biz_id, "the first outcome");
    assert_eq!(api.payer()?.calls()[&biz_id], 1);
    Ok(())
}

async fn a_refusal_without_code_or_text_has_ours(api: Api) -> Verdict {
    let (stage, amount) = (Stage::set(&api).await?, amount());
    let says = |lie: Value| Mood::Lie(lie);
    api.payer()?.script(
        amount,
        [
            says(json!({"code": 0, "message": "", "data": {"status": 2}})),
            says(json!({"code": -5})),
            says(json!({"code": 7, "message": "x".repeat(300)})),
        ],
    );
    unpaid(&stage.send(stage.body(amount)).await, 20002, "PayGift Failure", 2);
    unpaid(&stage.send(stage.body(amount)).await, -5, "PayGift Failure", 2);
    unpaid(&stage.send_under("long", amount).await, 7, &"x".repeat(255), 2);
    unpaid(&stage.send_under("long", amount).await, 7, &"x".repeat(255), 2);
    Ok(())
}

async fn an_unknown_outcome_is_told_and_settled(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    for (charges, refuses) in [(true, false), (false, false), (false, true)] {
        let amount = amount();
        let refuse = Mood::Refuse { code: 9, message: "no".to_owned() };
        api.payer()?.script(amount, [Mood::Status { status: 503, charges }]);
        api.payer()?.script(amount, refuses.then_some(refuse));
        let biz_id = pending(&stage.send_under(&format!("k{amount}"), amount).await);
        stage.settles(&biz_id, if refuses { 2 } else { 1 }).await;
        let again = stage.send_under(&format!("k{amount}"), amount).await;
        if refuses {
            assert_eq!(unpaid(&again, 9, "no", 2), biz_id);
        } else {
            assert_eq!(again.ok()["biz_id"], biz_id.as_str());
        }
    }
    Ok(())
}

async fn a_key_in_the_header_or_in_the_body_is_one_gift(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let key = unique("key");
    let first = stage.send_under(&key, 4).await.ok().clone();
    assert_ne!(first["biz_id"], key.as_str(), "the id of the payment is the server's");
    assert_eq!(stage.send_under(&key, 4).await.ok(), &first);
    assert_eq!(stage.send(stage.with(4, "biz_id", key.as_str())).await.ok(), &first);
    let both = api.post("/client/gift/send").by(&stage.guest).json(&stage.with(4, "biz_id", key.as_str()));
    assert_eq!(both.clone().header("Idempotency-Key", key.as_str()).send().await.ok(), &first);
    both.header("Idempotency-Key", unique("other")).send().await.bad_in("biz_id");
    assert_eq!(api.payer()?.calls()[first["biz_id"].as_str().expect("biz_id")], 1);
    // An empty key in the body is none.
    let empty = stage.send(stage.with(4, "biz_id", "")).await.ok()["biz_id"].clone();
    assert_ne!(stage.send(stage.with(4, "biz_id", "")).await.ok()["biz_id"], empty);
    Ok(())
}

async fn a_key_with_other_content_is_refused(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let key = unique("key");
    let first = stage.send_under(&key, 4).await.ok().clone();
    let other = api.gift_type(0).await;
    let room = api.live_room(&api.user().await).await;
    stage.send_under(&key, 5).await.bad_in("Idempotency-Key");
    for (field, value) in [("gift_id", json!(other)), ("live_id", json!(room)), ("live_id", json!("nowhere"))]
    {
        let mut body = stage.with(4, "biz_id", key.as_str());
        body[field] = value;
        stage.send(body).await.bad_in("biz_id");
    }
    assert_eq!(stage.send_under(&key, 4).await.ok(), &first);
    Ok(())
}

async fn a_key_is_the_users_own(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let other = api.user().await;
    api.join(&other, &stage.live_id).await;
    let first = stage.send_under("mine", 4).await.ok().clone();
    let call = api.post("/client/gift/send").by(&other).json(&stage.body(4));
    let second = call.header("Idempotency-Key", "mine").send().await.ok().clone();
    assert_ne!(first["biz_id"], second["biz_id"]);
    let capital = stage.send_under("MINE", 4).await.ok().clone();
    assert_ne!(first["biz_id"], capital["biz_id"], "compared byte by byte");
    Ok(())
}

async fn keys_are_limited(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let longest = "k".repeat(64);
    let first = stage.send_under(&longest, 4).await.ok().clone();
    assert_eq!(stage.send(stage.with(4, "biz_id", longest.as_str())).await.ok(), &first);
    for key in ["k".repeat(65), "a b".to_owned(), "\u{e9}".to_owned(), "a\tb".to_owned()] {
        stage.send(stage.with(4, "biz_id", key.as_str())).await.bad_in("biz_id");
        stage.send_under(&key, 4).await.bad_in("Idempotency-Key");
    }
    stage.send_under("", 4).await.bad_in("Idempotency-Key");
    let twice = api.post("/client/gift/send").by(&stage.guest).json(&stage.body(4));
    twice
        .header("Idempotency-Key", "a")
        .header("Idempotency-Key", "b")
        .send()
        .await
        .bad_in("Idempotency-Key");
    stage.send(stage.with(4, "biz_id", 5)).await.bad_in("biz_id");
    Ok(())
}

async fn a_repeat_is_answered_when_it_could_not_be_sent_any_more(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let (key, biz_id) = (unique("key"), unique("biz"));
    let first = stage.send_under(&key, 4).await.ok().clone();
    let second = stage.put(&biz_id, 4, false).await.ok().clone();
    api.leave(&stage.guest, &stage.live_id).await;
    api.stop(&stage.anchor, &stage.live_id).await;
    api.delete(format!("/server/gift/config/{}", stage.gift_id)).server().send().await.done();
    assert_eq!(stage.send_under(&key, 4).await.ok(), &first);
    assert_eq!(stage.put(&biz_id, 4, false).await.ok(), &second);
    assert_eq!(stage.put(&biz_id, 4, true).await.ok(), &second);
    Ok(())
}

async fn a_backends_id_is_one_gift(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let biz_id = unique("biz");
    let first = stage.put(&biz_id, 4, false).await.ok().clone();
    assert_eq!(stage.put(&biz_id, 4, false).await.ok(), &first);
    stage.put(&biz_id, 5, false).await.bad_in("biz_id");
    let (other, room) = (api.user().await, api.live_room(&api.user().await).await);
    api.join(&other, &stage.live_id).await;
    let mut body = json!({"biz_id": biz_id, "user_id": other.id, "gift_id": stage.gift_id, "amount": 4});
    stage.put_body(&body).await.bad_in("biz_id");
    body["user_id"] = json!(stage.guest.id);
    api.put(format!("/server/gift/live/{room}")).server().json(&body).send().await.bad_in("biz_id");
    assert_eq!(api.payer()?.calls()[&biz_id], 1);
    Ok(())
}

async fn redo_asks_again(api: Api) -> Verdict {
    let (stage, amount) = (Stage::set(&api).await?, amount());
    let biz_id = unique("biz");
    api.payer()?.script(amount, [Mood::Status { status: 500, charges: true }]);
    assert_eq!(pending(&stage.put(&biz_id, amount, false).await), biz_id);
    // The job may be there first; either way the outcome is the first one, and the money is taken once.
    eventually("redo answers the outcome", Duration::from_secs(60), || async {
        stage.put(&biz_id, amount, true).await.status == 200
    })
    .await;
    let calls = api.payer()?.calls()[&biz_id];
    assert_eq!(stage.put(&biz_id, amount, true).await.ok()["status"], 1);
    assert_eq!(api.payer()?.calls()[&biz_id], calls, "a final outcome is not asked for again");
    // What was never sent is sent.
    assert_eq!(stage.put(&unique("biz"), 4, true).await.ok()["status"], 1);
    Ok(())
}

async fn amounts_follow_the_gift_type(api: Api) -> Verdict {
    let mut stage = Stage::set(&api).await?;
    for amount in [1, 1_000_000] {
        stage.paid(amount).await;
    }
    stage.gift_id = api.gift_type(50).await;
    for amount in [50, 100, 1_000_000] {
        assert_eq!(stage.paid(amount).await["amount"], amount);
    }
    for amount in [-1, 0, 1, 49, 51, 75] {
        stage.send(stage.body(amount)).await.bad_in("amount");
        stage.put(&unique("biz"), amount, false).await.bad_in("amount");
    }
    // The price is that of now, on every node.
    let body = json!({"gift_id": stage.gift_id, "name": "n", "amount": 7});
    api.post("/server/gift/config").server().json(&body).send().await.done();
    stage.paid(14).await;
    stage.send(stage.body(50)).await.bad_in("amount");
    Ok(())
}

async fn a_gift_of_no_price_is_paid_with_nothing(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let sent = stage.paid(0).await;
    assert_eq!((&sent["amount"], &sent["status"]), (&json!(0), &json!(1)), "{sent}");
    let biz_id = sent["biz_id"].as_str().expect("biz_id").to_owned();
    assert_eq!(api.payer()?.calls()[&biz_id], 1, "the payment service is asked as for any gift");
    let found = api.get(format!("/server/gift/{biz_id}")).server().send().await.ok().clone();
    assert_eq!((&found["amount"], &found["status"]), (&json!(0), &json!(1)), "{found}");
    assert_eq!(stage.put(&unique("biz"), 0, false).await.ok()["status"], 1);
    stage.send(stage.body(-1)).await.bad_in("amount");
    stage.send(stage.body(1_000_001)).await.bad_in("amount");
    Ok(())
}

async fn the_sender_is_in_the_room_and_the_room_is_live(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let stranger = api.user().await;
    api.post("/client/gift/send").by(&stranger).json(&stage.body(4)).send().await.forbidden();
    let body = json!({"biz_id": unique("b"), "user_id": stranger.id, "gift_id": stage.gift_id, "amount": 4});
    stage.put_body(&body).await.forbidden();
    // Nothing in the contract keeps anchors from giving.
    api.post("/client/gift/send").by(&stage.anchor).json(&stage.body(4)).send().await.ok();

    let created = api.room(&stranger).await;
    api.join(&stage.guest, &created).await;
    stage.send(stage.with(4, "live_id", created)).await.bad();
    stage.send(stage.body(4)).await.forbidden();
    api.join(&stage.guest, &stage.live_id).await;
    api.stop(&stage.anchor, &stage.live_id).await;
    stage.send(stage.body(4)).await.bad();
    stage.put(&unique("biz"), 4, false).await.bad();
    Ok(())
}

async fn rooms_senders_and_types_must_exist(api: Api) -> Verdict {
    let mut stage = Stage::set(&api).await?;
    stage.send(stage.with(4, "live_id", "nowhere")).await.not_found();
    let body =
        json!({"biz_id": unique("b"), "user_id": stage.guest.id, "gift_id": stage.gift_id, "amount": 4});
    api.put("/server/gift/live/nowhere").server().json(&body).send().await.not_found();
    let body = json!({"biz_id": unique("b"), "user_id": unique("no"), "gift_id": stage.gift_id, "amount": 4});
    stage.put_body(&body).await.not_found();
    let deleted = stage.gift_id;
    api.delete(format!("/server/gift/config/{deleted}")).server().send().await.done();
    for gift_id in [deleted, super::gift_types::number()] {
        stage.gift_id = gift_id;
        stage.send(stage.body(4)).await.not_found();
        stage.put(&unique("biz"), 4, false).await.not_found();
    }
    Ok(())
}

async fn input_is_checked(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let amounts = [json!(-1), json!(1_000_001), json!("5"), json!(1.5), Value::Null, json!(1e300)];
    for amount in amounts {
        stage.send(stage.with(4, "amount", amount.clone())).await.bad_in("amount");
        let body = json!({"biz_id": "b", "user_id": "u", "gift_id": 1, "amount": amount});
        stage.put_body(&body).await.bad_in("amount");
    }
    for id in [json!(0), json!(-1), json!("1"), Value::Null, json!(4_294_967_296_i64)] {
        stage.send(stage.with(4, "gift_id", id.clone())).await.bad_in("gift_id");
        stage
            .put_body(&json!({"biz_id": "b", "user_id": "u", "gift_id": id, "amount": 4}))
            .await
            .bad_in("gift_id");
    }
    for id in [json!(""), json!("l".repeat(65)), json!(5), Value::Null] {
        stage.send(stage.with(4, "live_id", id)).await.bad_in("live_id");
    }
    let long = "b".repeat(65);
    for id in [
        json!(""),
        json!(long),
        json!("a b"),
        json!("字"),
        json!("a?b"),
        json!("config"),
        json!(5),
        Value::Null,
    ] {
        stage
            .put_body(&json!({"biz_id": id, "user_id": "u", "gift_id": 1, "amount": 4}))
            .await
            .bad_in("biz_id");
    }
    for id in [json!(""), json!("_"), json!(" u"), json!("u".repeat(65)), Value::Null] {
        let body = json!({"biz_id": "b", "user_id": id, "gift_id": 1, "amount": 4});
        stage.put_body(&body).await.bad_in("user_id");
    }
    stage.put_body(&json!({"biz_id": "b", "user_id": "u", "type": 0, "amount": 4})).await.bad_in("type");
    stage.send(json!([])).await.bad();
    stage
        .put_body(&json!({"biz_id": "b", "user_id": "u", "gift_id": 1, "amount": 4, "redo": "yes"}))
        .await
        .bad_in("redo");
    Ok(())
}

async fn callers_need_credentials(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let biz_id = unique("biz");
    stage.put(&biz_id, 4, false).await.ok();
    api.post("/client/gift/send").json(&stage.body(4)).send().await.unauthorized();
    let body = json!({"biz_id": biz_id, "user_id": stage.guest.id, "gift_id": stage.gift_id, "amount": 4});
    let target = format!("/server/gift/live/{}", stage.live_id);
    api.put(&target).json(&body).send().await.unauthorized();
    api.put(&target).by(&stage.guest).json(&body).send().await.unauthorized();
    api.get(format!("/client/gift/{biz_id}")).send().await.unauthorized();
    api.get(format!("/server/gift/{biz_id}")).send().await.unauthorized();
    Ok(())
}

async fn a_gift_is_shown_to_its_sender_and_to_backends(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let biz_id = format!("a/b%c#{}", unique("biz"));
    stage.put(&biz_id, 4, false).await.ok();
    let path = super::client::escape(&biz_id);
    let shown = api.get(format!("/client/gift/{path}")).by(&stage.guest).send().await.ok().clone();
    assert_eq!(shown, stage.row(&path).await);
    for other in [&stage.anchor, &api.user().await] {
        api.get(format!("/client/gift/{path}")).by(other).send().await.forbidden();
    }
    for id in ["unheard-of", "send", "list"] {
        api.get(format!("/client/gift/{id}")).by(&stage.guest).send().await.not_found();
        api.get(format!("/server/gift/{id}")).server().send().await.not_found();
    }
    for id in ["x".repeat(65), "%00".to_owned(), "%FF".to_owned()] {
        api.get(format!("/client/gift/{id}")).by(&stage.guest).send().await.bad();
        api.get(format!("/server/gift/{id}")).server().send().await.bad();
    }
    Ok(())
}

async fn spellings_of_a_send(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let body = json!({"Live_ID": stage.live_id, "GIFT_ID": stage.gift_id, "Amount": 4, "user_id": "somebody", "redo": 1});
    assert_eq!(stage.send(body).await.ok()["user_id"], stage.guest.id.as_str(), "the caller is the sender");
    let call = api.post("//client//gift/send/").by(&stage.guest);
    call.body("text/plain", stage.body(4).to_string()).send().await.ok();
    // The documents call the gift `type`; `gift_id` counts where both are there.
    let named = json!({"biz_id": unique("b"), "user_id": stage.guest.id, "type": stage.gift_id, "amount": 4});
    assert_eq!(stage.put_body(&named).await.ok()["gift_id"], stage.gift_id);
    let mut both = named;
    (both["biz_id"], both["type"], both["gift_id"]) = (json!(unique("b")), json!(1), json!(stage.gift_id));
    assert_eq!(stage.put_body(&both).await.ok()["gift_id"], stage.gift_id);
    Ok(())
}

async fn unpaid_may_be_answered_with_200(api: Api) -> Verdict {
    let own = api.own_server(|config| config.gift.unpaid_status = 200).await?;
    let (target, amount) = (own.api(), amount());
    let stage = Stage::set(&target).await?;
    target.payer()?.script(amount, [Mood::Refuse { code: 4711, message: "no money".to_owned() }]);
    let call = target.post("/client/gift/send").by(&stage.guest).json(&stage.body(amount)).document();
    let answer = call.send().await;
    assert_eq!((answer.status, answer.code(), answer.message()), (200, 4711, "no money"));
    assert_eq!(answer.json.as_ref().expect("an envelope")["data"]["status"], 2, "{answer:?}");
    assert_eq!(answer.request_id(), answer.header("x-reqid"));
    own.stop().await;
    Ok(())
}

async fn nothing_is_free_without_a_payment_service(api: Api) -> Verdict {
    for address in ["", "123"] {
        let own = api.own_server(|config| config.gift.gift_addr = address.to_owned()).await?;
        let stage = Stage::set(&own.api()).await?;
        let biz_id = pending(&stage.send(stage.body(4)).await);
        assert_eq!(stage.row(&biz_id).await["status"], 0);
        assert_eq!(pending(&stage.put("b1", 4, false).await), "b1");
        own.stop().await;
    }
    Ok(())
}

async fn the_stand_in_pays_where_it_is_in_use(api: Api) -> Verdict {
    let order = json!({
        "biz_id": "1", "user_id": "u", "live_id": "l", "anchor_id": "a", "gift_id": 1, "amount": 1,
    });
    let pay = |target: &Api| target.post("/manager/gift/test").json(&order).send();
    if api.backend == Some(super::own::Backend::MariaDbAndRedis) {
        pay(&api).await.not_found();
    }
    let own = api.own_server(|config| {
        // As the guide has it; the address is not called here.
        config.gift.gift_addr = "http://127.0.0.1:8099/manager/gift/test".to_owned();
    });
    let own = own.await?;
    assert_eq!(pay(&own.api()).await.ok(), &json!({"status": 1}));
    own.api().post("/manager/gift/test").json(&json!({"biz_id": 5})).send().await.bad_in("biz_id");
    own.stop().await;
    Ok(())
}

async fn a_gift_that_is_given_up_raises_an_alert(api: Api) -> Verdict {
    let own = api.own_server(|config| config.gift.give_up_s = 2).await?;
    let stage = Stage::set(&own.api()).await?;
    own.api().payer()?.set(Mood::Status { status: 500, charges: false });
    pending(&stage.send(stage.body(4)).await);
    let url = own.api().target.metrics_url.clone().expect("an exporter");
    eventually("the gauge shows it", Duration::from_secs(60), || async {
        let metrics = reqwest::get(&url).await.expect("metrics").text().await.expect("text");
        let has = |line: &str| metrics.lines().any(|found| found == line);
        has("liveloom_gifts_open{state=\"given_up\"} 1") && has("liveloom_gifts_open{state=\"waiting\"} 0")
    })
    .await;
    own.stop().await;
    Ok(())
}
