//! What the operating system asks of `liveloom serve`.

use std::io;
use std::rc::Rc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::source::{self, Source};
use crate::app::Control;
use telemetry::logging::Logging;

/// The signals that are listened to; from here on they no longer end the process.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hang_up: Signal,
}

/// What a signal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Drain,
    Stop,
    Reload,
}

impl Signals {
    /// # Errors
    /// When the system refuses.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Drain,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.quit.recv() => Asked::Stop,
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }

    /// Waits until the process is asked to end; there is nothing to drain or to read again yet.
    pub(super) async fn end(&mut self) {
        while self.next().await == Asked::Reload {}
    }

    /// Does what is asked: SIGTERM drains, a second one, SIGINT or SIGQUIT stops, SIGHUP reads the
    /// configuration of `source` again. Does not end.
    pub(super) async fn obey(mut self, control: Rc<Control>, source: Source, logging: Rc<Logging>) {
        loop {
            match self.next().await {
                Asked::Reload => reload(&control, &source, &logging),
                Asked::Stop => control.stop().await,
                Asked::Drain => {
                    tracing::info!("SIGTERM: draining, then stopping");
                    tokio::select! {
                        () = control.drain() => {}
                        () = self.end() => {
                            tracing::info!("asked again: stopping now");
                            control.stop().await;
                        }
                    }
                }
            }
        }
    }
}

/// A configuration with mistakes changes nothing.
fn reload(control: &Control, source: &Source, logging: &Logging) {
    match source.load_with_warnings() {
        Ok(loaded) => {
            let unchanged = control.reload(&loaded);
            if let Err(error) = logging.follow(&loaded.config.log) {
                tracing::warn!(%error, "the filter of the log stays as it was");
            }
            tracing::info!("SIGHUP: the configuration was read again");
            source::tell_of_weak_secrets(&loaded);
            if !unchanged.is_empty() {
                let sections = unchanged.join(", ");
                tracing::warn!(sections, "these sections have changes that need a restart");
            }
        }
        Err(problems) => {
            tracing::error!(%problems, "SIGHUP: the configuration has mistakes; the former one stays");
        }
    }
}
