//! `iam scan|apply`: prints the least-privilege IAM policy of each role, or the role as code. Asks AWS nothing.

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
    Scan(Scanning),
    /// The role that applies and rolls back plans. With `--store s3://…` it may also write the journal there.
    Apply(Shape),
}

#[derive(Debug, Args)]
struct Scanning {
    #[command(flatten)]
    shape: Shape,
    /// An export that may be read: a bill, Storage Lens, an inventory. May be given more than once.
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    export: Vec<String>,
    /// Name of the role that may be assumed in other accounts, for `scan --accounts`.
    #[arg(long, value_name = "ROLE", value_parser = role_name)]
    members: Option<String>,
}

#[derive(Clone, Copy, Debug, Args)]
struct Shape {
    /// How it is written.
    #[arg(long = "as", value_name = "FORM", default_value = "json")]
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The policy document alone.
    Json,
    /// A Terraform file that makes the role.
    Terraform,
    /// A CloudFormation template that makes the role; as a stack set, in many accounts.
    Cloudformation,
}

/// Prints the role.
pub fn run(iam: &Iam, context: &Context) -> Result<(), Failure> {
    let store = store_in_s3(context)?;
    let store = store.as_ref().map(folder);
    let (role, policy, form) = match &iam.role {
        Role::Scan(scanning) => {
            let exports = scanning.export.iter().map(|url| place(url)).collect::<Result<Vec<_>, _>>()?;
            let exports = exports.iter().map(folder).collect();
            let reach = iam::Reach { store, exports, members: scanning.members.as_deref() };
            (iam::role::Role::Scan, iam::scan(&READS.concat(), &reach), scanning.shape.form)
        }
        Role::Apply(shape) => (iam::role::Role::Apply, iam::apply(WRITES, store), shape.form),
    };
    context.term.data(&match form {
        Form::Json => format!("{policy:#}"),
        Form::Terraform => iam::role::terraform(role, &policy),
        Form::Cloudformation => format!("{:#}", iam::role::cloudformation(role, &policy)),
    })
}

fn folder(place: &store::Place) -> iam::Folder<'_> {
    (place.bucket.as_str(), place.prefix.as_str())
}

/// IAM names a role with these characters (IAM API reference, CreateRole); a path may stand before it.
fn role_name(name: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
    if name.is_empty() || !name.chars().all(fits) {
        Err("not the name of a role".to_owned())
    } else {
        Ok(name.to_owned())
    }
}

fn place(url: &str) -> Result<store::Place, Failure> {
    store::Place::parse(url).map_err(|error| Failure::new(Kind::Usage, error.to_string()))
}

fn store_in_s3(context: &Context) -> Result<Option<store::Place>, Failure> {
    context.global.store.as_deref().filter(|url| url.starts_with("s3://")).map(place).transpose()
}
