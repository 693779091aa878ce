//! SDK clients: each carries the tag that tells the connector who asks for what.
//!
//! The only place where clients are built; a client without a tag gets nothing past the connector.

use aws_sdk_cloudwatch::config::Region;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use crate::aws::connector::{Role, Tag};

/// The Region of Cost Explorer's one endpoint in the commercial partition.
pub const COST_EXPLORER_REGION: &str = "us-east-1";

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

/// Returns the CloudWatch client of `sdk`.
pub fn cloudwatch(sdk: &SdkConfig, tag: Tag) -> aws_sdk_cloudwatch::Client {
    aws_sdk_cloudwatch::Client::from_conf(aws_sdk_cloudwatch::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the Athena client of `sdk`.
pub fn athena(sdk: &SdkConfig, tag: Tag) -> aws_sdk_athena::Client {
    aws_sdk_athena::Client::from_conf(aws_sdk_athena::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the STS client of `sdk`.
pub fn sts(sdk: &SdkConfig, tag: Tag) -> aws_sdk_sts::Client {
    aws_sdk_sts::Client::from_conf(aws_sdk_sts::config::Builder::from(sdk).interceptor(tag).build())
}

/// Returns the Cost Explorer client of `sdk`, in the Region of its only endpoint.
pub fn cost_explorer(sdk: &SdkConfig, account_id: &str) -> aws_sdk_costexplorer::Client {
    let sdk = in_region(sdk, COST_EXPLORER_REGION);
    let tag = Tag::new(Role::Reading, "ce", account_id, COST_EXPLORER_REGION);
    aws_sdk_costexplorer::Client::from_conf(aws_sdk_costexplorer::config::Builder::from(&sdk).interceptor(tag).build())
}

/// Returns the custom endpoint that `sdk` has for a service, from the command line, the environment or the profile.
pub fn endpoint(sdk: &SdkConfig, service_id: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service_id).profile("endpoint_url").env("AWS_ENDPOINT_URL");
    let of_service = key.build().ok().and_then(|key| sdk.service_config()?.load_config(key));
    of_service.or_else(|| sdk.endpoint_url().map(str::to_owned))
}
