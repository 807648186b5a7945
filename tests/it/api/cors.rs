//! http-api.md §1: CORS for clients, none for servers.

use std::collections::BTreeSet;

use super::answer::Answer;
use super::{Api, Verdict, cases};

cases![
    preflights_of_clients_are_answered,
    answers_to_clients_may_be_read_anywhere,
    servers_get_no_cors,
    operators_get_cors_for_named_origins,
];

/// What SDKs send, and tracing libraries beside them.
const HEADERS: [&str; 10] = [
    "content-type",
    "access-token",
    "authorization",
    "x-reqid",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
    "x-anything-else",
];

fn listed(answer: &Answer, header: &str) -> BTreeSet<String> {
    answer.header(header).split(',').map(|name| name.trim().to_ascii_lowercase()).collect()
}

fn assert_open(answer: &Answer) {
    let origin = answer.header("access-control-allow-origin");
    assert!(["*", "https://app.example"].contains(&origin), "allowed origin {origin:?}: {answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), "", "never with credentials: {answer:?}");
}

async fn preflights_of_clients_are_answered(api: Api) -> Verdict {
    let paths = [
        "/client/live/room/instance",
        "/client/live/room/info/1",
        "/client/user/user",
        "/client//live/room/user/1/",
    ];
    for path in paths {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let preflight = api
                .call("OPTIONS", path)
                .header("Origin", "https://app.example")
                .header("Access-Control-Request-Method", method)
                .header("Access-Control-Request-Headers", HEADERS.join(", "))
                .document();
            let answer = preflight.send().await;
            assert!([200, 204].contains(&answer.status), "{answer:?}");
            assert_open(&answer);
            assert_eq!(answer.header("access-control-max-age"), "21600", "{answer:?}");
            let methods = ["get", "post", "put", "delete", "patch", "head", "options"];
            assert_eq!(listed(&answer, "access-control-allow-methods"), methods.map(str::to_owned).into());
            assert_eq!(listed(&answer, "access-control-allow-headers"), HEADERS.map(str::to_owned).into());
        }
    }
    Ok(())
}

async fn answers_to_clients_may_be_read_anywhere(api: Api) -> Verdict {
    let user = api.user().await;
    let large = "x".repeat((64 << 10) + 1);
    let calls = [
        api.post("/client/live/room/instance").by(&user).body("application/json", large.clone()),
        api.post("/client/live/room/instance").body("application/json", large),
        api.get("/client/live/room/info/%ff").by(&user),
        api.get("/mic/live"),
        api.get("/realtime"),
        api.get("/client/user/profile").by(&user),
        api.get("/client/user/profile"),
        api.get("/client/live/room/info/nope").by(&user),
        api.get("/client/live/room/list?page_num=x").by(&user),
        api.get("/client/nope").by(&user),
        api.delete("/client/user/profile").by(&user),
    ];
    for call in calls {
        let answer = call.header("Origin", "https://app.example").send().await;
        assert_open(&answer);
        let exposed = listed(&answer, "access-control-expose-headers");
        assert!(exposed.contains("x-reqid") && exposed.contains("retry-after"), "{answer:?}");
    }
    Ok(())
}

async fn servers_get_no_cors(api: Api) -> Verdict {
    let calls = [
        api.get("/server/user/info/nope").server(),
        api.get("/server/user/info/nope"),
        api.get("/status"),
        api.post("/manager/login"),
        api.call("OPTIONS", "/server/live").header("Access-Control-Request-Method", "POST").document(),
        api.call("OPTIONS", "/manager/login").header("Access-Control-Request-Method", "POST").document(),
    ];
    for call in calls {
        let answer = call.header("Origin", "https://app.example").send().await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{answer:?}");
    }
    Ok(())
}

async fn operators_get_cors_for_named_origins(api: Api) -> Verdict {
    let named = "https://console.example";
    let own = api
        .own_server(|config| {
            config.httpq.cors = false;
            config.httpq.cors_admin_origins = vec![named.to_owned()];
        })
        .await?;
    let api = own.api();
    let operator = api.operator().await;
    for (origin, allowed) in [(named, named), ("https://other.example", ""), ("null", "")] {
        for path in ["/manager/login", "/admin/users", "/admin/live/list"] {
            let preflight = api
                .call("OPTIONS", path)
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "authorization");
            let answer = preflight.document().send().await;
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin}: {answer:?}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "{answer:?}");
        }
        let calls = [
            api.get("/admin/users").by(&operator),
            api.get("/admin/users"),
            api.post("/manager/login").body("application/json", "{"),
        ];
        for call in calls {
            let answer = call.header("Origin", origin).send().await;
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin}: {answer:?}");
        }
    }
    let of_clients = api.get("/client/user/profile").header("Origin", named).send().await;
    assert_eq!(of_clients.header("access-control-allow-origin"), "", "{of_clients:?}");
    own.stop().await;
    Ok(())
}
