//! What every answer has, whatever it says: HEAD where GET is, and the headers that browsers heed.

use super::{Api, Verdict, cases};

cases![
    head_is_served_wherever_get_is,
    a_head_is_signed_as_a_head,
    answers_are_not_kept,
    the_page_of_the_api_has_the_headers_of_pages,
];

async fn head_is_served_wherever_get_is(api: Api) -> Verdict {
    let (user, operator) = (api.user().await, api.operator().await);
    let document = api.document().await;
    let mut served = 0;
    for operation in document.operations.iter().filter(|operation| operation.method == "GET") {
        let path = operation.path.replace(['{', '}'], "");
        let call = |method: &str| {
            let call = api.call(method, &path).document();
            match path.split('/').nth(1) {
                Some("server") => call.server(),
                Some("admin") => call.by(&operator),
                _ => call.by(&user),
            }
        };
        let (get, head) = (call("GET").send().await, call("HEAD").send().await);
        assert_eq!(head.status, get.status, "{path}: {get:?}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}: {get:?}");
        assert!(head.body.is_empty() && head.header("content-length") != "0", "{path}: {head:?}");
        served += usize::from(get.status == 200);
    }
    assert!(served > 30, "only {served} routes were served");
    for path in ["/", "/docs/index.html", "/openapi.json", "/client/nope"] {
        let (get, head) =
            (api.get(path).document().send().await, api.call("HEAD", path).document().send().await);
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
    }
    Ok(())
}

async fn a_head_is_signed_as_a_head(api: Api) -> Verdict {
    let user = api.user().await;
    let path = format!("/server/user/info/{}", user.id);
    assert_eq!(api.call("HEAD", &path).server().document().send().await.status, 200);
    let of_get = api.get(&path).signature(false);
    assert_eq!(api.call("HEAD", &path).authorization(of_get).document().send().await.status, 401);
    Ok(())
}

async fn answers_are_not_kept(api: Api) -> Verdict {
    let user = api.user().await;
    let calls = [
        api.get("/client/user/profile").by(&user),
        api.get("/client/user/profile"),
        api.get("/server/user/info/nope").server(),
        api.post("/manager/login").body("application/json", "{"),
        api.get("/nope"),
        api.get("/healthz"),
    ];
    for call in calls {
        let answer = call.send().await;
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    }
    Ok(())
}

async fn the_page_of_the_api_has_the_headers_of_pages(api: Api) -> Verdict {
    for path in ["/docs/index.html", "/docs/swagger-ui-bundle.js"] {
        let answer = api.get(path).document().send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    Ok(())
}
