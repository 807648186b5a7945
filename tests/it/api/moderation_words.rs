//! The list of banned words.

use serde_json::{Value, json};

use super::client::Call;
use super::world::{User, unique};
use super::{Api, Verdict, cases};

cases![words_are_added_listed_and_deleted, words_have_limits, words_are_kept_byte_by_byte];

/// Calls of a backend and of an administrator.
fn calls(api: &Api, boss: &User, method: &str, path: &str) -> [Call; 2] {
    [
        api.call(method, format!("/server/banned_words{path}")).server(),
        api.call(method, format!("/admin/banned_words{path}")).by(boss),
    ]
}

/// All words, by whom they were added.
async fn list(api: &Api) -> Vec<(String, String)> {
    let mut words = Vec::new();
    for page in 1.. {
        let target = format!("/server/banned_words?page_num={page}&page_size=200");
        let answer = api.get(target).server().send().await;
        let rows = answer.ok()["list"].as_array().expect("a list").clone();
        let text = |row: &Value, key: &str| row[key].as_str().expect("a text").to_owned();
        words.extend(rows.iter().map(|row| (text(row, "word"), text(row, "by"))));
        if answer.ok()["end_page"] == true {
            return words;
        }
    }
    unreachable!("there is a last page")
}

async fn words_are_added_listed_and_deleted(api: Api) -> Verdict {
    let boss = api.operator().await;
    for (desk, by) in ["", boss.id.as_str()].into_iter().enumerate() {
        let (one, two) = (unique("w"), unique("w"));
        let call = |method: &str, path: &str| calls(&api, &boss, method, path)[desk].clone();
        let body = json!({"words": [one, two, one]});
        assert_eq!(call("POST", "").json(&body).send().await.ok(), &json!({"count": 2}));
        assert_eq!(call("POST", "").json(&body).send().await.ok(), &json!({"count": 0}));
        let words = list(&api).await;
        let at = |word: &str| words.iter().position(|known| *known == (word.to_owned(), by.to_owned()));
        assert!(at(&two).expect("is listed") < at(&one).expect("is listed"), "the latest first");
        call("GET", "").send().await.ok();
        let body = json!({"words": [one, unique("w")]});
        assert_eq!(call("POST", "/delete").json(&body).send().await.ok(), &json!({"count": 1}));
        let words = list(&api).await;
        assert!(words.iter().any(|(word, _)| *word == two) && words.iter().all(|(word, _)| *word != one));
    }
    Ok(())
}

async fn words_have_limits(api: Api) -> Verdict {
    let boss = api.operator().await;
    let bad = [
        json!([]),
        json!([""]),
        json!(["x".repeat(65)]),
        json!([" x"]),
        json!(["a\nb"]),
        json!([7]),
        json!(vec!["x"; 201]),
        json!("x"),
        Value::Null,
    ];
    for words in &bad {
        for call in
            [calls(&api, &boss, "POST", ""), calls(&api, &boss, "POST", "/delete")].into_iter().flatten()
        {
            call.json(&json!({"words": words})).send().await.bad_in("words");
        }
    }
    for call in calls(&api, &boss, "POST", "") {
        call.json(&json!({"words": ["fine", ".-\u{200b}-."]})).send().await.bad_in("words[1]");
    }
    for call in calls(&api, &boss, "GET", "?page_num=x") {
        call.send().await.bad_in("page_num");
    }
    Ok(())
}

async fn words_are_kept_byte_by_byte(api: Api) -> Verdict {
    let word = unique("w");
    let words = json!({"words": [word, word.to_uppercase(), format!("{word}\u{1f600}"), "x".repeat(64)]});
    let added = api.post("/server/banned_words").server().json(&words).send().await;
    assert!(added.ok()["count"].as_i64().expect("a count") >= 3);
    let gone = json!({"words": [word.to_uppercase()]});
    let gone = api.post("/server/banned_words/delete").server().json(&gone).send().await;
    assert_eq!(gone.ok(), &json!({"count": 1}));
    assert!(list(&api).await.iter().any(|(known, _)| *known == word));
    Ok(())
}
