//! `iam scan|apply`: prints the least-privilege IAM policy of each role. Asks AWS nothing.

use clap::{Args, Subcommand, ValueEnum};

use super::Context;
use crate::aws::act::WRITES;
use crate::aws::collect::READS;
use crate::aws::{iam, store};
use crate::error::{Failure, Kind};

/// Print the IAM policy that scanning or applying needs, and nothing more.
#[derive(Debug, Args)]
pub struct Iam {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// The role that reads. With `--store s3://…` it may also keep snapshots there.
    Scan(Shape),
    /// The role that applies and rolls back plans. With `--store s3://…` it may also write the journal there.
    Apply(Shape),
}

#[derive(Debug, Args)]
struct Shape {
    /// How the policy is written.
    #[arg(long = "as", value_name = "FORM", default_value = "json")]
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A policy document.
    Json,
}

/// Prints the policy.
pub fn run(iam: &Iam, context: &Context) -> Result<(), Failure> {
    let place = store_in_s3(context)?;
    let place = place.as_ref().map(|place| (place.bucket.as_str(), place.prefix.as_str()));
    let (policy, form) = match &iam.role {
        Role::Scan(shape) => (iam::scan(&READS.concat(), place), shape.form),
        Role::Apply(shape) => (iam::apply(WRITES, place), shape.form),
    };
    match form {
        Form::Json => context.term.data(&format!("{policy:#}")),
    }
}

fn store_in_s3(context: &Context) -> Result<Option<store::Place>, Failure> {
    let url = context.global.store.as_deref().filter(|url| url.starts_with("s3://"));
    let place = url.map(store::Place::parse).transpose();
    place.map_err(|error| Failure::new(Kind::Usage, error.to_string()))
}
