//! What the second scan of an account with many buckets asks of them: the settings that somebody changed.

use crate::aws::trail::Event;
use crate::aws::{Fault, Trouble};
use crate::support::{TODAY, World, day};

use super::account::{self, Size};
use super::{TOMORROW, requests};

/// More buckets than are read whole each time.
const MANY: usize = 260;

fn many() -> World {
    let world = World::new();
    account::fill(&mut world.aws.account(), Size { buckets: MANY, jobs: 0, runs: 0, queries: 0, days: 1 });
    world.aws.account().rates.latency = std::time::Duration::ZERO;
    world
}

fn scan(world: &World, more: &[&str]) -> String {
    world.aws.forget_calls();
    world.run(&[&["scan", "--only", "s3"], more].concat()).ends_with(0).stdout
}

fn asked(world: &World, operation: &str) -> u64 {
    requests(world).get(operation).copied().unwrap_or_default()
}

/// Somebody turns versioning on; CloudTrail hears of it or not.
fn turn_on(world: &World, n: usize, heard: bool) {
    let (name, mut account) = (account::bucket_name(n), world.aws.account());
    account.s3.add(&name, account::bucket(n).versioned());
    let at = day(TODAY).and_hms_opt(12, 0, 0).unwrap().and_utc();
    let event = Event { name: "PutBucketVersioning".into(), ..Event::new(&format!("e-{n}"), &name, at, "aws-cli/2") };
    account.trail.events.extend(heard.then_some(event));
}

fn states(world: &World) -> Vec<String> {
    world.lines(
        "select bucket as b, versioning as v, unchanged_since as u from buckets \
         where bucket in ('lake-00007', 'lake-00008', 'lake-00010') order by b",
    )
}

#[test]
fn settings_are_asked_for_again_where_cloudtrail_names_a_change_or_an_earlier_scan_was_refused() {
    let world = many();
    world.aws.make(Fault::on("s3:GetBucketTagging", Trouble::Denied));
    scan(&world, &[]);
    assert_eq!(asked(&world, "cloudtrail:LookupEvents"), 0, "there is nothing to compare with");
    world.aws.account().faults.clear();
    let world = world.on(TOMORROW);
    turn_on(&world, 7, true);
    turn_on(&world, 8, false);
    let said = scan(&world, &[]);
    let each = ["s3:GetBucketVersioning", "s3:GetBucketTagging", "s3:ListMultipartUploads"];
    assert_eq!(each.map(|operation| asked(&world, operation)), [1, MANY as u64, MANY as u64]);
    let since = "u=2026-11-20T00:00:00Z";
    assert_eq!(
        states(&world),
        [
            "b=lake-00007 u=null v=Enabled".to_owned(),
            format!("b=lake-00008 {since} v=Never"),
            format!("b=lake-00010 {since} v=Never"),
        ]
    );
    assert!(said.contains("settings of 259 buckets") && said.contains("--fresh"), "{said}");
    let rules = "select count(*) as n from lifecycle_rules";
    assert_eq!(world.lines(rules), ["n=52"], "what stands in tables of its own comes along");
    let tagged = "select count(*) as n from buckets where tags = '{}'";
    assert_eq!(world.lines(tagged), ["n=130"], "what was refused is read now");
    assert!(world.rows("select * from coverage where state <> 'seen' and table_name = 'buckets'").is_empty());
    let why = "select count(*) as n from coverage where table_name = 'buckets' and \"read\" = 's3:GetBucketVersioning' \
               and seen = 260 and reason like '%as read since 2026-11-20%CloudTrail names no change%'";
    assert_eq!(world.lines(why), ["n=1"]);
    let world = world.on("2026-11-22");
    scan(&world, &["--fresh"]);
    assert_eq!(asked(&world, "s3:GetBucketVersioning"), MANY as u64);
    assert_eq!(states(&world)[1], "b=lake-00008 u=null v=Enabled");
}

#[test]
fn where_cloudtrail_does_not_tell_or_a_week_is_over_every_setting_is_read_again() {
    let world = many();
    scan(&world, &[]);
    let world = world.on(TOMORROW);
    turn_on(&world, 8, false);
    world.aws.make(Fault::on("cloudtrail:LookupEvents", Trouble::Denied));
    let said = scan(&world, &[]);
    assert_eq!(asked(&world, "s3:GetBucketVersioning"), MANY as u64);
    assert_eq!(states(&world)[1], "b=lake-00008 u=null v=Enabled");
    assert!(!said.contains("--fresh"), "{said}");
    let why = "select count(*) as n from coverage where table_name = 'buckets' and state = 'seen' and seen = 0 \
               and reason like 'all settings were read again%LookupEvents%'";
    assert_eq!(world.lines(why), ["n=1"]);
    world.aws.account().faults.clear();
    let world = world.on("2026-11-28");
    scan(&world, &[]);
    assert_eq!([asked(&world, "cloudtrail:LookupEvents"), asked(&world, "s3:GetBucketVersioning")], [0, MANY as u64]);
}

#[test]
fn a_scan_of_a_day_to_come_reads_every_setting_and_says_when_it_really_did() {
    let world = many();
    scan(&world, &[]);
    let world = world.on("2199-11-20");
    scan(&world, &[]);
    assert_eq!([asked(&world, "cloudtrail:LookupEvents"), asked(&world, "s3:GetBucketVersioning")], [0, MANY as u64]);
    let since = "select count(*) as n from buckets where unchanged_since is null or unchanged_since >= '2199-01-01'";
    assert_eq!(world.lines(since), ["n=0"]);
    let world = world.on("2199-11-21");
    scan(&world, &[]);
    assert_eq!(asked(&world, "s3:GetBucketVersioning"), MANY as u64, "what was read today is old by then");
}
