//! A list that comes in pages, read to its end, to the page that failed, or to what a budget allows.
//!
//! Never loses the pages that came before a failure, and never takes a list that was cut for a whole one.

use std::error::Error;

use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::ask::ask;
use super::failure::{Failed, Trouble};
use super::outcome::{End, Outcome};
use super::read::Read;
use super::scope::Scope;
use super::sink::Sink;
use crate::model::{Coverage, CoverageState};

/// One page and the token of the next.
pub type Page<T> = Result<(Vec<T>, Option<String>), Failed>;

/// The things on the pages that came, and why there are no more of them if the list was cut.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The things.
    pub found: Vec<T>,
    /// Why the list ends early.
    pub failed: Option<Failed>,
}

impl<T> Listed<T> {
    /// Returns the things when they are all that there are.
    pub fn whole(&self) -> Option<&[T]> {
        self.failed.is_none().then_some(self.found.as_slice())
    }

    /// Returns what the list says about `read`, one of the reads that stand on it.
    pub fn coverage(&self, read: &Read) -> Coverage {
        let seen = self.found.len();
        match &self.failed {
            None => Coverage::new(read.table, read.operation, CoverageState::Seen).counted(seen, None),
            Some(failed) if seen == 0 => failed.gap(read),
            Some(failed) => partly(failed, read).counted(seen, None),
        }
    }

    /// Says what the list covers in the scope's Region. Without a whole list, the tables that `also` fills are blind too.
    pub async fn cover(&self, scope: &Scope, sink: &Sink, read: &Read, also: &[&Read]) {
        let own = self.coverage(read).at(&scope.account_id, Some(&scope.region)).counted(self.found.len(), None);
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

/// What a budget cut is told as such, what a failure cut as partly seen.
fn partly(failed: &Failed, read: &Read) -> Coverage {
    let gap = failed.gap(read);
    let state = if gap.state == CoverageState::OverBudget { gap.state } else { CoverageState::Partial };
    Coverage { state, ..gap }
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

/// Reads every page of one of the SDK's own paginators; `items` takes the things out of a page.
pub async fn list_pages<P, T, E>(
    scope: &Scope,
    mut pages: PaginationStream<Result<P, SdkError<E, HttpResponse>>>,
    items: impl Fn(P) -> Option<Vec<T>>,
) -> Listed<T>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let mut listed = Listed { found: Vec::new(), failed: None };
    loop {
        match ask(scope, async { pages.next().await.transpose() }).await {
            Ok(Some(page)) => listed.found.extend(items(page).unwrap_or_default()),
            Ok(None) => return listed,
            Err(failed) => {
                listed.failed = Some(failed);
                return listed;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
