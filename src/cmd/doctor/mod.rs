//! `doctor`: who am I, does the clock agree, what may I read, what does each refusal hide, what would a scan cost.
//!
//! Tries what a scan calls, a few times each; reads nothing else, keeps nothing and changes nothing.

mod blinds;
mod document;
mod members;
mod show;

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::Args;

use self::blinds::Blinds;
use self::document::Document;
use self::members::Entries;
use super::connect::Purpose;
use super::members::Members;
use super::options::options;
use super::{Context, Format};
use crate::aws::collect::Collector;
use crate::aws::connector::{Connector, Spent};
use crate::aws::doctor::{Checked, Paid, Permission, SAMPLE, Verdict, Without, check_up};
use crate::aws::estimate::{Estimates, estimate};
use crate::aws::scan::accounts::Accounts;
use crate::aws::scan::{Order, prepare};
use crate::aws::session::{Session, SessionError};
use crate::config;
use crate::error::{Failure, Kind};
use crate::model::Money;
use crate::rollup::Runner;

pub use document::schema;

/// Clocks that are further apart than this are called wrong: AWS refuses signatures at five minutes.
const CLOCK_MAY_DIFFER: TimeDelta = TimeDelta::minutes(4);

/// Find out who you are, whether the clock is right, which permissions are missing and what that hides.
///
/// Tries what a scan calls in up to four Regions (those of --region or leanlake.toml, else the session's, those of the last
/// scan and those of the buckets), at most five times each, and changes nothing. Cost Explorer is asked once, for a cent.
///
/// With --accounts it assumes the role in other accounts, a hundred at most, and tries every call in two of them.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Do not ask Cost Explorer, whose answer costs a cent.
    #[arg(long)]
    free: bool,
    /// Also ask Cost Explorer for anomalies and a forecast, as a scan does: a cent each.
    #[arg(long, conflicts_with = "free")]
    paid: bool,
    #[command(flatten)]
    members: Members,
}

impl Doctor {
    fn paid(&self) -> Paid {
        match (self.free, self.paid) {
            (true, _) => Paid::Nothing,
            (false, false) => Paid::Bill,
            (false, true) => Paid::All,
        }
    }
}

/// What was found out.
struct CheckUp {
    session: Session,
    regions: Vec<String>,
    permissions: Vec<Permission>,
    blinds: Blinds,
    scan: Estimates,
    members: Option<Entries>,
    /// Requests of the check-up and their price, USD.
    used: (u64, Money),
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
    let (store, order) = (context.store().await?, order(args, context)?);
    let (scope, base) = prepare(&session, &store, &order).await?;
    let own = order.accounts == Accounts::Own;
    let without = Without { paid: args.paid(), organization: own, of_caller: false };
    let Checked { permissions, regions } = check_up(&scope, &connector, without).await;
    let blinds = Blinds::of(context, &session.identity.account_id, &permissions, base.as_ref()).await?;
    // A sample may not count all buckets: the estimate asks for itself.
    let whole = context.session(context.setup(Purpose::Scan)?).await?;
    let scan = estimate(&whole, &store, &order).await?;
    let mut spent = vec![connector.spent(), whole.connector.spent()];
    let members = if own {
        None
    } else {
        Some(Entries::of(context, &scan.roles, order.role.as_ref(), base.as_ref(), &mut spent).await?)
    };
    let used = (spent.iter().map(Spent::requests).sum(), spent.iter().map(Spent::usd).sum());
    Ok(CheckUp { session, regions, permissions, blinds, scan, members, used })
}

/// Returns the order of a plain scan of the accounts that are meant.
fn order(args: &Doctor, context: &Context) -> Result<Order, Failure> {
    let (accounts, role) = (args.members.accounts(&context.config)?, args.members.role(&context.config));
    let collectors = Collector::ALL.into();
    let all = context.config.flag(&config::ALL);
    let options = options(context);
    Ok(Order {
        as_of: context.now(),
        collectors,
        accounts,
        role,
        all,
        bills: Vec::new(),
        lens: Vec::new(),
        inventories: Vec::new(),
        runner: Runner::Here,
        options,
    })
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
    let in_members = found.members.iter().flat_map(Entries::permissions);
    let all: Vec<&Permission> = found.permissions.iter().chain(in_members).collect();
    let count = |of: fn(&Verdict) -> bool| all.iter().filter(|one| of(&one.verdict)).count();
    if let Some(wrong) = found.session.connector.clock_ahead().and_then(wrong_clock) {
        return Err(wrong);
    }
    let closed = found.members.as_ref().map_or(0, |members| members.closed.len());
    if closed > 0 {
        let message = format!("{closed} accounts cannot be entered, and {} calls are denied", count(is_denied));
        return Err(Failure::new(Kind::Credentials, message).hint("what to do stands beside each account above"));
    }
    match (count(is_denied), count(|v| matches!(v, Verdict::Failed(_)))) {
        (0, 0) => Ok(ExitCode::SUCCESS),
        (0, failed) => Err(Failure::failed(format!("{failed} calls failed, and not for want of a permission"))
            .hint("try again later; `leanlake scan` leaves gaps where they fail")),
        (denied, _) => Err(Failure::new(Kind::Credentials, format!("{denied} calls are denied"))
            .hint("attach the policy above to the role that scans")
            .hint("leanlake iam scan prints everything that a scan reads")),
    }
}

fn is_denied(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Denied(_))
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
