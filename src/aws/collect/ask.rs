//! One call to AWS: not begun after a cancel, its failure told in our words.
//!
//! Never retries: that is the SDK's work. A call that was sent is given up only some time after Ctrl-C, or when the
//! collector's time is up: its answer may be paid for.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::failure::Failed;
use super::scope::Scope;

/// Returns the answer of `call`, or why there is none.
pub async fn ask<T, E>(
    scope: &Scope,
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, Failed>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    // Boxed: the SDK's futures are large, and the stack of a thread is not.
    let answer =
        unless_stopped(scope, Box::pin(call)).await.and_then(|said| said.map_err(|error| Failed::from_sdk(&error)));
    scope.heard.note(&answer);
    answer
}

/// Returns what `call` comes to, or why nobody waited for it.
pub async fn unless_stopped<T>(scope: &Scope, call: impl Future<Output = T>) -> Result<T, Failed> {
    if let Some(stopped) = scope.stopped() {
        return Err(stopped);
    }
    tokio::select! {
        biased;
        said = call => Ok(said),
        failed = scope.given_up() => Err(failed),
    }
}
