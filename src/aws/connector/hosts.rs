//! Which hosts were really called: the origin of a snapshot is what the connector saw, not what was configured.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::tag::{Call, Role};
use crate::model::Origin;

/// Domains that only AWS serves: those of each partition, for one address family and for both (`partitions.json` of the
/// AWS SDKs).
const AWS_DOMAINS: &[&str] = &[
    ".amazonaws.com",
    ".api.aws",
    ".on.aws",
    ".amazonaws.com.cn",
    ".api.amazonwebservices.com.cn",
    ".amazonaws.eu",
    ".api.amazonwebservices.eu",
    ".c2s.ic.gov",
    ".api.aws.ic.gov",
    ".sc2s.sgov.gov",
    ".api.aws.scloud",
    ".cloud.adc-e.uk",
    ".api.cloud-aws.adc-e.uk",
    ".csp.hci.ic.gov",
    ".api.aws.hci.ic.gov",
];

/// Hosts by service.
#[derive(Debug, Default)]
pub struct Hosts(Mutex<BTreeMap<&'static str, String>>);

impl Hosts {
    /// Notes that `call` goes to `host`. A store in another place does not change where the facts are from.
    pub fn note(&self, call: &Call, host: &str) {
        if matches!(call.role, Role::Reading | Role::Writing | Role::Exports | Role::RollUps) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(call.service, host.to_owned());
        }
    }

    /// Returns where the facts are from: AWS itself when every host is AWS's.
    pub fn origin(&self, partition: &str) -> Origin {
        origin_of(&self.0.lock().unwrap_or_else(PoisonError::into_inner), partition)
    }
}

/// Returns the origin of facts that these hosts served.
pub fn origin_of(hosts: &BTreeMap<&'static str, String>, partition: &str) -> Origin {
    let custom = hosts.iter().filter(|(_, host)| !is_aws(host));
    let hosts: BTreeMap<String, String> = custom.map(|(&s, host)| (s.to_owned(), host.clone())).collect();
    if hosts.is_empty() { Origin::Aws { partition: partition.to_owned() } } else { Origin::Endpoint { hosts } }
}

/// Returns true for hosts of AWS itself.
pub fn is_aws(host: &str) -> bool {
    let name = host.strip_suffix(":443").unwrap_or(host).to_ascii_lowercase();
    AWS_DOMAINS.iter().any(|domain| name.ends_with(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_aws_domains_are_aws() {
        assert!(is_aws("ce.us-east-1.amazonaws.com") && is_aws("lake.s3.eu-west-1.amazonaws.com:443"));
        assert!(is_aws("s3.cn-north-1.amazonaws.com.cn") && is_aws("s3.dualstack.us-east-1.api.aws"));
        assert!(!is_aws("127.0.0.1:5000") && !is_aws("amazonaws.com.example.org") && !is_aws("evilamazonaws.com"));
    }

    #[test]
    fn every_partition_has_domains_of_its_own_for_one_address_family_and_for_both() {
        let sovereign = ["s3.eusc-de-east-1.amazonaws.eu", "ce.eusc-de-east-1.api.amazonwebservices.eu"];
        let china = ["athena.cn-north-1.amazonaws.com.cn", "ce.cn-northwest-1.api.amazonwebservices.com.cn"];
        let isolated = [
            "s3.us-iso-east-1.c2s.ic.gov",
            "s3.us-isob-east-1.sc2s.sgov.gov",
            "s3.eu-isoe-west-1.cloud.adc-e.uk",
            "s3.us-isof-south-1.csp.hci.ic.gov",
            "athena.us-iso-east-1.api.aws.ic.gov",
            "athena.us-isob-east-1.api.aws.scloud",
            "athena.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
            "athena.us-isof-south-1.api.aws.hci.ic.gov",
        ];
        for host in sovereign.iter().chain(&china).chain(&isolated).chain(&["athena.us-gov-west-1.api.aws"]) {
            assert!(is_aws(host), "{host}");
            assert!(!is_aws(&format!("{host}.example.org")), "{host}");
        }
        let hosts = BTreeMap::from([("s3", sovereign[0].to_owned())]);
        assert_eq!(origin_of(&hosts, "aws-eusc"), Origin::Aws { partition: "aws-eusc".to_owned() });
    }

    #[test]
    fn one_mock_among_the_services_makes_the_origin_a_mock() {
        let mut hosts = BTreeMap::from([("ce", "ce.us-east-1.amazonaws.com".to_owned())]);
        assert!(origin_of(&hosts, "aws").is_aws());
        hosts.insert("s3", "127.0.0.1:4566".to_owned());
        let named = BTreeMap::from([("s3".to_owned(), "127.0.0.1:4566".to_owned())]);
        assert_eq!(origin_of(&hosts, "aws"), Origin::Endpoint { hosts: named });
    }
}
