//! Whether an action is denied for every resource: then the rest of them is not asked for.

use std::sync::{Mutex, PoisonError};

use super::{Failed, Trouble};

/// Whether an action is denied everywhere: then the rest is not asked for.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Refused>);

#[derive(Debug, Default)]
struct Refused {
    answered: bool,
    denied: usize,
    said: Option<Failed>,
}

/// Refusals after which nothing else is asked for, when nothing was answered.
const ENOUGH: usize = 5;

impl Refusals {
    /// Returns the refusal that stands for all: so many were denied and none was answered.
    pub fn standing(&self) -> Option<Failed> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.said.clone().filter(|_| !refused.answered && refused.denied >= ENOUGH)
    }

    /// Keeps in mind how a call ended.
    pub fn note<T>(&self, answer: &Result<T, Failed>) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Err(failed) if failed.trouble == Trouble::Denied => {
                refused.denied += 1;
                refused.said = Some(failed.clone());
            }
            _ => refused.answered = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied() -> Result<(), Failed> {
        Err(Failed { trouble: Trouble::Denied, code: None, reason: "no".into() })
    }

    #[test]
    fn an_action_that_is_denied_everywhere_is_not_asked_for_again() {
        let (all, some) = (Refusals::default(), Refusals::default());
        some.note(&Ok(()));
        for _ in 0..ENOUGH {
            assert_eq!(all.standing(), None);
            all.note(&denied());
            some.note(&denied());
        }
        assert_eq!(all.standing().map(|said| said.reason), Some("no".to_owned()));
        assert_eq!(some.standing(), None, "one answer shows that the action itself is allowed");
    }
}
