//! `prices refresh` against the tests' own price list: what becomes newer, what stays, and what is said of it.

use serde_json::Value;

use crate::aws::price_list::Line;
use crate::aws::s3::{Bucket, Upload};
use crate::aws::{Fault, Trouble};
use crate::support::World;

/// A world without credentials: the price list is public.
fn world() -> World {
    World::new().without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY")
}

fn publish(world: &World, offer: &str, region: &str, day: &str, lines: &[Line]) {
    world.aws.account().price_list.publish(offer, region, day, lines);
}

fn standard(sku: &str, first: &str) -> Vec<Line> {
    vec![
        Line::new(sku, "EU-TimedStorage-ByteHrs", "512000", "0.0200000000"),
        Line::new(sku, "EU-TimedStorage-ByteHrs", "0", first),
        Line::new(sku, "EU-TimedStorage-ByteHrs", "51200", "0.0210000000"),
    ]
}

const S3_IRELAND: [&str; 6] = ["prices", "refresh", "--offer", "AmazonS3", "--region", "eu-west-1"];

fn shown(world: &World, more: &[&str]) -> Vec<Value> {
    let item = ["prices", "show", "--item", "s3.storage.standard", "--region", "eu-west-1", "--format", "json"];
    let run = world.run(&[&item[..], more].concat()).ends_with(0);
    let document = run.json();
    document["prices"].as_array().or(document["changes"].as_array()).unwrap().clone()
}

fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_default()
}

#[test]
fn refreshed_prices_keep_their_tiers_and_say_where_and_when_they_were_read() {
    let world = world();
    publish(&world, "AmazonS3", "eu-west-1", "2026-11-18", &standard("AAAA", "0.0220000000"));
    world.run(&S3_IRELAND).ends_with(0).says("AmazonS3 in eu-west-1: 3 prices");
    let rows = shown(&world, &[]);
    let tiers: Vec<(&str, &str)> = rows.iter().map(|row| (text(row, "from"), text(row, "usd"))).collect();
    assert_eq!(tiers, [("0.00", "0.022"), ("51200.00", "0.021"), ("512000.00", "0.02")]);
    for row in &rows {
        assert!(text(row, "mark").starts_with("R: "), "{row}");
        assert_eq!(text(row, "date"), "2026-11-18");
        let path = "/offers/v1.0/aws/AmazonS3/20261118120000/eu-west-1/index.csv";
        assert!(text(row, "source").ends_with(path), "the edition that never changes is named: {row}");
    }
    assert_eq!(world.aws.count("pricing:GetOfferFile"), 1, "only what was asked for is fetched");
}

#[test]
fn a_changed_price_shows_with_the_one_before_and_both_dates_however_often_the_sku_changes() {
    let world = world();
    for (day, sku, usd) in
        [("2026-11-18", "AAAA", "0.022"), ("2026-11-19", "ZZZZ", "0.022"), ("2026-11-20", "ZZZZ", "0.0215")]
    {
        publish(&world, "AmazonS3", "eu-west-1", day, &standard(sku, usd));
        world.run(&S3_IRELAND).ends_with(0);
    }
    let of_first_tier = shown(&world, &["--changed"]);
    let of_first_tier = of_first_tier.iter().filter(|row| text(row, "from") == "0.00");
    let told: Vec<[&str; 4]> =
        of_first_tier.map(|row| ["usd_before", "date_before", "usd", "date"].map(|column| text(row, column))).collect();
    assert_eq!(told, [["0.023", "2025-06-05", "0.022", "2026-11-18"], ["0.022", "2026-11-19", "0.0215", "2026-11-20"]]);
    assert_eq!(world.files("store/prices").len(), 3, "each refresh is a file of its own");
}

#[test]
fn without_a_refresh_nothing_has_changed() {
    world().run(&["prices", "show", "--changed"]).ends_with(0).prints("no price has changed");
}

#[test]
fn a_region_that_is_missing_and_a_file_that_is_cut_are_said_and_leave_the_older_prices() {
    let world = world();
    publish(&world, "AmazonS3", "eu-west-1", "2026-11-18", &standard("AAAA", "0.0220000000"));
    world.run(&S3_IRELAND).ends_with(0);
    publish(&world, "AmazonS3", "eu-west-1", "2026-11-19", &standard("AAAA", "0.0110000000"));
    publish(&world, "AmazonS3", "us-east-1", "2026-11-19", &[Line::new("B", "TimedStorage-ByteHrs", "0", "0.021")]);
    world.aws.make(Fault::on("pricing:GetOfferFile", Trouble::CutShort).of("AmazonS3/eu-west-1"));
    let run = world
        .run(&[
            "prices",
            "refresh",
            "--offer",
            "AmazonS3",
            "--region",
            "eu-west-1",
            "--region",
            "us-east-1",
            "--region",
            "me-south-1",
        ])
        .ends_with(3)
        .says("AmazonS3 in me-south-1: AWS has no such file; its older prices stay")
        .says("2 of 3 price files were not read");
    assert!(run.stderr.contains("warning: AmazonS3 in eu-west-1: "), "{}", run.stderr);
    assert_eq!(text(&shown(&world, &[])[0], "usd"), "0.022", "half a file changes nothing");
    world
        .run(&["prices", "show", "--item", "s3.storage.standard", "--region", "us-east-1"])
        .ends_with(0)
        .prints("0.021");
}

#[test]
fn a_page_instead_of_a_list_is_refused_and_when_nothing_was_read_nothing_is_written() {
    let world = world();
    world.aws.make(Fault::on("pricing:GetOfferFile", Trouble::Garbled));
    let run = world.run(&S3_IRELAND).ends_with(1).says("this is not a price list").says("the older ones stay");
    assert_eq!((run.stdout.as_str(), world.files("store").len()), ("", 0));
}

#[test]
fn a_saving_uses_the_refreshed_price_and_says_so() {
    let world = World::new();
    let parts = [42_949_672_960];
    let lake = Bucket::in_region("eu-west-1").with_upload(Upload::new("a", "u1", "2026-10-01", &parts));
    world.aws.account().s3.add("lake", lake);
    world.scan();
    let finding = || {
        let document =
            world.run(&["findings", "--policy", "s3-abandoned-uploads", "--format", "json"]).ends_with(0).json();
        document["findings"][0].clone()
    };
    assert_eq!(finding()["saving"]["low"], "0.84", "40 GiB at the cheapest tier of the book, 0.021");
    publish(&world, "AmazonS3", "eu-west-1", "2026-11-18", &standard("AAAA", "0.0220000000"));
    world.run(&S3_IRELAND).ends_with(0);
    let refreshed = finding();
    assert_eq!(refreshed["saving"]["low"], "0.80", "40 GiB at 0.020");
    let trace = refreshed["trace"].to_string();
    assert!(trace.contains("list price of 2026-11-18 (refreshed from AWS's price list)"), "{trace}");
}

#[test]
fn an_offer_that_holds_no_item_is_a_usage_error_and_the_demo_is_never_refreshed() {
    world().run(&["prices", "refresh", "--offer", "AmazonRDS"]).ends_with(64).says("AmazonS3");
    world().run(&["prices", "refresh", "--demo"]).ends_with(64);
}
