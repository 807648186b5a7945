//! Reads that must see what their caller has just written.
//!
//! Copies of the database lag. Whoever wrote within the lag that they may have reads from the writable
//! database, wherever in the call that read is: [`reading_own_writes`] marks the call.

use std::future::Future;

tokio::task_local! {
    static READS_OWN_WRITES: ();
}

/// Runs `call`, in which [`super::Db::reader`] is the writable database.
pub async fn reading_own_writes<F: Future>(call: F) -> F::Output {
    READS_OWN_WRITES.scope((), call).await
}

/// Whether this is such a call.
pub(super) fn is_asked_for() -> bool {
    READS_OWN_WRITES.try_with(|()| ()).is_ok()
}
