//! Creating, changing and deleting administrators.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::dto::{AdminView, ChangeAdmin};
use super::{AdminError, Admins, NewAdmin, sessions};
use common::page::{Page, Paging};
use store::db::{StoreError, Tx};
use store::entity::admin_user::{ActiveModel, Column, Entity, Model};

impl Admins {
    /// Creates an administrator who can log in.
    ///
    /// # Errors
    /// [`AdminError::AlreadyExists`], [`AdminError::Guessable`], a password of a bad length, or the store's.
    pub async fn create(&self, new: NewAdmin) -> Result<AdminView, AdminError> {
        check_strength(&new.password, &[&new.user_name, &new.user_id])?;
        let hash = self.passwords.hash(&new.password).await?;
        let row = ActiveModel {
            user_id: Set(Some(new.user_id)),
            user_name: Set(Some(new.user_name)),
            password: Set(Some(hash)),
            description: Set(Some(new.description)),
            ..ActiveModel::default()
        };
        let stored = self.db.transaction(|tx| {
            let row = &row;
            Box::pin(async move {
                let name = row.user_name.as_ref().as_deref().unwrap_or_default();
                if all_locked(tx).await?.iter().any(|other| other.user_name.as_deref() == Some(name)) {
                    return Err(AdminError::AlreadyExists);
                }
                let stored = Entity::insert(row.clone()).exec_without_returning(tx).await;
                match stored.map_err(StoreError::from) {
                    Ok(_) => Ok(()),
                    Err(StoreError::Duplicate { .. }) => Err(AdminError::AlreadyExists),
                    Err(error) => Err(error.into()),
                }
            })
        });
        stored.await?;
        let text = |value: &sea_orm::ActiveValue<Option<String>>| value.as_ref().clone().unwrap_or_default();
        Ok(AdminView {
            user_id: text(&row.user_id),
            user_name: text(&row.user_name),
            description: text(&row.description),
            can_log_in: true,
        })
    }

    /// Whether anybody can log in.
    ///
    /// # Errors
    /// The store's.
    pub async fn can_anybody_log_in(&self) -> Result<bool, AdminError> {
        let rows = Entity::find().all(self.db.writer()).await.map_err(StoreError::from)?;
        Ok(rows.iter().any(can_log_in))
    }

    /// A page of administrators, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, paging: Paging) -> Result<Page<AdminView>, AdminError> {
        let conn = self.db.primary();
        let total = Entity::find().count(conn).await.map_err(StoreError::from)?;
        let rows = Entity::find().order_by_asc(Column::Id).offset(paging.offset()).limit(paging.size);
        let rows = rows.all(conn).await.map_err(StoreError::from)?;
        Ok(Page::new(paging, total, rows.into_iter().map(AdminView::of_row).collect()))
    }

    /// Changes what is given of an administrator. With another password all of their tokens end.
    ///
    /// # Errors
    /// [`AdminError::NotFound`], [`AdminError::AlreadyExists`] for a name that is taken,
    /// [`AdminError::Guessable`], or the store's.
    pub async fn change(&self, user_id: &str, change: &ChangeAdmin) -> Result<AdminView, AdminError> {
        let hash = match &change.password {
            Some(password) => {
                let name = change.user_name.as_deref().unwrap_or_default();
                check_strength(password, &[user_id, name])?;
                Some(self.passwords.hash(password).await?)
            }
            None => None,
        };
        self.db
            .transaction(|tx| {
                let hash = &hash;
                Box::pin(async move {
                    let changed = change_row(tx, user_id, change, hash.as_deref()).await?;
                    if hash.is_some() {
                        sessions::revoke(tx, user_id, self.clock.now().timestamp()).await?;
                    }
                    Ok(changed)
                })
            })
            .await
    }

    /// Deletes an administrator in the name of another; the tokens of the deleted one end for good, also when
    /// the same id is created again.
    ///
    /// # Errors
    /// [`AdminError::Own`], [`AdminError::NotFound`], [`AdminError::Last`], [`AdminError::Gone`], or the
    /// store's.
    pub async fn delete(&self, user_id: &str, caller: &str) -> Result<(), AdminError> {
        if user_id == caller {
            return Err(AdminError::Own);
        }
        self.db
            .transaction(|tx| {
                Box::pin(async move {
                    let rows = all_locked(tx).await?;
                    // Of two who delete each other one remains.
                    find(&rows, caller).ok_or(AdminError::Gone)?;
                    let row = find(&rows, user_id).ok_or(AdminError::NotFound)?;
                    let others_log_in = rows.iter().any(|other| other.id != row.id && can_log_in(other));
                    if can_log_in(row) && !others_log_in {
                        return Err(AdminError::Last);
                    }
                    Entity::delete_by_id(row.id).exec(tx).await.map_err(StoreError::from)?;
                    sessions::revoke(tx, user_id, self.clock.now().timestamp()).await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn change_row(
    tx: &Tx<'_>,
    user_id: &str,
    change: &ChangeAdmin,
    hash: Option<&str>,
) -> Result<AdminView, AdminError> {
    let rows = all_locked(tx).await?;
    let mut row = find(&rows, user_id).ok_or(AdminError::NotFound)?.clone();
    let is_taken =
        |name: &str| rows.iter().any(|other| other.id != row.id && other.user_name.as_deref() == Some(name));
    if change.user_name.as_deref().is_some_and(is_taken) {
        return Err(AdminError::AlreadyExists);
    }
    row.user_name = change.user_name.clone().or(row.user_name);
    row.description = change.description.clone().or(row.description);
    row.password = hash.map(str::to_owned).or(row.password);
    let update = Entity::update_many()
        .col_expr(Column::UserName, Expr::value(row.user_name.clone()))
        .col_expr(Column::Description, Expr::value(row.description.clone()))
        .col_expr(Column::Password, Expr::value(row.password.clone()));
    update.filter(Column::Id.eq(row.id)).exec(tx).await.map_err(StoreError::from)?;
    Ok(AdminView::of_row(row))
}

/// All rows, locked in one order: who adds, changes or deletes one does so alone. Names are not unique
/// in the table itself.
async fn all_locked(tx: &Tx<'_>) -> Result<Vec<Model>, StoreError> {
    Ok(Entity::find().order_by_asc(Column::Id).lock_exclusive().all(tx).await?)
}

fn find<'a>(rows: &'a [Model], user_id: &str) -> Option<&'a Model> {
    rows.iter().find(|row| row.user_id.as_deref() == Some(user_id))
}

/// Refuses a password that is found with less than a million guesses, told who has it.
fn check_strength(password: &str, names: &[&str]) -> Result<(), AdminError> {
    if zxcvbn::zxcvbn(password, names).score() < zxcvbn::Score::Two {
        return Err(AdminError::Guessable);
    }
    Ok(())
}

/// Those that a backend's call for a token has made have no password.
pub(super) fn can_log_in(row: &Model) -> bool {
    row.password.as_deref().is_some_and(|password| !password.is_empty())
}
