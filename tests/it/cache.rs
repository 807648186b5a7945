//! The cache: the same cases on memory, on a Redis node and on a Redis Cluster; then outages.
#![allow(clippy::panic)]

pub mod backend;
mod cases;
mod failover;
mod likes;
mod metrics;
mod outage;
mod random;
mod speed;
mod tls;

/// Runs each case on every kind of cache.
macro_rules! on_every_backend {
    ($($case:ident)*) => {
        mod on_memory {
            $(on! { memory $case })*
        }
        mod on_a_node {
            $(on! { node $case })*
        }
        mod on_a_cluster {
            $(on! { cluster $case })*
        }
    };
}

macro_rules! on {
    ($backend:ident $case:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            crate::cache::cases::$case(&crate::cache::backend::Backend::$backend().await).await;
        }
    };
}

on_every_backend! {
    values_live_as_long_as_told
    a_value_is_set_once_while_it_lives
    entering_leaving_and_the_states_of_rooms
    entering_takes_out_of_the_former_room
    a_room_with_nobody_leaves_nothing_behind
    ids_may_hold_anything
    a_view_drops_cached_counters_and_raises_those_of_a_crowded_room
    counters_counted_before_a_view_are_not_put_after_it
    heartbeats_reach_only_members
    simultaneous_heartbeats_are_answered_each
    nobody_is_removed_before_the_watch_is_as_old_as_the_time_out
    the_silent_are_removed_longest_silent_first
    the_removed_are_remembered_until_they_are_acknowledged
    the_silent_anchors_are_found_until_they_are_unwatched
    a_lost_cache_says_so_and_is_restored
    restoring_changes_nothing_that_is_there
    what_was_heard_is_read_in_pages_that_miss_nobody
    presence_is_answered_in_order
    members_of_all_rooms_are_counted
    announcements_reach_every_process
    prefixes_keep_apart
    likes_are_counted_once_the_room_is_seeded
    likes_of_one_who_is_not_in_are_not_counted
    a_mark_is_taken_off_only_if_nothing_changed_since
    a_seed_that_comes_late_changes_nothing
    simultaneous_likes_are_all_counted
    many_likes_are_told_in_parts
    users_who_like_may_be_called_anything
    kept_likes_are_counted_on
}
