//! One call to AWS: not begun after a cancel, its failure told in our words.
//!
//! Never retries: that is the SDK's work. Never gives up a call that was sent: its answer may be paid for.

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
    if scope.cancel.is_cancelled() {
        return Err(Failed::cancelled());
    }
    let answer = call.await.map_err(|error| Failed::from_sdk(&error));
    scope.heard.note(&answer);
    answer
}
