//! `scan --bill`, `--lens` and `--inventory`: the exports that the command line names, and what is done where there are no credentials.

use std::path::Path;
use std::process::ExitCode;

use super::{Context, Format, Scan, Wishes, show, unless_interrupted};
use crate::aws::connector::{Connector, Setup};
use crate::aws::scan::files::{Given, scan_files};
use crate::aws::session::{Session, SessionError};
use crate::aws::store as s3_store;
use crate::error::Failure;
use crate::store::Place;

/// Returns the session; `None` where there are no credentials and all that is to be read lies on this machine.
///
/// # Errors
/// As [`Context::session`].
pub(super) async fn session(named: &[String], context: &Context, setup: Setup) -> Result<Option<Session>, Failure> {
    match Session::open(&context.who(), Connector::new(setup)).await {
        Ok(session) => Ok(Some(session)),
        Err(SessionError::NoCredentials { .. }) if !named.is_empty() && !named.iter().any(|path| is_in_s3(path)) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns where the exports are.
///
/// # Errors
/// A path where nothing is, or a bucket that may not be looked at.
pub(super) async fn places(bills: &[String], session: Option<&Session>) -> Result<Vec<Place>, Failure> {
    let mut places = Vec::new();
    for bill in bills {
        places.push(match session {
            Some(session) if is_in_s3(bill) => s3_store::place(&session.sdk, bill, None).await?,
            _ => Place::local(Path::new(bill))?,
        });
    }
    Ok(places)
}

/// Makes a snapshot of the exports alone.
///
/// # Errors
/// Not one of them could be read, or the store cannot be written.
pub(super) async fn run(
    args: &Scan,
    context: &Context,
    format: Format,
    wishes: &mut Wishes,
) -> Result<ExitCode, Failure> {
    args.engine.needs_nobody()?;
    context.term.status("no AWS credentials were found: only the files are read");
    let work = async {
        let given = Given {
            bills: places(&args.bill, None).await?,
            lens: places(&args.lens, None).await?,
            inventories: places(&args.inventory, None).await?,
        };
        let store = context.store().await?;
        Ok(scan_files(&store, context.now(), &given).await?)
    };
    let outcome = unless_interrupted(wishes, Box::pin(work)).await?;
    if let Some(banner) = outcome.snapshot.origin().banner() {
        context.term.warn(&banner);
    }
    context.term.data(&match format {
        Format::Json => format!("{:#}", show::summary_json(&outcome, None)),
        _ => show::summary(&outcome),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn is_in_s3(bill: &str) -> bool {
    bill.starts_with("s3://")
}
