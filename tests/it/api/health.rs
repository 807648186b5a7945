//! http-api.md §12 and what a server says about itself: health, the OpenAPI document, metrics, CORS.

use std::collections::BTreeSet;
use std::time::Duration;

use super::answer::Answer;
use super::openapi::{references, resolve};
use super::world::eventually;
use super::{Api, NotApplicable, Verdict, cases};

cases![
    the_status_is_zero,
    the_process_is_up,
    the_stores_answer,
    ping_says_pong,
    health_wants_no_credentials,
    the_document_is_valid_openapi,
    the_document_has_every_route,
    the_document_declares_credentials,
    there_is_a_page_to_read_the_document,
    calls_are_measured_by_route,
    preflights_of_clients_are_answered,
    answers_to_clients_may_be_read_anywhere,
    servers_get_no_cors,
];

async fn the_status_is_zero(api: Api) -> Verdict {
    api.get("/status").send().await.done();
    Ok(())
}

async fn the_process_is_up(api: Api) -> Verdict {
    api.get("/healthz").send().await.ok();
    Ok(())
}

async fn the_stores_answer(api: Api) -> Verdict {
    api.get("/readyz").send().await.ok();
    Ok(())
}

async fn ping_says_pong(api: Api) -> Verdict {
    let answer = api.get("/api/ping").document().send().await;
    assert_eq!((answer.status, answer.message()), (200, "pong"), "{answer:?}");
    assert!(answer.header("content-type").starts_with("application/json"), "{answer:?}");
    assert_ne!(answer.header("x-reqid"), "", "{answer:?}");
    Ok(())
}

async fn health_wants_no_credentials(api: Api) -> Verdict {
    for path in ["/status", "/healthz", "/readyz", "/api/ping"] {
        let answer = api.get(path).authorization("nonsense").document().send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    Ok(())
}

async fn the_document_is_valid_openapi(api: Api) -> Verdict {
    let document = api.document().await;
    let root = &document.root;
    assert!(root["openapi"].as_str().is_some_and(|version| version.starts_with("3.")), "{}", root["openapi"]);
    for pointer in ["/info/title", "/info/version"] {
        assert!(
            root.pointer(pointer).is_some_and(|text| text.as_str().is_some_and(|text| !text.is_empty())),
            "{pointer}"
        );
    }
    for reference in references(root) {
        resolve(root, &serde_json::json!({ "$ref": reference }));
    }
    let mut ids = BTreeSet::new();
    for operation in &document.operations {
        let (method, path) =
            (operation.method.to_lowercase(), operation.path.replace('~', "~0").replace('/', "~1"));
        let raw = root.pointer(&format!("/paths/{path}/{method}")).expect("an operation");
        let name = format!("{} {}", operation.method, operation.path);
        assert!(!operation.responses.is_empty(), "{name} declares no response");
        if let Some(id) = raw["operationId"].as_str() {
            assert!(ids.insert(id.to_owned()), "operationId {id} is used twice");
        }
        for (status, response) in raw["responses"].as_object().expect("responses") {
            assert!(
                resolve(root, response)["description"].is_string(),
                "{name}: {status} has no description"
            );
        }
        let declared = operation.parameters.iter().filter(|parameter| parameter.in_path);
        let declared: BTreeSet<&str> = declared.map(|parameter| parameter.name.as_str()).collect();
        let parts = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(declared, parts.collect(), "path parameters of {name}");
    }
    Ok(())
}

/// The routes of http-api.md §3 to §5 and §12, the aliases and the hooks included.
const ROUTES: &str = "
GET /server/auth/token
GET /server/auth/admin/token
GET /manager/login
POST /manager/login
GET /client/app/config
POST /server/user/register
POST /server/user/register/batch
PUT /server/user/{}
GET /server/user/info/{}
GET /server/user/infos
GET /server/user/profile/{}
GET /server/user/profiles
GET /client/user/profile
GET /client/user/user/{}
GET /client/user/{}
GET /client/user/users
GET /client/user/imusers
PUT /client/user/user
POST /client/live/room/instance
POST /server/live
GET /client/live/room/info/{}
GET /server/live/{}
PUT /client/live/room/{}
DELETE /client/live/room/{}
POST /client/live/room/{}
POST /server/live/{}/stop
DELETE /client/live/room/instance/{}
DELETE /live/room/instance/{}
DELETE /server/live/{}
GET /client/live/room/list
GET /client/live/room/list/anchor
GET /client/live/room
POST /client/live/room/user/{}
DELETE /client/live/room/user/{}
GET /client/live/room/heartbeat/{}
PUT /client/live/room/extends
GET /client/live/room/user_list
GET /status
GET /healthz
GET /readyz
GET /api/ping
POST /hooks/publish
POST /hooks/publish_done
";

async fn the_document_has_every_route(api: Api) -> Verdict {
    let document = api.document().await;
    let plain = |path: &str| {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let there: BTreeSet<String> = document
        .operations
        .iter()
        .map(|operation| format!("{} {}", operation.method, plain(&operation.path)))
        .collect();
    let missing: Vec<&str> =
        ROUTES.lines().filter(|line| !line.is_empty() && !there.contains(*line)).collect();
    assert!(missing.is_empty(), "not in the document: {missing:#?}");
    Ok(())
}

async fn the_document_declares_credentials(api: Api) -> Verdict {
    let document = api.document().await;
    for operation in &document.operations {
        let wanted = ["/client/", "/server/", "/admin/", "/live/room/"]
            .iter()
            .any(|start| operation.path.starts_with(start));
        assert_eq!(operation.secured, wanted, "security of {} {}", operation.method, operation.path);
    }
    Ok(())
}

async fn there_is_a_page_to_read_the_document(api: Api) -> Verdict {
    for path in ["/docs", "/docs/index.html", "/swagger-ui/index.html", "/openapi"] {
        let page = api.get(path).document().send().await;
        if page.status == 200 {
            assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
            let text = String::from_utf8_lossy(&page.body).into_owned();
            let elsewhere = ["src=\"http", "src='http", "src=\"//", "href=\"http"];
            assert!(!elsewhere.iter().any(|mark| text.contains(mark)), "loads from elsewhere: {text}");
            return Ok(());
        }
    }
    panic!("no page at any of the usual places");
}

async fn calls_are_measured_by_route(api: Api) -> Verdict {
    let url = api.target.metrics_url.clone().ok_or(NotApplicable("LIVELOOM_TARGET_METRICS is not set"))?;
    let user = api.user().await;
    let id = api.live_room(&user).await;
    api.info(&user, &id).await;
    api.get("/client/live/room/info/nope").by(&user).send().await.not_found();
    eventually("the histogram has both calls", Duration::from_secs(20), || async {
        let response = reqwest::get(&url).await.expect("the exporter answers");
        assert_eq!(response.status(), 200);
        let text = response.text().await.expect("text");
        assert!(!text.contains(&id), "an id is a label: {id}");
        let counted = |code: &str| {
            text.lines().any(|line| {
                line.starts_with("qnlive_http_api_count{")
                    && line.contains("handler=\"/client/live/room/info/{live_id}\"")
                    && line.contains("method=\"GET\"")
                    && line.contains(&format!("code=\"{code}\""))
            })
        };
        text.contains("# TYPE qnlive_http_api histogram") && counted("200") && counted("404")
    })
    .await;
    Ok(())
}

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
