//! Addresses that users name are for those who look at them: the server asks none of them for anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::net::TcpListener;

use super::{Api, Verdict, cases};

cases![what_users_name_is_not_fetched];

async fn what_users_name_is_not_fetched(api: Api) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/latest/meta-data", listener.local_addr().expect("an address"));
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let counting = tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let (anchor, viewer) = (api.user().await, api.user().await);
    let profile = json!({"nick": url, "avatar": url, "extends": {"url": url}});
    api.put("/client/user/user").by(&anchor).json(&profile).send().await.done();
    let room = json!({"title": "t", "notice": url, "cover_url": url, "extends": {"url": url}});
    let room = api.room_with(&anchor, room).await;
    let live_id = room["live_id"].as_str().expect("live_id").to_owned();
    api.start(&anchor, &live_id).await;
    api.join(&viewer, &live_id).await;
    let item = json!({"item_id": "i", "title": "t", "current_price": "1", "thumbnail": url, "link": url, "status": 1});
    let items = json!({"live_id": live_id, "items": [item]});
    api.post("/client/item/add").by(&anchor).json(&items).send().await.ok();
    api.post(format!("/client/item/demonstrate/{live_id}/i")).by(&anchor).send().await.ok();
    api.get(format!("/client/item/{live_id}")).by(&viewer).send().await.ok();
    api.info(&viewer, &live_id).await;
    api.stop(&anchor, &live_id).await;
    counting.abort();
    assert_eq!(asked.load(Ordering::Relaxed), 0, "somebody came to {url}");
    Ok(())
}
