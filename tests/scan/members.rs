//! Many accounts as a user sees them: whose credentials read what, and what one that is closed leaves behind.

use rust_decimal::Decimal;

use crate::aws::ledger::Charge;
use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::big::measure::Measured;
use crate::support::skip::figure;
use crate::support::{TODAY, World, day};

const SCAN: &[&str] = &["scan", "--accounts", "all", "--role", "leanlake-scan", "--external-id", "x-1"];
const OPEN: &str = "222222222222";
const CLOSED: &str = "333333333333";

/// A payer with a bucket, an account with one in another Region, and one whose role asks for another external id.
fn world() -> World {
    let world = World::new();
    {
        let mut account = world.aws.account();
        account.s3.add("of-the-payer", Bucket::in_region("us-east-1"));
        account.organization.page = 1;
        let open = account.organization.add(OPEN, "data \u{1b}[31m", day(TODAY));
        open.external_id = Some("x-1".into());
        open.account.s3.add("of-the-member", Bucket::in_region("eu-west-1"));
        let closed = account.organization.add(CLOSED, "secrets", day(TODAY));
        closed.external_id = Some("x-2".into());
        closed.account.s3.add("never-seen", Bucket::in_region("us-east-1"));
        account.organization.add("444444444444", "gone", day(TODAY)).state = "SUSPENDED";
    }
    world
}

fn charge(world: &World, account: &str, service: &str, usd: i64) {
    let on = day("2026-11-10");
    let charge = Charge::usage(on, service, "EUW1-TimedStorage-ByteHrs", Decimal::from(usd), Decimal::ONE, "GB-Mo");
    world.aws.account().ledger.charges.push(charge.in_account(account));
}

fn buckets(world: &World) -> Vec<String> {
    world.lines("select account_id, bucket from buckets order by bucket")
}

/// Returns how often a role could not be assumed.
fn refused(world: &World) -> usize {
    world.aws.calls().iter().filter(|call| call.operation == "sts:AssumeRole" && call.status == 403).count()
}

const BOTH: [&str; 2] = ["account_id=222222222222 bucket=of-the-member", "account_id=111122223333 bucket=of-the-payer"];

#[test]
fn each_account_is_read_with_its_own_role_and_a_closed_one_touches_no_other() {
    let world = world();
    let run = world.run(&[SCAN, &["--only", "s3"]].concat()).ends_with(0);
    assert!(!run.stdout.contains("secret") && !run.stderr.contains("ASIA"));
    assert_eq!(buckets(&world), BOTH);
    assert_eq!(world.aws.count("organizations:ListAccounts"), 4, "page by page");
    let calls = world.aws.calls();
    let asked = |key: &str| calls.iter().filter(|call| call.key_id == key && call.operation.starts_with("s3:")).count();
    assert!(asked("ASIA222222222222") > 0 && asked("AKIATESTS") > 0);
    assert_eq!((asked("ASIA333333333333"), refused(&world)), (0, 1), "a suspended one is not tried");
    assert_eq!(world.aws.count("sts:AssumeRole"), 2, "once for each account, however much is read there");
    let gaps = world.rows(
        "select distinct missing_action, reason from coverage where account_id = '333333333333' and state = 'missing'",
    );
    assert_eq!(gaps.len(), 1);
    let why = gaps[0].to_string();
    for said in ["sts:AssumeRole", "leanlake-scan", CLOSED, "not authorized"] {
        assert!(why.contains(said), "{said} in {why}");
    }
    let accounts = world.lines("select account_id, state, payer, scanned from accounts order by account_id");
    assert_eq!(
        accounts,
        [
            "account_id=111122223333 payer=true scanned=true state=ACTIVE",
            "account_id=222222222222 payer=false scanned=true state=ACTIVE",
            "account_id=333333333333 payer=false scanned=false state=ACTIVE",
            "account_id=444444444444 payer=false scanned=false state=SUSPENDED",
        ]
    );
    let shown = world.run(&["query", "select name from accounts"]).ends_with(0).stdout;
    assert!(!shown.contains('\u{1b}') && shown.contains("data"), "{shown}");
}

#[test]
fn an_account_that_is_not_entered_this_time_keeps_what_was_seen_of_it() {
    let world = world();
    world.run(&[SCAN, &["--only", "s3"]].concat()).ends_with(0);
    world.run(&["scan", "--only", "s3"]).ends_with(0);
    assert_eq!(buckets(&world), BOTH);
    let held = "select state from coverage where table_name = 'buckets' and account_id = '222222222222' \
                and read = 's3:ListBuckets'";
    assert_eq!(world.lines(held), ["state=seen"]);
    world.aws.account().organization.members.remove("444444444444");
    world.run(&["scan", "--only", "s3", "--accounts", "all"]).ends_with(0);
    assert_eq!(buckets(&world), BOTH);
    let accounts = world.lines("select account_id, payer, scanned from accounts order by account_id");
    assert_eq!(accounts.len(), 3, "one that left the organization is gone: {accounts:?}");
    assert!(accounts[1].ends_with("payer=false scanned=false"), "{accounts:?}");
}

#[test]
fn an_account_that_nobody_has_is_a_gap() {
    let world = world();
    let accounts = ["scan", "--only", "s3", "--accounts", "222222222222,999999999999", "--role", "leanlake-scan"];
    world.run(&[&accounts[..], &["--external-id", "x-1"]].concat()).ends_with(0);
    assert_eq!(buckets(&world), BOTH[..1]);
    let gap = "select count(*) as n from coverage where account_id = '999999999999' and table_name = 'buckets' \
               and state = 'missing' and missing_action = 'sts:AssumeRole'";
    assert_eq!(world.lines(gap), ["n=1"]);
    world.run(&["scan", "--accounts", "12345"]).ends_with(64).says("12 digits");
}

#[test]
fn a_payer_without_a_role_has_the_whole_bill_and_names_the_accounts_it_did_not_ask() {
    let world = world();
    for (account, usd) in [("111122223333", 100), (OPEN, 400), (CLOSED, 500)] {
        charge(&world, account, "Amazon Simple Storage Service", usd);
    }
    world.run(&["scan", "--accounts", "all", "--all"]).ends_with(0);
    assert_eq!((buckets(&world).len(), world.aws.count("sts:AssumeRole")), (1, 0));
    let billed = "select linked_account_id as id, sum(unblended) as usd from costs_by_account group by 1 order by 1";
    assert_eq!(world.rows(billed).len(), 3);
    let told = "select distinct state, reason from coverage where account_id = '222222222222'";
    let told = world.lines(told);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("state=not_asked") && told[0].contains("--role NAME"), "{told:?}");
    world.run(&["report"]).ends_with(0);
}

#[test]
fn where_the_organization_is_not_told_the_accounts_of_the_bill_are_read() {
    for (operation, trouble) in [("organizations:*", Some(Trouble::Denied)), ("", None)] {
        let world = world();
        charge(&world, OPEN, "Amazon Simple Storage Service", 400);
        match trouble {
            Some(trouble) => world.aws.make(Fault::on(operation, trouble)),
            None => world.aws.account().organization.listed = false,
        }
        world.run(&[SCAN, &["--all"]].concat()).ends_with(0);
        assert_eq!(buckets(&world), BOTH);
        let gap = "select reason from coverage where read = 'organizations:ListAccounts' and state = 'missing'";
        assert_eq!(world.rows(gap).len(), 1);
    }
}

#[test]
fn what_costs_little_is_left_out_with_its_dollars_and_stays_where_it_was_seen_before() {
    let world = world();
    charge(&world, "111122223333", "Amazon Simple Storage Service", 990);
    charge(&world, OPEN, "Amazon Simple Storage Service", 10);
    let first = world.run(SCAN).ends_with(0);
    assert!(first.stdout.contains("left out: ") && first.stdout.contains("--all"), "{}", first.stdout);
    assert_eq!(buckets(&world), BOTH[1..]);
    let why = "select distinct reason from coverage where account_id = '222222222222' and table_name = 'buckets'";
    let why = world.lines(why);
    assert!(why.len() == 1 && why[0].contains("left out: $9") && why[0].contains("--all"), "{why:?}");
    world.run(&[SCAN, &["--all"]].concat()).ends_with(0);
    assert_eq!(buckets(&world), BOTH);
    world.run(SCAN).ends_with(0);
    assert_eq!(buckets(&world), BOTH, "what an earlier scan saw stays");
    let left = "select distinct reason from coverage where account_id = '222222222222' and table_name = 'buckets' \
                and state = 'not_asked'";
    let left = world.lines(left);
    assert!(left.len() == 1 && left[0].contains("left out: $9") && left[0].contains(TODAY), "{left:?}");
}

#[test]
fn a_region_of_one_account_is_left_out_for_about_so_much_unless_the_account_has_buckets_there() {
    let world = world();
    for (account, usage, usd) in [("111122223333", "EU", 500), (OPEN, "EU", 480), (OPEN, "USE1", 20)] {
        let (on, usage) = (day("2026-11-10"), format!("{usage}-TimedStorage-ByteHrs"));
        let (service, usd) = ("Amazon Simple Storage Service", Decimal::from(usd));
        let charge = Charge::usage(on, service, &usage, usd, Decimal::ONE, "GB-Mo").in_account(account);
        world.aws.account().ledger.charges.push(charge);
    }
    let run = world.run(SCAN).ends_with(0);
    assert!(run.stdout.contains("left out: about $"), "{}", run.stdout);
    let asked: Vec<(String, String)> = world
        .aws
        .calls()
        .into_iter()
        .filter(|call| call.operation == "cloudwatch:ListMetrics")
        .map(|call| (call.key_id, call.region))
        .collect();
    let was_asked = |key: &str, region: &str| asked.contains(&(key.to_owned(), region.to_owned()));
    assert!(was_asked("AKIATESTS", "us-east-1"), "the payer's bucket is there, whatever all accounts spend: {asked:?}");
    assert!(was_asked("ASIA222222222222", "eu-west-1") && !was_asked("ASIA222222222222", "us-east-1"), "{asked:?}");
    let why = "select distinct reason from coverage where account_id = '222222222222' and table_name = 'storage' \
               and region = 'us-east-1'";
    let why = world.lines(why);
    assert!(
        why.len() == 1 && why[0].contains("left out: about $9"),
        "the bill tells no Regions of an account: {why:?}"
    );
    let summary = world.run(&[SCAN, &["--format", "json"]].concat()).ends_with(0).json();
    assert_eq!(summary["left_out_is_estimate"], true);
}

#[test]
fn accounts_and_role_come_from_the_configuration_and_a_variable_wins_over_it() {
    let world = world();
    world.write("leanlake.toml", "accounts = 'all'\n[role]\nname = 'nobody'\nexternal_id = 'x-1'\n");
    world.run(&["scan", "--only", "s3"]).ends_with(0);
    assert_eq!(buckets(&world), BOTH[1..]);
    let world = world.set("LEANLAKE_ROLE", "leanlake-scan");
    world.run(&["scan", "--only", "s3"]).ends_with(0);
    assert_eq!(buckets(&world), BOTH);
    let shown = world.run(&["config", "show", "--origin"]).ends_with(0).stdout;
    let line = |key: &str| shown.lines().find(|line| line.trim_start().starts_with(key)).unwrap_or_default().to_owned();
    assert!(line("role.name").contains("LEANLAKE_ROLE") && line("accounts").contains("leanlake.toml:1"), "{shown}");
    world.run(&["scan", "--only", "s3", "--role", "nobody", "--accounts", CLOSED]).ends_with(0);
    assert_eq!(refused(&world), 4, "two, one, and the one that was typed");
    let world = self::world();
    world.run(&["scan", "--role", "leanlake-scan"]).ends_with(64).says("--accounts");
    let world = world.set("LEANLAKE_ACCOUNTS", "some");
    world.run(&["scan"]).ends_with(64).says("12 digits");
}

/// How many accounts `LEANLAKE_MEMBERS` names, or a thousand.
fn many() -> u64 {
    std::env::var("LEANLAKE_MEMBERS").map_or(1000, |text| text.parse().unwrap())
}

/// `cargo test --test it a_thousand_accounts -- --ignored --nocapture` prints how long it took and in how much memory.
#[test]
#[ignore = "takes minutes, and is worth measuring only on a quiet machine"]
fn a_thousand_accounts_are_read_and_the_closed_ones_among_them_are_named_one_by_one() {
    let (world, many) = (World::new(), many());
    world.aws.account().keep_calls = false;
    let id = |n: u64| (200_000_000_000 + n).to_string();
    let (closed, open): (Vec<u64>, Vec<u64>) = (0..many).partition(|n| n % 100 == 7);
    for n in 0..many {
        let mut account = world.aws.account();
        let member = account.organization.add(&id(n), &format!("team {n}"), day(TODAY));
        member.external_id = Some(if n % 100 == 7 { "another" } else { "x-1" }.into());
        member.account.s3.add(&format!("lake-{n}"), Bucket::in_region("us-east-1"));
    }
    // Gaps do not make a scan fail: it ends with 0, and says how many there are.
    let measured = Measured::of(&world, &[SCAN, &["--only", "s3"]].concat());
    figure(&format!("{many} accounts\n{measured}"));
    let read = open.len();
    assert_eq!(
        world.lines("select count(*) as n, count(distinct account_id) as a from buckets"),
        [format!("a={read} n={read}")]
    );
    let gaps = "select account_id as id, count(*) as n, min(reason) as why from coverage where table_name = 'buckets' \
                and state = 'missing' and missing_action = 'sts:AssumeRole' group by 1 order by 1";
    let gaps = world.rows(gaps);
    assert_eq!(gaps.len(), closed.len());
    for (gap, n) in gaps.iter().zip(&closed) {
        let why = gap["why"].as_str().unwrap();
        assert!(gap["id"] == id(*n) && gap["n"] == 1, "{gap}");
        assert!(why.contains(&id(*n)) && why.contains("leanlake-scan") && why.contains("not authorized"), "{why}");
    }
    let missing = world.lines("select distinct account_id as id from coverage where state = 'missing' order by id");
    let ids: Vec<String> = closed.iter().map(|n| format!("id={}", id(*n))).collect();
    assert_eq!(missing, ids, "nothing is missing anywhere else");
    assert_eq!(world.lines("select count(*) as n from accounts where scanned"), [format!("n={}", read + 1)]);
}
