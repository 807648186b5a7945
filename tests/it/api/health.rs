//! http-api.md §12: health; and what is measured.

use std::time::Duration;

use super::world::{eventually, unique};
use super::{Api, NotApplicable, Verdict, cases};

cases![
    the_status_is_zero,
    the_process_is_up,
    the_stores_answer,
    ping_says_pong,
    health_wants_no_credentials,
    calls_are_measured_by_route,
    random_ids_paths_and_methods_add_no_series,
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

async fn random_ids_paths_and_methods_add_no_series(api: Api) -> Verdict {
    let own = api.own_server(|_| {}).await?;
    let api = own.api();
    let user = api.user().await;
    let series = async || {
        let url = api.target.metrics_url.clone().expect("metrics");
        let text = reqwest::get(&url).await.expect("the exporter answers").text().await.expect("text");
        text.lines().filter(|line| line.starts_with("qnlive_http_api_count{")).count()
    };
    let ask = async |count: usize| {
        for _ in 0..count {
            let id = unique("x");
            api.get(format!("/client/live/room/info/{id}")).by(&user).send().await.not_found();
            api.get(format!("/{id}/{id}")).send().await.not_found();
            api.get(format!("/client/{id}")).by(&user).send().await.not_found();
            api.call(&id.to_uppercase(), "/client/user/profile").by(&user).send().await.refused(405, 405);
        }
    };
    ask(1).await;
    let before = series().await;
    ask(50).await;
    assert_eq!(series().await, before);
    own.stop().await;
    Ok(())
}
