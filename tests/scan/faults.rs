//! A bad day at AWS costs lines of coverage and never a scan: what was read is what a good day reads, and whatever is not
//! there is named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use leanlake::model::{Cell, Coverage, Row, Untrusted};
use leanlake::store::tables::TABLES;
use leanlake::store::{Filter, Store, Table};

use super::rich::{HERE, MEMBER, THERE, VAULT, world};
use crate::aws::{Fault, Trouble};
use crate::support::World;

/// Scans that run beside each other: most of the time they wait.
const AT_ONCE: usize = 6;

/// Everything but the bill, which asks for fourteen months at Cost Explorer's pace.
const DETAIL: &str =
    "s3,cloudwatch,athena,glue,network,cloudtrail,advice,emr,emr-serverless,redshift,redshift-serverless";
const BILL: &str = "bill";

/// What may be missing on this day.
enum Missed {
    /// Nothing: trouble that passes leaves no trace.
    Nothing,
    /// Only what this says of a gap, and something.
    Only(fn(&Coverage) -> bool),
}

/// One bad day.
struct Day {
    name: &'static str,
    read: &'static str,
    /// How long one collector may take.
    time: &'static str,
    faults: Vec<Fault>,
    missed: Missed,
    /// Words that a gap has for it.
    because: &'static str,
}

/// A day that passes without a trace.
fn passing(name: &'static str, read: &'static str, faults: &[Fault]) -> Day {
    Day { name, read, time: "2h", faults: faults.to_vec(), missed: Missed::Nothing, because: "" }
}

/// A day that costs something.
fn costing(name: &'static str, faults: &[Fault], because: &'static str, missed: fn(&Coverage) -> bool) -> Day {
    Day { name, read: DETAIL, time: "2h", faults: faults.to_vec(), missed: Missed::Only(missed), because }
}

fn everywhere(trouble: Trouble, attempts: u32) -> [Fault; 1] {
    [Fault::on("*", trouble).first_attempts(attempts)]
}

fn in_region(gap: &Coverage, region: &str) -> bool {
    gap.region.as_deref() == Some(region)
}

fn in_account(gap: &Coverage, account: &str) -> bool {
    gap.account_id.as_deref() == Some(account)
}

fn of_service(gap: &Coverage, service: &str) -> bool {
    gap.read.split(':').next() == Some(service)
}

fn passing_days() -> Vec<Day> {
    let slow = |services: &[&str]| -> Vec<Fault> {
        let twice = |service: &&str| Fault::on(&format!("{service}:*"), Trouble::Throttled).first_attempts(2);
        services.iter().map(twice).collect()
    };
    let json = ["athena", "glue", "lakeformation", "cloudtrail", "emr", "emr-serverless", "redshift-serverless"];
    let account = ["organizations", "budgets", "cost-optimization-hub", "network-firewall", "ce"];
    let drip = |operation: &str| Fault::on(operation, Trouble::Dripping(Duration::from_millis(1)));
    vec![
        passing("SlowDown of S3, twice a call", DETAIL, &slow(&["s3"])),
        passing("throttling in JSON", DETAIL, &slow(&[&json[..], &account[..]].concat())),
        passing("throttling in XML", DETAIL, &slow(&["sts", "ec2", "redshift", "s3control"])),
        passing("throttling in CBOR", DETAIL, &slow(&["cloudwatch"])),
        passing("throttling of the bill", BILL, &slow(&["ce", "sts"])),
        passing("each connection is reset once", DETAIL, &everywhere(Trouble::Reset, 1)),
        passing("each connection of the bill is reset once", BILL, &everywhere(Trouble::Reset, 1)),
        passing("each answer is cut short once", DETAIL, &everywhere(Trouble::CutShort, 1)),
        passing("each answer fails once", DETAIL, &everywhere(Trouble::Broken, 1)),
        passing("slow drip", DETAIL, &[drip("athena:*"), drip("redshift:*"), drip("cloudwatch:*")]),
    ]
}

fn costing_days() -> Vec<Day> {
    let stalled = [Fault::on("glue:*", Trouble::Stalled).in_region(THERE)];
    let dripping = [Fault::on("emr:*", Trouble::Dripping(Duration::from_secs(1))).in_region(HERE)];
    let silent = [Fault::on("s3:GetBucketTagging", Trouble::Stalled).of(VAULT)];
    let timed = |day: Day| Day { time: "20s", ..day };
    let dead = [Fault::on("*", Trouble::Reset).in_region(THERE)];
    let off = [Fault::on("*", Trouble::Unknown).in_region(THERE)];
    let closed = [Fault::on("*", Trouble::Denied).in_account(MEMBER)];
    let halved = [Fault::on("*", Trouble::Halved).in_region(THERE)];
    vec![
        timed(costing("Glue of a Region never answers", &stalled, "--collector-time", |gap| {
            in_region(gap, THERE) && (of_service(gap, "glue") || of_service(gap, "lakeformation"))
        })),
        timed(costing("EMR of a Region drips", &dripping, "--collector-time", |gap| {
            in_region(gap, HERE) && of_service(gap, "emr")
        })),
        timed(costing("one setting of one bucket never comes", &silent, "--collector-time", |gap| {
            // The time is the collector's for all buckets of the account: what it asks for after their settings is cut too.
            gap.read == "s3:ListParts" && in_account(gap, "111122223333")
                || gap.read == "s3:GetBucketTagging" && in_region(gap, HERE)
        })),
        costing("a Region is dead", &dead, "connection", |gap| in_region(gap, THERE)),
        costing("a Region is not enabled", &off, "security token", |gap| in_region(gap, THERE)),
        costing("answers of a Region are halves", &halved, "ended in the middle", |gap| in_region(gap, THERE)),
        costing(
            "an account may not be entered",
            &[Fault::on("sts:AssumeRole", Trouble::Denied)],
            "could not assume",
            |gap| in_account(gap, MEMBER),
        ),
        costing("an account may read nothing", &closed, "not authorized", |gap| in_account(gap, MEMBER)),
        costing(
            "a bucket is open to a VPC only",
            &[Fault::on("s3:*", Trouble::Denied).of(VAULT)],
            "not authorized",
            |gap| of_service(gap, "s3") && in_account(gap, "111122223333") && in_region(gap, HERE),
        ),
        costing("a service fails", &[Fault::on("athena:*", Trouble::Broken)], "internal error", |gap| {
            of_service(gap, "athena")
        }),
    ]
}

/// What a scan left in the store.
struct Seen {
    rows: BTreeMap<&'static str, Vec<Row>>,
    gaps: Vec<Coverage>,
}

fn seen(world: &World) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open_folder(world.path("store")).unwrap();
        let snapshot = store.newest(&Filter::default()).await.unwrap();
        let mut rows = BTreeMap::new();
        for table in TABLES.iter().filter(|table| table.name != "coverage") {
            rows.insert(table.name, snapshot.rows(table).await.unwrap());
        }
        let gaps = snapshot.coverage().await.unwrap().into_iter().filter(Coverage::is_gap).collect();
        Seen { rows, gaps }
    })
}

fn scan(read: &str, time: &str, faults: &[Fault]) -> (World, String) {
    let world = world();
    for fault in faults {
        world.aws.make(fault.clone());
    }
    let accounts = ["scan", "--all", "-v", "--accounts", "all", "--role", "leanlake-scan"];
    let run = world.run(&[&accounts[..], &["--only", read, "--collector-time", time]].concat()).ends_with(0);
    assert!(!run.stderr.contains("mistake in leanlake") && !run.stderr.contains("panicked"), "{}", run.stderr);
    (world, run.stderr)
}

/// Where a row is not as on a good day.
struct Difference<'a> {
    table: &'static Table,
    row: &'a Row,
    /// The column that is not known; `None` where the row is missing.
    column: Option<&'a str>,
}

impl Difference<'_> {
    /// Returns true when the gap names what is missing: its table and place and, for a cell, the read that fills it.
    fn is_named_by(&self, gap: &Coverage) -> bool {
        let key = |column: &str| Some(self.row.key(column)).filter(|key| !key.is_empty());
        let at = |column: &str, said: Option<&str>| said.is_none() || key(column).is_none() || key(column) == said;
        let thing = gap.resource.as_ref().is_none_or(|thing| {
            self.row.cells().any(|(_, cell)| matches!(cell, Cell::Text(text) if text.raw() == thing.raw()))
        });
        let read = self.column.and_then(|column| self.table.column(column)?.read);
        gap.table == self.table.name
            && at("account_id", gap.account_id.as_deref())
            && at("region", gap.region.as_deref())
            && thing
            && read.is_none_or(|read| read == gap.read)
    }
}

fn key(table: &Table, row: &Row) -> Vec<String> {
    table.key.iter().map(|column| format!("{:?}", row.cell(column))).collect()
}

/// Returns where `got` has less than `whole`; what it has more or otherwise is a lie.
fn differences<'w>(whole: &'w Seen, got: &Seen) -> Result<Vec<Difference<'w>>, String> {
    let mut found = Vec::new();
    for table in TABLES.iter().copied().filter(|table| !["coverage", "accounts"].contains(&table.name)) {
        let have: BTreeMap<_, _> = got.rows[table.name].iter().map(|row| (key(table, row), row)).collect();
        let wanted: BTreeSet<_> = whole.rows[table.name].iter().map(|row| key(table, row)).collect();
        if let Some((_, row)) = have.iter().find(|(key, _)| !wanted.contains(*key)) {
            return Err(format!("{}: a row that a good day does not have: {row:?}", table.name));
        }
        for row in &whole.rows[table.name] {
            let Some(other) = have.get(&key(table, row)) else {
                found.push(Difference { table, row, column: None });
                continue;
            };
            for (column, cell) in row.cells().filter(|(column, cell)| other.cell(column) != *cell) {
                if *other.cell(column) != Cell::Null {
                    return Err(format!("{}.{column}: {:?} instead of {cell:?}", table.name, other.cell(column)));
                }
                found.push(Difference { table, row, column: Some(column) });
            }
        }
    }
    Ok(found)
}

fn brief(gaps: &[&Coverage]) -> String {
    let line = |gap: &&Coverage| {
        let place = [gap.account_id.as_deref(), gap.region.as_deref(), gap.resource.as_ref().map(Untrusted::raw)];
        let place = place.map(Option::unwrap_or_default).join(" ");
        let why = gap.reason.as_ref().map_or("", |why| why.raw());
        format!("  {} {} {} {place}: {why}\n", gap.table, gap.read, gap.state.as_str())
    };
    gaps.iter().map(line).collect()
}

/// Plays the day and says what is wrong with how it was told.
fn play(day: &Day) -> Result<(), String> {
    let (world, stderr) = scan(day.read, day.time, &day.faults);
    let (got, whole) = (seen(&world), whole(day.read));
    let gaps: Vec<&Coverage> = got.gaps.iter().filter(|gap| !whole.gaps.contains(gap)).collect();
    for lack in differences(whole, &got)? {
        let Difference { table, row, column } = &lack;
        if !gaps.iter().any(|gap| lack.is_named_by(gap)) {
            return Err(format!(
                "{} {column:?}: no gap names what is missing of {row:?}\n{}",
                table.name,
                brief(&gaps)
            ));
        }
    }
    match day.missed {
        Missed::Nothing if gaps.is_empty() => Ok(()),
        Missed::Nothing => Err(format!("gaps:\n{}", brief(&gaps))),
        Missed::Only(within) => {
            if let Some(gap) = gaps.iter().find(|gap| !within(gap)) {
                return Err(format!("it reaches too far: {}", brief(&[gap])));
            }
            let told = |gap: &&Coverage| gap.reason.as_ref().is_some_and(|why| why.raw().contains(day.because));
            if !gaps.iter().any(told) {
                return Err(format!("no gap says `{}`:\n{}", day.because, brief(&gaps)));
            }
            if stderr.contains(day.because) { Ok(()) } else { Err(format!("stderr is silent: {stderr}")) }
        }
    }
}

/// Plays the days, some at once; panics with everything that is wrong.
fn play_all(days: Vec<Day>) {
    let (queue, wrong) = (Mutex::new(days), Mutex::new(Vec::new()));
    let next = || queue.lock().unwrap().pop();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(day) = next() {
                    let played = std::panic::catch_unwind(|| play(&day));
                    let said = played.unwrap_or_else(|_| Err("it did not end as it should, see above".to_owned()));
                    if let Err(problem) = said {
                        wrong.lock().unwrap().push(format!("{}: {problem}", day.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Returns what a good day reads, and checks that it is much.
fn whole(read: &str) -> &'static Seen {
    static WHOLE: [OnceLock<Seen>; 2] = [OnceLock::new(), OnceLock::new()];
    let (of, least) = if read == BILL { (&WHOLE[0], 4) } else { (&WHOLE[1], 28) };
    of.get_or_init(|| {
        let seen = seen(&scan(read, "2h", &[]).0);
        let filled = seen.rows.values().filter(|rows| !rows.is_empty()).count();
        assert!(filled >= least, "only {filled} tables have rows");
        seen
    })
}

#[test]
fn trouble_that_passes_leaves_no_trace() {
    play_all(passing_days());
}

#[test]
fn trouble_that_stays_costs_what_it_reaches_and_every_lack_is_named() {
    play_all(costing_days());
}
