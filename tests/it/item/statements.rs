//! How many statements a call takes: as many for a hundred items as for one.

use config::MysqlConfig;
use liveloom::item::{ItemOrder, ItemStatus, NewItem, Orders};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::bed::{ANCHOR, Bed, LIVE_ID, new_item};
use crate::support::database::TestDatabase;

/// The statements that this connection, the only one, was asked so far.
async fn questions(bed: &Bed) -> u64 {
    let asked = Statement::from_string(DbBackend::MySql, "SHOW SESSION STATUS LIKE 'Questions'");
    let row = bed.db.writer().query_one_raw(asked).await.unwrap().unwrap();
    row.try_get::<String>("", "Value").unwrap().parse().unwrap()
}

/// How many statements `call` takes when they are prepared already.
async fn counted(bed: &Bed, call: impl AsyncFn()) -> u64 {
    call().await;
    let before = questions(bed).await;
    let own = questions(bed).await - before;
    let before = questions(bed).await;
    call().await;
    questions(bed).await - before - own
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("i{number}")).collect()
}

#[tokio::test]
async fn a_set_takes_as_many_statements_as_one_item() {
    let database = TestDatabase::create().await;
    let mut entry = database.entry().unwrap();
    (entry.max_open_conns, entry.max_idle_conns) = (1, 1);
    let bed = Bed::over(database, &MysqlConfig { databases: vec![entry] }).await;
    let mut found = Vec::new();
    for count in [1, 100] {
        let ids = ids(count);
        let new: Vec<NewItem> = ids.iter().map(|id| new_item(id)).collect();
        let refill = counted(&bed, async || {
            bed.items.delete(LIVE_ID, ANCHOR, &ids).await.unwrap();
            bed.items.add(LIVE_ID, ANCHOR, &new).await.unwrap();
        });
        let refill = refill.await;
        bed.items.demonstrate(LIVE_ID, ANCHOR, "i0", true).await.unwrap();
        let list = counted(&bed, async || {
            assert_eq!(bed.items.list(LIVE_ID, None).await.unwrap().len(), count);
        });
        let list = list.await;
        let statuses = ids.iter().map(|id| ItemStatus { item_id: id.clone(), status: 2 });
        let statuses: Vec<ItemStatus> = statuses.collect();
        let status = counted(&bed, async || {
            bed.items.set_statuses(LIVE_ID, ANCHOR, &statuses).await.unwrap();
        });
        let status = status.await;
        let orders = ids.iter().zip(500..).map(|(id, order)| ItemOrder { item_id: id.clone(), order });
        let orders = Orders(orders.collect());
        let order = counted(&bed, async || bed.items.set_orders(LIVE_ID, ANCHOR, &orders).await.unwrap());
        let order = order.await;
        bed.items.end(LIVE_ID, ANCHOR).await.unwrap();
        found.push((list, refill, status, order));
    }
    // BEGIN, the room, the places, the change, COMMIT; a deletion also looks at what is explained, an
    // addition at the highest order.
    assert_eq!(found, [(1, 6 + 6, 5, 5), (1, 6 + 6, 5, 5)]);
}
