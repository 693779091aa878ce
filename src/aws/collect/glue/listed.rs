//! A list read page by page, and what it covers. What came before a failed page is kept.

use std::sync::{Mutex, PoisonError};

use crate::aws::collect::outcome::{End, Outcome, coverage};
use crate::aws::collect::{Failed, Read, Scope, Sink, Trouble};
use crate::model::{Coverage, CoverageState};

/// One page and the token of the next.
pub type Page<T> = Result<(Vec<T>, Option<String>), Failed>;

/// What a list held, and why it ends early if it does.
#[derive(Debug)]
pub struct Listed<T> {
    /// What was listed.
    pub found: Vec<T>,
    /// Why there may be more.
    pub failed: Option<Failed>,
}

/// Reads a list to its end, or to the first page that fails.
pub async fn list<T, F: Future<Output = Page<T>>>(page: impl FnMut(Option<String>) -> F) -> Listed<T> {
    list_most(usize::MAX, "", page).await
}

/// Reads a list until `most` things are there; `cut` is said when there were more.
pub async fn list_most<T, F: Future<Output = Page<T>>>(
    most: usize,
    cut: &str,
    mut page: impl FnMut(Option<String>) -> F,
) -> Listed<T> {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        match page(token.take()).await {
            Err(failed) => return Listed { found, failed: Some(failed) },
            Ok((more, next)) => {
                found.extend(more);
                token = next.filter(|next| !next.is_empty());
            }
        }
        if found.len() > most || (found.len() == most && token.is_some()) {
            found.truncate(most);
            return Listed { found, failed: Some(spent(cut)) };
        }
        if token.is_none() {
            return Listed { found, failed: None };
        }
    }
}

/// Returns the failure of a read that a budget cut.
pub fn spent(cut: &str) -> Failed {
    Failed { trouble: Trouble::OverBudget, code: None, reason: cut.to_owned() }
}

impl<T> Listed<T> {
    /// Says what the list covers. Without a whole list, the tables that `also` fills are blind as well.
    pub async fn cover(&self, scope: &Scope, sink: &Sink, read: &Read, also: &[&Read]) {
        let own = match &self.failed {
            None => Coverage::new(read.table, read.operation, CoverageState::Seen),
            Some(failed) if self.found.is_empty() => failed.gap(read),
            Some(failed) => partly(failed, read),
        };
        let own = own.at(&scope.account_id, Some(&scope.region)).counted(self.found.len(), None);
        let blind = also.iter().filter(|_| self.failed.is_some());
        for blind in blind.map(|read| Coverage { table: read.table.to_owned(), seen: None, ..own.clone() }) {
            sink.cover(blind).await;
        }
        sink.cover(own).await;
    }

    /// Returns how the read of one resource's list ended.
    pub fn outcome(&self, scope: &Scope, resource: &str) -> Outcome {
        let end = match &self.failed {
            None => End::Whole,
            Some(failed) if self.found.is_empty() => End::Failed(failed.clone()),
            Some(failed) => End::Cut(failed.clone(), self.found.len(), None),
        };
        Outcome { resource: resource.to_owned(), region: Some(scope.region.clone()), end }
    }
}

fn partly(failed: &Failed, read: &Read) -> Coverage {
    let gap = failed.gap(read);
    let state = if gap.state == CoverageState::OverBudget { gap.state } else { CoverageState::Partial };
    Coverage { state, ..gap }
}

/// Says how the reads of single resources ended.
pub async fn cover_all(scope: &Scope, sink: &Sink, read: &Read, outcomes: &[Outcome]) {
    for row in told(scope, read, outcomes) {
        sink.cover(row).await;
    }
}

/// Returns how the reads of single resources ended. An action that is denied everywhere is one gap, not one for each.
pub fn told(scope: &Scope, read: &Read, outcomes: &[Outcome]) -> Vec<Coverage> {
    let denied = |outcome: &Outcome| matches!(&outcome.end, End::Failed(why) if why.trouble == Trouble::Denied);
    let all_denied = !outcomes.is_empty() && outcomes.iter().all(denied);
    let mut rows = coverage(&scope.account_id, read, outcomes);
    rows.retain(|row| row.resource.is_none() || !all_denied);
    rows
}

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

    #[tokio::test]
    async fn a_list_that_a_budget_cuts_keeps_what_came_before() {
        let page = |token: Option<String>| async move {
            let from: i32 = token.map_or(0, |token| token.parse().unwrap());
            Ok((vec![from, from + 1], (from < 4).then(|| (from + 2).to_string())))
        };
        let cut = list_most(3, "3 things", page).await;
        assert_eq!((cut.found, cut.failed.unwrap().reason), (vec![0, 1, 2], "3 things".to_owned()));
        let whole = list_most(6, "6 things", page).await;
        assert_eq!((whole.found.len(), whole.failed), (6, None));
    }
}
