//! The Region codes that stand before usage types. Never guesses a Region for a code that is not listed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::book::PriceBook;

/// Code before a usage type and its Region. The first code of a Region is the one that we write.
/// Source: AWS "Billing and Cost Management User Guide", Region billing codes; European codes from bills.
/// `EUC2`, `EUS2`, `MES1`, `MEC1`, `CPT` stand in fewer texts than the others.
const CODES: &[(&str, &str)] = &[
    ("USE1", "us-east-1"),
    ("USE2", "us-east-2"),
    ("USW1", "us-west-1"),
    ("USW2", "us-west-2"),
    ("CAN1", "ca-central-1"),
    ("CAN2", "ca-west-1"),
    ("MXC1", "mx-central-1"),
    ("AFS1", "af-south-1"),
    ("CPT", "af-south-1"),
    ("APE1", "ap-east-1"),
    ("APE2", "ap-east-2"),
    ("APN1", "ap-northeast-1"),
    ("APN2", "ap-northeast-2"),
    ("APN3", "ap-northeast-3"),
    ("APS1", "ap-southeast-1"),
    ("APS2", "ap-southeast-2"),
    ("APS3", "ap-south-1"),
    ("APS4", "ap-southeast-3"),
    ("APS5", "ap-south-2"),
    ("APS6", "ap-southeast-4"),
    ("APS7", "ap-southeast-5"),
    ("APS8", "ap-southeast-6"),
    ("APS9", "ap-southeast-7"),
    ("EU", "eu-west-1"),
    ("EUW2", "eu-west-2"),
    ("EUW3", "eu-west-3"),
    ("EUC1", "eu-central-1"),
    ("EUC2", "eu-central-2"),
    ("EUN1", "eu-north-1"),
    ("EUS1", "eu-south-1"),
    ("EUS2", "eu-south-2"),
    ("MES1", "me-south-1"),
    ("MEC1", "me-central-1"),
    ("ILC1", "il-central-1"),
    ("SAE1", "sa-east-1"),
    ("UGW1", "us-gov-west-1"),
];

/// Returns the code that stands before usage types of `region`, where it is known.
pub fn code_of(region: &str) -> Option<&'static str> {
    CODES.iter().find(|(_, known)| *known == region).map(|(code, _)| *code)
}

/// Returns the Region whose code (or name, as KMS writes it) starts the usage type, and what stands behind it.
/// Of the two codes of a transfer between Regions the first counts: the sender pays.
pub(super) fn split(usage_type: &str) -> (Option<&'static str>, &str) {
    let behind = |start: &str| usage_type.strip_prefix(start)?.strip_prefix('-');
    let by_code = CODES.iter().find_map(|(code, region)| Some((*region, behind(code)?)));
    let by_name = || CODES.iter().find_map(|(_, region)| Some((*region, behind(region)?)));
    match by_code.or_else(by_name) {
        Some((region, rest)) => (Some(region), rest),
        None => (None, usage_type),
    }
}

/// Returns a usage type without the Region codes before it, and the second Region of a transfer between two of them.
pub fn bare_usage_type(usage_type: &str) -> (&str, Option<&'static str>) {
    let (first, behind) = split(usage_type);
    match split(behind) {
        (Some(second), bare) if first.is_some() => (bare, Some(second)),
        _ => (behind, None),
    }
}

/// Returns the Region that a billed usage type belongs to.
///
/// Without a code it is us-east-1 when the price book knows it as the meter of a regional item; else it may as well
/// be global: `None`.
pub fn region_of_usage_type(usage_type: &str) -> Option<&'static str> {
    static REGIONAL: LazyLock<BTreeSet<String>> =
        LazyLock::new(|| PriceBook::embedded().map(|book| book.regional_usage_types()).unwrap_or_default());
    match split(usage_type) {
        (Some(region), _) => Some(region),
        (None, bare) => REGIONAL.contains(bare).then_some("us-east-1"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_mislead_name_their_real_region() {
        assert_eq!(region_of_usage_type("EU-TimedStorage-ByteHrs"), Some("eu-west-1"));
        assert_eq!(region_of_usage_type("EUC1-TimedStorage-ByteHrs"), Some("eu-central-1"));
        assert_eq!(region_of_usage_type("APS3-Requests-Tier1"), Some("ap-south-1"));
        assert_eq!(region_of_usage_type("APS4-Requests-Tier1"), Some("ap-southeast-3"));
        assert_eq!(region_of_usage_type("ap-northeast-1-KMS-Requests"), Some("ap-northeast-1"));
    }

    #[test]
    fn a_transfer_between_regions_belongs_to_its_sender() {
        assert_eq!(region_of_usage_type("APN1-USE1-AWS-Out-Bytes"), Some("ap-northeast-1"));
        assert_eq!(region_of_usage_type("USE1-USW2-AWS-Out-Bytes"), Some("us-east-1"));
    }

    #[test]
    fn the_receiver_of_a_transfer_between_regions_is_the_second_code() {
        assert_eq!(bare_usage_type("APN1-USE1-AWS-Out-Bytes"), ("AWS-Out-Bytes", Some("us-east-1")));
        assert_eq!(bare_usage_type("EU-NatGateway-Bytes"), ("NatGateway-Bytes", None));
        assert_eq!(bare_usage_type("DataTransfer-Out-Bytes"), ("DataTransfer-Out-Bytes", None));
    }

    #[test]
    fn without_a_code_only_a_known_regional_meter_is_virginia() {
        assert_eq!(region_of_usage_type("TimedStorage-ByteHrs"), Some("us-east-1"));
        assert_eq!(region_of_usage_type("NatGateway-Bytes"), Some("us-east-1"));
        assert_eq!(region_of_usage_type("Global-Bucket-Hrs"), None);
        assert_eq!(region_of_usage_type("XYZ9-TimedStorage-ByteHrs"), None);
        assert_eq!(region_of_usage_type(""), None);
    }
}
