//! One bucket of the demo: its settings, and its objects as cohorts that are written, read, replaced and deleted.
//! What a policy should find follows from here; nothing here knows a policy.

use std::collections::BTreeMap;

use super::calendar::{Calendar, Day};
use super::catalog::{Layer, Plot};
use super::habit::{self, Habit};
use super::random::{Random, share};
use super::rule::{Class, Deed, Rule};
use super::upload::{self, Upload};

/// Objects that were written together and share one fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// The day they were written.
    pub written: Day,
    /// Their size in bytes.
    pub bytes: i64,
    /// How many they are.
    pub objects: i64,
    /// The day they were replaced, deleted or expired; `None` while they are current.
    pub gone: Option<Day>,
    /// The day from which nothing of them is billed any more.
    pub vanished: Option<Day>,
    /// Who reads them.
    pub readers: Readers,
}

/// How long objects are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// The last read is so many days after the write.
    Until(i32),
    /// Every so many days, for ever.
    Every(i32),
}

/// What the scan cannot see of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// It sees all.
    Nothing,
    /// A bucket policy denies everything but the listing of the bucket.
    Settings,
    /// The lifecycle configuration could not be read.
    Lifecycle,
}

/// Whether old versions stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// Since the bucket was made.
    Enabled,
    /// Since this day.
    EnabledOn(Day),
    /// Until this day; what was noncurrent then stays.
    SuspendedOn(Day),
    /// Never.
    Never,
}

/// A bucket with its life.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Where it is and whose.
    pub plot: Plot,
    /// The day it was made.
    pub created: Day,
    /// Whether old versions stay.
    pub versioning: Versioning,
    /// Its lifecycle rules.
    pub rules: Vec<Rule>,
    /// What the scan cannot see.
    pub hidden: Hidden,
    /// Its objects.
    pub cohorts: Vec<Cohort>,
    /// Its unfinished uploads, aborted ones too.
    pub uploads: Vec<Upload>,
}

/// Bytes of current Standard objects that were last read so many days ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Days since the write.
    pub age: i32,
    /// Days since the last read, or since the write when there was none.
    pub days: i32,
    /// Size in bytes.
    pub bytes: i64,
    /// Objects.
    pub objects: i64,
}

impl Bucket {
    /// Returns the bucket after its whole life up to the last day of the calendar.
    pub fn live(plot: Plot, seed: u64, calendar: Calendar) -> Self {
        let mut random = Random::new(seed, &plot.name);
        let habit = habit::of(plot.layer);
        let young = random.chance(120) && !matches!(plot.layer, Layer::Backup);
        let age = random.between(400, 2600);
        let created = if young { day_between(&mut random, 20, calendar.today - 40) } else { -day(age) };
        let versioning = habit::versioning(&plot, &mut random, calendar.today);
        let rules = habit::rules(&plot, &mut random);
        let hidden = habit::hidden(&plot);
        let mut bucket = Bucket { plot, created, versioning, rules, hidden, cohorts: Vec::new(), uploads: Vec::new() };
        bucket.write(&habit, &mut random, calendar);
        bucket.uploads = upload::leave(&bucket, &habit, &mut random, calendar);
        bucket
    }

    fn write(&mut self, habit: &Habit, random: &mut Random, calendar: Calendar) {
        let size = *random.pick(&[125, 250, 500, 1000, 1000, 1500, 2500, 4000]);
        let stock = share(habit.stock_gib << 30, size);
        let young = self.created >= 0;
        if habit.keeps && !young {
            for month in 1..=24 {
                let bytes = random.around(stock / 300 * i64::from(25 - month), 200);
                self.add(habit, random, -30 * month, bytes);
            }
        }
        let growth = random.between(habit.growth.0, habit.growth.1);
        let speed = if young { 3 } else { 1 };
        for day in self.created.max(-45)..calendar.today {
            let steady = stock / 1_000_000 * habit.daily_ppm * speed;
            let grown = steady + share(steady, growth * i64::from(day) / 30).max(-steady / 2);
            let weekday = if calendar.weekend(day) { share(grown, habit.weekend) } else { grown };
            let bytes = random.around(weekday, 120);
            self.add(habit, random, day, bytes);
        }
        if let Some((before, bytes)) = habit::backfill(&self.plot) {
            self.add(habit, random, calendar.today - before, bytes);
        }
    }

    /// Adds what was written on one day: a part that is read for ever, a part that is soon replaced, and the rest.
    fn add(&mut self, habit: &Habit, random: &mut Random, written: Day, bytes: i64) {
        let hot = share(bytes, habit.hot);
        let replaced = share(bytes, habit.replaced);
        let after = 1 + day_between(random, 0, habit.replaced_within);
        let until = day_between(random, habit.read_until.0, habit.read_until.1);
        let every = day_between(random, 1, 9);
        self.push(habit, written, hot, Readers::Every(every), None);
        self.push(habit, written, replaced, Readers::Until(until.min(after)), Some(written + after));
        self.push(habit, written, bytes - hot - replaced, Readers::Until(until), None);
    }

    fn push(&mut self, habit: &Habit, written: Day, bytes: i64, readers: Readers, replaced: Option<Day>) {
        if bytes <= 0 {
            return;
        }
        let expired = self.deeds().find_map(|deed| match deed {
            Deed::Expire(days) => Some(written + days),
            _ => None,
        });
        let gone = [replaced, expired].into_iter().flatten().min();
        let vanished = gone.and_then(|gone| self.vanishes(gone));
        let objects = (bytes / (habit.object_kib << 10)).max(1);
        self.cohorts.push(Cohort { written, bytes, objects, gone, vanished, readers });
    }

    /// Returns the day from which a version that was replaced on `gone` costs nothing; `None` when it stays for ever.
    fn vanishes(&self, gone: Day) -> Option<Day> {
        let kept = match self.versioning {
            Versioning::Enabled => true,
            Versioning::EnabledOn(day) => gone >= day,
            Versioning::SuspendedOn(day) => gone < day,
            Versioning::Never => false,
        };
        let dropped = self.deeds().find_map(|deed| match deed {
            Deed::DropNoncurrent(days) => Some(gone + days),
            _ => None,
        });
        if kept { dropped } else { Some(gone) }
    }

    /// Returns what its rules do to every object.
    pub fn deeds(&self) -> impl Iterator<Item = Deed> + '_ {
        self.rules.iter().flat_map(Rule::everywhere).copied()
    }

    /// Returns where the objects of a cohort lie from which day on, by CloudWatch's storage type.
    pub fn places(&self, cohort: &Cohort) -> Vec<(Day, &'static str)> {
        let moved = self.deeds().find_map(|deed| match deed {
            Deed::Move(days, class) => Some((cohort.written + days, class)),
            _ => None,
        });
        let mut places = vec![(cohort.written, "StandardStorage")];
        let Some((from, class)) = moved else { return places };
        match (class, cohort.readers) {
            (Class::IntelligentTiering, Readers::Every(_)) => places.push((from, "IntelligentTieringFAStorage")),
            (Class::IntelligentTiering, Readers::Until(days)) => {
                let read = from.max(cohort.written + days);
                places.push((from, "IntelligentTieringFAStorage"));
                places.push((read + 30, "IntelligentTieringIAStorage"));
                places.push((read + 90, "IntelligentTieringAIAStorage"));
            }
            (Class::StandardIa, _) => places.push((from, "StandardIAStorage")),
            (Class::GlacierIr, _) => places.push((from, "GlacierInstantRetrievalStorage")),
            (Class::Glacier, _) => places.push((from, "GlacierStorage")),
            (Class::DeepArchive, _) => places.push((from, "DeepArchiveStorage")),
        }
        places
    }

    /// Returns the storage type of a cohort on `day`.
    pub fn place(&self, cohort: &Cohort, day: Day) -> &'static str {
        let places = self.places(cohort);
        places.iter().rev().find(|(from, _)| *from <= day).map_or("StandardStorage", |(_, place)| place)
    }

    /// Returns the cohorts that are current at the end of `day`.
    pub fn current(&self, day: Day) -> impl Iterator<Item = &Cohort> {
        self.cohorts.iter().filter(move |c| c.written <= day && c.gone.is_none_or(|gone| gone > day))
    }

    /// Returns the cohorts that are noncurrent, and billed, at the end of `day`.
    pub fn noncurrent(&self, day: Day) -> impl Iterator<Item = &Cohort> {
        let gone = move |c: &&Cohort| c.gone.is_some_and(|gone| gone <= day);
        self.cohorts.iter().filter(gone).filter(move |c| c.vanished.is_none_or(|vanished| vanished > day))
    }

    /// Returns the bytes of noncurrent versions at the end of `day`, by storage type.
    pub fn noncurrent_bytes(&self, day: Day) -> BTreeMap<&'static str, i64> {
        let mut bytes = BTreeMap::new();
        for cohort in self.noncurrent(day) {
            *bytes.entry(self.place(cohort, day)).or_insert(0) += cohort.bytes;
        }
        bytes
    }

    /// Returns the current Standard objects at the end of `day` by how long nobody has read them.
    pub fn idle(&self, day: Day) -> Vec<Idle> {
        let standard = self.current(day).filter(|cohort| self.place(cohort, day) == "StandardStorage");
        standard.map(|c| Idle { age: day - c.written, days: c.idle(day), bytes: c.bytes, objects: c.objects }).collect()
    }
}

impl Cohort {
    /// Returns the days since the last read at the end of `day`.
    pub fn idle(&self, day: Day) -> i32 {
        let age = day - self.written;
        match self.readers {
            Readers::Until(days) => (age - days).max(0),
            Readers::Every(days) => age % days,
        }
    }
}

/// Returns a small whole number as days.
pub fn day(number: i64) -> Day {
    Day::try_from(number).unwrap_or(Day::MAX)
}

/// Returns a day from `low` to `high`, both included.
pub fn day_between(random: &mut Random, low: Day, high: Day) -> Day {
    day(random.between(low.into(), high.max(low).into()))
}
