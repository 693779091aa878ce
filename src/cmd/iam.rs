//! `iam scan|apply`: prints the least-privilege IAM policy of each role, or the role as code. Asks AWS nothing.

use clap::{Args, Subcommand, ValueEnum};

use super::Context;
use crate::aws::act::WRITES;
use crate::aws::collect::READS;
use crate::aws::{client, iam, session, store};
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
    /// The database that `scan --engine athena` may make tables `leanlake_…` in. Needs `--athena-results`.
    #[arg(long, value_name = "NAME", requires = "athena_results")]
    athena_database: Option<String>,
    /// The workgroup that those queries run in.
    #[arg(long, value_name = "NAME", default_value = "primary", requires = "athena_database")]
    athena_workgroup: String,
    /// Where that workgroup writes results.
    #[arg(long, value_name = "s3://BUCKET/PREFIX", requires = "athena_database")]
    athena_results: Option<String>,
}

#[derive(Clone, Debug, Args)]
struct Shape {
    /// How it is written.
    #[arg(long = "as", value_name = "FORM", default_value = "json")]
    form: Form,
    /// The partition of the ARNs in JSON: aws, aws-cn, aws-us-gov. Without it, that of --region, of leanlake.toml, of the
    /// environment or of the profile. The other forms are right in every partition.
    #[arg(long, value_name = "PARTITION", value_parser = partition_name)]
    partition: Option<String>,
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
pub async fn run(iam: &Iam, context: &Context) -> Result<(), Failure> {
    let store = store_in_s3(context)?;
    let store = store.as_ref().map(folder);
    let (role, policy, shape) = match &iam.role {
        Role::Scan(scanning) => {
            let exports = scanning.export.iter().map(|url| place(url)).collect::<Result<Vec<_>, _>>()?;
            let exports = exports.iter().map(folder).collect();
            let results = scanning.athena_results.as_deref().map(place).transpose()?;
            let athena = scanning.athena_database.as_deref().zip(results.as_ref()).map(|(database, results)| {
                iam::OnAthena { database, workgroup: &scanning.athena_workgroup, results: folder(results) }
            });
            let reach = iam::Reach { store, exports, members: scanning.members.as_deref(), athena };
            (iam::role::Role::Scan, iam::scan(&READS.concat(), &reach), &scanning.shape)
        }
        Role::Apply(shape) => (iam::role::Role::Apply, iam::apply(WRITES, store), shape),
    };
    context.term.data(&match shape.form {
        Form::Json => format!("{:#}", iam::in_partition(policy, &partition(shape, context).await)),
        Form::Terraform => iam::role::terraform(role, &policy),
        Form::Cloudformation => format!("{:#}", iam::role::cloudformation(role, &policy)),
    })
}

/// Returns the partition that is named, else that of the Region that a scan would begin in. Asks AWS nothing.
async fn partition(shape: &Shape, context: &Context) -> String {
    if let Some(named) = &shape.partition {
        return named.clone();
    }
    let region = session::region_of(&context.who()).await;
    client::partition(&region.unwrap_or_default()).to_owned()
}

fn folder(place: &store::Place) -> iam::Folder<'_> {
    (place.bucket.as_str(), place.prefix.as_str())
}

/// Partitions are named `aws`, `aws-cn`, `aws-us-gov`: a word or several.
fn partition_name(name: &str) -> Result<String, String> {
    let rest = name.strip_prefix("aws").map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    let fits = rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
    let known = fits && (name == "aws" || name.starts_with("aws-")) && !name.ends_with('-');
    if known { Ok(name.to_owned()) } else { Err("not a partition, such as aws, aws-cn or aws-us-gov".to_owned()) }
}

/// IAM names a role with these characters (IAM API reference, CreateRole); a path may stand before it.
fn role_name(name: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
    let empty = name.ends_with('/') || name.contains("//");
    if name.is_empty() || empty || !name.chars().all(fits) {
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
