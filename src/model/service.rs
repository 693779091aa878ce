//! The services of a data lake, as Cost Explorer's dimension `SERVICE` and the bill's product names have them.

/// S3.
pub const S3: &str = "Amazon Simple Storage Service";
/// Athena.
pub const ATHENA: &str = "Amazon Athena";
/// Glue.
pub const GLUE: &str = "AWS Glue";
/// EMR on EC2, on EKS and Serverless: the charge of EMR itself.
pub const EMR: &str = "Amazon Elastic MapReduce";
/// EMR Serverless, where it has a line of its own.
pub const EMR_SERVERLESS: &str = "Amazon EMR Serverless";
/// Redshift, provisioned and serverless.
pub const REDSHIFT: &str = "Amazon Redshift";
/// NAT gateways, transfer between zones and Regions, EBS.
pub const EC2_OTHER: &str = "EC2 - Other";
/// Interface endpoints, public addresses, transit gateways.
pub const VPC: &str = "Amazon Virtual Private Cloud";
/// Network Firewall.
pub const NETWORK_FIREWALL: &str = "AWS Network Firewall";

/// The vaults of S3 Glacier, and archive classes of S3 where they stand on a line of their own.
pub const GLACIER: &str = "Amazon Glacier";

/// Services of a data lake. What runs on EC2 or in a VPC is not told apart here.
pub const LAKE: [&str; 13] = [
    S3,
    ATHENA,
    GLUE,
    "AWS Lake Formation",
    EMR,
    EMR_SERVERLESS,
    REDSHIFT,
    "Amazon Kinesis Firehose",
    "Amazon Kinesis",
    "Amazon Managed Streaming for Apache Kafka",
    "Amazon Managed Workflows for Apache Airflow",
    GLACIER,
    "Amazon Simple Storage Service Glacier",
];

/// EC2's instance hours, which Cost Explorer tells apart from [`EC2_OTHER`].
pub const EC2: &str = "Amazon Elastic Compute Cloud - Compute";

/// Product codes of the exports of the bill and what Cost Explorer calls the same service (AWS, "Line item columns":
/// `lineItem/ProductCode`). EC2 is two services in Cost Explorer: see [`EC2`].
pub const CODES: [(&str, &str); 16] = [
    ("AWSGlue", GLUE),
    ("AWSLakeFormation", "AWS Lake Formation"),
    ("AWSNetworkFirewall", NETWORK_FIREWALL),
    ("AWSQueueService", "Amazon Simple Queue Service"),
    ("AmazonAthena", ATHENA),
    ("AmazonCloudWatch", "AmazonCloudWatch"),
    ("AmazonGlacier", GLACIER),
    ("AmazonKinesis", "Amazon Kinesis"),
    ("AmazonKinesisFirehose", "Amazon Kinesis Firehose"),
    ("AmazonMSK", "Amazon Managed Streaming for Apache Kafka"),
    ("AmazonMWAA", "Amazon Managed Workflows for Apache Airflow"),
    ("AmazonRedshift", REDSHIFT),
    ("AmazonS3", S3),
    ("AmazonVPC", VPC),
    ("ElasticMapReduce", EMR),
    ("awskms", "AWS Key Management Service"),
];

/// Returns true for the services of a data lake.
pub fn is_lake(service: &str) -> bool {
    LAKE.contains(&service)
}

/// Returns true for what of [`EC2_OTHER`] is network and no disk: NAT gateways, endpoints, transit gateways, transfer.
pub fn is_network(usage_type: &str) -> bool {
    [
        "NatGateway",
        "VpcEndpoint",
        "TransitGateway",
        "VpcPeering",
        "DataTransfer",
        "-In-Bytes",
        "-Out-Bytes",
        "-Regional-Bytes",
    ]
    .iter()
    .any(|kind| usage_type.contains(kind))
}
