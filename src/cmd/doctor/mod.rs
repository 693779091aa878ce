//! `doctor`: who am I, does the clock agree, what may I read, what does each refusal hide, what would a scan cost.
//!
//! Tries what a scan calls, a few times each; reads nothing else, keeps nothing and changes nothing.

mod blinds;
mod document;
mod show;

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::Args;

use self::blinds::Blinds;
use self::document::Document;
use super::connect::Purpose;
use super::options::options;
use super::{Context, Format};
use crate::aws::collect::Collector;
use crate::aws::connector::Connector;
use crate::aws::doctor::{Checked, Permission, SAMPLE, Verdict, Without, check_up};
use crate::aws::estimate::{Estimate, estimate};
use crate::aws::scan::accounts::Accounts;
use crate::aws::scan::{Order, prepare};
use crate::aws::session::{Session, SessionError};
use crate::config;
use crate::error::{Failure, Kind};

pub use document::schema;

/// Clocks that are further apart than this are called wrong: AWS refuses signatures at five minutes.
const CLOCK_MAY_DIFFER: TimeDelta = TimeDelta::minutes(4);

/// Find out who you are, whether the clock is right, which permissions are missing and what that hides.
///
/// Tries what a scan calls in up to four Regions (those of --region or leanlake.toml, else the session's, those of the last
/// scan and those of the buckets), at most five times each, and changes nothing. Cost Explorer is asked once, for a cent.
#[derive(Clone, Copy, Debug, Args)]
pub struct Doctor {
    /// Do not ask Cost Explorer, whose answer costs a cent.
    #[arg(long)]
    free: bool,
    /// Also try what only a scan of several accounts asks: the accounts of the organization.
    #[arg(long)]
    accounts: bool,
}

/// What was found out.
struct CheckUp {
    session: Session,
    regions: Vec<String>,
    permissions: Vec<Permission>,
    blinds: Blinds,
    scan: Vec<Estimate>,
}

/// Checks up and prints what was found.
pub async fn run(args: &Doctor, context: &Context) -> Result<ExitCode, Failure> {
    let format = context.format(&[Format::Table, Format::Json])?;
    if context.global.demo {
        return Err(Failure::new(Kind::Usage, "the demo lake needs no permission").hint("leanlake report --demo"));
    }
    let found = examine(args, context).await?;
    let document = Document::of(&found, context.now());
    context.term.data(&match format {
        Format::Json => document.json()?,
        _ => show::text(&found),
    })?;
    verdict(&found)
}

async fn examine(args: &Doctor, context: &Context) -> Result<CheckUp, Failure> {
    let mut setup = context.setup(Purpose::Scan)?;
    setup.sample = Some(SAMPLE);
    let connector = Connector::new(setup);
    let opened = Session::open(&context.who(), connector.clone()).await;
    let session = opened.map_err(|error| refused(error, connector.clock_ahead()))?;
    let arn = crate::model::text::terminal(&session.identity.arn);
    context.term.status(&format!("trying what a scan reads in account {} as {arn}", session.identity.account_id));
    if let Some(banner) = session.configured_origin().banner() {
        context.term.warn(&banner);
    }
    let (store, order) = (context.store().await?, order(context));
    let (scope, base) = prepare(&session, &store, &order).await?;
    let without = Without { bill: args.free, organization: !args.accounts };
    let Checked { permissions, regions } = check_up(&scope, &connector, without).await;
    let blinds = Blinds::of(context, &session, &permissions, base.as_ref()).await?;
    // A sample may not count all buckets: the estimate asks for itself.
    let whole = context.session(context.setup(Purpose::Scan)?).await?;
    let scan = estimate(&whole, &store, &order).await?;
    Ok(CheckUp { session, regions, permissions, blinds, scan })
}

/// Returns the order of a plain scan.
fn order(context: &Context) -> Order {
    let (accounts, collectors) = (Accounts::Own, Collector::ALL.into());
    let all = context.config.flag(&config::ALL);
    let options = options(context);
    Order {
        as_of: context.now(),
        collectors,
        accounts,
        role: None,
        all,
        bills: Vec::new(),
        lens: Vec::new(),
        inventories: Vec::new(),
        options,
    }
}

/// A clock that is wrong looks like credentials that are not valid.
fn refused(error: SessionError, ahead: Option<TimeDelta>) -> Failure {
    match ahead.and_then(wrong_clock) {
        Some(said) => said.caused_by(crate::model::text::terminal(&error.to_string())),
        None => error.into(),
    }
}

/// Returns what is wrong with a clock that is so far ahead of AWS's.
fn wrong_clock(ahead: TimeDelta) -> Option<Failure> {
    (ahead.abs() > CLOCK_MAY_DIFFER).then(|| {
        let message = format!("the clock of this machine is {}: AWS refuses signatures at 5 minutes", apart(ahead));
        Failure::failed(message).hint("set the clock by NTP, for instance with `chronyc makestep`")
    })
}

/// Returns how far the clocks are apart, in words.
fn apart(ahead: TimeDelta) -> String {
    let seconds = ahead.num_seconds().unsigned_abs();
    let span = if seconds < 120 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) };
    format!("{span} {} AWS's", if ahead < TimeDelta::zero() { "behind" } else { "ahead of" })
}

/// Says by the exit code whether everything is well: 4 where a permission is missing.
fn verdict(found: &CheckUp) -> Result<ExitCode, Failure> {
    let count = |of: fn(&Verdict) -> bool| found.permissions.iter().filter(|one| of(&one.verdict)).count();
    if let Some(wrong) = found.session.connector.clock_ahead().and_then(wrong_clock) {
        return Err(wrong);
    }
    match (count(|v| matches!(v, Verdict::Denied(_))), count(|v| matches!(v, Verdict::Failed(_)))) {
        (0, 0) => Ok(ExitCode::SUCCESS),
        (0, failed) => Err(Failure::failed(format!("{failed} calls failed, and not for want of a permission"))
            .hint("try again later; `leanlake scan` leaves gaps where they fail")),
        (denied, _) => Err(Failure::new(Kind::Credentials, format!("{denied} calls are denied"))
            .hint("attach the policy above to the role that scans")
            .hint("leanlake iam scan prints everything that a scan reads")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_from_four_minutes_on_in_either_direction() {
        assert!(wrong_clock(TimeDelta::seconds(240)).is_none() && wrong_clock(TimeDelta::seconds(-240)).is_none());
        let said = |seconds| wrong_clock(TimeDelta::seconds(seconds)).unwrap().message;
        assert!(said(270).contains("4 min 30 s ahead of AWS's"), "{}", said(270));
        assert!(said(-86_400).contains("1440 min 0 s behind AWS's"), "{}", said(-86_400));
    }

    #[test]
    fn credentials_that_a_wrong_clock_spoils_are_not_called_expired() {
        let expired = || SessionError::Expired { said: "Signature expired".to_owned(), profile: None };
        assert!(refused(expired(), Some(TimeDelta::minutes(10))).message.contains("10 min 0 s ahead"));
        assert_eq!(refused(expired(), Some(TimeDelta::seconds(1))).kind, Kind::Credentials);
        assert_eq!(refused(expired(), None).kind, Kind::Credentials);
    }
}
