//! The command line: one file for each verb, its arguments beside its `run`. Wires the other modules; decides nothing.

mod amount;
mod apply;
mod assess;
mod config;
mod connect;
mod demo;
mod doctor;
mod findings;
mod hands;
mod iam;
mod init;
mod journal;
mod members;
mod open;
mod options;
mod plan;
mod policies;
mod prices;
mod query;
mod report;
mod rollback;
mod rows;
mod scan;
mod snapshots;
mod stop;
mod tui;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use tokio::sync::OnceCell;

pub use self::doctor::schema as doctor_schema;
use crate::config::Config;
use crate::error::{Failure, Kind};
use crate::store::Store;
use crate::term::{Term, Voice};

const START_HERE: &str = "\
Start here:
  leanlake report --demo    a weekly report on the built-in demo lake; no credentials
  leanlake scan             read your account into the store; changes nothing
  leanlake tui              look around";

/// Finds what an AWS data lake wastes, proves it from the bill, and fixes what is safe to fix.
#[derive(Debug, Parser)]
#[command(name = "leanlake", version, propagate_version = true, after_help = START_HERE)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Options that every verb takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Where snapshots, journal and runs are kept: a folder or s3://bucket/prefix.
    #[arg(long, global = true, env = "LEANLAKE_STORE", value_name = "DIR|S3_URL")]
    pub store: Option<String>,
    /// Use this snapshot instead of the newest.
    #[arg(long, global = true, value_name = "ID")]
    pub snapshot: Option<String>,
    /// Use the built-in demo lake: no credentials, no network, nothing kept.
    #[arg(long, global = true)]
    pub demo: bool,
    /// Read this configuration file, and neither leanlake.toml here nor the user's.
    #[arg(long, global = true, env = "LEANLAKE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Also load policies from this folder; the same id replaces a built-in one.
    #[arg(long, global = true, value_name = "DIR")]
    pub policies: Vec<PathBuf>,
    /// How data is written to standard output.
    #[arg(long, global = true, alias = "output", value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Take this day as today (the clock), UTC.
    #[arg(long, global = true, value_name = "DATE")]
    pub as_of: Option<NaiveDate>,
    /// AWS profile to use.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS Region to read; repeat for several.
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Vec<String>,
    /// Send all AWS requests to this endpoint instead of AWS.
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Say more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say less; twice for failures only.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "verbose")]
    pub quiet: u8,
    /// Draw no progress on standard error.
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// How data is written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns for people.
    Table,
    /// One JSON document with a published schema.
    Json,
    /// Comma-separated values, safe to open in a spreadsheet.
    Csv,
    /// Markdown, for a report.
    Markdown,
}

/// One verb for each step of the loop. Each variant holds the arguments that its file declares.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Find out who you are and what there is, and write a leanlake.toml; changes nothing in AWS.
    Init(init::Init),
    /// Find out which permissions are missing, what that hides, and whether the clock is right.
    Doctor(doctor::Doctor),
    /// Read the account into a new snapshot; changes nothing in AWS but the tables of `--engine athena`.
    Scan(Box<scan::Scan>),
    /// Make a plan from what is recommended, or show one; changes nothing.
    Plan(plan::Plan),
    /// Show what a plan changes, and make the change with --yes.
    Apply(apply::Apply),
    /// Show what taking back a run changes, and take it back with --yes.
    Rollback(rollback::Rollback),
    /// List the runs that changed something.
    Journal(journal::Journal),
    /// Write the built-in demo lake into an empty store, to try every verb on it.
    Demo(demo::Demo),
    /// What was found, best first, and the arithmetic of each.
    Findings(findings::Findings),
    /// Print the IAM policy that scanning or applying needs, and nothing more.
    Iam(iam::Iam),
    /// Ask the tables of a snapshot in SQL.
    Query(query::Query),
    /// List, show, prune and export snapshots.
    Snapshots(snapshots::Snapshots),
    /// See what leanlake looks for, test it, write your own.
    Policies(policies::Policies),
    /// Look up unit prices and where they were read; refresh them.
    Prices(prices::Prices),
    /// See what is set, and where from.
    Config(config::Show),
    /// Write the weekly report: what was spent, why, what to do first.
    Report(report::Report),
    /// Look around in a snapshot: spend, findings, a basket that becomes a plan.
    Tui(tui::Tui),
    /// Print the command line reference as Markdown.
    #[command(hide = true)]
    Reference,
}

async fn run(verb: Verb, context: &Context) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Init(init) => init::run(&init, context).await?,
        Verb::Doctor(doctor) => return doctor::run(&doctor, context).await,
        Verb::Scan(scan) => return scan::run(&scan, context).await,
        Verb::Plan(plan) => return plan::run(&plan, context).await,
        Verb::Apply(apply) => return apply::run(&apply, context).await,
        Verb::Rollback(rollback) => return rollback::run(&rollback, context).await,
        Verb::Journal(journal) => return journal::run(&journal, context).await,
        Verb::Demo(demo) => demo::run(&demo, context).await?,
        Verb::Findings(findings) => findings::run(&findings, context).await?,
        Verb::Iam(iam) => iam::run(&iam, context).await?,
        Verb::Query(query) => query::run(&query, context).await?,
        Verb::Snapshots(snapshots) => snapshots::run(&snapshots, context).await?,
        Verb::Policies(policies) => policies::run(&policies, context).await?,
        Verb::Config(show) => config::run(&show, context)?,
        Verb::Prices(prices) => return prices::run(&prices, context).await,
        Verb::Report(report) => report::run(&report, context).await?,
        Verb::Tui(tui) => tui::run(&tui, context).await?,
        Verb::Reference => context.term.data(&reference())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What every verb is run with.
pub struct Context {
    /// The options that every verb takes; what none said is filled in from `config`.
    pub global: Global,
    /// What is set, and where from.
    pub config: Config,
    /// Where data and talk go.
    pub term: Term,
    /// The demo lake of `--demo`, filled when it is first asked for.
    demo: OnceCell<Store>,
}

impl Context {
    fn new(global: Global, config: Config) -> Self {
        let term = Context::term(&global);
        Context { global, config, term, demo: OnceCell::new() }
    }

    fn term(global: &Global) -> Term {
        let voice = match (global.verbose, global.quiet) {
            (0, 0) => Voice::Normal,
            (0, 1) => Voice::Warnings,
            (0, _) => Voice::Failures,
            _ => Voice::Verbose,
        };
        Term::new(voice, global.no_progress, no_color()).in_locale(locale().as_deref())
    }

    /// Returns the clock of what is read and thought: the start of the day of `--as-of`, or now. Never a guard's.
    pub fn now(&self) -> DateTime<Utc> {
        self.global.as_of.map_or_else(wall_clock, |day| day.and_time(NaiveTime::MIN).and_utc())
    }

    /// Returns the real time, whatever `--as-of` says: it decides what is too old to act on, what may be deleted, and
    /// when something was done.
    pub fn real_time(&self) -> DateTime<Utc> {
        wall_clock()
    }

    /// Returns the format asked for; without one, the first that the verb offers.
    ///
    /// # Errors
    /// A format that this verb does not write.
    pub fn format(&self, offered: &[Format]) -> Result<Format, Failure> {
        let asked = self.global.format.or(offered.first().copied()).unwrap_or(Format::Table);
        if offered.contains(&asked) {
            return Ok(asked);
        }
        let names = offered.iter().filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()));
        Err(Failure::new(Kind::Usage, "this verb does not write that format")
            .hint(format!("use --format {}", names.collect::<Vec<_>>().join(" or --format "))))
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge: every clock inside is an argument that comes from here")]
fn wall_clock() -> DateTime<Utc> {
    Utc::now()
}

/// Runs the command line and returns the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = Cli::command().try_get_matches_from(arguments);
    let read = parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (mut cli, matches) = match read {
        Ok(read) => read,
        Err(refused) => return usage(&refused),
    };
    let context = match config::settle(&mut cli.global, &matches) {
        Ok(settled) => Context::new(cli.global, settled),
        Err(failure) => {
            Context::term(&cli.global).failure(&failure);
            return failure.kind.into();
        }
    };
    let ended = runtime().and_then(|runtime| {
        let ended = runtime.block_on(run(cli.verb, &context));
        // After a second Ctrl-C nothing that is still under way is waited for.
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(code) => code,
        Err(failure) => {
            context.term.failure(&failure);
            failure.kind.into()
        }
    }
}

/// Help and version are data and succeed; everything else that clap refuses is 64, not clap's 2, which here means
/// that a threshold was met. clap prints its own text: it knows the styles of its help.
fn usage(refused: &clap::Error) -> ExitCode {
    let _ = refused.print();
    if refused.use_stderr() { Kind::Usage.into() } else { ExitCode::SUCCESS }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("cannot start the threads that leanlake needs").caused_by(error))
}

/// Returns the reference of all verbs, from the same tree that prints `--help`.
pub fn reference() -> String {
    let mut root = Cli::command().term_width(100);
    root.build();
    let mut page = String::from("# Command line\n\nGenerated from `leanlake --help`.\n");
    describe(&mut root, &mut page);
    page
}

fn describe(command: &mut clap::Command, page: &mut String) {
    use std::fmt::Write;
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", command.render_long_help().to_string().trim_end());
    for verb in command.get_subcommands_mut().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
        describe(verb, page);
    }
}

/// Returns true when the reader asked for no colour (https://no-color.org).
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Returns what says how the terminal writes: the first of these that is set.
fn locale() -> Option<String> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).map(|value| value.to_string_lossy().into_owned())
}
