//! What the engine calls: the application as a trait, so that the engine needs no interpreter.

use super::exchange::Exchange;

/// One application, shared by all threads of a worker.
pub trait Application: Send + Sync + 'static {
    /// What each serving thread keeps between requests.
    type Thread;

    /// Answers one request. A panic costs this request alone: the connection is closed and the event logged.
    fn call(&self, thread: &mut Self::Thread, exchange: &mut Exchange<'_>);

    /// Whether this is the thread that stands by: it has no application, and is never asked to call one.
    fn is_standby(_thread: &Self::Thread) -> bool {
        false
    }

    /// A signal has ended a wait.
    fn interrupted(&self, _thread: &mut Self::Thread) {}

    /// Runs `sleep`, which may block, with whatever the thread holds between requests (an interpreter's lock) let go.
    fn while_waiting<R: Send>(
        &self,
        thread: &mut Self::Thread,
        sleep: impl FnOnce() -> R + Send,
    ) -> R;
}
