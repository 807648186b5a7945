//! http-api.md §1: CORS for clients, none for servers.

use std::collections::BTreeSet;

use super::answer::Answer;
use super::{Api, Verdict, cases};

cases![preflights_of_clients_are_answered, answers_to_clients_may_be_read_anywhere, servers_get_no_cors,];

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
                .header("Access-Control-Request-Headers", "authorization, content-type, x-reqid")
                .document();
            let answer = preflight.send().await;
            assert!([200, 204].contains(&answer.status), "{answer:?}");
            assert_open(&answer);
            assert_eq!(answer.header("access-control-max-age"), "21600", "{answer:?}");
            let methods = ["get", "post", "put", "delete", "patch", "head", "options"];
            assert_eq!(listed(&answer, "access-control-allow-methods"), methods.map(str::to_owned).into());
            let headers = ["content-type", "access-token", "authorization", "x-reqid", "idempotency-key"];
            assert_eq!(listed(&answer, "access-control-allow-headers"), headers.map(str::to_owned).into());
        }
    }
    Ok(())
}

async fn answers_to_clients_may_be_read_anywhere(api: Api) -> Verdict {
    let user = api.user().await;
    let calls = [
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
        assert!(listed(&answer, "access-control-expose-headers").contains("x-reqid"), "{answer:?}");
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
