//! The routes of moderation: those of a room for anchors and moderators, administrators and backends;
//! those of the platform for the latter two.

use actix_web::web::{self, ServiceConfig};

use crate::moderation::{Moderator, handlers as h, word_handlers as w};
use crate::user::{Operator, ban_handlers as b};

/// The routes of a room, whose path is `room`, for callers of one kind.
pub fn of_room<M: Moderator>(config: &mut ServiceConfig, room: &str) {
    let resource = |path: &str| web::resource(format!("{room}/moderation{path}"));
    config
        .service(resource("").get(h::settings::<M>).put(h::change_settings::<M>))
        .service(resource("/moderators").get(h::moderators::<M>))
        .service(resource("/moderators/{user_id}").put(h::appoint::<M>).delete(h::dismiss::<M>))
        .service(resource("/mutes").get(h::mutes::<M>))
        .service(resource("/mutes/{user_id}").put(h::mute::<M>).delete(h::unmute::<M>))
        .service(resource("/bans").get(h::bans::<M>))
        .service(resource("/bans/{user_id}").put(h::ban::<M>).delete(h::unban::<M>))
        .service(resource("/kick/{user_id}").post(h::kick::<M>))
        .service(resource("/messages/{epoch}/{offset}").delete(h::delete_message::<M>));
}

/// The routes of the platform, for callers of one kind.
pub fn of_platform<O: Operator>(config: &mut ServiceConfig) {
    config
        .service(web::resource("/bans").get(b::list::<O>))
        .service(web::resource("/bans/{user_id}").put(b::impose::<O>).delete(b::lift::<O>))
        .service(web::resource("/banned_words").get(w::list::<O>).post(w::add::<O>))
        .service(web::resource("/banned_words/delete").post(w::delete::<O>));
}
