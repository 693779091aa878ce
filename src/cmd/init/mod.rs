//! `init`: says who this is and what there is, and writes a commented `leanlake.toml`. Asks what is free.
//!
//! Never overwrites a file unless told to, and changes nothing in AWS.

mod notes;

use std::fs::OpenOptions;
use std::io::{self, Write};

use clap::Args;

use super::connect::Purpose;
use super::{Context, Format};
use crate::aws::collect::Options;
use crate::aws::connector::Connector;
use crate::aws::discover::{SAMPLE, discover};
use crate::aws::scan::accounts::Accounts;
use crate::aws::scan::{Order, prepare};
use crate::aws::session::Session;
use crate::config::{self, PROJECT_FILE, REGIONS, Value};
use crate::error::{Failure, Kind};
use crate::rollup::Runner;

/// Find out who you are and what there is, and write a commented leanlake.toml; changes nothing in AWS.
///
/// Asks what is free, and the list of buckets, which is half a thousandth of a cent for a thousand. What --store, --profile
/// and --region say is set in the file; everything else in it is a comment.
#[derive(Clone, Copy, Debug, Args)]
pub struct Init {
    /// Overwrite leanlake.toml where there is one.
    #[arg(long)]
    force: bool,
    /// Print the file instead of writing it.
    #[arg(long, conflicts_with = "force")]
    print: bool,
}

/// Looks, and writes the file.
pub async fn run(args: &Init, context: &Context) -> Result<(), Failure> {
    context.format(&[Format::Table])?;
    if context.global.demo {
        return Err(Failure::new(Kind::Usage, "the demo lake needs no configuration").hint("leanlake report --demo"));
    }
    if !args.print && !args.force && std::path::Path::new(PROJECT_FILE).exists() {
        return Err(taken());
    }
    let mut setup = context.setup(Purpose::Discover)?;
    setup.sample = Some(SAMPLE);
    let session = Session::open(&context.who(), Connector::new(setup)).await?;
    if let Some(banner) = session.configured_origin().banner() {
        context.term.warn(&banner);
    }
    let (accounts, options) = (Accounts::Own, Options::default());
    let order = Order {
        as_of: context.now(),
        collectors: [].into(),
        accounts,
        role: None,
        all: false,
        bills: Vec::new(),
        lens: Vec::new(),
        inventories: Vec::new(),
        runner: Runner::Here,
        options,
    };
    let (scope, _) = prepare(&session, &context.store().await?, &order).await?;
    let found = discover(&scope).await;
    let notes = notes::notes(&session, &found);
    let head = format!("leanlake.toml, written by `leanlake init` on {}.", context.now().date_naive());
    let head = [head, "`leanlake config show --origin` prints what counts, and where it is from.".to_owned()];
    let comments = [&head[..], &[String::new()], &notes].concat();
    let regions = Value::Texts(found.regions.keys().cloned().collect());
    let text = config::template(&comments, context.config.settled(), &[(&REGIONS, regions)]);
    if args.print {
        return context.term.data(&text);
    }
    write(&text, args.force)?;
    context.term.data(&notes.join("\n"))?;
    context.term.status(&format!("wrote `{PROJECT_FILE}`"));
    context.term.hint("leanlake doctor tries every permission; leanlake scan --estimate says what a scan costs");
    Ok(())
}

fn taken() -> Failure {
    Failure::failed(format!("there is a `{PROJECT_FILE}` here already"))
        .hint("`--print` shows what would be written; `--force` overwrites it")
}

fn write(text: &str, force: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let written = options.open(PROJECT_FILE).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => taken(),
        _ => Failure::failed(format!("cannot write `{PROJECT_FILE}`")).caused_by(error),
    })
}
