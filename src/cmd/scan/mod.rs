//! `scan`: reads the account into a new snapshot, or says what that would cost. Only `--engine athena` makes anything.

mod engine;
mod files;
pub(super) mod show;

use std::collections::BTreeSet;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::files::Way;
use super::amount::dollars;
use super::connect::sign_in;
use super::members::Members;
use super::options::options;
use super::stop::Wishes;
use super::{Context, Format};
use crate::apply::record::Record;
use crate::aws::collect::advice::Adviser;
use crate::aws::collect::{Collector, Options};
use crate::aws::estimate::estimate;
use crate::aws::scan::{Order, Outcome, ScanError, scan};
use crate::aws::session::Session;
use crate::aws::store as s3_store;
use crate::config;
use crate::error::{Failure, Kind};
use crate::model::Money;
use crate::rollup::Runner;
use crate::store::Store;

/// News that may wait for the screen.
const NEWS: usize = 1024;

/// Read the account into a new snapshot; changes nothing in AWS, unless `--engine athena` is to make tables.
#[derive(Debug, Args)]
pub struct Scan {
    /// Read only these: bill, exports, s3, cloudwatch, athena, glue, network, cloudtrail, advice, emr, emr-serverless, redshift,
    /// redshift-serverless. The rest comes over from the last snapshot.
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = collector)]
    only: Vec<Collector>,
    /// Also read this export of the bill: a folder, a file, or s3://bucket/prefix with Cost and Usage Reports (2.0 or
    /// legacy) or FOCUS files. May be given more than once. Without any credentials it is read alone.
    #[arg(long, value_name = "PATH")]
    bill: Vec<String>,
    /// Also read this Storage Lens export: a folder, a file, or s3://bucket/prefix with its reports and manifests. May be
    /// given more than once. Without any credentials it is read alone.
    #[arg(long, value_name = "PATH")]
    lens: Vec<String>,
    /// Also read the newest S3 Inventory list of each bucket: a folder or s3://bucket/prefix with lists (Parquet or CSV)
    /// and manifests. May be given more than once. Without any credentials it is read alone.
    #[arg(long, value_name = "PATH")]
    inventory: Vec<String>,
    #[command(flatten)]
    engine: engine::EngineArgs,
    /// Read `--bill`, `--lens` and `--inventory` alone, whatever credentials there are: they only open s3:// then.
    #[arg(long, conflicts_with = "only")]
    files_only: bool,
    /// Do not ask these of AWS's own advisers: hub, anomalies (a cent), budgets, forecast (a cent); none asks all.
    #[arg(long, value_name = "ADVISER", value_delimiter = ',', value_parser = adviser)]
    without: Vec<LeftOut>,
    /// Say what a scan would cost, in requests, dollars and minutes, and scan nothing.
    #[arg(long)]
    estimate: bool,
    /// Stop before the scan's own requests cost more than this (5 where nothing else is configured).
    #[arg(long, value_name = "USD", value_parser = dollars)]
    max_cost: Option<Money>,
    #[command(flatten)]
    members: Members,
    /// Read every service, account and Region, not only those that 95 % of the lake's spend goes to.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    all: Option<bool>,
    /// Longest time to read one service in one account and Region: 90s, 20m, 2h (2h where nothing else is configured).
    #[arg(long, value_name = "TIME", value_parser = time)]
    collector_time: Option<Duration>,
    /// Read the settings of every bucket again, also of those that an earlier scan read and CloudTrail names no change of.
    #[arg(long)]
    fresh: bool,
    /// Days of Athena history to read; Athena keeps 45.
    #[arg(long, value_name = "DAYS")]
    history_days: Option<u32>,
}

fn time(given: &str) -> Result<Duration, String> {
    config::duration::parse(given).ok_or_else(|| "a length of time is a number with its unit: 90s, 20m, 2h".to_owned())
}

fn collector(name: &str) -> Result<Collector, String> {
    Collector::parse(name).ok_or_else(|| format!("there is {}", Collector::ALL.map(Collector::name).join(", ")))
}

/// An adviser that is left out; `None` for the word that stands for none.
type LeftOut = Option<Adviser>;

fn adviser(name: &str) -> Result<LeftOut, String> {
    let known = (name == "none").then_some(None).or_else(|| Adviser::parse(name).map(Some));
    known.ok_or_else(|| format!("there is {}, or none", Adviser::ALL.map(Adviser::name).join(", ")))
}

impl Scan {
    /// Returns every export that was named.
    fn named(&self) -> Vec<String> {
        [self.bill.as_slice(), &self.lens, &self.inventory].concat()
    }

    /// Returns what the scan may cost.
    fn limit(&self, context: &Context) -> Option<Money> {
        self.max_cost.or(context.config.dollars(&config::MAX_COST))
    }
}

/// Scans, or estimates.
pub async fn run(args: &Scan, context: &Context) -> Result<ExitCode, Failure> {
    let format = context.format(&[Format::Table, Format::Json])?;
    if context.global.demo {
        return Err(
            Failure::new(Kind::Usage, "the demo lake is not scanned: it is made up").hint("leanlake report --demo")
        );
    }
    let mut setup = context.setup(args.engine.purpose()?)?;
    setup.max_cost = args.limit(context);
    let cancel = setup.cancel.clone();
    let mut wishes = Wishes::listen()?;
    let opened = async {
        let session = match files::way(args, context, setup).await? {
            Way::Account(session) => session,
            Way::Files(session) => return Ok(Err(session)),
        };
        let store = store(context, &session).await?;
        let mut order = order(args, context, &store).await?;
        order.bills = files::places(&args.bill, Some(&session)).await?;
        order.lens = files::places(&args.lens, Some(&session)).await?;
        order.inventories = files::places(&args.inventory, Some(&session)).await?;
        Ok(Ok((session, store, order)))
    };
    let (session, store, mut order) = match unless_interrupted(&mut wishes, Box::pin(opened)).await? {
        Ok(opened) => opened,
        Err(alone) => return files::run(args, context, format, &mut wishes, alone.as_ref()).await,
    };
    if args.estimate {
        let estimates = async { Ok(estimate(&session, &store, &order).await?) };
        let estimates = unless_interrupted(&mut wishes, Box::pin(estimates)).await?;
        context.term.data(&match format {
            Format::Json => format!("{:#}", show::estimate_json(&estimates)),
            _ => show::estimate_table(&estimates),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let athena = args.engine.athena(context, &session, &store, args.limit(context)).await?;
    order.runner = engine::runner(athena.as_ref());
    let outcome = watched(context, &session, &store, &order, (cancel, wishes)).await;
    let outcome = outcome.map_err(|failure| engine::with_left(failure, athena.as_ref()))?;
    let receipt = athena.map(|athena| athena.receipt());
    for line in show::slowest(&outcome.paced) {
        context.term.detail(&line);
    }
    context.term.data(&match format {
        Format::Json => format!("{:#}", show::summary_json(&outcome, receipt.as_ref())),
        _ => show::summary(&outcome) + &receipt.as_ref().map(engine::told).unwrap_or_default(),
    })?;
    verdict(&outcome, args, context)
}

async fn store(context: &Context, session: &Session) -> Result<Store, Failure> {
    match context.global.store.as_deref() {
        Some(url) if url.starts_with("s3://") => Ok(s3_store::open(&session.sdk, url).await?),
        _ => context.store().await,
    }
}

async fn order(args: &Scan, context: &Context, store: &Store) -> Result<Order, Failure> {
    let mut collectors: BTreeSet<Collector> = args.only.iter().copied().collect();
    if collectors.is_empty() {
        collectors = Collector::ALL.into();
    }
    let keyed = collectors.contains(&Collector::Athena) && !args.estimate;
    let hash_key = if keyed { Some(store.hash_key().await?) } else { None };
    let mut options =
        Options { hash_key, touched: touched(context, store).await, fresh: args.fresh, ..options(context) };
    options.history_days = args.history_days.unwrap_or(options.history_days);
    if !args.without.is_empty() {
        options.advisers = Adviser::ALL.into_iter().filter(|adviser| !args.without.contains(&Some(*adviser))).collect();
    }
    if let Some(time) = args.collector_time.or(context.config.time(&config::COLLECTOR_TIME)) {
        options.time = time;
    }
    options.real_time = Some(context.real_time());
    let accounts = args.members.accounts(&context.config)?;
    Ok(Order {
        as_of: context.now(),
        collectors,
        accounts,
        role: args.members.role(&context.config),
        all: args.all.unwrap_or_else(|| context.config.flag(&config::ALL)),
        bills: Vec::new(),
        lens: Vec::new(),
        inventories: Vec::new(),
        runner: Runner::Here,
        options,
    })
}

/// Days of runs whose buckets are read again: settings that no scan read for so long are read anyway.
const TOUCHED_DAYS: i64 = 8;

/// Returns the buckets that leanlake itself changed lately. Of a journal that cannot be read nothing is known; what
/// reads journals says that.
async fn touched(context: &Context, store: &Store) -> BTreeSet<String> {
    let first = (context.now() - TimeDelta::days(TOUCHED_DAYS)).format("%Y%m%dT%H%M%SZ").to_string();
    let mut buckets = BTreeSet::new();
    let Ok(runs) = context.runs(store) else { return buckets };
    for run in runs.list().await.unwrap_or_default().iter().take_while(|run| **run >= first) {
        let Ok((_, entries)) = runs.open(run).await else { continue };
        buckets.extend(entries.iter().filter_map(|entry| match &entry.record {
            Record::Intent(intent) => Some(intent.bucket.raw().to_owned()),
            _ => None,
        }));
    }
    buckets
}

/// Runs the scan under the eyes of the terminal. The first Ctrl-C or SIGTERM ends it politely, the second
/// at once.
async fn watched(
    context: &Context,
    session: &Session,
    store: &Store,
    order: &Order,
    (cancel, mut wishes): (CancellationToken, Wishes),
) -> Result<Outcome, Failure> {
    let arn = crate::model::text::terminal(&session.identity.arn);
    context.term.status(&format!("scanning account {} as {arn}", session.identity.account_id));
    if let Some(banner) = session.configured_origin().banner() {
        context.term.warn(&banner);
    }
    let (events, heard) = mpsc::channel(NEWS);
    let drawn = context.term.watch(heard);
    let scanning = scan(session, store, order, cancel.clone(), events);
    let outcome = match interruptible(context, Box::pin(scanning), &cancel, &mut wishes).await {
        Ok(outcome) => outcome,
        Err(given_up) => {
            // Collectors still hold the channel: whoever draws from it would wait for them.
            drawn.abort();
            return Err(Failure::new(Kind::Interrupted, given_up));
        }
    };
    let _ = drawn.await;
    outcome.map_err(|error| told(error, context))
}

/// Does what comes before the first read; Ctrl-C and SIGTERM end that at once.
async fn unless_interrupted<T>(
    wishes: &mut Wishes,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        () = wishes.next() => Err(ScanError::Interrupted.into()),
    }
}

/// How long after the first Ctrl-C what was read may take to be kept. The manifest is written last, so what is given up
/// leaves the last snapshot as it was.
const TO_KEEP: Duration = Duration::from_secs(2);

/// Returns what came of the scan; after a second Ctrl-C, or when it takes too long to keep what was read, what is said of
/// that.
async fn interruptible(
    context: &Context,
    work: impl Future<Output = Result<Outcome, ScanError>>,
    cancel: &CancellationToken,
    wishes: &mut Wishes,
) -> Result<Result<Outcome, ScanError>, &'static str> {
    tokio::pin!(work);
    tokio::select! {
        outcome = &mut work => return Ok(outcome),
        () = wishes.next() => cancel.cancel(),
    }
    context.term.status("stopping: what was read is being kept, in two seconds at most; Ctrl-C again stops at once");
    tokio::select! {
        outcome = &mut work => Ok(outcome),
        () = wishes.next() => Err("stopped at once: this scan left no snapshot"),
        () = tokio::time::sleep(TO_KEEP) => {
            Err("what was read could not be kept in two seconds: this scan left no snapshot, the last one stays the newest")
        }
    }
}

/// Returns the failure of a scan, with how to renew the credentials where they ended.
fn told(error: ScanError, context: &Context) -> Failure {
    let expired = matches!(error, ScanError::Expired { .. });
    let failure = Failure::from(error);
    if expired { failure.hint(sign_in(context.global.profile.as_deref())) } else { failure }
}

fn verdict(outcome: &Outcome, args: &Scan, context: &Context) -> Result<ExitCode, Failure> {
    let id = outcome.snapshot.id();
    if outcome.interrupted {
        return Err(Failure::new(Kind::Interrupted, format!("interrupted: what was read until then is in `{id}`"))
            .hint("leanlake scan reads the rest; days already read are not paid for again"));
    }
    if let Some(said) = &outcome.refused {
        let said = crate::model::text::terminal(said);
        let message = format!("the AWS credentials expired or lost their validity: `{id}` has gaps: {said}");
        return Err(Failure::new(Kind::Credentials, message)
            .hint(sign_in(context.global.profile.as_deref()))
            .hint("then `leanlake scan` reads the rest; days already read are not paid for again"));
    }
    if outcome.over_budget {
        let limit = args.limit(context).unwrap_or_default().human();
        return Err(Failure::new(
            Kind::Partly,
            format!("the scan stopped before it cost more than {limit}: `{id}` has gaps"),
        )
        .hint("raise it with `--max-cost USD`; `leanlake scan --estimate` says what a whole scan costs"));
    }
    Ok(ExitCode::SUCCESS)
}

impl From<ScanError> for Failure {
    fn from(error: ScanError) -> Failure {
        let message = crate::model::text::terminal(&error.to_string());
        match error {
            ScanError::Store(error) => error.into(),
            ScanError::AllDenied { missing, .. } => Failure::new(Kind::Credentials, message)
                .hint(format!("the role needs {}", missing.join(", ")))
                .hint("leanlake iam scan prints the whole policy"),
            ScanError::Expired { .. } => Failure::new(Kind::Credentials, message),
            ScanError::NothingSeen { .. } => {
                Failure::failed(message).hint("check the network, the proxy variables and `--endpoint-url`")
            }
            ScanError::NoFiles { .. } => Failure::failed(message).hint(
                "`--bill`, `--lens` and `--inventory` take a folder, a file or s3://bucket/prefix with such exports",
            ),
            ScanError::Interrupted => Failure::new(Kind::Interrupted, message),
            ScanError::NothingPaid { .. } => Failure::new(Kind::Partly, message)
                .hint("raise it with `--max-cost USD`; `leanlake scan --estimate` says what a whole scan costs"),
            ScanError::Lost | ScanError::Elsewhere { .. } => Failure::failed(message),
        }
    }
}
