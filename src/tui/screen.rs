//! The terminal while the dashboard has it, and the promise to give it back: on return, on an error, on a panic.
//!
//! Draws nothing and reads no keys.

use std::io;
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::DefaultTerminal;

/// What a panic is told to.
type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// The terminal in raw mode and on its other screen, until the value is dropped.
pub struct Screen {
    /// Where frames are drawn to; shows the cursor again when it goes.
    pub terminal: DefaultTerminal,
    _taken: Taken<fn()>,
}

impl Screen {
    /// Takes the terminal. A panic, in whatever thread, gives it back before it says a word.
    ///
    /// # Errors
    /// The terminal cannot be used; it is then as it was.
    pub fn take() -> io::Result<Self> {
        let taken = Taken::new(give_back as fn());
        let terminal = ratatui::try_init()?;
        panic::set_hook(taken.before(panic::take_hook()));
        Ok(Screen { terminal, _taken: taken })
    }
}

/// As a shell needs it. An error is passed over: nobody is left to be told.
fn give_back() {
    let _ = ratatui::try_restore();
}

/// Something taken that is given back once, by whoever comes first: the end of the value, or a panic.
struct Taken<F: Fn()> {
    give_back: Arc<GiveBack<F>>,
}

struct GiveBack<F: Fn()> {
    owed: AtomicBool,
    act: F,
}

impl<F: Fn()> GiveBack<F> {
    fn once(&self) {
        if self.owed.swap(false, Ordering::SeqCst) {
            (self.act)();
        }
    }
}

impl<F: Fn() + Send + Sync + 'static> Taken<F> {
    fn new(act: F) -> Self {
        Taken { give_back: Arc::new(GiveBack { owed: AtomicBool::new(true), act }) }
    }

    /// Returns the hook that gives back first and then says what `next` says.
    fn before(&self, next: Hook) -> Hook {
        let give_back = Arc::clone(&self.give_back);
        Box::new(move |info| {
            give_back.once();
            next(info);
        })
    }
}

impl<F: Fn()> Drop for Taken<F> {
    fn drop(&mut self) {
        self.give_back.once();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};
    use std::thread;

    use super::*;

    type Log = Arc<Mutex<Vec<&'static str>>>;

    fn note(log: &Log, what: &'static str) {
        log.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn taken(log: &Log) -> Taken<impl Fn() + Send + Sync + use<>> {
        let log = Arc::clone(log);
        Taken::new(move || note(&log, "given back"))
    }

    #[test]
    fn the_terminal_is_given_back_at_the_end_and_after_an_error() {
        let log = Log::default();
        drop(taken(&log));
        let failed = || -> io::Result<()> {
            let _taken = taken(&log);
            Err(io::ErrorKind::BrokenPipe.into())
        };
        failed().unwrap_err();
        assert_eq!(*log.lock().unwrap(), ["given back", "given back"]);
    }

    #[test]
    fn a_panic_gives_the_terminal_back_once_and_before_its_message() {
        let log = Log::default();
        let (of_hook, of_thread) = (Arc::clone(&log), thread::current().id());
        let taken = taken(&log);
        // Other tests may panic meanwhile: their message goes where it always goes.
        let usual = panic::take_hook();
        let hook = taken.before(Box::new(move |_| note(&of_hook, "message")));
        panic::set_hook(Box::new(
            move |info| if thread::current().id() == of_thread { hook(info) } else { usual(info) },
        ));
        let ended = panic::catch_unwind(panic::AssertUnwindSafe(move || {
            let _taken = taken;
            panic!("a frame cannot be drawn");
        }));
        drop(panic::take_hook());
        assert!(ended.is_err());
        assert_eq!(*log.lock().unwrap(), ["given back", "message"]);
    }
}
