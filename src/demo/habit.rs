//! How buckets of each layer are used and configured: the numbers of the simulation, and who forgot which rule.

use super::bucket::{Hidden, Versioning};
use super::calendar::Day;
use super::catalog::{IRELAND, Layer, PLATFORM, Plot, TOKYO};
use super::random::Random;
use super::rule::{Class, Deed, Filter, Rule};

/// How objects of a layer come and go. Shares are in thousandths.
#[derive(Clone, Copy, Debug)]
pub struct Habit {
    /// Size of a middling bucket, in GiB.
    pub stock_gib: i64,
    /// True when objects of earlier years are still there.
    pub keeps: bool,
    /// Written on a weekday, in millionths of the stock.
    pub daily_ppm: i64,
    /// Writes on a weekend, in thousandths of a weekday's.
    pub weekend: i64,
    /// Growth of the daily writes a month, in thousandths: low and high.
    pub growth: (i64, i64),
    /// Size of an object, in KiB.
    pub object_kib: i64,
    /// Share that is read for ever.
    pub hot: i64,
    /// Share that is replaced or deleted soon.
    pub replaced: i64,
    /// Days within which it is.
    pub replaced_within: i32,
    /// Days after the write until the last read of the rest: low and high.
    pub read_until: (i32, i32),
    /// Chance of an upload that is never completed, a day.
    pub uploads: i64,
    /// Parts of such an upload: low and high.
    pub upload_parts: (i64, i64),
    /// Size of a part, in MiB.
    pub part_mib: i64,
}

const RAW: Habit = Habit {
    stock_gib: 20 << 10,
    keeps: true,
    daily_ppm: 1_300,
    weekend: 850,
    growth: (10, 40),
    object_kib: 24 << 10,
    hot: 120,
    replaced: 8,
    replaced_within: 5,
    read_until: (1, 14),
    uploads: 25,
    upload_parts: (3, 200),
    part_mib: 64,
};

const CURATED: Habit = Habit {
    stock_gib: 16 << 10,
    daily_ppm: 2_600,
    object_kib: 96 << 10,
    hot: 250,
    replaced: 500,
    replaced_within: 20,
    read_until: (20, 75),
    uploads: 60,
    ..RAW
};

/// Returns how buckets of `layer` are used.
pub fn of(layer: Layer) -> Habit {
    match layer {
        Layer::Raw => RAW,
        Layer::Curated => CURATED,
        Layer::Mart => Habit {
            stock_gib: 24,
            keeps: false,
            daily_ppm: 1_000_000,
            weekend: 1000,
            growth: (0, 10),
            object_kib: 12 << 10,
            hot: 0,
            replaced: 1000,
            replaced_within: 0,
            uploads: 4,
            ..RAW
        },
        Layer::Logs => Habit {
            stock_gib: 5 << 10,
            daily_ppm: 2_400,
            object_kib: 320,
            hot: 0,
            replaced: 0,
            read_until: (0, 2),
            uploads: 2,
            ..RAW
        },
        Layer::AthenaResults => Habit {
            stock_gib: 600,
            daily_ppm: 6_000,
            weekend: 200,
            object_kib: 900,
            hot: 0,
            replaced: 0,
            read_until: (0, 1),
            uploads: 10,
            ..RAW
        },
        Layer::Tmp => Habit {
            stock_gib: 3 << 10,
            keeps: false,
            daily_ppm: 330_000,
            hot: 0,
            replaced: 994,
            replaced_within: 2,
            read_until: (0, 1),
            uploads: 450,
            upload_parts: (20, 1_500),
            ..RAW
        },
        Layer::Ml | Layer::Backup | Layer::Export | Layer::Scratch | Layer::Streaming => project(layer),
    }
}

fn project(layer: Layer) -> Habit {
    match layer {
        Layer::Ml => Habit {
            stock_gib: 9 << 10,
            daily_ppm: 1_900,
            weekend: 500,
            growth: (20, 60),
            object_kib: 40 << 10,
            hot: 150,
            replaced: 40,
            replaced_within: 30,
            read_until: (2, 45),
            uploads: 160,
            upload_parts: (20, 1_500),
            part_mib: 128,
            ..RAW
        },
        Layer::Backup => Habit {
            stock_gib: 14 << 10,
            daily_ppm: 2_600,
            weekend: 1000,
            object_kib: 512 << 10,
            hot: 0,
            replaced: 0,
            read_until: (0, 0),
            uploads: 110,
            upload_parts: (50, 2_000),
            ..RAW
        },
        Layer::Export => Habit { stock_gib: 2 << 10, hot: 0, replaced: 20, read_until: (1, 3), uploads: 40, ..RAW },
        Layer::Streaming => Habit {
            stock_gib: 300,
            daily_ppm: 9_000,
            object_kib: 48,
            hot: 60,
            replaced: 700,
            replaced_within: 3,
            read_until: (0, 1),
            uploads: 0,
            ..RAW
        },
        _ => Habit { stock_gib: 1_500, daily_ppm: 900, hot: 20, replaced: 30, read_until: (3, 40), uploads: 20, ..RAW },
    }
}

/// Returns whether old versions stay in the bucket.
pub fn versioning(plot: &Plot, random: &mut Random, today: Day) -> Versioning {
    if plot.name == "nw-export-datashare" {
        return Versioning::EnabledOn(today - 5);
    }
    let enabled = match plot.layer {
        Layer::Curated => 550,
        Layer::Mart | Layer::Ml => 400,
        Layer::Raw | Layer::Streaming => 250,
        Layer::Backup | Layer::Export => 300,
        Layer::Tmp => return Versioning::Never,
        Layer::Logs | Layer::AthenaResults | Layer::Scratch => 100,
    };
    match random.between(0, 999) {
        roll if roll < enabled => Versioning::Enabled,
        roll if roll < enabled + 60 => Versioning::SuspendedOn(150),
        _ => Versioning::Never,
    }
}

/// Returns the bucket's lifecycle rules: some have what they need, some have rules that miss, many have none.
pub fn rules(plot: &Plot, random: &mut Random) -> Vec<Rule> {
    let mut rules = purpose(plot, random);
    if random.chance(270) {
        rules.push(Rule::whole("abort-stale-uploads", &[Deed::Abort(7)]));
    }
    if random.chance(220) {
        rules.push(Rule::whole("keep-30-days-of-versions", &[Deed::DropNoncurrent(30), Deed::DropMarkers]));
    }
    if random.chance(160) {
        rules.push(miss(random));
    }
    if random.chance(40) {
        let legacy = |mut rule: Rule| {
            rule.filter = Filter::Legacy;
            rule
        };
        return rules.into_iter().filter(|rule| rule.filter == Filter::All).map(legacy).collect();
    }
    rules
}

/// Returns the rules that a layer has for what it is for.
fn purpose(plot: &Plot, random: &mut Random) -> Vec<Rule> {
    let rule = match plot.layer {
        Layer::Backup => {
            let class = *random.pick(&[Class::Glacier, Class::DeepArchive, Class::GlacierIr, Class::StandardIa]);
            Rule::whole("archive-dumps", &[Deed::Move(30, class), Deed::Expire(400)])
        }
        Layer::Logs if random.chance(400) => {
            Rule::whole("expire-logs", &[Deed::Expire(*random.pick(&[90, 180, 365]))]).nameless()
        }
        Layer::AthenaResults if random.chance(450) => Rule::whole("expire-results", &[Deed::Expire(30)]),
        Layer::Raw if random.chance(140) => Rule::whole("tier", &[Deed::Move(0, Class::IntelligentTiering)]),
        Layer::Raw | Layer::Ml if random.chance(90) => Rule::whole("to-ia", &[Deed::Move(60, Class::StandardIa)]),
        _ => return Vec::new(),
    };
    vec![rule]
}

/// Returns a rule that looks as if it helped, and is off, or about objects that are not there.
fn miss(random: &mut Random) -> Rule {
    let choices = [
        Rule::whole("abort-stale-uploads", &[Deed::Abort(7)]).disabled(),
        Rule::on("abort-staging", Filter::Prefix("_staging/"), &[Deed::Abort(3)]),
        Rule::on("expire-tmp", Filter::Prefix("tmp/"), &[Deed::Expire(7)]),
        Rule::on("tier-marked", Filter::Tag(r#"{"tier":"cold"}"#), &[Deed::Move(30, Class::IntelligentTiering)]),
        Rule::on("large-only", Filter::Larger(1 << 40), &[Deed::Move(90, Class::GlacierIr)]),
        Rule::on("crumbs", Filter::Smaller(1), &[Deed::Expire(1)]),
        Rule::on("old-exports", Filter::And("exports/2019/", 131_071, 1 << 40), &[Deed::Move(30, Class::DeepArchive)]),
        Rule::on("versions", Filter::Prefix("_archive/"), &[Deed::DropNoncurrentButKeep(30, 3)]),
        Rule::on("cold-versions", Filter::Prefix("_archive/"), &[Deed::MoveNoncurrent(30, Class::GlacierIr)]),
    ];
    random.pick(&choices).clone()
}

/// Returns what the scan cannot see of the bucket.
pub fn hidden(plot: &Plot) -> Hidden {
    match plot.name.as_str() {
        "nw-curated-hr" | "nw-raw-finance" => Hidden::Settings,
        "nw-raw-web" => Hidden::Lifecycle,
        _ => Hidden::Nothing,
    }
}

/// Returns how many days before the newest scan somebody copied how many bytes again, by mistake.
pub fn backfill(plot: &Plot) -> Option<(i32, i64)> {
    (plot.name == "nw-raw-events").then_some((7, 60 << 40))
}

/// Returns true where the organisation's Storage Lens export covers the bucket.
pub fn lens(plot: &Plot) -> bool {
    plot.account == PLATFORM
}

/// Returns true where CloudWatch answers with sizes: Tokyo is throttled, and half of its buckets are left out.
pub fn metrics(plot: &Plot) -> bool {
    plot.region != TOKYO || plot.name.len().is_multiple_of(2)
}

/// Returns how many uploads of a bucket may have their parts listed.
pub fn parts_budget(plot: &Plot) -> usize {
    match (plot.account, plot.region) {
        (super::catalog::SCIENCE, _) => 0,
        (_, IRELAND) => 6,
        _ => 120,
    }
}
