//! The demo's organisation: its accounts, Regions and buckets by name, layer and owner. Names only, no behaviour.

use super::DemoOptions;
use super::random::Random;

/// An account of the demo's organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Account id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// True when the scan could read it.
    pub scanned: bool,
}

/// Pays for all: Cost Explorer is asked here.
pub const PAYER: &str = "111122223333";
/// Holds raw and curated data.
pub const PLATFORM: &str = "222233334444";
/// Holds marts and dashboards.
pub const ANALYTICS: &str = "333344445555";
/// Holds models and experiments.
pub const SCIENCE: &str = "444455556666";
/// Spends too, but let nobody in.
pub const SANDBOX: &str = "555566667777";

/// Every account of the organisation.
pub const ACCOUNTS: &[Account] = &[
    Account { id: PAYER, name: "northwind-payer", scanned: true },
    Account { id: PLATFORM, name: "northwind-data-platform", scanned: true },
    Account { id: ANALYTICS, name: "northwind-analytics", scanned: true },
    Account { id: SCIENCE, name: "northwind-data-science", scanned: true },
    Account { id: SANDBOX, name: "northwind-sandbox", scanned: false },
];

/// N. Virginia, where most of the lake lies.
pub const VIRGINIA: &str = "us-east-1";
/// Ireland.
pub const IRELAND: &str = "eu-west-1";
/// Frankfurt.
pub const FRANKFURT: &str = "eu-central-1";
/// Tokyo, where CloudWatch throttles the scan.
pub const TOKYO: &str = "ap-northeast-1";

/// The Regions of the lake with their prefixes on usage types.
pub const REGIONS: &[(&str, &str)] = &[(VIRGINIA, ""), (IRELAND, "EU-"), (FRANKFURT, "EUC1-"), (TOKYO, "APN1-")];

/// What a bucket is for; decides how its objects live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// What arrives: written once, read soon, kept.
    Raw,
    /// Cleaned tables, compacted now and then.
    Curated,
    /// Small tables that are rewritten every day.
    Mart,
    /// Logs that nobody reads.
    Logs,
    /// Results of Athena queries.
    AthenaResults,
    /// Scratch space of Spark jobs.
    Tmp,
    /// Training data, features, checkpoints of models.
    Ml,
    /// Dumps of databases.
    Backup,
    /// Files for partners.
    Export,
    /// Corners of teams and projects, some of them over.
    Scratch,
    /// State of streaming jobs: many small objects.
    Streaming,
}

/// A bucket before it has a life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    /// Account.
    pub account: &'static str,
    /// Region.
    pub region: &'static str,
    /// Name.
    pub name: String,
    /// What it is for.
    pub layer: Layer,
    /// Who answers for it, by what was written into the tag.
    pub owner: Option<&'static str>,
}

/// Domains of the business with home Region and owner.
const DOMAINS: &[(&str, &str, Option<&str>)] = &[
    ("events", VIRGINIA, Some("team-ingest")),
    ("orders", VIRGINIA, Some("team-commerce")),
    ("payments", VIRGINIA, Some("team-payments")),
    ("catalog", VIRGINIA, Some("team-commerce")),
    ("ads", VIRGINIA, Some("team-growth")),
    ("search", VIRGINIA, Some("team-search")),
    ("telemetry", VIRGINIA, Some("team-devices")),
    ("mobile", VIRGINIA, Some("team-devices")),
    ("fraud", VIRGINIA, Some("team-risk")),
    ("crm", IRELAND, Some("team-growth")),
    ("inventory", IRELAND, None),
    ("shipping", IRELAND, Some("team-logistics")),
    ("web", IRELAND, Some("team-ingest")),
    ("support", IRELAND, None),
    ("finance", FRANKFURT, Some("team-finance")),
    ("hr", FRANKFURT, Some("team-people")),
    ("iot", TOKYO, Some("team-devices")),
    ("pricing", TOKYO, Some("team-commerce")),
];

/// Accounts and Regions with workloads of their own.
const SITES: &[(&str, &str)] = &[
    (PLATFORM, VIRGINIA),
    (PLATFORM, IRELAND),
    (PLATFORM, FRANKFURT),
    (PLATFORM, TOKYO),
    (ANALYTICS, VIRGINIA),
    (ANALYTICS, IRELAND),
    (SCIENCE, VIRGINIA),
];

/// What every site has.
const SITE_BUCKETS: &[(&str, Layer)] = &[
    ("logs-cloudtrail", Layer::Logs),
    ("logs-s3-access", Layer::Logs),
    ("logs-emr", Layer::Logs),
    ("athena-results", Layer::AthenaResults),
    ("tmp-spark", Layer::Tmp),
    ("glue-assets", Layer::Scratch),
];

/// Single buckets. The last ones are there to break careless output: old names, long names, names that look like links,
/// and tags written by people with a sense of humour.
const SINGLES: &[(&str, &str, &str, Layer, Option<&str>)] = &[
    (SCIENCE, VIRGINIA, "ml-features", Layer::Ml, Some("team-ml")),
    (SCIENCE, VIRGINIA, "ml-embeddings", Layer::Ml, Some("team-ml")),
    (SCIENCE, VIRGINIA, "ml-checkpoints", Layer::Ml, Some("team-ml")),
    (SCIENCE, VIRGINIA, "ml-training-sets", Layer::Ml, Some("team-ml")),
    (SCIENCE, VIRGINIA, "ml-experiments", Layer::Ml, None),
    (SCIENCE, VIRGINIA, "ml-notebooks", Layer::Ml, None),
    (SCIENCE, VIRGINIA, "ml-models", Layer::Ml, Some("team-ml")),
    (SCIENCE, VIRGINIA, "ml-labels", Layer::Ml, Some("team-ml")),
    (SCIENCE, VIRGINIA, "ml-evals", Layer::Ml, Some("team-ml")),
    (SCIENCE, VIRGINIA, "ml-images", Layer::Ml, Some("team-vision")),
    (SCIENCE, VIRGINIA, "ml-audio", Layer::Ml, Some("team-vision")),
    (SCIENCE, IRELAND, "ml-eu-features", Layer::Ml, Some("team-ml")),
    (SCIENCE, IRELAND, "ml-eu-training-sets", Layer::Ml, Some("team-ml")),
    (PLATFORM, VIRGINIA, "ml-feature-store-offline", Layer::Ml, Some("team-ml")),
    (PLATFORM, VIRGINIA, "ml-inference-capture", Layer::Ml, Some("team-risk")),
    (PLATFORM, VIRGINIA, "backup-orders-db", Layer::Backup, Some("team-commerce")),
    (PLATFORM, VIRGINIA, "backup-payments-db", Layer::Backup, Some("team-payments")),
    (PLATFORM, VIRGINIA, "backup-warehouse", Layer::Backup, Some("team-platform")),
    (PLATFORM, VIRGINIA, "backup-kafka", Layer::Backup, Some("team-ingest")),
    (PLATFORM, IRELAND, "backup-crm-db", Layer::Backup, Some("team-growth")),
    (PLATFORM, IRELAND, "backup-mongo", Layer::Backup, None),
    (PLATFORM, FRANKFURT, "backup-legacy-dwh", Layer::Backup, Some("team-finance")),
    (PLATFORM, VIRGINIA, "backup-hive-metastore", Layer::Backup, Some("team-platform")),
    (ANALYTICS, VIRGINIA, "export-partners", Layer::Export, Some("team-partners")),
    (ANALYTICS, FRANKFURT, "export-regulators", Layer::Export, Some("team-finance")),
    (ANALYTICS, VIRGINIA, "export-clean-room", Layer::Export, Some("team-growth")),
    (ANALYTICS, IRELAND, "export-crm-sync", Layer::Export, Some("team-growth")),
    (ANALYTICS, VIRGINIA, "export-datashare", Layer::Export, None),
    (PLATFORM, VIRGINIA, "stream-flink-state", Layer::Streaming, Some("team-ingest")),
    (PLATFORM, VIRGINIA, "stream-kafka-connect", Layer::Streaming, Some("team-ingest")),
    (PLATFORM, IRELAND, "stream-spark-state", Layer::Streaming, Some("team-ingest")),
    (PLATFORM, VIRGINIA, "lakehouse-iceberg-main", Layer::Curated, Some("team-platform")),
    (PLATFORM, IRELAND, "lakehouse-iceberg-eu", Layer::Curated, Some("team-platform")),
    (PLATFORM, VIRGINIA, "lakehouse-delta-poc", Layer::Curated, None),
    (ANALYTICS, VIRGINIA, "scratch-growth", Layer::Scratch, Some("team-growth")),
    (ANALYTICS, VIRGINIA, "scratch-risk", Layer::Scratch, Some("team-risk")),
    (ANALYTICS, IRELAND, "scratch-emea", Layer::Scratch, None),
    (PLATFORM, VIRGINIA, "migration-2025-hadoop", Layer::Raw, None),
    (SCIENCE, VIRGINIA, "hackathon-2024", Layer::Scratch, None),
    (ANALYTICS, VIRGINIA, "Legacy_Reports__OLD_", Layer::Export, Some("=HYPERLINK(\"http://evil.test\",\"owner\")")),
    (ANALYTICS, VIRGINIA, "www.nw-open-data.test", Layer::Export, Some("@team | <script>alert(1)</script>")),
    (PLATFORM, VIRGINIA, "nw--logs..central--", Layer::Logs, Some("team`ops`\u{1b}[31m\u{1b}]0;owned\u{7}")),
    (
        PLATFORM,
        IRELAND,
        "nw-raw-clickstream-consolidated-all-brands-all-markets-since-2019",
        Layer::Raw,
        Some("team-ingest\nteam-\u{202e}tsegni"),
    ),
];

/// Returns every bucket of the demo, `scale` times the organisation.
pub fn plots(options: &DemoOptions) -> Vec<Plot> {
    (1..=options.scale.max(1)).flat_map(|copy| organisation(options.seed, copy)).collect()
}

fn organisation(seed: u64, copy: u32) -> Vec<Plot> {
    let layers =
        [("raw", Layer::Raw, PLATFORM), ("curated", Layer::Curated, PLATFORM), ("mart", Layer::Mart, ANALYTICS)];
    let domains = DOMAINS.iter().flat_map(|&(domain, region, owner)| {
        layers.map(|(word, layer, account)| plot(account, region, &format!("{word}-{domain}"), layer, owner))
    });
    let sites = SITES.iter().flat_map(|&(account, region)| {
        SITE_BUCKETS.iter().map(move |&(word, layer)| {
            let name = format!("{word}-{}-{region}", &account[..4]);
            let owner = Random::new(seed, &name).chance(600).then_some("team-platform");
            plot(account, region, &name, layer, owner)
        })
    });
    let singles =
        SINGLES.iter().map(|&(account, region, name, layer, owner)| plot(account, region, name, layer, owner));
    let named = |mut plot: Plot| {
        if copy > 1 {
            plot.name = format!("{}-{copy}", plot.name.trim_end_matches(['-', '_', '.']));
        }
        plot
    };
    domains.chain(sites).chain(singles).map(named).collect()
}

fn plot(account: &'static str, region: &'static str, name: &str, layer: Layer, owner: Option<&'static str>) -> Plot {
    let name = if name.contains(['_', '.']) || name.len() > 40 { name.to_owned() } else { format!("nw-{name}") };
    Plot { account, region, name, layer, owner }
}
