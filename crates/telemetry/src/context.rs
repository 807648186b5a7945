//! On whose behalf a task works: the id that its log lines, statements and events carry, and the span
//! that its own spans belong to.
//!
//! A value of the task and not a span of `tracing`: a span for each request would cost a noticeable part
//! of the cheapest ones, and nobody but the writer of a line needs the id.

use std::sync::Arc;

use super::span::Parent;

tokio::task_local! {
    static SCOPE: Scope;
}

#[derive(Clone)]
struct Scope {
    request_id: Arc<str>,
    parent: Parent,
}

/// Runs `work` on behalf of the request, or the run of a job, that is called `request_id`.
pub fn within<F: Future>(request_id: Arc<str>, work: F) -> impl Future<Output = F::Output> {
    let scope = Scope { request_id, parent: parent() };
    SCOPE.scope(scope, work)
}

/// As [`within`]; the spans of `work` belong to `parent`.
pub fn within_span<F: Future>(
    request_id: Arc<str>,
    parent: Parent,
    work: F,
) -> impl Future<Output = F::Output> {
    SCOPE.scope(Scope { request_id, parent }, work)
}

/// `work` for a task of its own, on behalf of whoever calls this.
pub fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let scope = SCOPE.try_with(Scope::clone).ok();
    async move {
        match scope {
            Some(scope) => SCOPE.scope(scope, work).await,
            None => work.await,
        }
    }
}

/// The id of what this task works for; None for what nobody asked for.
#[must_use]
pub fn request_id() -> Option<Arc<str>> {
    SCOPE.try_with(|scope| Arc::clone(&scope.request_id)).ok()
}

/// The span that the spans of this task belong to.
pub(super) fn parent() -> Parent {
    SCOPE.try_with(|scope| scope.parent.clone()).ok().flatten()
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
