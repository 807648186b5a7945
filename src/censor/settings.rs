//! What the review looks for, as operators set it.

use garde::Validate;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::Error;
use super::service::Reviews;
use store::db::StoreError;
use store::entity::censor_config::{ActiveModel, Column, Entity, Model};

/// The one row.
const ROW: u32 = 1;
const SECONDS: std::ops::RangeInclusive<i32> = 1..=60;

/// What the review looks for. A flag that is absent is false.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default)]
#[garde(allow_unvalidated)]
pub struct Settings {
    /// Whether lives are reviewed.
    pub enable: bool,
    /// Look for pornography.
    pub pulp: bool,
    /// Look for violence.
    pub terror: bool,
    /// Look for politicians.
    pub politician: bool,
    /// Look for advertisements.
    pub ads: bool,
    /// Seconds between two pictures, 1 to 60; checked when enabled.
    pub interval: i32,
}

impl Settings {
    /// Before an operator has set anything.
    #[must_use]
    pub fn initial() -> Self {
        Self { enable: true, pulp: true, interval: 20, ..Self::default() }
    }

    fn of_row(row: &Model) -> Self {
        Self {
            enable: row.enable.unwrap_or_default(),
            pulp: row.pulp.unwrap_or_default(),
            terror: row.terror.unwrap_or_default(),
            politician: row.politician.unwrap_or_default(),
            ads: row.ads.unwrap_or_default(),
            interval: row.interval.unwrap_or_default(),
        }
    }

    /// The review service's names of what is looked for.
    #[must_use]
    pub fn scenes(&self) -> Vec<&'static str> {
        let flags = [
            (self.pulp, "pulp"),
            (self.terror, "terror"),
            (self.politician, "politician"),
            (self.ads, "ads"),
        ];
        flags.into_iter().filter_map(|(wanted, name)| wanted.then_some(name)).collect()
    }
}

impl Reviews {
    /// What the review looks for.
    ///
    /// # Errors
    /// The store's.
    pub async fn settings(&self) -> Result<Settings, Error> {
        let row = Entity::find_by_id(ROW).one(self.0.db.reader_for(true)).await.map_err(StoreError::from)?;
        Ok(row.map_or_else(Settings::initial, |row| Settings::of_row(&row)))
    }

    /// Sets what the review looks for, from the next job on.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an interval that is not 1 to 60 s, or the store's.
    pub async fn set_settings(&self, new: &Settings) -> Result<(), Error> {
        if new.enable && !SECONDS.contains(&new.interval) {
            let (least, most) = (SECONDS.start(), SECONDS.end());
            return Err(Error::Invalid(format!("interval: must be {least} to {most}")));
        }
        let row = ActiveModel {
            id: Set(ROW),
            enable: Set(Some(new.enable)),
            interval: Set(Some(new.interval)),
            pulp: Set(Some(new.pulp)),
            terror: Set(Some(new.terror)),
            politician: Set(Some(new.politician)),
            ads: Set(Some(new.ads)),
        };
        let columns =
            [Column::Enable, Column::Interval, Column::Pulp, Column::Terror, Column::Politician, Column::Ads];
        let replace = OnConflict::column(Column::Id).update_columns(columns).to_owned();
        let insert = Entity::insert(row).on_conflict(replace);
        insert.exec_without_returning(self.0.db.writer()).await.map_err(StoreError::from)?;
        Ok(())
    }
}
