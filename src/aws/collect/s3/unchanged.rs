//! Settings that need not be asked for again: an earlier scan read them, and CloudTrail names no change since.
//!
//! Only where buckets are many: few are read whole in seconds. Never keeps what an earlier scan could not read, what is
//! older than a week, or anything of a Region whose event history cannot be read; nor anything where `--as-of` is later than
//! the real time: what happens until then no event tells yet.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;

use super::listing::Bucket;
use super::settings::{Facts, Setting};
use crate::aws::collect::cloudtrail::changed::{self, CHANGES};
use crate::aws::collect::{Failed, Scope, Sink};
use crate::model::{Cell, Coverage, CoverageState, Row, Untrusted};
use crate::store::tables::storage::BUCKETS;

/// An account with no more buckets than this is read whole: that takes some seconds.
pub const FEW: usize = 250;
/// Days after which settings are read again whatever CloudTrail says: AWS changes defaults itself, without an event.
const DAYS: i64 = 7;

/// What an earlier scan read of one bucket and nobody changed since.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// When it was read.
    pub since: DateTime<Utc>,
    /// The settings; one that could not be read then is not among them.
    pub facts: BTreeMap<Setting, Facts>,
}

/// What need not be asked for again, by bucket, and what is said of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unchanged {
    /// By name of the bucket.
    pub known: BTreeMap<String, Known>,
    /// One piece for each Region whose event history was asked.
    pub coverage: Vec<Coverage>,
    /// Why settings of a Region are as an earlier scan read them.
    why: BTreeMap<String, String>,
}

impl Unchanged {
    /// Returns the coverage of a setting with the reason why it was not asked for again, where that is so.
    pub fn explain(&self, row: Coverage) -> Coverage {
        let why = row.region.as_ref().and_then(|region| self.why.get(region));
        match why {
            Some(why) if !row.is_gap() => row.because(why.as_str()),
            _ => row,
        }
    }
}

/// Returns when settings that are read now are read, where the snapshot's own time would say later than that.
pub fn read_before(scope: &Scope) -> Option<DateTime<Utc>> {
    Some(scope.real_time()).filter(|real| *real < scope.as_of)
}

/// Returns what need not be asked for again of `buckets`.
pub async fn of(scope: &Scope, sink: &Sink, buckets: &[Bucket]) -> Unchanged {
    if scope.options.fresh || buckets.len() <= FEW || scope.as_of > scope.real_time() {
        return Unchanged::default();
    }
    let mut by_region: BTreeMap<String, BTreeMap<String, Known>> = BTreeMap::new();
    let mut held = held(scope, sink, buckets).await;
    for bucket in buckets {
        let (Ok(region), Some(known)) = (&bucket.region, held.remove(&bucket.name)) else { continue };
        by_region.entry(region.clone()).or_default().insert(bucket.name.clone(), known);
    }
    let asked: Vec<_> = by_region.iter().map(|(region, known)| changes(scope, region, known)).collect();
    let told = join_all(asked).await;
    let mut unchanged = Unchanged::default();
    for ((region, known), (oldest, changed)) in by_region.into_iter().zip(told) {
        unchanged.add(scope, &region, known, oldest, changed);
    }
    unchanged
}

/// Returns when the oldest of the settings was read, and which buckets of the Region were changed since.
async fn changes(
    scope: &Scope,
    region: &str,
    known: &BTreeMap<String, Known>,
) -> (DateTime<Utc>, Result<BTreeSet<String>, Failed>) {
    let oldest = known.values().map(|known| known.since).min().unwrap_or(scope.as_of);
    (oldest, changed::since(&scope.in_region(region), oldest).await)
}

impl Unchanged {
    fn add(
        &mut self,
        scope: &Scope,
        region: &str,
        mut known: BTreeMap<String, Known>,
        oldest: DateTime<Utc>,
        changed: Result<BTreeSet<String>, Failed>,
    ) {
        let all = known.len();
        let why = match changed {
            Ok(changed) => {
                known.retain(|bucket, _| !changed.contains(bucket));
                let day = oldest.format("%Y-%m-%d %H:%M");
                format!("{} buckets are set as read since {day} UTC: CloudTrail names no change of them", known.len())
            }
            Err(failed) => {
                known.clear();
                format!("all settings were read again, as CloudTrail did not tell of changes: {}", failed.reason)
            }
        };
        let row = Coverage::new(CHANGES.table, CHANGES.operation, CoverageState::Seen);
        let row = row.at(&scope.account_id, Some(region)).counted(known.len(), Some(all)).because(why.as_str());
        self.coverage.push(row);
        self.why.extend((!known.is_empty()).then(|| (region.to_owned(), why)));
        self.known.append(&mut known);
    }
}

/// Returns what the last snapshot holds of `buckets` and is young enough.
async fn held(scope: &Scope, sink: &Sink, buckets: &[Bucket]) -> BTreeMap<String, Known> {
    let listed: BTreeMap<&str, &Bucket> = buckets.iter().map(|bucket| (bucket.name.as_str(), bucket)).collect();
    let covered = Covered::of(scope);
    let mut known = BTreeMap::new();
    for (read_at, row) in sink.held_since(&BUCKETS, scope).await.unwrap_or_default() {
        let name = row.key("bucket");
        let Some(bucket) = listed.get(name).filter(|bucket| is_same(bucket, &row)) else { continue };
        let since = row.time("unchanged_since").unwrap_or(read_at);
        if !is_young(scope, since) || scope.options.touched.contains(&bucket.name) {
            continue;
        }
        let seen = Setting::ALL.into_iter().filter(|setting| covered.has(*setting, row.key("region"), name));
        known.insert(
            name.to_owned(),
            Known { since, facts: seen.map(|setting| (setting, columns(setting, &row))).collect() },
        );
    }
    for setting in Setting::ALL {
        let Some(table) = setting.table() else { continue };
        let Some(rows) = sink.held_since(table, scope).await else {
            // Rows that cannot be read do not come over: they are asked for again.
            for known in known.values_mut() {
                known.facts.remove(&setting);
            }
            continue;
        };
        for (_, row) in rows {
            let known = known.get_mut(row.key("bucket"));
            if let Some(facts) = known.and_then(|known| known.facts.get_mut(&setting)) {
                facts.rows.push(row);
            }
        }
    }
    known
}

/// Returns true when the row is of this bucket: one of the same name may have been made anew.
fn is_same(bucket: &Bucket, row: &Row) -> bool {
    bucket.region.as_deref() == Ok(row.key("region")) && bucket.created == row.time("creation_date")
}

fn is_young(scope: &Scope, since: DateTime<Utc>) -> bool {
    let age = scope.as_of.signed_duration_since(since);
    age >= TimeDelta::zero() && age < TimeDelta::days(DAYS)
}

fn columns(setting: Setting, row: &Row) -> Facts {
    let columns = setting.reads().iter().filter(|read| read.table == BUCKETS.name).flat_map(|read| read.columns);
    let known = columns.filter(|column| *row.cell(column) != Cell::Null);
    Facts::of(known.fold(Row::new(), |facts, column| facts.with(*column, row.cell(column).clone())))
}

/// What the last scan could read of the settings.
struct Covered<'a> {
    /// Operation and Region.
    read: BTreeSet<(&'a str, &'a str)>,
    /// Operation and bucket.
    failed: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Covered<'a> {
    fn of(scope: &'a Scope) -> Self {
        let (mut read, mut failed) = (BTreeSet::new(), BTreeSet::new());
        let mine = |seen: &&Coverage| {
            seen.table == BUCKETS.name && seen.account_id.as_deref() == Some(scope.account_id.as_str())
        };
        for seen in scope.earlier.iter().filter(mine) {
            match (&seen.resource, &seen.region) {
                (Some(bucket), _) if seen.is_gap() => drop(failed.insert((seen.read.as_str(), Untrusted::raw(bucket)))),
                (None, Some(region)) if matches!(seen.state, CoverageState::Seen | CoverageState::Partial) => {
                    read.insert((seen.read.as_str(), region.as_str()));
                }
                _ => {}
            }
        }
        Covered { read, failed }
    }

    fn has(&self, setting: Setting, region: &str, bucket: &str) -> bool {
        let operation = setting.reads()[0].operation;
        self.read.contains(&(operation, region)) && !self.failed.contains(&(operation, bucket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stand_in::{answer, answered};
    use crate::model::Origin;
    use crate::store::{Head, Receipt, Store};

    const HERE: &str = "us-east-1";

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Buckets that a scan of 20 November read whole, and how many of them one as of `as_of` need not ask about.
    async fn known(as_of: &str, real_time: &str) -> usize {
        let mut scope = answered(&[CHANGES], |_| answer(200, r#"{"Events":[]}"#));
        (scope.as_of, scope.options.real_time) = (at(as_of), Some(at(real_time)));
        let names: Vec<String> = (0..=FEW).map(|n| format!("lake-{n}")).collect();
        let store = Store::temporary().unwrap();
        let origin = Origin::Aws { partition: "aws".to_owned() };
        let account_id = Some(scope.account_id.clone());
        let mut writer = store.write(Head { origin, payer: None, account_id, as_of: at("2026-11-20T00:00:00Z") }, None);
        let row = |name: &String| {
            Row::new().with("account_id", scope.account_id.as_str()).with("region", HERE).with("bucket", name.as_str())
        };
        writer.append(&BUCKETS, names.iter().map(row).collect()).unwrap();
        let base = writer.finish(Receipt::default(), false).await.unwrap();
        let read = |setting: Setting| Coverage::new(BUCKETS.name, setting.reads()[0].operation, CoverageState::Seen);
        scope.earlier = Setting::ALL.map(|setting| read(setting).at(&scope.account_id, Some(HERE))).to_vec();
        let sink = Sink::channel(scope.cancel.clone()).0.over(Some(base));
        let bucket = |name: String| Bucket { name, region: Ok(HERE.to_owned()), created: None };
        let buckets: Vec<Bucket> = names.into_iter().map(bucket).collect();
        of(&scope, &sink, &buckets).await.known.len()
    }

    #[tokio::test]
    async fn nothing_is_taken_for_unchanged_by_a_scan_of_a_time_to_come() {
        assert_eq!(known("2026-11-22T00:00:00Z", "2026-11-22T09:00:00Z").await, FEW + 1);
        assert_eq!(known("2026-11-22T00:00:00Z", "2026-11-21T09:00:00Z").await, 0);
    }

    #[test]
    fn settings_that_a_scan_of_a_time_to_come_reads_carry_the_real_time() {
        let mut scope = crate::aws::stand_in::scope(Vec::new());
        assert_eq!(read_before(&scope), None);
        scope.options.real_time = Some(scope.as_of - TimeDelta::days(1));
        assert_eq!(read_before(&scope), scope.options.real_time);
        scope.options.real_time = Some(scope.as_of + TimeDelta::days(1));
        assert_eq!(read_before(&scope), None, "an earlier time only makes more events count");
    }
}
