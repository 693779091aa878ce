//! A list that comes in pages, by the SDK's own paginators, read to its end or to the page that failed.
//!
//! Never loses the pages that came before a failure, and never takes a list that was cut for a whole one.

use std::error::Error;

use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::ask::ask;
use super::failure::Failed;
use super::read::Read;
use super::scope::Scope;
use crate::model::{Coverage, CoverageState};

/// The things on the pages that came, and why there are no more of them if the list was cut.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The things.
    pub items: Vec<T>,
    /// Why the list ends early.
    pub failed: Option<Failed>,
}

impl<T> Listed<T> {
    /// Returns the things when they are all that there are.
    pub fn whole(&self) -> Option<&[T]> {
        self.failed.is_none().then_some(self.items.as_slice())
    }

    /// Returns what the list says about `read`, one of the reads that stand on it.
    pub fn coverage(&self, read: &Read) -> Coverage {
        let seen = self.items.len();
        match &self.failed {
            None => Coverage::new(read.table, read.operation, CoverageState::Seen).counted(seen, None),
            Some(failed) if seen == 0 => failed.gap(read),
            Some(failed) => Coverage { state: CoverageState::Partial, ..failed.gap(read) }.counted(seen, None),
        }
    }
}

/// Reads every page of a paginator; `items` takes the things out of a page.
pub async fn list<P, T, E>(
    scope: &Scope,
    mut pages: PaginationStream<Result<P, SdkError<E, HttpResponse>>>,
    items: impl Fn(P) -> Option<Vec<T>>,
) -> Listed<T>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let mut listed = Listed { items: Vec::new(), failed: None };
    loop {
        match ask(scope, async { pages.next().await.transpose() }).await {
            Ok(Some(page)) => listed.items.extend(items(page).unwrap_or_default()),
            Ok(None) => return listed,
            Err(failed) => {
                listed.failed = Some(failed);
                return listed;
            }
        }
    }
}
