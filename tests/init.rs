//! `init` from the outside: what it asks, the file that it writes, and that it overwrites none.

use std::collections::BTreeSet;

use serde_json::json;

use crate::aws::exports::Export;
use crate::aws::lens::Lens;
use crate::aws::s3::Bucket;
use crate::aws::settings::Settings;
use crate::aws::{Fault, Trouble};
use crate::support::{TODAY, World, day};

fn world() -> World {
    let world = World::new();
    world.aws.account().s3.add("lake", Bucket::in_region("eu-west-1"));
    world.aws.account().s3.add("logs", Bucket::in_region("us-east-1"));
    let view =
        |name: &str, kind: &str| json!({"name": name, "billingViewType": kind, "ownerAccountId": "111122223333"});
    let views = [view("Primary View", "PRIMARY"), view("team \u{1b}", "BILLING_GROUP")];
    world.aws.account().advice.billing_views = views.into();
    world.aws.account().advice.page = 1;
    world
}

fn file(world: &World) -> String {
    std::fs::read_to_string(world.path("leanlake.toml")).unwrap()
}

#[test]
fn it_says_what_there_is_and_writes_a_file_that_counts() {
    let world = world();
    let run = world.run(&["init", "--region", "eu-west-1"]).ends_with(0).says("wrote `leanlake.toml`");
    for line in [
        "Account 111122223333 (partition aws), as arn:aws:iam::111122223333:user/reader.",
        "Organization: none; this account pays for itself.",
        "Pro-forma billing groups: team \\u{1b}. Their accounts see costs that AWS does not charge.",
        "Buckets: 2, in eu-west-1 (1), us-east-1 (1).",
        "Budgets: none.",
        "Bill exports: none.",
    ] {
        assert!(run.stdout.contains(line), "no `{line}` in\n{}", run.stdout);
    }
    assert!(file(&world).contains("# Buckets: 2"), "{}", file(&world));
    let shown = world.run(&["config", "show", "--origin"]).ends_with(0).stdout;
    let regions = shown.lines().find(|line| line.contains("regions")).unwrap();
    assert!(regions.contains("eu-west-1") && regions.contains("leanlake.toml:"), "{regions}");
    assert!(shown.lines().any(|line| line.contains("history_days") && line.contains("default")), "{shown}");
}

#[test]
fn exports_lens_inventories_budgets_and_registrations_are_found_and_stand_in_the_file() {
    let world = world();
    {
        let mut account = world.aws.account();
        let listed = "<Id>all</Id><IsEnabled>true</IsEnabled><IncludedObjectVersions>All</IncludedObjectVersions><Schedule>\
            <Frequency>Daily</Frequency></Schedule><Destination><S3BucketDestination><Bucket>arn:aws:s3:::lists</Bucket>\
            <Format>CSV</Format></S3BucketDestination></Destination>";
        let settings = Settings { inventory: vec![listed.into()], ..Settings::default() };
        account.s3.add("raw", Bucket::in_region("us-east-1").set(settings));
        let (name, bucket, prefix) = ("daily".into(), "bills".into(), "cur".into());
        account.exports = vec![Export { name, bucket, prefix, table: "COST_AND_USAGE_REPORT" }];
        account.lenses.push(Lens { home: "us-east-1".into(), id: "whole".into(), inside: String::new() });
        account.advice.budgets = vec![json!({"BudgetName": "lake", "BudgetType": "COST", "TimeUnit": "MONTHLY"})];
        let registered = json!({"ResourceArn": "arn:aws:s3:::lake/orders"});
        account.glue.registered = vec![("eu-west-1".to_owned(), registered)];
    }
    let run = world.run(&["init"]).ends_with(0);
    for line in [
        "Storage Lens configurations: whole.",
        "Inventories: raw/all.",
        "Budgets: lake.",
        "Lake Formation locations: arn:aws:s3:::lake/orders.",
        "Bill exports: s3://bills/cur",
    ] {
        assert!(run.stdout.contains(line), "no `{line}` in\n{}", run.stdout);
        assert!(file(&world).contains(&format!("# {line}")), "no `{line}` in\n{}", file(&world));
    }
}

#[test]
fn payer_delegated_administrator_and_member_are_told_apart() {
    const OWN: &str = "111122223333";
    const OTHER: &str = "222222222222";
    let said = |payer: Option<&str>, delegates: &[&str]| {
        let world = world();
        let mut account = world.aws.account();
        account.organization.add(OTHER, "data", day(TODAY));
        account.organization.payer = payer.map(str::to_owned);
        account.organization.delegates = delegates.iter().map(|id| (*id).to_owned()).collect();
        drop(account);
        let printed = world.run(&["init"]).ends_with(0).stdout;
        printed.lines().find(|line| line.starts_with("Organization")).unwrap().to_owned()
    };
    let payer = "Organization o-tests: this account is the payer; delegated administrators: 222222222222.";
    assert_eq!(said(None, &[OTHER]), payer);
    let member = "Organization o-tests: this account is a member, 222222222222 pays; it is";
    assert_eq!(said(Some(OTHER), &[OWN]), format!("{member} a delegated administrator."));
    assert_eq!(said(Some(OTHER), &[]), format!("{member} no delegated administrator."));
}

#[test]
fn a_file_that_is_there_is_overwritten_only_when_told_to() {
    let world = world();
    world.write("leanlake.toml", "history_days = 9\n");
    let run = world.run(&["init"]).ends_with(1).says("there is a `leanlake.toml` here already");
    assert!(run.stderr.contains("--force"), "{}", run.stderr);
    assert_eq!((file(&world).as_str(), world.aws.calls().len()), ("history_days = 9\n", 0), "nothing was asked");
    world.run(&["init", "--force"]).ends_with(0);
    assert!(file(&world).contains("# history_days = 45"), "{}", file(&world));
}

#[test]
fn printed_it_is_the_file_and_none_is_written() {
    let world = world();
    let run = world.run(&["init", "--print"]).ends_with(0);
    assert!(run.stdout.starts_with("# leanlake.toml, written by `leanlake init` on 2026-11-20."), "{}", run.stdout);
    assert!(run.stdout.contains("# regions = [\"eu-west-1\", \"us-east-1\"]"), "{}", run.stdout);
    assert!(!world.path("leanlake.toml").exists());
}

#[test]
fn it_asks_nothing_that_costs_but_the_list_of_buckets() {
    let world = world();
    world.run(&["init", "--print"]).ends_with(0);
    let asked: BTreeSet<String> = world.aws.calls().into_iter().map(|call| call.operation).collect();
    let free = [
        "bcm-data-exports:ListExports",
        "billing:ListBillingViews",
        "budgets:DescribeBudgets",
        "lakeformation:ListResources",
        "organizations:DescribeOrganization",
        "s3:ListBucketInventoryConfigurations",
        "s3:ListBuckets",
        "s3control:ListStorageLensConfigurations",
        "sts:GetCallerIdentity",
    ];
    assert_eq!(asked, free.map(str::to_owned).into());
}

#[test]
fn what_it_may_not_ask_is_not_known_and_it_still_writes() {
    let world = world();
    for service in
        ["s3:*", "s3control:*", "billing:*", "budgets:*", "lakeformation:*", "organizations:*", "bcm-data-exports:*"]
    {
        world.aws.make(Fault::on(service, Trouble::Denied));
    }
    let run = world.run(&["init"]).ends_with(0);
    for what in [
        "Organization",
        "Pro-forma billing",
        "Buckets",
        "Inventories",
        "Budgets",
        "Lake Formation locations",
        "Bill exports",
    ] {
        assert!(run.stdout.contains(&format!("{what}: not known (")), "{what}:\n{}", run.stdout);
    }
    assert!(world.path("leanlake.toml").exists());
}
