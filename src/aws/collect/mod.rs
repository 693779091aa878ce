//! The contract of a collector: it reads one AWS service and fills tables through a sink.
//!
//! A collector declares each call it makes in `READS`, turns a failed call into a gap, and never fails as a whole.

pub mod advice;
pub mod allowance;
pub mod ask;
pub mod athena;
pub mod billing_views;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod cost_explorer;
pub mod emr;
pub mod emr_serverless;
pub mod exports;
pub mod failure;
pub mod glue;
pub mod heard;
pub mod instant;
pub mod network;
pub mod organization;
pub mod outcome;
pub mod pages;
pub mod read;
pub mod redshift;
pub mod redshift_serverless;
pub mod refusals;
pub mod s3;
pub mod scope;
pub mod sink;
pub mod tags;

pub use allowance::{Allowance, Budget};
pub use failure::{Failed, Trouble};
pub use heard::Heard;
pub use read::Read;
pub use scope::{Options, Place, Scope};
pub use sink::{Piece, Sink};

use crate::model::service;

/// Every call that a scan makes, by collector. The connector's allowlist and the printed IAM policy are made from it.
pub const READS: &[&[Read]] = &[
    cost_explorer::READS,
    exports::READS,
    organization::READS,
    s3::READS,
    cloudwatch::READS,
    athena::READS,
    glue::READS,
    network::READS,
    cloudtrail::READS,
    advice::READS,
    emr::READS,
    emr_serverless::READS,
    redshift::READS,
    redshift_serverless::READS,
];

/// When a collector runs, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// First, once: the bill says which Regions and services to look at.
    Bill,
    /// Second, once: buckets say in which Regions they are.
    Buckets,
    /// After the bill, once, where more than one account is read: which accounts there are.
    Organization,
    /// Last, once: services with one endpoint for the whole account.
    Global,
    /// Last, in each Region.
    Regional,
}

/// One service that a scan reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collector {
    /// Cost Explorer.
    Bill,
    /// Exports of the bill.
    Exports,
    /// The accounts of the organization.
    Organization,
    /// Buckets, their settings and unfinished uploads.
    S3,
    /// Storage metrics.
    Storage,
    /// Workgroups and query history.
    Athena,
    /// Glue jobs, the Data Catalog, crawlers, sessions.
    Glue,
    /// VPCs, routes, endpoints, NAT gateways.
    Network,
    /// Who changed lifecycle configurations.
    Trail,
    /// What AWS's own advisers say.
    Advice,
    /// EMR clusters.
    Emr,
    /// EMR Serverless applications and job runs.
    EmrServerless,
    /// Redshift clusters.
    Redshift,
    /// Workgroups of Redshift Serverless.
    RedshiftServerless,
}

impl Collector {
    /// Those that `--only` chooses from, in the order in which they run.
    pub const ALL: [Collector; 13] = [
        Collector::Bill,
        Collector::Exports,
        Collector::S3,
        Collector::Storage,
        Collector::Athena,
        Collector::Glue,
        Collector::Network,
        Collector::Trail,
        Collector::Advice,
        Collector::Emr,
        Collector::EmrServerless,
        Collector::Redshift,
        Collector::RedshiftServerless,
    ];

    /// Returns the name that `--only` takes and progress shows.
    pub const fn name(self) -> &'static str {
        match self {
            Collector::Bill => "bill",
            Collector::Exports => "exports",
            Collector::Organization => "organization",
            Collector::S3 => "s3",
            Collector::Storage => "cloudwatch",
            Collector::Athena => "athena",
            Collector::Glue => "glue",
            Collector::Network => "network",
            Collector::Trail => "cloudtrail",
            Collector::Advice => "advice",
            Collector::Emr => "emr",
            Collector::EmrServerless => "emr-serverless",
            Collector::Redshift => "redshift",
            Collector::RedshiftServerless => "redshift-serverless",
        }
    }

    /// Returns the collector that `name` means.
    pub fn parse(name: &str) -> Option<Self> {
        Collector::ALL.into_iter().find(|collector| collector.name() == name)
    }

    /// Returns what it calls.
    pub const fn reads(self) -> &'static [Read] {
        match self {
            Collector::Bill => cost_explorer::READS,
            Collector::Exports => exports::READS,
            Collector::Organization => organization::READS,
            Collector::S3 => s3::READS,
            Collector::Storage => cloudwatch::READS,
            Collector::Athena => athena::READS,
            Collector::Glue => glue::READS,
            Collector::Network => network::READS,
            Collector::Trail => cloudtrail::READS,
            Collector::Advice => advice::READS,
            Collector::Emr => emr::READS,
            Collector::EmrServerless => emr_serverless::READS,
            Collector::Redshift => redshift::READS,
            Collector::RedshiftServerless => redshift_serverless::READS,
        }
    }

    /// Returns the services whose dollars say how much a read of it matters, as Cost Explorer names them; none for what is
    /// read whatever it costs.
    pub const fn billed_as(self) -> &'static [&'static str] {
        match self {
            Collector::Bill | Collector::Exports | Collector::Organization | Collector::Trail | Collector::Advice => {
                &[]
            }
            Collector::S3 | Collector::Storage => &[service::S3],
            Collector::Athena => &[service::ATHENA],
            Collector::Glue => &[service::GLUE],
            Collector::Emr | Collector::EmrServerless => &[service::EMR, service::EMR_SERVERLESS],
            Collector::Redshift | Collector::RedshiftServerless => &[service::REDSHIFT],
            Collector::Network => &[service::EC2_OTHER, service::VPC, service::NETWORK_FIREWALL],
        }
    }

    /// Returns in which phase of a scan it runs, and how often.
    pub const fn reach(self) -> Reach {
        match self {
            Collector::Bill | Collector::Exports => Reach::Bill,
            Collector::Organization => Reach::Organization,
            Collector::S3 => Reach::Buckets,
            Collector::Storage
            | Collector::Athena
            | Collector::Glue
            | Collector::Network
            | Collector::Trail
            | Collector::Emr
            | Collector::EmrServerless
            | Collector::Redshift
            | Collector::RedshiftServerless => Reach::Regional,
            Collector::Advice => Reach::Global,
        }
    }

    /// Returns true for what is read account by account, the dearest first.
    pub fn is_detail(self) -> bool {
        !matches!(self.reach(), Reach::Bill | Reach::Organization)
    }

    /// Reads the service into `sink`, for the scope's account and Region.
    pub async fn collect(self, scope: Scope, sink: Sink) {
        match self {
            Collector::Bill => drop(cost_explorer::collect(&scope, &sink).await),
            Collector::Exports => drop(exports::collect(&scope, &sink).await),
            Collector::Organization => drop(organization::collect(&scope, &sink).await),
            Collector::S3 => drop(s3::collect(&scope, &sink).await),
            Collector::Storage => cloudwatch::collect(&scope, &sink).await,
            Collector::Athena => athena::collect(&scope, &sink).await,
            Collector::Glue => glue::collect(&scope, &sink).await,
            Collector::Network => network::collect(&scope, &sink).await,
            Collector::Trail => cloudtrail::collect(&scope, &sink).await,
            Collector::Advice => advice::collect(&scope, &sink).await,
            Collector::Emr => emr::collect(&scope, &sink).await,
            Collector::EmrServerless => emr_serverless::collect(&scope, &sink).await,
            Collector::Redshift => redshift::collect(&scope, &sink).await,
            Collector::RedshiftServerless => redshift_serverless::collect(&scope, &sink).await,
        }
    }
}
