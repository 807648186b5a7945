//! `censor_image`: pictures that the review service reported.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000014_censor_image",
    table: Table {
        name: "censor_image",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("url", "varchar(255) NOT NULL"),
            column("job_id", "varchar(255) NOT NULL"),
            column("created_at", "int DEFAULT NULL"),
            column("suggestion", "varchar(255) DEFAULT NULL"),
            column("pulp", "varchar(255) DEFAULT '0'"),
            column("terror", "varchar(255) DEFAULT '0'"),
            column("politician", "varchar(255) DEFAULT '0'"),
            column("ads", "varchar(255) DEFAULT '0'"),
            column("live_id", "varchar(255) DEFAULT NULL"),
            column("is_review", "int DEFAULT '0'"),
            column("review_answer", "int DEFAULT NULL"),
            column("review_user_id", "varchar(255) DEFAULT NULL"),
            column("review_time", "datetime DEFAULT NULL"),
        ],
        keys: &[],
    },
};
