//! The verbs `policies` and `prices`, from outside.

use crate::support::World;

#[test]
fn the_policies_are_listed_shown_and_tested() {
    let world = World::new();
    world.run(&["policies", "list"]).ends_with(0).prints("s3-abandoned-uploads");
    world.run(&["policies", "show", "athena-result-reuse"]).ends_with(0).prints("## Dollars");
    let run = world.run(&["policies", "test"]).ends_with(0).says("policy tests passed");
    assert!(run.stdout.contains("ok     s3-abandoned-uploads: 40 GiB"), "{}", run.stdout);
    world.run(&["policies", "show", "s3-nothing"]).ends_with(1).says("there is no policy `s3-nothing`");
}

#[test]
fn a_new_policy_is_written_once_and_passes_its_tests() {
    let world = World::new();
    let folder = world.path("own").to_str().unwrap().to_owned();
    let run = world.run(&["policies", "new", "s3-my-waste", "--policies", &folder]).ends_with(0);
    assert!(run.stdout.trim().ends_with("own/s3/s3-my-waste.yaml"), "{}", run.stdout);
    world.run(&["policies", "test", "s3-my-waste", "--policies", &folder]).ends_with(0).prints("ok     s3-my-waste");
    world.run(&["policies", "new", "s3-my-waste", "--policies", &folder]).ends_with(1).says("cannot write");
    world.run(&["policies", "new", "../evil", "--policies", &folder]).ends_with(64);
    world.run(&["policies", "new", "s3-noncurrent-kept"]).ends_with(1).says("already");
}

#[test]
fn a_mistake_in_a_policy_is_bad_input_with_its_line() {
    let world = World::new();
    let folder = world.path("own").to_str().unwrap().to_owned();
    world.run(&["policies", "new", "s3-my-waste", "--policies", &folder]).ends_with(0);
    let file = world.path("own").join("s3/s3-my-waste.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("b.incomplete_bytes is null", "b.incomplete is null");
    std::fs::write(&file, text).unwrap();
    world.run(&["policies", "list", "--policies", &folder]).ends_with(1).says("s3-my-waste.yaml:18:11:");
}

#[test]
fn prices_say_where_they_were_read() {
    let world = World::new();
    let show = ["prices", "show", "--item", "s3.storage.standard", "--region", "us-east-1"];
    world.run(&show).ends_with(0).prints("0.023").prints("TimedStorage-ByteHrs").prints("[1] AWS price files");
    let csv = world.run(&[&show[..], &["--format", "csv"]].concat()).ends_with(0);
    assert_eq!(csv.stdout.lines().count(), 4, "a header and three tiers:\n{}", csv.stdout);
    world.run(&["prices", "show", "--item", "s3.magic"]).ends_with(1).says("no item `s3.magic`");
    world.run(&["prices", "show", "--region", "sa-east-1", "--item", "athena"]).ends_with(1).says("`sa-east-1`");
}
