//! realtime.md §3: CONNMIX's mesh API over HTTP.

use serde_json::{Value, json};

use super::{Api, Verdict, cases};

cases![a_call_is_answered_in_connmixs_words, a_mistake_is_number_101, an_unsigned_call_is_refused];

async fn a_call_is_answered_in_connmixs_words(api: Api) -> Verdict {
    let publication = json!({"c": "video:nobody", "d": "x"});
    let answer = api.post("/v1/mesh/publish").server().json(&publication).send().await;
    assert_eq!((answer.status, answer.json), (200, Some(json!({"E": null, "r": {"s": 0, "f": 0}}))));
    let cut = "\u{feff}{\"c\":\"video:nobody\",\"d\":\"\\ud83d\"}";
    let answer = api.post("/v1/mesh/publish").server().body("application/json", cut).send().await;
    assert_eq!(answer.status, 200, "half a character is passed on: {answer:?}");
    let message = json!({"c": "1", "d": "eA==", "t": "binary"});
    let answer = api.post("/v1/mesh/send").server().json(&message).send().await;
    assert_eq!((answer.status, answer.json), (200, Some(json!({"E": null, "r": {"s": 0, "f": 1}}))));
    Ok(())
}

async fn a_mistake_is_number_101(api: Api) -> Verdict {
    for (path, wrong) in [
        ("/v1/mesh/publish", "{"),
        ("/v1/mesh/publish", r#"{"c":"video:1"}"#),
        ("/v1/mesh/publish", r#"{"c":"room:1","d":"x"}"#),
        ("/v1/mesh/publish", r#"{"c":"video:1","d":"x","t":"image"}"#),
        ("/v1/mesh/publish", r#"{"c":"video:1","d":"%","t":"binary"}"#),
        ("/v1/mesh/send", r#"{"c":"","d":"x"}"#),
        ("/v1/mesh/send", r#"{"c":9007199254740992,"d":"x"}"#),
    ] {
        let answer = api.post(path).server().body("application/json", wrong).send().await;
        let problem = answer.json.as_ref().map(|json| json["E"].clone()).unwrap_or_default();
        assert_eq!((answer.status, &problem["c"]), (400, &json!(101)), "{wrong}: {answer:?}");
        assert!(problem["m"].as_str().is_some_and(|why| !why.is_empty()), "{answer:?}");
        assert!(answer.header("content-type").starts_with("application/json"), "{answer:?}");
    }
    Ok(())
}

async fn an_unsigned_call_is_refused(api: Api) -> Verdict {
    for path in ["/v1/mesh/publish", "/v1/mesh/send"] {
        api.post(path).json(&Value::Null).send().await.unauthorized();
        api.get(path).send().await.refused(405, 405);
    }
    Ok(())
}
