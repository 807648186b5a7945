//! A stand-in for the Qiniu IM service, as far as registration and chat rooms go, that can be down.

use std::sync::atomic::{AtomicI64, Ordering};

use liveloom::config::{ImConfig, Secret};
use serde_json::json;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The service. Up when it starts.
pub struct FakeIm {
    server: MockServer,
}

impl FakeIm {
    /// Starts it on a port of its own.
    pub async fn start() -> Self {
        let im = Self { server: MockServer::start().await };
        im.answer(true).await;
        im
    }

    /// The configuration that points at it.
    pub fn config(&self) -> ImConfig {
        ImConfig::Qiniu {
            app_id: "suite-app".to_owned(),
            endpoint: self.server.uri(),
            token: Secret::new("im-token"),
        }
    }

    /// Answers from now on, or fails every request.
    pub async fn answer(&self, up: bool) {
        static NEXT: AtomicI64 = AtomicI64::new(1);
        self.server.reset().await;
        if !up {
            Mock::given(wiremock::matchers::any())
                .respond_with(ResponseTemplate::new(500))
                .mount(&self.server)
                .await;
            return;
        }
        for (route, field) in [("/user/register/v2", "user_id"), ("/group/create", "group_id")] {
            let make = move |_: &Request| {
                let id = 6_000_000_000_000 + NEXT.fetch_add(1, Ordering::Relaxed);
                ResponseTemplate::new(200)
                    .set_body_json(json!({"code": 200, "message": "", "data": {field: id}}))
            };
            let given = Mock::given(method("POST")).and(path(route)).and(header("app_id", "suite-app"));
            given.and(header("access-token", "im-token")).respond_with(make).mount(&self.server).await;
        }
        let sent = ResponseTemplate::new(200).set_body_json(json!({"code": 200, "message": ""}));
        Mock::given(path("/message/send")).respond_with(sent).mount(&self.server).await;
    }
}
