//! What a server says about itself: the OpenAPI document and the page to read it.

use std::collections::BTreeSet;

use super::openapi::{references, resolve};
use super::{Api, Verdict, cases};

cases![
    the_document_is_valid_openapi,
    the_document_has_every_route,
    the_document_declares_credentials,
    there_is_a_page_to_read_the_document,
];

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

/// The routes of http-api.md §3 to §12, the aliases and the hooks included.
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
POST /client/mic
POST /client/mic/up
DELETE /client/mic
POST /client/mic/down
DELETE /client/mic/live
DELETE /mic/live
GET /client/mic/room/list/{}
PUT /client/mic/extension
PUT /client/mic/room
PUT /client/mic/switch
POST /server/mic/forbid
POST /server/mic/unforbid
POST /client/relay/start
GET /client/relay/{}
GET /client/relay/{}/token
POST /client/relay/{}/started
POST /client/relay/{}/stop
POST /client/relay/{}/extends
POST /server/relay/{}/extends
PUT /client/live/room/{}/like
PUT /client/live/{}/like
POST /client/stats/singleLive
GET /client/stats/singleLive/{}
GET /status
GET /healthz
GET /readyz
GET /api/ping
POST /hooks/publish
POST /hooks/publish_done
POST /client/item/add
PUT /client/item/add
POST /client/item/delete
POST /client/item/status
POST /client/item/order
POST /client/item/order/single
PUT /client/item/{}/{}
PUT /client/item/{}/{}/extends
POST /client/item/{}/{}/extends
GET /client/item/{}
POST /client/item/demonstrate/{}/{}
POST /client/item/demonstrate/start/{}/{}
DELETE /client/item/demonstrate/{}
DELETE /client/item/demonstrate/{}/{}
GET /client/item/demonstrate/{}
GET /client/item/demonstrate/record/{}
GET /client/item/demonstrate/record/{}/{}
POST /client/item/demonstrate/record/delete
POST /server/item/add
PUT /server/item/add
POST /server/item/delete
POST /server/item/status
POST /server/item/order
POST /server/item/order/single
PUT /server/item/{}/{}
PUT /server/item/{}/{}/extends
POST /server/item/{}/{}/extends
GET /server/item/{}
POST /server/item/demonstrate/{}/{}
POST /server/item/demonstrate/start/{}/{}
DELETE /server/item/demonstrate/{}
DELETE /server/item/demonstrate/{}/{}
GET /server/item/demonstrate/{}
GET /server/item/demonstrate/record/{}
GET /server/item/demonstrate/record/{}/{}
POST /server/item/demonstrate/record/delete
GET /server/items/{}
GET /admin/censor/config
POST /admin/censor/config
POST /admin/censor/stoplive/{}
POST /admin/censor/job/start
POST /admin/censor/job/close
GET /admin/censor/job/list
GET /admin/censor/job/query
GET /admin/censor/live
GET /admin/censor/record
POST /admin/censor/audit
POST /manager/censor/callback
POST /admin/users
POST /v1/mesh/publish
POST /v1/mesh/send
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
        let wanted = ["/client/", "/server/", "/admin/", "/live/room/", "/mic/", "/v1/mesh/"]
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
