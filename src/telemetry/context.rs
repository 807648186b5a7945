//! On whose behalf a task works: the id that its log lines, statements and events carry.
//!
//! A value of the task and not a span of `tracing`: a span for each request would cost a noticeable part
//! of the cheapest ones, and nobody but the writer of a line needs the id.

use std::sync::Arc;

tokio::task_local! {
    static REQUEST_ID: Arc<str>;
}

/// Runs `work` on behalf of the request, or the run of a job, that is called `id`.
pub fn within<F: Future>(id: Arc<str>, work: F) -> impl Future<Output = F::Output> {
    REQUEST_ID.scope(id, work)
}

/// `work` for a task of its own, on behalf of whoever calls this.
pub fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let id = request_id();
    async move {
        match id {
            Some(id) => within(id, work).await,
            None => work.await,
        }
    }
}

/// The id of what this task works for; None for what nobody asked for.
#[must_use]
pub fn request_id() -> Option<Arc<str>> {
    REQUEST_ID.try_with(Arc::clone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_id_follows_what_is_left_to_another_task() {
        assert_eq!(request_id(), None);
        within("a".into(), async {
            let left = tokio::spawn(carry(async { request_id() }));
            assert!(left.await.is_ok_and(|id| id.as_deref() == Some("a")));
            assert!(tokio::spawn(async { request_id() }).await.is_ok_and(|id| id.is_none()));
            within("b".into(), async { assert_eq!(request_id().as_deref(), Some("b")) }).await;
            assert_eq!(request_id().as_deref(), Some("a"));
        })
        .await;
    }
}
