//! The IM providers: Qiniu's against a strict stand-in, and the built-in one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use common::failure::{Failure, Kind};
use config::{ImConfig, Secret};
use liveloom::im::{Account, BuiltinIm, IdError, IdSource, Im, ImError, Message, Outlet, QiniuIm, Target};
use rstest::rstest;
use serde_json::json;
use tokio::sync::Mutex;

use crate::support::fake::Mood;
use crate::support::fake_im::{self, APP_ID, FakeIm, Group, Sent, TOKEN};
use crate::support::services::NobodyConnected;

fn client(endpoint: &str) -> QiniuIm {
    QiniuIm::new(APP_ID, endpoint, &Secret::new(TOKEN)).unwrap()
}

fn im(fake: &FakeIm) -> Im {
    configured(&fake.config())
}

fn configured(config: &ImConfig) -> Im {
    let ids = Arc::new(Counter(AtomicI64::new(1)));
    Im::new(config, ids, Arc::new(NobodyConnected)).unwrap()
}

#[tokio::test]
async fn an_account_is_registered() {
    let fake = FakeIm::start().await;
    let im = im(&fake);
    assert_eq!(im.app_id(), APP_ID);
    let id = im.register("qlbob", "first").await.unwrap();
    assert_eq!(fake.accounts()["qlbob"], fake_im::Account { id, password: "first".to_owned() });
    assert_eq!(fake.calls(), ["/user/register/v2"]);
}

#[rstest]
#[case("qlbob")]
#[case::needs_escapes("ql李 &=+%?#/")]
#[tokio::test]
async fn an_existing_account_gets_the_new_password(#[case] name: &str) {
    let fake = FakeIm::start().await;
    let im = im(&fake);
    im.register("qlother", "other").await.unwrap();
    let id = im.register(name, "first").await.unwrap();
    assert_eq!(im.register(name, "second").await.unwrap(), id);
    assert_eq!(fake.accounts()[name], fake_im::Account { id, password: "second".to_owned() });
    assert_eq!(fake.accounts()["qlother"].password, "other");
    assert_eq!(fake.calls()[2..], ["/user/register/v2", "/roster/name", "/user/change_password_admin"]);
}

#[tokio::test]
async fn a_chat_room_belongs_to_its_owner() {
    let fake = FakeIm::start().await;
    let im = im(&fake);
    let owner = im.register("qlbob", "pw").await.unwrap();
    let group = im.create_chatroom(owner, "1001").await.unwrap();
    assert_eq!(fake.groups()[&group], Group { owner, name: "1001".to_owned() });
}

#[tokio::test]
async fn command_messages_are_sent_by_a_user_or_the_app() {
    let fake = FakeIm::start().await;
    let im = im(&fake);
    let bob = im.register("qlbob", "pw").await.unwrap();
    let group = im.create_chatroom(bob, "1001").await.unwrap();
    let data = json!({"live_id": "1001", "text": "\"李\"\n"});
    im.send(Message::new(Some(account(bob)), room(group), "liveroom_close", data).unwrap()).await.unwrap();
    let to_bob = Target::User(account(bob));
    im.send(Message::new(None, to_bob, "censor_notify", ()).unwrap()).await.unwrap();
    let to_group = Sent {
        from: Some(bob),
        to_group: true,
        target: group,
        action: "liveroom_close".to_owned(),
        data: json!({"live_id": "1001", "text": "\"李\"\n"}),
    };
    let to_user = Sent {
        from: None,
        to_group: false,
        target: bob,
        action: "censor_notify".to_owned(),
        data: json!(null),
    };
    assert_eq!(fake.sent(), [to_group, to_user]);
}

#[test]
fn a_command_is_action_and_data() {
    let message = Message::new(None, room(1), "a", json!({"b": 1})).unwrap();
    assert_eq!(message.command(), r#"{"action":"a","data":{"b":1}}"#);
}

#[tokio::test]
async fn a_wrong_token_is_refused_by_the_service() {
    let fake = FakeIm::start().await;
    let im = QiniuIm::new(APP_ID, &fake.endpoint(), &Secret::new("wrong")).unwrap();
    let error = Im::Qiniu(im).register("qlbob", "pw").await.unwrap_err();
    assert!(matches!(error, ImError::Refused { code: 401, .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Unavailable);
}

/// Each is one call and no more: nothing is repeated and no redirect followed.
#[rstest]
#[case(302)]
#[case(404)]
#[case(500)]
#[case(503)]
#[tokio::test]
async fn another_status_is_unavailable(#[case] status: u16) {
    let fake = FakeIm::start().await;
    fake.set_mood(Mood::Status(status));
    let error = im(&fake).register("qlbob", "pw").await.unwrap_err();
    assert!(matches!(error, ImError::Status(found) if found == status), "{error:?}");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(fake.calls().len(), 1);
}

#[rstest]
#[case::empty(b"")]
#[case::html(b"<html>")]
#[case::array(b"[]")]
#[case::no_code(br#"{"data":{"user_id":1}}"#)]
#[case::text_code(br#"{"code":"200","data":{"user_id":1}}"#)]
#[case::no_data(br#"{"code":200}"#)]
#[case::null_data(br#"{"code":200,"data":null}"#)]
#[case::no_id(br#"{"code":200,"data":{}}"#)]
#[case::text_id(br#"{"code":200,"data":{"user_id":"1"}}"#)]
#[case::zero(br#"{"code":200,"data":{"user_id":0}}"#)]
#[case::negative(br#"{"code":200,"data":{"user_id":-1}}"#)]
#[case::beyond_javascript(br#"{"code":200,"data":{"user_id":9007199254740992}}"#)]
#[case::not_utf8(b"{\"code\":200,\"message\":\"\xff\",\"data\":{\"user_id\":1}}")]
#[tokio::test]
async fn garbage_is_unavailable(#[case] answer: &[u8]) {
    let fake = FakeIm::start().await;
    fake.set_mood(Mood::Garbage(answer.to_vec()));
    let error = im(&fake).register("qlbob", "pw").await.unwrap_err();
    assert!(matches!(error, ImError::Garbage(_)), "{error:?}");
    assert_eq!(error.kind(), Kind::Unavailable);
}

#[tokio::test]
async fn a_long_answer_is_not_read() {
    let fake = FakeIm::start().await;
    let mut answer = br#"{"code":200,"data":{"user_id":1},"message":""#.to_vec();
    answer.extend(vec![b'x'; 1 << 20]);
    answer.extend(b"\"}");
    fake.set_mood(Mood::Garbage(answer));
    assert!(matches!(im(&fake).register("qlbob", "pw").await, Err(ImError::Garbage("too long"))));
}

#[tokio::test]
async fn a_slow_service_is_given_up() {
    let fake = FakeIm::start().await;
    fake.set_mood(Mood::Slow(Duration::from_secs(30)));
    let im = Im::Qiniu(client(&fake.endpoint()).with_deadline(Duration::from_millis(200)));
    let started = Instant::now();
    let error = im.register("qlbob", "pw").await.unwrap_err();
    assert!(matches!(error, ImError::TimedOut), "{error:?}");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_service_that_is_back_is_used_again() {
    let fake = FakeIm::start().await;
    let im = im(&fake);
    fake.set_mood(Mood::Status(502));
    assert!(im.register("qlbob", "pw").await.is_err());
    assert!(fake.accounts().is_empty());
    fake.set_mood(Mood::Well);
    assert!(im.register("qlbob", "pw").await.is_ok());
}

/// The discarded listener's port refuses connections.
fn closed_endpoint() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[rstest]
#[case::refused(closed_endpoint())]
#[case::not_a_url("123".to_owned())]
#[case::empty(String::new())]
#[case::other_scheme("ftp://127.0.0.1".to_owned())]
#[case::no_host("mailto:x".to_owned())]
#[tokio::test]
async fn an_endpoint_that_is_not_there_is_unreachable(#[case] endpoint: String) {
    let error = Im::Qiniu(client(&endpoint)).create_chatroom(1, "1001").await.unwrap_err();
    assert!(matches!(error, ImError::Unreachable(_)), "{error:?}");
    assert_eq!(error.kind(), Kind::Unavailable);
}

#[tokio::test]
async fn neither_token_nor_name_nor_password_is_shown() {
    let client = client(&closed_endpoint());
    let shown = format!("{client:?} {client:#?}");
    assert!(!shown.contains(TOKEN), "{shown}");
    let error = Im::Qiniu(client).register("ql-secret-name", "secret-password").await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("secret") && !shown.contains(TOKEN), "{shown}");
}

#[test]
fn a_token_that_fits_in_no_header_is_told_at_the_start() {
    let error = QiniuIm::new(APP_ID, "http://localhost", &Secret::new("two\nlines")).unwrap_err();
    assert!(matches!(error, ImError::Setup(_)));
    assert!(!format!("{error:?}").contains("lines"));
}

/// Counts up from a start, or is down.
struct Counter(AtomicI64);

#[derive(Debug, thiserror::Error)]
#[error("the database is down")]
struct Down;

impl Failure for Down {
    fn kind(&self) -> Kind {
        Kind::Unavailable
    }
}

#[async_trait]
impl IdSource for Counter {
    async fn next_id(&self) -> Result<i64, IdError> {
        let next = self.0.fetch_add(1, Ordering::SeqCst);
        if next == 0 { Err(Down.into()) } else { Ok(next) }
    }
}

#[derive(Default)]
struct Collected(Mutex<Vec<Message>>);

#[async_trait]
impl Outlet for Collected {
    async fn deliver(&self, message: Message) -> Result<(), ImError> {
        self.0.lock().await.push(message);
        Ok(())
    }
}

fn account(number: i64) -> Account {
    Account { user_id: format!("u{number}"), number }
}

fn room(chat_id: i64) -> Target {
    Target::Room { live_id: "1001".to_owned(), chat_id }
}

fn builtin(first_id: i64, outlet: Arc<dyn Outlet>) -> Im {
    Im::Builtin(BuiltinIm::new(Arc::new(Counter(AtomicI64::new(first_id))), outlet))
}

#[test]
fn the_provider_is_the_configured_one() {
    assert!(matches!(configured(&ImConfig::Builtin), Im::Builtin(_)));
}

#[tokio::test]
async fn the_builtin_provider_issues_ids_from_one_source() {
    let im = builtin(100_001, Arc::new(NobodyConnected));
    assert_eq!(im.app_id(), "builtin");
    assert_eq!(im.register("qlbob", "pw").await.unwrap(), 100_001);
    assert_eq!(im.create_chatroom(100_001, "1001").await.unwrap(), 100_002);
}

#[tokio::test]
async fn the_builtin_provider_hands_messages_to_its_outlet() {
    let outlet = Arc::new(Collected::default());
    let im = builtin(1, outlet.clone());
    im.send(Message::new(Some(account(1)), room(2), "x", 5).unwrap()).await.unwrap();
    im.send(Message::new(None, Target::User(account(3)), "y", ()).unwrap()).await.unwrap();
    let messages = outlet.0.lock().await;
    let told = messages.iter().map(|message| (message.from.clone(), message.to.clone(), message.command()));
    let group = (Some(account(1)), room(2), r#"{"action":"x","data":5}"#.to_owned());
    let user = (None, Target::User(account(3)), r#"{"action":"y","data":null}"#.to_owned());
    assert_eq!(told.collect::<Vec<_>>(), [group, user]);
}

#[rstest]
#[case::source_down(0, Kind::Unavailable)]
#[case::beyond_javascript(1 << 53, Kind::Unavailable)]
#[tokio::test]
async fn without_an_id_there_is_no_account(#[case] next: i64, #[case] kind: Kind) {
    let error = builtin(next, Arc::new(NobodyConnected)).register("qlbob", "pw").await.unwrap_err();
    assert_eq!(error.kind(), kind);
}
