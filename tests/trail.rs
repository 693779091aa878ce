//! Who changed lifecycle configurations, as a scan reads it from the tests' own CloudTrail.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::aws::trail::Event;
use crate::aws::{Fault, Trouble};
use crate::support::{World, day};

const TERRAFORM: &str = "[APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) terraform-provider-aws/5.100.0 aws-sdk-go-v2/1.36]";

fn at(on: &str, hour: u32) -> DateTime<Utc> {
    day(on).and_hms_opt(hour, 0, 0).unwrap().and_utc()
}

fn world() -> World {
    let world = World::new();
    fill(&world);
    world
}

/// Puts in changes that several tools made.
pub fn fill(world: &World) {
    let identity = json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann", "userName": "ann"});
    let on = |id: &str, bucket: &str, day: &str, agent: &str| Event::new(id, bucket, at(day, 9), agent);
    world.aws.account().trail.events = vec![
        on("e-old", "lake", "2026-08-01", TERRAFORM),
        on("e-1", "lake", "2026-10-02", TERRAFORM),
        Event { name: "DeleteBucketLifecycle".into(), ..on("e-2", "logs", "2026-11-03", "aws-cli/2.27.4") },
        Event { identity, error: Some("AccessDenied".into()), ..on("e-3", "logs", "2026-11-04", "Boto3/1.43") },
        Event { region: "eu-west-1".into(), ..on("e-far", "far", "2026-11-05", "S3Console/0.4") },
        Event { name: "PutBucketPolicy".into(), ..on("e-policy", "lake", "2026-11-06", TERRAFORM) },
    ];
}

fn scan(world: &World) {
    world.run(&["scan", "--only", "cloudtrail", "--region", "us-east-1", "--region", "eu-west-1"]).ends_with(0);
}

#[test]
fn each_change_says_when_with_what_tool_and_by_which_role_but_not_which_person() {
    let world = world();
    scan(&world);
    let sql = "select event_id as id, region as r, bucket as b, tool as t, principal_type as k, principal_name as n, succeeded as ok from lifecycle_changes order by id";
    assert_eq!(
        world.lines(sql),
        [
            "b=lake id=e-1 k=AssumedRole n=deploy ok=true r=us-east-1 t=terraform",
            "b=logs id=e-2 k=AssumedRole n=deploy ok=true r=us-east-1 t=cli",
            "b=logs id=e-3 k=IAMUser n=ann ok=false r=us-east-1 t=sdk",
            "b=far id=e-far k=AssumedRole n=deploy ok=true r=eu-west-1 t=console"
        ]
    );
    for path in world.files("store") {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"jane"), "{} names a person", path.display());
    }
}

#[test]
fn pages_lose_no_change() {
    let world = world();
    for n in 10..70 {
        let event = Event::new(&format!("m-{n}"), "busy", at("2026-11-10", n % 24), "Pulumi/1.0 Terraform/1.5");
        world.aws.account().trail.events.push(event);
    }
    world.aws.account().trail.page = 25;
    scan(&world);
    assert_eq!(world.lines("select count(*) as n from lifecycle_changes where tool = 'pulumi'"), ["n=60"]);
}

#[test]
fn the_history_outlives_what_cloudtrail_keeps_and_only_new_days_are_asked_for() {
    let world = world();
    scan(&world);
    world.aws.forget_calls();
    let world = world.on("2027-01-20");
    world.aws.account().trail.events.push(Event::new("e-new", "lake", at("2027-01-19", 9), "aws-cli/2"));
    scan(&world);
    assert_eq!(
        world.lines("select count(*) as n from lifecycle_changes where event_id = 'e-1'"),
        ["n=1"],
        "older than 90 days"
    );
    assert_eq!(world.lines("select count(*) as n from lifecycle_changes where event_id = 'e-new'"), ["n=1"]);
    let starts: Vec<i64> = world.aws.calls().iter().filter_map(|call| call.json["StartTime"].as_i64()).collect();
    assert!(starts.len() == 6 && starts.iter().all(|start| *start >= at("2026-11-19", 0).timestamp()), "{starts:?}");
    let covered = world.lines("select cast(from_day as varchar) as f, cast(to_day as varchar) as t from coverage where table_name = 'lifecycle_changes' and region = 'us-east-1'");
    assert_eq!(covered, ["f=2026-08-23 t=2027-01-20"]);
}

#[test]
fn a_denied_history_is_a_gap_of_its_region_with_its_action() {
    let world = world();
    world.aws.make(Fault::on("cloudtrail:LookupEvents", Trouble::Denied));
    world.run(&["scan", "--only", "cloudtrail,s3", "--region", "us-east-1"]).ends_with(0);
    let gaps = world.lines("select region as r, missing_action as a, state as s from coverage where table_name = 'lifecycle_changes' and state <> 'seen'");
    assert_eq!(gaps, ["a=cloudtrail:LookupEvents r=us-east-1 s=missing"]);
}
