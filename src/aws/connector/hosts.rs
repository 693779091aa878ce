//! Which hosts were really called: the origin of a snapshot is what the connector saw, not what was configured.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::tag::{Call, Role};
use crate::model::Origin;

/// Domains that only AWS serves.
const AWS_DOMAINS: &[&str] = &[".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws"];

/// Hosts by service.
#[derive(Debug, Default)]
pub struct Hosts(Mutex<BTreeMap<&'static str, String>>);

impl Hosts {
    /// Notes that `call` goes to `host`. A store in another place does not change where the facts are from.
    pub fn note(&self, call: &Call, host: &str) {
        if matches!(call.role, Role::Reading | Role::Writing) {
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
    fn one_mock_among_the_services_makes_the_origin_a_mock() {
        let mut hosts = BTreeMap::from([("ce", "ce.us-east-1.amazonaws.com".to_owned())]);
        assert!(origin_of(&hosts, "aws").is_aws());
        hosts.insert("s3", "127.0.0.1:4566".to_owned());
        let named = BTreeMap::from([("s3".to_owned(), "127.0.0.1:4566".to_owned())]);
        assert_eq!(origin_of(&hosts, "aws"), Origin::Endpoint { hosts: named });
    }
}
