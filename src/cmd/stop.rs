//! The wish to stop: Ctrl-C, or SIGTERM from a supervisor. Both count alike; what a wish means is the verb's to say.

use crate::error::Failure;

/// Wishes to stop. While it lives, they no longer end the process by themselves.
#[cfg(unix)]
pub struct Wishes {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Wishes {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system lets nobody listen.
    pub fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let heard = |kind| signal(kind).map_err(|error| Failure::failed("cannot listen for Ctrl-C").caused_by(error));
        Ok(Wishes { interrupt: heard(SignalKind::interrupt())?, terminate: heard(SignalKind::terminate())? })
    }

    /// Ends at the next wish.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Wishes to stop: elsewhere only Ctrl-C.
#[cfg(not(unix))]
pub struct Wishes;

#[cfg(not(unix))]
impl Wishes {
    /// Begins to listen.
    ///
    /// # Errors
    /// None here.
    pub fn listen() -> Result<Self, Failure> {
        Ok(Wishes)
    }

    /// Ends at the next wish.
    pub async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
