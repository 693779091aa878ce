//! SDK clients: each carries the tag that tells the connector who asks for what.
//!
//! The only place where clients are built; a client without a tag gets nothing past the connector.

use aws_sdk_cloudwatch::config::Region;
use aws_sdk_s3control::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use crate::aws::connector::{Role, Tag};

/// Returns the Region of the one endpoint that Cost Explorer, Organizations, Billing, Budgets and Cost Optimization Hub each have
/// in the partition of `region` (`partitions.json` of the AWS SDKs).
pub fn home_region(region: &str) -> &'static str {
    let homes = [
        ("cn-", "cn-northwest-1"),
        ("eusc-", "eusc-de-east-1"),
        ("us-gov-", "us-gov-west-1"),
        ("us-iso-", "us-iso-east-1"),
        ("us-isob-", "us-isob-east-1"),
        ("us-isof-", "us-isof-south-1"),
        ("eu-isoe-", "eu-isoe-west-1"),
    ];
    homes.into_iter().find(|(start, _)| region.starts_with(start)).map_or("us-east-1", |(_, home)| home)
}

/// Returns the partition of `region`, as ARNs name it (`partitions.json` of the AWS SDKs).
pub fn partition(region: &str) -> &'static str {
    let partitions = [
        ("cn-", "aws-cn"),
        ("eusc-", "aws-eusc"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
    ];
    partitions.into_iter().find(|(start, _)| region.starts_with(start)).map_or("aws", |(_, partition)| partition)
}

/// Returns `sdk` for another Region.
pub fn in_region(sdk: &SdkConfig, region: &str) -> SdkConfig {
    sdk.to_builder().region(Region::new(region.to_owned())).build()
}

/// Returns the S3 client of `sdk`. A custom endpoint gets bucket names in the path: its host has no name for each bucket.
pub fn s3(sdk: &SdkConfig, tag: Tag) -> aws_sdk_s3::Client {
    let custom = endpoint(sdk, "S3").is_some();
    let config = aws_sdk_s3::config::Builder::from(sdk).interceptor(tag).force_path_style(custom);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// Returns the S3 Control client of `sdk`. AWS wants the account in the host's name; a custom endpoint gets the requests
/// under the name that it has.
pub fn s3control(sdk: &SdkConfig, tag: Tag) -> aws_sdk_s3control::Client {
    let mut config = aws_sdk_s3control::config::Builder::from(sdk).interceptor(tag);
    if let Some(url) = endpoint(sdk, "S3 Control") {
        config = config.endpoint_resolver(Fixed(url));
    }
    aws_sdk_s3control::Client::from_conf(config.build())
}

/// One endpoint for every account.
#[derive(Debug)]
struct Fixed(String);

impl ResolveEndpoint for Fixed {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.trim_end_matches('/').to_owned()).build()))
    }
}

/// Returns the CloudWatch client of `sdk`.
pub fn cloudwatch(sdk: &SdkConfig, tag: Tag) -> aws_sdk_cloudwatch::Client {
    aws_sdk_cloudwatch::Client::from_conf(aws_sdk_cloudwatch::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the Athena client of `sdk`.
pub fn athena(sdk: &SdkConfig, tag: Tag) -> aws_sdk_athena::Client {
    aws_sdk_athena::Client::from_conf(aws_sdk_athena::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the EMR client of `sdk`.
pub fn emr(sdk: &SdkConfig, tag: Tag) -> aws_sdk_emr::Client {
    aws_sdk_emr::Client::from_conf(aws_sdk_emr::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the EMR Serverless client of `sdk`.
pub fn emr_serverless(sdk: &SdkConfig, tag: Tag) -> aws_sdk_emrserverless::Client {
    aws_sdk_emrserverless::Client::from_conf(aws_sdk_emrserverless::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the Redshift client of `sdk`.
pub fn redshift(sdk: &SdkConfig, tag: Tag) -> aws_sdk_redshift::Client {
    aws_sdk_redshift::Client::from_conf(aws_sdk_redshift::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the Redshift Serverless client of `sdk`.
pub fn redshift_serverless(sdk: &SdkConfig, tag: Tag) -> aws_sdk_redshiftserverless::Client {
    let config = aws_sdk_redshiftserverless::config::Builder::from(sdk).interceptor(tag);
    aws_sdk_redshiftserverless::Client::from_conf(config.build())
}

/// Returns the Glue client of `sdk`.
pub fn glue(sdk: &SdkConfig, tag: Tag) -> aws_sdk_glue::Client {
    aws_sdk_glue::Client::from_conf(aws_sdk_glue::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the Lake Formation client of `sdk`.
pub fn lake_formation(sdk: &SdkConfig, tag: Tag) -> aws_sdk_lakeformation::Client {
    aws_sdk_lakeformation::Client::from_conf(aws_sdk_lakeformation::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the STS client of `sdk`.
pub fn sts(sdk: &SdkConfig, tag: Tag) -> aws_sdk_sts::Client {
    aws_sdk_sts::Client::from_conf(aws_sdk_sts::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the Data Exports client of `sdk`, in the Region of its only endpoint.
pub fn data_exports(sdk: &SdkConfig, account_id: &str) -> aws_sdk_bcmdataexports::Client {
    let home = home_region(sdk.region().map_or("", Region::as_ref));
    let sdk = in_region(sdk, home);
    let tag = Tag::new(Role::Reading, "bcm-data-exports", account_id, home);
    aws_sdk_bcmdataexports::Client::from_conf(
        aws_sdk_bcmdataexports::config::Builder::from(&sdk).interceptor(tag).build(),
    )
}

/// Returns the Organizations client of `sdk`, in the Region of its only endpoint.
pub fn organizations(sdk: &SdkConfig, account_id: &str) -> aws_sdk_organizations::Client {
    let home = home_region(sdk.region().map_or("", Region::as_ref));
    let sdk = in_region(sdk, home);
    let tag = Tag::new(Role::Reading, "organizations", account_id, home);
    aws_sdk_organizations::Client::from_conf(
        aws_sdk_organizations::config::Builder::from(&sdk).interceptor(tag).build(),
    )
}

/// Returns the Cost Explorer client of `sdk`, in the Region of its only endpoint.
pub fn cost_explorer(sdk: &SdkConfig, account_id: &str) -> aws_sdk_costexplorer::Client {
    let region = home_region(sdk.region().map_or("", Region::as_ref));
    let sdk = in_region(sdk, region);
    let tag = Tag::new(Role::Reading, "ce", account_id, region);
    aws_sdk_costexplorer::Client::from_conf(aws_sdk_costexplorer::config::Builder::from(&sdk).interceptor(tag).build())
}

/// Returns the EC2 client of `sdk`.
#[cfg(feature = "network")]
pub fn ec2(sdk: &SdkConfig, tag: Tag) -> aws_sdk_ec2::Client {
    aws_sdk_ec2::Client::from_conf(aws_sdk_ec2::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the Network Firewall client of `sdk`.
#[cfg(feature = "network")]
pub fn network_firewall(sdk: &SdkConfig, tag: Tag) -> aws_sdk_networkfirewall::Client {
    let config = aws_sdk_networkfirewall::config::Builder::from(sdk).interceptor(tag);
    aws_sdk_networkfirewall::Client::from_conf(config.build())
}

/// Returns the CloudTrail client of `sdk`.
pub fn cloudtrail(sdk: &SdkConfig, tag: Tag) -> aws_sdk_cloudtrail::Client {
    aws_sdk_cloudtrail::Client::from_conf(aws_sdk_cloudtrail::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the Budgets client of `sdk`, in the Region of its only endpoint.
pub fn budgets(sdk: &SdkConfig, account_id: &str) -> aws_sdk_budgets::Client {
    let region = home_region(sdk.region().map_or("", Region::as_ref));
    let sdk = in_region(sdk, region);
    let tag = Tag::new(Role::Reading, "budgets", account_id, region);
    aws_sdk_budgets::Client::from_conf(aws_sdk_budgets::config::Builder::from(&sdk).interceptor(tag).build())
}

/// Returns the Billing client of `sdk`, in the Region of its only endpoint.
pub fn billing(sdk: &SdkConfig, account_id: &str) -> aws_sdk_billing::Client {
    let region = home_region(sdk.region().map_or("", Region::as_ref));
    let sdk = in_region(sdk, region);
    let tag = Tag::new(Role::Reading, "billing", account_id, region);
    aws_sdk_billing::Client::from_conf(aws_sdk_billing::config::Builder::from(&sdk).interceptor(tag).build())
}

/// Returns the client of Cost Optimization Hub, in the Region of its only endpoint.
pub fn cost_optimization_hub(sdk: &SdkConfig, account_id: &str) -> aws_sdk_costoptimizationhub::Client {
    let region = home_region(sdk.region().map_or("", Region::as_ref));
    let sdk = in_region(sdk, region);
    let tag = Tag::new(Role::Reading, "cost-optimization-hub", account_id, region);
    let config = aws_sdk_costoptimizationhub::config::Builder::from(&sdk).interceptor(tag);
    aws_sdk_costoptimizationhub::Client::from_conf(config.build())
}

/// Returns the custom endpoint that `sdk` has for a service, from the command line, the environment or the profile.
/// As in the SDK's clients, the command line's comes before one that is set for the service.
pub fn endpoint(sdk: &SdkConfig, service_id: &str) -> Option<String> {
    if sdk.get_origin("endpoint_url").is_client_config()
        && let Some(url) = sdk.endpoint_url()
    {
        return Some(url.to_owned());
    }
    let key = ServiceConfigKey::builder().service_id(service_id).profile("endpoint_url").env("AWS_ENDPOINT_URL");
    let of_service = key.build().ok().and_then(|key| sdk.service_config()?.load_config(key));
    of_service.or_else(|| sdk.endpoint_url().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use aws_types::origin::Origin;
    use aws_types::service_config::LoadServiceConfig;

    use super::*;

    #[derive(Debug)]
    struct OfService;

    impl LoadServiceConfig for OfService {
        fn load_config(&self, _: ServiceConfigKey<'_>) -> Option<String> {
            Some("http://of-service".to_owned())
        }
    }

    #[test]
    fn cost_explorer_is_asked_in_its_own_partition() {
        assert_eq!(home_region("eu-west-1"), "us-east-1");
        assert_eq!(home_region("eusc-de-east-1"), "eusc-de-east-1");
        assert_eq!(home_region("cn-north-1"), "cn-northwest-1");
        assert_eq!(home_region("us-isob-west-1"), "us-isob-east-1");
    }

    #[test]
    fn the_command_line_comes_before_the_endpoint_of_a_service_and_that_before_the_environment() {
        let with = |origin: Origin| {
            let mut builder = SdkConfig::builder().endpoint_url("http://of-all").service_config(OfService);
            builder.insert_origin("endpoint_url", origin);
            endpoint(&builder.build(), "S3")
        };
        assert_eq!(with(Origin::shared_config()).as_deref(), Some("http://of-all"));
        assert_eq!(with(Origin::shared_environment_variable()).as_deref(), Some("http://of-service"));
    }
}
