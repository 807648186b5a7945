//! Column `others` of `stream_session`: those who were let in while another publisher was up.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000120_stream_session_others",
    table: "stream_session",
    column: column("others", "text DEFAULT NULL"),
};
