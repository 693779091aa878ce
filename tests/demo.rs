//! The demo lake from outside.

use crate::support::World;

#[test]
fn the_demo_fills_a_store_once_and_touches_none_that_is_in_use() {
    let world = World::new();
    let made = world.run(&["demo", "--days", "60"]).ends_with(0);
    assert_eq!(made.stdout.lines().count(), 2, "last week's and this week's snapshot: {made:?}");
    let again = world.run(&["demo"]).ends_with(6).says("already holds");
    assert_eq!(again.stdout, "");
}

#[test]
fn the_demo_needs_a_store_of_its_own() {
    World::new().without("LEANLAKE_STORE").run(&["demo"]).ends_with(64).says("--store");
}
