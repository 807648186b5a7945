//! Reads that must see what their caller has just written.
//!
//! Copies of the database lag. Whoever wrote within the lag that they may have reads from the writable
//! database, wherever in the call that read is: [`reading_own_writes`] marks the call.

use std::future::Future;

use super::metrics::WriterRead;

tokio::task_local! {
    static READS_OWN_WRITES: WriterRead;
}

/// Runs `call`, in which [`super::Db::reader`] is the writable database, because of `why`.
pub async fn reading_own_writes<F: Future>(why: WriterRead, call: F) -> F::Output {
    READS_OWN_WRITES.scope(why, call).await
}

/// Why this is such a call, if it is one.
pub(super) fn asked_for() -> Option<WriterRead> {
    READS_OWN_WRITES.try_with(|why| *why).ok()
}
