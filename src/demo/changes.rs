//! Who set the lifecycle rules of the demo's buckets, as CloudTrail remembers it: rows of `lifecycle_changes`.

use chrono::{DateTime, Utc};

use super::bucket::Bucket;
use super::calendar::{Calendar, Day};
use super::random::Random;
use crate::model::Row;

/// Days that CloudTrail keeps.
pub const KEPT: Day = 90;
/// Tools, and the role that uses each; the first is the usual one.
const TOOLS: [(&str, &str); 4] =
    [("terraform", "ci-terraform"), ("cloudformation", "cfn-stacks"), ("console", "platform-admin"), ("cli", "oncall")];

/// A change of a bucket's rules.
#[derive(Clone, Debug)]
pub struct Change {
    /// When.
    pub at: DateTime<Utc>,
    row: Row,
}

impl Change {
    /// Returns the last change of each bucket with rules that was changed while CloudTrail looked back.
    pub fn all<'a>(calendar: Calendar, buckets: impl Iterator<Item = &'a Bucket>) -> Vec<Change> {
        buckets.filter(|bucket| !bucket.rules.is_empty()).filter_map(|bucket| Change::of(calendar, bucket)).collect()
    }

    fn of(calendar: Calendar, bucket: &Bucket) -> Option<Change> {
        let plot = &bucket.plot;
        let mut random = Random::new(0, &format!("rules of {}", plot.name));
        let ago = random.between(2, 240);
        let day = calendar.today - Day::try_from(ago).ok()?;
        let (tool, role) = if random.chance(600) { TOOLS[0] } else { *random.pick(&TOOLS) };
        let at = calendar.at(day, random.between(28_000, 64_000));
        let row = Row::new()
            .with("account_id", plot.account)
            .with("region", plot.region)
            .with("bucket", plot.name.as_str())
            .with("changed", at)
            .with("event_id", format!("{}-{}", random.hex(8), random.hex(12)))
            .with("event_name", "PutBucketLifecycle")
            .with("succeeded", true)
            .with("tool", tool)
            .with("principal_type", "AssumedRole")
            .with("principal", format!("arn:aws:iam::{}:role/{role}", plot.account))
            .with("principal_name", role);
        (day >= bucket.created).then_some(Change { at, row })
    }

    /// Returns the row.
    pub fn row(&self) -> Row {
        self.row.clone()
    }
}
