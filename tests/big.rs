//! A big account, made by formulas and answered at AWS's pace: what a scan of it asks, how fast, and in how much memory.
//!
//! The small one runs always. The full one is `benches/big-account`, which prints what it measured; it asserts no time.

mod account;
pub mod measure;
mod unchanged;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use self::account::Size;
use self::measure::Measured;
use crate::support::World;
use crate::support::skip::figure;

const TOMORROW: &str = "2026-11-21";
/// What reads histories: only what is new is asked for.
const HISTORIES: [&str; 3] =
    ["athena:ListQueryExecutions", "athena:BatchGetQueryExecution", "cloudwatch:GetMetricData"];

/// A machine that is busy hands requests over in heaps: what matters here is that they do not all come at once.
const SLACK: Duration = Duration::from_secs(2);

fn world(size: Size, slack: Duration) -> World {
    let world = World::new();
    account::fill(&mut world.aws.account(), size);
    world.aws.account().rates.limits = Some(slack);
    world.write("store/hash.key", "the tests' own key of the hashes");
    world
}

fn small() -> World {
    world(Size { buckets: 400, jobs: 20, runs: 10, queries: 2_000, days: 60 }, SLACK)
}

#[test]
fn a_small_part_of_the_big_account_is_read_whole_within_its_limits_and_never_twice() {
    let world = small();
    world.scan();
    assert_eq!(counts(&world), ["buckets 400", "glue_job_runs 200", "athena_queries 2000", "storage 48800"]);
    let first = requests(&world);
    assert_eq!(throttled(&world), 0, "{first:?}");
    assert!(
        world.rows("select * from coverage where state in ('missing', 'partial') and \"read\" like 's3:%'").is_empty()
    );
    world.aws.forget_calls();
    let world = world.on(TOMORROW);
    world.scan();
    let second = requests(&world);
    assert_eq!(throttled(&world), 0, "{second:?}");
    for history in HISTORIES {
        assert!(second[history] * 10 <= first[history], "{history}: {} after {}", second[history], first[history]);
    }
    let more = |(operation, count): (&String, &u64)| *count > first.get(operation).copied().unwrap_or_default();
    let oftener: Vec<&String> = second.iter().filter(|asked| more(*asked)).map(|(operation, _)| operation).collect();
    assert_eq!(oftener, ["cloudtrail:LookupEvents"], "it says which settings need not be read: {second:?}, {first:?}");
    let [all, before] = [&second, &first].map(|asked| asked.values().sum::<u64>());
    assert!(all * 10 <= before, "{all} after {before}: {second:?}");
    // Of 2,000 queries in 45 days 44 fall on the first of the two days: the last one whose queries Athena lists.
    assert_eq!(counts(&world), ["buckets 400", "glue_job_runs 200", "athena_queries 2044", "storage 49600"]);
    let ends = "select min(query_id) as a, max(query_id) as z from athena_queries";
    assert_eq!(world.lines(ends), ["a=q-00012356 z=q-00014399"], "none is missing between them");
}

#[test]
fn two_scans_of_the_same_account_leave_the_same_bytes() {
    let parts = || {
        let world = small();
        world.scan();
        let named = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        world.files("store/tables").into_iter().map(named).collect::<Vec<_>>()
    };
    let (once, again) = std::thread::scope(|scope| {
        let other = scope.spawn(parts);
        (parts(), other.join().unwrap())
    });
    assert!(once.len() > 20, "{once:?}");
    assert_eq!(once, again);
}

/// Run by `benches/big-account`.
#[test]
#[ignore = "takes some minutes: `benches/big-account` runs it"]
fn the_big_account_is_measured() {
    let size = Size::asked();
    let world = world(size, Duration::ZERO);
    figure(&format!("{size:?}"));
    let first = Measured::scan(&world);
    figure(&format!("first scan\n{first}"));
    world.aws.forget_calls();
    let world = world.on(TOMORROW);
    let second = Measured::scan(&world);
    figure(&format!("second scan, a day later\n{second}"));
    figure(&second.against(&first, &HISTORIES));
    figure(&counts(&world).join("\n"));
    assert_eq!(counts(&world)[0], format!("buckets {}", size.buckets));
}

fn counts(world: &World) -> Vec<String> {
    let count = |table: &&str| {
        let row = world.rows(&format!("select count(*) as n from {table}"));
        format!("{table} {}", row[0]["n"])
    };
    ["buckets", "glue_job_runs", "athena_queries", "storage"].iter().map(count).collect()
}

fn requests(world: &World) -> BTreeMap<String, u64> {
    world.aws.account().asked.iter().map(|(operation, asked)| (operation.clone(), asked.requests)).collect()
}

fn throttled(world: &World) -> u64 {
    world.aws.account().asked.values().map(|asked| asked.throttled).sum()
}
