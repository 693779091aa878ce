//! Uploads of the demo that were begun and never completed.

use super::bucket::{Bucket, day_between};
use super::calendar::{Calendar, Day};
use super::catalog::Layer;
use super::habit::Habit;
use super::random::Random;
use super::rule::Deed;

/// An upload that nobody completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Key that the object would have had.
    pub key: String,
    /// Upload id.
    pub id: String,
    /// The day it began.
    pub day: Day,
    /// Seconds into that day.
    pub second: i64,
    /// Parts that arrived.
    pub parts: i64,
    /// Their size in bytes.
    pub bytes: i64,
    /// The day a rule aborted it; `None` when it stays for ever.
    pub aborted: Option<Day>,
}

impl Upload {
    /// Returns true when the upload is there at six in the morning of `today`, when scans run.
    pub fn stands(&self, today: Day) -> bool {
        let begun = self.day < today || (self.day == today && self.second < 6 * 3600);
        begun && self.aborted.is_none_or(|day| day > today)
    }
}

/// Keys that break careless output: control characters, markup, formulas, text that runs backwards.
const NASTY: &[&str] = &[
    "load/\u{1b}[2J\u{1b}]52;c;ZWNobyBoaQ==\u{7}part.parquet",
    "a|b|c/`rm -rf`/[click](http://evil.test).csv",
    "=cmd|' /C calc'!A0/@team/#1.csv",
    "<script>alert('lake')</script>/\u{202e}txt.exe",
    "line\nbreak/\tTAB/part.csv",
];

/// Returns the uploads that `bucket` was left with, oldest first.
pub fn leave(bucket: &Bucket, habit: &Habit, random: &mut Random, calendar: Calendar) -> Vec<Upload> {
    let abort = bucket.deeds().find_map(|deed| match deed {
        Deed::Abort(days) => Some(days),
        _ => None,
    });
    let careless = if random.chance(350) { habit.uploads / 8 } else { habit.uploads };
    let mut uploads = Vec::new();
    for day in bucket.created.max(-90)..=calendar.today {
        if !random.chance(careless) {
            continue;
        }
        let second = random.between(0, 86_399);
        let parts = random.between(habit.upload_parts.0, habit.upload_parts.1);
        let last = random.between(1, habit.part_mib << 20);
        let bytes = (parts - 1) * (habit.part_mib << 20) + last;
        let key = key(bucket.plot.layer, random, calendar, day);
        let aborted = abort.map(|days| day + days + 1);
        uploads.push(Upload { key, id: random.hex(16) + &random.hex(16), day, second, parts, bytes, aborted });
    }
    uploads
}

fn key(layer: Layer, random: &mut Random, calendar: Calendar, day: Day) -> String {
    if random.chance(15) {
        return (*random.pick(NASTY)).to_owned();
    }
    let (date, number) = (calendar.date(day), day_between(random, 0, 999));
    match layer {
        Layer::Tmp => format!("app-{}/stage-{}/part-{number:05}.snappy.parquet", random.hex(8), number % 40),
        Layer::Ml => format!("run={date}/{}/checkpoint-{number}.safetensors", random.hex(6)),
        Layer::Backup => format!("{date}/dump-{number:03}.tar.zst"),
        _ => format!("dt={date}/part-{number:05}-{}.parquet", random.hex(8)),
    }
}
