//! `scan --bill`, `--lens` and `--inventory`: the exports that the command line names, and what is done where there are no credentials.

use std::path::Path;
use std::process::ExitCode;

use super::{Context, Format, Scan, Wishes, show, unless_interrupted};
use crate::aws::connector::{Connector, Setup};
use crate::aws::scan::files::{Given, estimate_files, scan_files};
use crate::aws::session::{Session, SessionError};
use crate::aws::store as s3_store;
use crate::error::{Failure, Kind};
use crate::store::Place;

/// What a scan reads.
pub(super) enum Way {
    /// The account, and the files that were named beside it.
    Account(Session),
    /// The files alone; the session opens what of them lies in S3.
    Files(Option<Session>),
}

/// Returns what is to be read: the files alone where that was asked for, and where there are no credentials and all of
/// them lie on this machine.
///
/// # Errors
/// As [`Context::session`]; files alone, and none named.
pub(super) async fn way(args: &Scan, context: &Context, setup: Setup) -> Result<Way, Failure> {
    let named = args.named();
    let local = !named.is_empty() && !named.iter().any(|path| is_in_s3(path));
    if args.files_only && named.is_empty() {
        return Err(Failure::new(Kind::Usage, "`--files-only` reads files, and none are named")
            .hint("add `--bill PATH`, `--lens PATH` or `--inventory PATH`"));
    }
    if args.files_only && local {
        return Ok(Way::Files(None));
    }
    match Session::open(&context.who(), Connector::new(setup)).await {
        Ok(session) if args.files_only => Ok(Way::Files(Some(session))),
        Ok(session) => Ok(Way::Account(session)),
        Err(SessionError::NoCredentials { .. }) if local => {
            context.term.status("no AWS credentials were found: only the files are read");
            Ok(Way::Files(None))
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

/// Makes a snapshot of the exports alone, or says how large they are and writes nothing.
///
/// # Errors
/// Not one of them could be read, or the store cannot be written.
pub(super) async fn run(
    args: &Scan,
    context: &Context,
    format: Format,
    wishes: &mut Wishes,
    session: Option<&Session>,
) -> Result<ExitCode, Failure> {
    args.engine.needs_nobody()?;
    let given = async {
        Ok(Given {
            bills: places(&args.bill, session).await?,
            lens: places(&args.lens, session).await?,
            inventories: places(&args.inventory, session).await?,
        })
    };
    let given = unless_interrupted(wishes, Box::pin(given)).await?;
    if args.estimate {
        let sizes = async { Ok(estimate_files(&given).await?) };
        let sizes = unless_interrupted(wishes, Box::pin(sizes)).await?;
        context.term.data(&match format {
            Format::Json => format!("{:#}", show::sizes_json(&sizes)),
            _ => show::sizes_table(&sizes),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let work = async {
        let store = match session {
            Some(session) => super::store(context, session).await?,
            None => context.store().await?,
        };
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
