//! The demo's buckets as a scan sees them: rows of `buckets`, `lifecycle_rules`, `storage` and `multipart_uploads`.
//! What the scan cannot see stays NULL here, though the simulation knows it.

use std::collections::BTreeMap;

use super::bucket::{Bucket, Hidden, Versioning};
use super::calendar::{Calendar, Day};
use super::habit;
use super::rule::Deed;
use crate::model::{Row, storage_type};

/// CloudWatch's name for the count of everything.
const ALL: &str = "AllStorageTypes";

/// Bytes or objects of one storage type, a number for each day of the calendar.
pub type Daily = BTreeMap<&'static str, Vec<i64>>;

/// Returns what the bucket holds at the end of each day by storage type, as CloudWatch measures it: noncurrent versions
/// and parts of uploads included, objects under `AllStorageTypes`.
pub fn daily(bucket: &Bucket, calendar: Calendar) -> Daily {
    let mut steps = Steps { days: usize::try_from(calendar.today).unwrap_or(0), by_type: Daily::new() };
    for cohort in &bucket.cohorts {
        let end = cohort.vanished.unwrap_or(Day::MAX);
        let places = bucket.places(cohort);
        for (at, &(from, place)) in places.iter().enumerate() {
            let until = places.get(at + 1).map_or(end, |(next, _)| end.min(*next));
            steps.add(place, from, until, cohort.bytes);
            steps.add_overhead(place, from, until, cohort.objects);
        }
        steps.add(ALL, cohort.written, end, cohort.objects);
    }
    for upload in &bucket.uploads {
        let end = upload.aborted.unwrap_or(Day::MAX);
        steps.add("StandardStorage", upload.day, end, upload.bytes);
        steps.add(ALL, upload.day, end, upload.parts);
    }
    steps.sums()
}

/// What comes and goes on each day.
struct Steps {
    days: usize,
    by_type: Daily,
}

impl Steps {
    fn add(&mut self, place: &'static str, from: Day, until: Day, amount: i64) {
        let first = usize::try_from(from.max(0)).unwrap_or(0);
        let Ok(last) = usize::try_from(until) else { return };
        if first >= last || first >= self.days {
            return;
        }
        let steps = self.by_type.entry(place).or_insert_with(|| vec![0; self.days]);
        steps[first] += amount;
        if last < self.days {
            steps[last] -= amount;
        }
    }

    /// Archive classes bill 32 KiB an object at their own rate and 8 KiB at Standard's (S3 User Guide, storage classes).
    fn add_overhead(&mut self, place: &'static str, from: Day, until: Day, objects: i64) {
        let (own, standard) = match place {
            "GlacierStorage" => ("GlacierObjectOverhead", "GlacierS3ObjectOverhead"),
            "DeepArchiveStorage" => ("DeepArchiveObjectOverhead", "DeepArchiveS3ObjectOverhead"),
            _ => return,
        };
        self.add(own, from, until, objects * (32 << 10));
        self.add(standard, from, until, objects * (8 << 10));
    }

    fn sums(mut self) -> Daily {
        for steps in self.by_type.values_mut() {
            let mut sum = 0;
            for step in steps {
                sum += *step;
                *step = sum;
            }
        }
        self.by_type
    }
}

/// What a scan on one day sees.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// The calendar of the demo.
    pub calendar: Calendar,
    /// The day of the scan, which runs at six in the morning.
    pub today: Day,
    /// True when there is a Storage Lens export.
    pub lens: bool,
}

impl Sight {
    /// Returns the bucket's row of `buckets`.
    pub fn bucket(&self, bucket: &Bucket) -> Row {
        let random_second = i64::from(bucket.created.unsigned_abs()) * 7919 % 86_400;
        let row = place(bucket).with("creation_date", self.calendar.at(bucket.created, random_second));
        let row = if bucket.hidden == Hidden::Nothing { lifecycle(row, bucket) } else { row };
        let row = if bucket.hidden == Hidden::Settings { row } else { self.settings(row, bucket) };
        if self.lens && habit::lens(&bucket.plot) { self.lens(row, bucket) } else { row }
    }

    fn settings(&self, row: Row, bucket: &Bucket) -> Row {
        let versioning = match bucket.versioning {
            Versioning::SuspendedOn(day) if day <= self.today => "Suspended",
            Versioning::EnabledOn(day) if day > self.today => "Never",
            Versioning::Enabled | Versioning::EnabledOn(_) | Versioning::SuspendedOn(_) => "Enabled",
            Versioning::Never => "Never",
        };
        let owner = bucket.plot.owner.map(|owner| ("team".to_owned(), owner.to_owned()));
        let layer = ("layer".to_owned(), format!("{:?}", bucket.plot.layer).to_lowercase());
        let tags: BTreeMap<String, String> = owner.into_iter().chain([layer]).collect();
        row.with("versioning", versioning)
            .with("tags", serde_json::to_string(&tags).unwrap_or_default())
            .with("upload_count", self.standing(bucket).count())
            .with("mfa_delete", false)
            .with("object_lock", false)
    }

    fn lens(&self, row: Row, bucket: &Bucket) -> Row {
        let through = self.today - 1;
        let incomplete: i64 = self.standing(bucket).map(|upload| upload.bytes).sum();
        row.with("noncurrent_bytes", bucket.noncurrent_bytes(through).values().sum::<i64>())
            .with("incomplete_bytes", incomplete)
            .with("object_count", bucket.current(through).map(|cohort| cohort.objects).sum::<i64>())
    }

    fn standing<'b>(&self, bucket: &'b Bucket) -> impl Iterator<Item = &'b super::upload::Upload> {
        let today = self.today;
        bucket.uploads.iter().filter(move |upload| upload.stands(today))
    }

    /// Returns the bucket's rows of `multipart_uploads`; only the first ones have their parts listed.
    pub fn uploads(&self, bucket: &Bucket) -> Vec<Row> {
        if bucket.hidden == Hidden::Settings {
            return Vec::new();
        }
        let budget = habit::parts_budget(&bucket.plot);
        let row = |(at, upload): (usize, &super::upload::Upload)| {
            let listed = at < budget;
            place(bucket)
                .with("key", upload.key.as_str())
                .with("upload_id", upload.id.as_str())
                .with("initiated", self.calendar.at(upload.day, upload.second))
                .with("storage_class", "STANDARD")
                .with("bytes", listed.then_some(upload.bytes))
                .with("parts", listed.then_some(upload.parts))
        };
        self.standing(bucket).enumerate().map(row).collect()
    }

    /// Returns the bucket's rows of `storage` from the day `from` on; none where CloudWatch did not answer.
    pub fn storage(&self, bucket: &Bucket, daily: &Daily, from: Day) -> Vec<Row> {
        if !habit::metrics(&bucket.plot) {
            return Vec::new();
        }
        let place = place(bucket);
        let mut rows = Vec::new();
        for (&name, amounts) in daily {
            let place = place.clone().with("storage_type", name);
            let place = match storage_type::find(name) {
                Some(known) => place.with("storage_class", known.class),
                None => place,
            };
            let column = if name == ALL { "objects" } else { "bytes" };
            for day in from.max(bucket.created).max(0)..self.today {
                let amount = usize::try_from(day).ok().and_then(|at| amounts.get(at)).copied().unwrap_or(0);
                if amount > 0 {
                    rows.push(place.clone().with("day", self.calendar.date(day)).with(column, amount));
                }
            }
        }
        rows
    }
}

fn place(bucket: &Bucket) -> Row {
    let plot = &bucket.plot;
    Row::new().with("account_id", plot.account).with("region", plot.region).with("bucket", plot.name.as_str())
}

/// Returns the bucket's rows of `lifecycle_rules`; none where its rules cannot be read.
pub fn rules(bucket: &Bucket) -> Vec<Row> {
    let seen = if bucket.hidden == Hidden::Nothing { bucket.rules.as_slice() } else { &[] };
    let row = |(position, rule): (usize, &super::rule::Rule)| rule.describe(place(bucket).with("position", position));
    seen.iter().enumerate().map(row).collect()
}

fn lifecycle(row: Row, bucket: &Bucket) -> Row {
    let any = |found: fn(&Deed) -> bool| bucket.deeds().any(|deed| found(&deed));
    let header = (!bucket.rules.is_empty()).then_some(match bucket.created {
        ..-400 => "varies_by_storage_class",
        _ => "all_storage_classes_128K",
    });
    row.with("lifecycle_rule_count", bucket.rules.len())
        .with("abort_rule", any(|deed| matches!(deed, Deed::Abort(_))))
        .with("noncurrent_rule", any(|deed| matches!(deed, Deed::DropNoncurrent(_))))
        .with("tiering_rule", any(|deed| matches!(deed, Deed::Move(..))))
        .with("transition_default_minimum_object_size", header)
}
