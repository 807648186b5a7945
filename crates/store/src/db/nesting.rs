//! One connection at a time: whoever holds a transaction asks the database through it alone.
//!
//! A second connection, asked for while the first one is held, is how a pool runs dry: as soon as there are
//! as many such transactions as connections, each waits for one that another one holds. A look-up is the same,
//! because it is a statement whenever it is not in memory. Debug builds, and so all tests, panic on both.

use std::future::Future;

#[cfg(debug_assertions)]
tokio::task_local! {
    /// Set while this task is inside the work of a transaction.
    static HOLDING: ();
}

/// Runs the work of a transaction.
#[cfg(debug_assertions)]
pub(super) async fn holding<F: Future>(work: F) -> F::Output {
    HOLDING.scope((), work).await
}

/// Runs the work of a transaction.
#[cfg(not(debug_assertions))]
pub(super) fn holding<F: Future>(work: F) -> F {
    work
}

/// To be called before anything that may take a connection out of a pool; does nothing in a release build.
///
/// # Panics
/// In debug builds, inside the work of a transaction of this task.
#[cfg(debug_assertions)]
#[track_caller]
pub fn assert_no_transaction() {
    let is_outside = HOLDING.try_with(|()| ()).is_err();
    assert!(
        is_outside,
        "another connection was asked for inside a transaction: use the transaction, or ask before it"
    );
}

/// To be called before anything that may take a connection out of a pool; does nothing in a release build.
#[cfg(not(debug_assertions))]
pub fn assert_no_transaction() {}
