//! What AWS answered to a scan as a whole: anything at all, and whether it still takes the credentials.
//!
//! Gaps cannot tell: a read that failed keeps what earlier scans saw of it and then looks partly seen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failure::{Failed, Trouble};

/// What was heard so far. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    kept: Arc<Mutex<Kept>>,
    /// True in another account: that its role ended says nothing about the caller's credentials.
    elsewhere: bool,
}

#[derive(Debug, Default)]
struct Kept {
    answered: bool,
    refused: Option<Failed>,
}

impl Heard {
    /// Returns the same for calls in another account.
    #[must_use]
    pub fn elsewhere(&self) -> Heard {
        Heard { elsewhere: true, ..self.clone() }
    }

    /// Keeps in mind how a call ended.
    pub fn note<T>(&self, answer: &Result<T, Failed>) {
        let mut kept = self.kept();
        kept.answered |= answer.is_ok();
        match answer {
            Err(failed) if failed.trouble == Trouble::Credentials && !self.elsewhere => {
                // The first expiry is kept: what follows it says the same.
                if !kept.refused.as_ref().is_some_and(Failed::is_final) {
                    kept.refused = Some(failed.clone());
                }
            }
            Ok(_) | Err(_) => {}
        }
    }

    /// Returns true when at least one call was answered.
    pub fn answered(&self) -> bool {
        self.kept().answered
    }

    /// Returns what AWS said when it no longer took the credentials. Unless it is final, a Region that the account has not
    /// enabled may have said so: only STS knows, and no answer of another service, which may have been under way.
    pub fn refused(&self) -> Option<Failed> {
        self.kept().refused.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str) -> Result<(), Failed> {
        let trouble = Trouble::Credentials;
        Err(Failed { trouble, code: Some(code.to_owned()), reason: format!("{code}: no") })
    }

    #[test]
    fn credentials_that_expired_stay_so_even_when_an_answer_was_still_on_its_way() {
        let heard = Heard::default();
        heard.note(&refusal("ExpiredToken"));
        heard.note(&Ok(()));
        assert_eq!(heard.refused().unwrap().reason, "ExpiredToken: no");
    }

    #[test]
    fn a_role_that_ended_in_another_account_says_nothing_of_the_callers_credentials() {
        let heard = Heard::default();
        heard.elsewhere().note(&refusal("ExpiredToken"));
        assert!(heard.refused().is_none());
        heard.elsewhere().note(&Ok(()));
        assert!(heard.answered());
    }

    #[test]
    fn what_a_region_that_is_not_enabled_may_have_said_is_kept_whoever_answers_after_it() {
        let heard = Heard::default();
        heard.note(&refusal("UnrecognizedClientException"));
        heard.note(&Ok(()));
        let refused = heard.refused().unwrap();
        assert!(!refused.is_final() && heard.answered(), "STS decides");
        heard.note(&refusal("ExpiredToken"));
        heard.note(&refusal("UnrecognizedClientException"));
        assert!(heard.refused().unwrap().is_final());
    }
}
