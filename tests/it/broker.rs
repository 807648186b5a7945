//! The broker: the same cases on memory, on a Redis node and on a Redis Cluster; then faults.

pub mod bed;
pub mod cases;
mod failover;
pub mod meddler;
mod outage;
mod subscriptions;

/// Runs each case on every kind of broker.
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
            crate::broker::cases::$case(crate::broker::bed::Bed::$backend().await).await;
        }
    };
}

on_every_backend! {
    all_hear_one_order_of_concurrent_publishers
    history_is_complete_or_says_so
    fewer_messages_are_kept_when_told
    what_is_old_is_gone
    a_channel_is_known_once_it_has_a_position
    a_channel_in_which_nothing_was_published_is_known_for_as_long_as_told
    a_kept_message_is_replaced
    the_pace_of_a_channel_is_exact_over_all_nodes
    a_user_is_slowed_down_on_all_nodes
    only_subscribed_channels_are_heard_and_nothing_is_left
    many_subscriptions_at_once_are_all_confirmed
    names_and_bodies_may_hold_anything
}
