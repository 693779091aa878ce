//! The circuit breaker as AWS sees it: requests that stop, one try, and all of them again or none.

use std::thread;
use std::time::{Duration, Instant};

use crate::aws::s3::Bucket;
use crate::aws::{Call, Fault, Trouble};
use crate::support::{Run, World};

const READ: &str = "s3:GetBucketTagging";
/// Failures in a row that open the circuit, and requests that may be under way when it opens.
const OPENS: usize = 10;
const UNDER_WAY: usize = 64;
const BUCKETS: usize = 120;

fn world() -> World {
    let world = World::new();
    for n in 0..BUCKETS {
        world.aws.account().s3.add(&format!("bucket-{n:03}"), Bucket::in_region("us-east-1").tagged("owner", "bi"));
    }
    world.aws.make(Fault::on(READ, Trouble::Broken));
    world
}

fn asked(world: &World) -> Vec<Call> {
    world.aws.calls().into_iter().filter(|call| call.operation == READ).collect()
}

/// Waits until the requests have stopped, and returns how many there were.
fn stopped(world: &World) -> usize {
    let deadline = Instant::now() + Duration::from_mins(3);
    loop {
        assert!(Instant::now() < deadline, "they never stop");
        let calls = asked(world);
        let quiet = calls.last().is_some_and(|last| last.at.elapsed() > Duration::from_secs(4));
        if calls.len() >= OPENS && quiet {
            return calls.len();
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Returns when the first request came after the first `before` ones, and how many came later than right after it.
fn after(world: &World, before: usize) -> (Duration, usize) {
    let calls = asked(world);
    let pause = calls[before].at.duration_since(calls[before - 1].at);
    (pause, calls.len() - before - 1)
}

#[test]
fn an_outage_that_passes_stops_the_requests_and_costs_nothing_but_time() {
    let world = world();
    let child = world.start(&["scan", "--only", "s3"]);
    let before = stopped(&world);
    assert!(before <= OPENS + UNDER_WAY, "{before} requests to a service that is down");
    world.aws.account().faults.clear();
    Run::wait_for(child).ends_with(0);
    let (pause, later) = after(&world, before);
    assert!(pause > Duration::from_secs(4), "a pause of {pause:?}");
    assert!(later >= BUCKETS - 1, "one try, then all that waited: {later}");
    assert_eq!(world.lines("select count(tags) as n from buckets"), [format!("n={BUCKETS}")]);
    assert_eq!(world.lines(&format!("select state from coverage where read = '{READ}'")), ["state=seen"]);
}

#[test]
fn an_outage_that_stays_gets_one_try_after_the_pause_and_the_rest_is_a_gap() {
    let world = world();
    let child = world.start(&["scan", "--only", "s3"]);
    let before = stopped(&world);
    Run::wait_for(child).ends_with(0);
    assert_eq!(after(&world, before).1, 0, "one try and no more");
    let told = format!("select count(*) as n from coverage where read = '{READ}' and reason like '%left alone%'");
    assert!(world.rows(&told)[0]["n"].as_u64().unwrap() > 0);
    assert_eq!(world.lines("select count(*) as n, count(tags) as t from buckets"), [format!("n={BUCKETS} t=0")]);
    assert_eq!(world.lines("select count(versioning) as n from buckets"), [format!("n={BUCKETS}")], "the rest is read");
}
