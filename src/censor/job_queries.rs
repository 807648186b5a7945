//! Statements on `live_censor`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::settings::Settings;
use store::db::{Db, StoreError};
use store::entity::live_censor::{ActiveModel, Column, Entity, Model};

/// How far a job is. Stored as its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The review service is being asked for it, or was, and what became of that is not known.
    Asked = 0,
    /// The service works on it, as far as is known.
    Running = 1,
    /// It shall end.
    Closing = 2,
    /// It has ended.
    Closed = 3,
}

impl State {
    fn column(self) -> i32 {
        self as i32
    }
}

/// A job that has not ended, as far as is known.
#[derive(Clone, Debug)]
pub struct Job {
    /// Number of the row.
    pub row_id: u32,
    /// The room.
    pub live_id: String,
    /// The service's id, or empty while it is not known.
    pub job_id: String,
    /// `None` for a row of QNLiveKit_Server, which keeps no state.
    pub state: Option<State>,
    /// When the service was asked for it.
    pub asked_at: Option<DateTime<Utc>>,
}

/// The room's rows, oldest first.
pub async fn of_room(conn: &impl ConnectionTrait, live_id: &str) -> Result<Vec<Model>, StoreError> {
    let rows = Entity::find().filter(Column::LiveId.eq(live_id)).order_by_asc(Column::Id).all(conn).await?;
    Ok(rows.into_iter().filter(|row| row.live_id.as_deref() == Some(live_id)).collect())
}

/// The row as a job, unless it has ended.
pub fn open(db: &Db, row: &Model) -> Option<Job> {
    let state = match row.state {
        None => None,
        Some(0) => Some(State::Asked),
        Some(1) => Some(State::Running),
        Some(2) => Some(State::Closing),
        Some(_) => return None,
    };
    Some(Job {
        row_id: row.id,
        live_id: row.live_id.clone().unwrap_or_default(),
        job_id: row.job_id.clone().unwrap_or_default(),
        state,
        asked_at: row.asked_at.map(|at| db.instant(at)),
    })
}

/// Open jobs of this server after row `after`, at most `limit`.
pub async fn open_after(
    db: &Db,
    conn: &impl ConnectionTrait,
    after: u32,
    limit: usize,
) -> Result<Vec<Job>, StoreError> {
    let open_states = [State::Asked, State::Running, State::Closing].map(State::column);
    let rows = Entity::find()
        .filter(Column::State.is_in(open_states))
        .filter(Column::Id.gt(after))
        .order_by_asc(Column::Id)
        .limit(u64::try_from(limit).unwrap_or(u64::MAX))
        .all(conn)
        .await?;
    Ok(rows.iter().filter_map(|row| open(db, row)).collect())
}

/// Room and service's id of all jobs of these rooms, ended ones too.
pub async fn known(
    conn: &impl ConnectionTrait,
    live_ids: &[String],
) -> Result<Vec<(String, String)>, StoreError> {
    let rows: Vec<(Option<String>, Option<String>)> = Entity::find()
        .filter(Column::LiveId.is_in(live_ids.iter().map(String::as_str)))
        .select_only()
        .columns([Column::LiveId, Column::JobId])
        .into_tuple()
        .all(conn)
        .await?;
    let text = Option::<String>::unwrap_or_default;
    Ok(rows.into_iter().map(|(live_id, job_id)| (text(live_id), text(job_id))).collect())
}

/// Stores that the service is about to be asked for a job; answers the row's number.
pub async fn insert(
    db: &Db,
    tx: &impl ConnectionTrait,
    live_id: &str,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<u32, StoreError> {
    let row = ActiveModel {
        live_id: Set(Some(live_id.to_owned())),
        job_id: Set(Some(String::new())),
        pulp: Set(Some(settings.pulp)),
        terror: Set(Some(settings.terror)),
        politician: Set(Some(settings.politician)),
        ads: Set(Some(settings.ads)),
        interval: Set(Some(settings.interval)),
        state: Set(Some(State::Asked.column())),
        asked_at: Set(Some(db.wall(now))),
        ..ActiveModel::default()
    };
    Ok(Entity::insert(row).exec(tx).await?.last_insert_id)
}

/// A change of one job, made only in one of the states that it is meant for.
#[derive(Debug)]
pub enum Change<'a> {
    /// The service's id is known: an asked one runs, a closing one stays so.
    Started(&'a str),
    /// It shall end.
    Close,
    /// It has ended.
    Closed,
    /// The service is asked once more, unless somebody else has done so since `former`.
    AskAgain {
        /// When it was asked before.
        former: DateTime<Utc>,
        /// When it is asked.
        now: DateTime<Utc>,
    },
    /// The service has no such job: the row goes.
    Forget,
}

/// Makes the change; whether the job was in a state for it.
pub async fn change(
    db: &Db,
    conn: &impl ConnectionTrait,
    row_id: u32,
    change: &Change<'_>,
) -> Result<bool, StoreError> {
    let state_in = |states: &[State]| {
        Column::Id.eq(row_id).and(Column::State.is_in(states.iter().map(|state| state.column())))
    };
    let update = Entity::update_many();
    let to = |state: State| -> SimpleExpr { Expr::value(state.column()) };
    let (update, met) = match change {
        Change::Started(job_id) => {
            let next = Expr::case(Column::State.eq(State::Asked.column()), State::Running.column())
                .finally(Expr::col(Column::State));
            // The state comes first: MySQL computes one assignment after the other.
            let update =
                update.col_expr(Column::State, next.into()).col_expr(Column::JobId, Expr::value(*job_id));
            (update, state_in(&[State::Asked, State::Closing]).and(Column::JobId.eq("")))
        }
        Change::Close => {
            let any = Column::State.is_null().or(Column::State.lt(State::Closing.column()));
            (update.col_expr(Column::State, to(State::Closing)), Column::Id.eq(row_id).and(any))
        }
        Change::Closed => (update.col_expr(Column::State, to(State::Closed)), state_in(&[State::Closing])),
        Change::AskAgain { former, now } => {
            let asked = Column::AskedAt.eq(db.wall(*former));
            let update = update.col_expr(Column::AskedAt, Expr::value(db.wall(*now)));
            (update, state_in(&[State::Asked]).and(asked))
        }
        Change::Forget => {
            let gone = Entity::delete_many().filter(state_in(&[State::Asked, State::Closing]));
            return Ok(gone.filter(Column::JobId.eq("")).exec(conn).await?.rows_affected > 0);
        }
    };
    Ok(update.filter(met).exec(conn).await?.rows_affected > 0)
}

/// All open jobs of a room shall end, also those of QNLiveKit_Server; answers how many will.
pub async fn close_all(conn: &impl ConnectionTrait, live_id: &str) -> Result<u64, StoreError> {
    let open = Column::State.is_null().or(Column::State.lt(State::Closing.column()));
    let change = Entity::update_many().col_expr(Column::State, Expr::value(State::Closing.column()));
    Ok(change.filter(Column::LiveId.eq(live_id)).filter(open).exec(conn).await?.rows_affected)
}

/// One row.
pub async fn find(conn: &impl ConnectionTrait, row_id: u32) -> Result<Option<Model>, StoreError> {
    Ok(Entity::find_by_id(row_id).one(conn).await?)
}
