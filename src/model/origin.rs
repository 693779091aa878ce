//! Where a snapshot's facts came from. Every output shows an origin that is not AWS itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was scanned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// The AWS partition: `aws`, `aws-cn`, `aws-us-gov`.
    Aws {
        /// The partition's name.
        partition: String,
    },
    /// A custom endpoint: numbers from a mock must never look real.
    Endpoint {
        /// Service (`s3`, `costexplorer`, …) to the host that the connector really called.
        hosts: BTreeMap<String, String>,
    },
    /// Export files that somebody handed over.
    Files,
    /// The built-in synthetic lake.
    Demo,
}

impl Origin {
    /// Returns true for AWS itself.
    pub fn is_aws(&self) -> bool {
        matches!(self, Origin::Aws { .. })
    }

    /// Returns the sentence for the head of an output, safe for a terminal, or `None` for AWS itself.
    pub fn banner(&self) -> Option<String> {
        match self {
            Origin::Aws { .. } => None,
            Origin::Endpoint { hosts } => {
                let mut named: Vec<String> = hosts.values().map(|host| super::text::terminal(host)).collect();
                named.sort_unstable();
                named.dedup();
                Some(format!("Not AWS: read from the custom endpoint {}.", named.join(", ")))
            }
            Origin::Files => Some("From export files only: nothing was read from AWS.".to_owned()),
            Origin::Demo => Some("Demo lake: every number is made up.".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_in_the_banner_cannot_steer_the_terminal() {
        let hosts = BTreeMap::from([("s3".to_owned(), "a\u{1b}[2J".to_owned())]);
        let banner = Origin::Endpoint { hosts }.banner().unwrap();
        assert!(banner.contains("a\\u{1b}[2J") && !banner.contains('\u{1b}'), "{banner}");
    }
}
