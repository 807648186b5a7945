//! `live_room_user_entities.mic_seat`: whether the user may hold a seat in the room they are in.
//! NULL in rows that another server wrote: it is not known.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000060_live_room_user_entities_mic_seat",
    table: "live_room_user_entities",
    column: column("mic_seat", "tinyint(1) DEFAULT NULL"),
};
