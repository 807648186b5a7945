//! Statements on `items`.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryResult, QuerySelect, Statement};

use super::demonstration_queries::{RecordRow, record};
use super::dto::{NewItem, UpdateItem};
use super::view::{HIDDEN, ItemView, RecordView};
use common::text::{Extends, extends_column, extends_of_column};
use store::db::{Db, StoreError};
use store::entity::items::{ActiveModel, Column, Entity, Model};

/// Where an item stands in its room.
#[derive(Clone, Debug)]
pub struct Place {
    /// Primary key of the row.
    pub row_id: u32,
    /// The item.
    pub item_id: String,
    /// Its order.
    pub order: u32,
}

/// Which items of a room are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All.
    All,
    /// Those that viewers see.
    Shown,
    /// The one that is being explained.
    Demonstrated,
}

/// The places of all items of a room.
pub async fn places(conn: &impl ConnectionTrait, live_id: &str) -> Result<Vec<Place>, StoreError> {
    let rows: Vec<(u32, Option<String>, Option<u32>)> = present(live_id)
        .select_only()
        .columns([Column::Id, Column::ItemId, Column::Order])
        .into_tuple()
        .all(conn)
        .await?;
    let place = |(row_id, item_id, order): (u32, Option<String>, Option<u32>)| Place {
        row_id,
        item_id: item_id.unwrap_or_default(),
        order: order.unwrap_or_default(),
    };
    Ok(rows.into_iter().map(place).collect())
}

/// The highest order that a room ever gave, to items that were deleted as well.
pub async fn highest_order(conn: &impl ConnectionTrait, live_id: &str) -> Result<u32, StoreError> {
    let wanted = Entity::find().filter(Column::LiveId.eq(live_id));
    let highest: Option<Option<u32>> =
        wanted.select_only().column_as(Column::Order.max(), "highest").into_tuple().one(conn).await?;
    Ok(highest.flatten().unwrap_or_default())
}

/// The item, as it is stored; a collation may bring others, which do not count.
pub async fn find(
    conn: &impl ConnectionTrait,
    live_id: &str,
    item_id: &str,
) -> Result<Option<Model>, StoreError> {
    let rows = present(live_id).filter(Column::ItemId.eq(item_id)).all(conn).await?;
    Ok(rows.into_iter().find(|row| row.item_id.as_deref() == Some(item_id)))
}

/// Stores new items, the first one with the order after `last_order`.
pub async fn insert(
    db: &Db,
    tx: &impl ConnectionTrait,
    live_id: &str,
    items: &[NewItem],
    last_order: u32,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let now = db.wall(now);
    let text = |text: &Option<String>| Set(Some(text.clone().unwrap_or_default()));
    let orders = last_order.saturating_add(1)..;
    let rows = items.iter().zip(orders).map(|(item, order)| ActiveModel {
        created_at: Set(Some(now)),
        updated_at: Set(Some(now)),
        live_id: Set(Some(live_id.to_owned())),
        item_id: Set(Some(item.item_id.clone())),
        order: Set(Some(order)),
        title: Set(Some(item.title.clone())),
        tags: text(&item.tags),
        thumbnail: text(&item.thumbnail),
        link: text(&item.link),
        current_price: Set(Some(item.current_price.clone())),
        origin_price: text(&item.origin_price),
        status: Set(Some(item.status.unwrap_or(HIDDEN))),
        extends: Set(item.extends.as_ref().map(extends_column)),
        ..ActiveModel::default()
    });
    Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

/// Changes an item: absent and empty fields are left alone, `extends` replaces the map.
pub async fn update(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_id: u32,
    change: &UpdateItem,
    extends: Option<&Extends>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let texts = [
        (Column::Title, &change.title),
        (Column::Tags, &change.tags),
        (Column::Thumbnail, &change.thumbnail),
        (Column::Link, &change.link),
        (Column::CurrentPrice, &change.current_price),
        (Column::OriginPrice, &change.origin_price),
    ];
    let mut update = Entity::update_many().col_expr(Column::UpdatedAt, Expr::value(db.wall(now)));
    for (column, text) in texts {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            update = update.col_expr(column, Expr::value(text));
        }
    }
    if let Some(status) = change.status {
        update = update.col_expr(Column::Status, Expr::value(status));
    }
    if let Some(map) = extends {
        update = update.col_expr(Column::Extends, Expr::value(extends_column(map)));
    }
    update.filter(Column::Id.eq(row_id)).exec(tx).await?;
    Ok(())
}

/// Takes items out of their room.
pub async fn delete(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_ids: &[u32],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let change = Entity::update_many().col_expr(Column::DeletedAt, Expr::value(db.wall(now)));
    change.filter(Column::Id.is_in(row_ids.iter().copied())).exec(tx).await?;
    Ok(())
}

/// Gives rows their own values of one column, in one statement.
pub async fn set_each(
    db: &Db,
    tx: &impl ConnectionTrait,
    column: Column,
    values: &[(u32, u32)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if values.is_empty() {
        return Ok(());
    }
    let case = values.iter().fold(CaseStatement::new(), |case, (row_id, value)| {
        case.case(Column::Id.eq(*row_id), Expr::value(*value))
    });
    let change = Entity::update_many()
        .col_expr(column, case.finally(Expr::col(column)).into())
        .col_expr(Column::UpdatedAt, Expr::value(db.wall(now)));
    change.filter(Column::Id.is_in(values.iter().map(|(row_id, _)| *row_id))).exec(tx).await?;
    Ok(())
}

/// The recording that an item shows from now on.
pub async fn set_record(tx: &impl ConnectionTrait, row_id: u32, record_id: u32) -> Result<(), StoreError> {
    let change = Entity::update_many().col_expr(Column::RecordId, Expr::value(record_id));
    change.filter(Column::Id.eq(row_id)).exec(tx).await?;
    Ok(())
}

/// The items of a room show none of these recordings any more.
pub async fn forget_records(
    tx: &impl ConnectionTrait,
    live_id: &str,
    record_ids: &[u32],
) -> Result<(), StoreError> {
    let change = Entity::update_many().col_expr(Column::RecordId, Expr::value(None::<u32>));
    let theirs = Column::LiveId.eq(live_id).and(Column::RecordId.is_in(record_ids.iter().copied()));
    change.filter(theirs).exec(tx).await?;
    Ok(())
}

/// An item with its newest recording, and which item its room demonstrates.
struct Listed {
    view: ItemView,
    demonstrated: String,
}

/// Items of a room as they are shown, the demonstrated one first, then by order, the highest first.
/// One statement; `url` is where a file is played.
pub async fn list(
    db: &Db,
    conn: &impl ConnectionTrait,
    live_id: &str,
    wanted: Wanted,
    url: impl Fn(&str) -> String,
) -> Result<Vec<ItemView>, StoreError> {
    let demonstrated = "(SELECT MAX(d.item_id) FROM item_demonstrate d WHERE d.live_id = ?)";
    let (condition, room_of_condition) = match wanted {
        Wanted::All => (String::new(), None),
        Wanted::Shown => (format!(" AND COALESCE(i.status, 0) <> {HIDDEN}"), None),
        Wanted::Demonstrated => {
            let item_id = db.dialect().bytewise("i.item_id");
            (format!(" AND {item_id} = {demonstrated}"), Some(live_id))
        }
    };
    let sql = format!(
        "SELECT i.live_id, i.item_id, i.`order`, i.title, i.tags, i.thumbnail, i.link, i.current_price, \
         i.origin_price, i.status, i.extends, {demonstrated} AS demonstrated, r.id AS r_id, \
         r.live_id AS r_live_id, r.item_id AS r_item_id, r.start AS r_start, r.`end` AS r_end, \
         r.fname AS r_fname, r.status AS r_status \
         FROM items i LEFT JOIN item_demonstrate_log r ON r.id = i.record_id \
         WHERE i.live_id = ? AND i.deleted_at IS NULL{condition} ORDER BY i.`order` DESC, i.id DESC"
    );
    let (room_of_column, room_of_items) = (live_id, live_id);
    let rooms = [room_of_column, room_of_items].into_iter().chain(room_of_condition);
    let values = rooms.map(sea_orm::Value::from);
    let statement = Statement::from_sql_and_values(db.dialect().backend(), sql, values);
    let rows = conn.query_all_raw(statement).await?;
    let mut items = rows.iter().map(|row| listed(db, row, &url)).collect::<Result<Vec<_>, _>>()?;
    items.retain(|item| wanted != Wanted::Demonstrated || item.is_demonstrated());
    items.sort_by_key(|item| !item.is_demonstrated());
    Ok(items.into_iter().map(|item| item.view).collect())
}

impl Listed {
    fn is_demonstrated(&self) -> bool {
        self.view.item_id == self.demonstrated
    }
}

fn listed(db: &Db, row: &QueryResult, url: impl Fn(&str) -> String) -> Result<Listed, StoreError> {
    let text = |column: &str| -> Result<String, StoreError> {
        Ok(row.try_get::<Option<String>>("", column)?.unwrap_or_default())
    };
    let number = |column: &str| -> Result<u32, StoreError> {
        Ok(row.try_get::<Option<u32>>("", column)?.unwrap_or_default())
    };
    let record_row = match row.try_get("", "r_id")? {
        Some(id) => Some(RecordRow {
            id,
            live_id: row.try_get("", "r_live_id")?,
            item_id: row.try_get("", "r_item_id")?,
            start: row.try_get("", "r_start")?,
            end: row.try_get("", "r_end")?,
            fname: row.try_get("", "r_fname")?,
            status: row.try_get("", "r_status")?,
        }),
        None => None,
    };
    let view = ItemView {
        live_id: text("live_id")?,
        item_id: text("item_id")?,
        order: number("order")?,
        title: text("title")?,
        tags: text("tags")?,
        thumbnail: text("thumbnail")?,
        link: text("link")?,
        current_price: text("current_price")?,
        origin_price: text("origin_price")?,
        status: number("status")?,
        record: record_row.map(|row| RecordView::new(record(db, row), &url)),
        extends: extends_of_column(row.try_get("", "extends")?),
    };
    Ok(Listed { view, demonstrated: text("demonstrated")? })
}

fn present(live_id: &str) -> sea_orm::Select<Entity> {
    Entity::find().filter(Column::LiveId.eq(live_id)).filter(Column::DeletedAt.is_null())
}
