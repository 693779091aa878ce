//! The journal as a lock, and as a file that somebody may have changed.

use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::guard::check_way_back;
use super::record::{Entry, Record, Verb};
use super::run::settled;
use super::tests::{ACCOUNT, Account, THEIRS, World, at, observed, plan_for};
use super::*;
use crate::lifecycle::Configuration;
use crate::lifecycle::rule::ABORT_UPLOADS;

fn of(world: &str, objects: &Arc<InMemory>) -> Runs {
    Runs::new(Arc::clone(objects) as Arc<dyn ObjectStore>, Path::from("store/runs"), at, world)
}

fn outcome() -> Record {
    Record::Outcome { bucket: "a".into(), outcome: Outcome::Done }
}

async fn begun(runs: &Runs) -> String {
    let verb = Verb::Rollback { of: "x".into() };
    runs.begin(World::started(verb), None).await.unwrap().run().to_owned()
}

#[tokio::test]
async fn of_two_processes_at_one_run_one_goes_on_whatever_they_want_to_say() {
    let objects = Arc::new(InMemory::new());
    let (one, two) = (of("one", &objects), of("two", &objects));
    let run = begun(&one).await;
    let (mut first, _) = one.open(&run).await.unwrap();
    let (mut second, _) = two.open(&run).await.unwrap();
    first.append(Record::Resumed { tool_version: "0".into() }).await.unwrap();
    assert!(matches!(second.append(outcome()).await, Err(JournalError::Busy(_))), "another kind of record");
    let resumed = Record::Resumed { tool_version: "0".into() };
    assert!(matches!(second.append(resumed).await, Err(JournalError::Busy(_))), "the same record");
    let (mut third, _) = two.open(&run).await.unwrap();
    third.append(Record::Resumed { tool_version: "0".into() }).await.unwrap();
    assert!(matches!(first.append(outcome()).await, Err(JournalError::Busy(_))), "the run was taken over");
}

#[tokio::test]
async fn two_runs_that_begin_in_one_second_have_two_names() {
    let objects = Arc::new(InMemory::new());
    let (one, two) = (of("one", &objects), of("two", &objects));
    let names = [begun(&one).await, begun(&one).await, begun(&two).await];
    let mut different = names.to_vec();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 3, "{names:?}");
}

#[tokio::test]
async fn records_past_the_ten_thousandth_stand_in_their_order() {
    let objects = Arc::new(InMemory::new());
    let runs = of("one", &objects);
    let run = begun(&runs).await;
    let (mut journal, _) = runs.open(&run).await.unwrap();
    for _ in 2..=10_002 {
        journal.append(outcome()).await.unwrap();
    }
    let (mut journal, entries) = runs.open(&run).await.unwrap();
    assert!(entries.iter().map(|entry| entry.number).eq(1..=10_002));
    journal.append(outcome()).await.unwrap();
    assert_eq!(runs.open(&run).await.unwrap().1.len(), 10_003);
}

#[tokio::test]
async fn a_record_that_is_missing_or_stands_in_the_place_of_another_is_damage() {
    let objects = Arc::new(InMemory::new());
    let runs = of("one", &objects);
    let run = begun(&runs).await;
    let (mut journal, _) = runs.open(&run).await.unwrap();
    for _ in 0..2 {
        journal.append(outcome()).await.unwrap();
    }
    let path = |number: u32| Path::from(format!("store/runs/{run}/{number:04}.json"));
    let third = objects.get(&path(3)).await.unwrap().bytes().await.unwrap();
    objects.delete(&path(2)).await.unwrap();
    let error = runs.open(&run).await.unwrap_err();
    assert!(matches!(&error, JournalError::Damaged { file, .. } if file.ends_with("0002.json")), "{error}");
    objects.put(&path(2), third.into()).await.unwrap();
    let error = runs.open(&run).await.unwrap_err();
    assert!(matches!(&error, JournalError::Damaged { reason, .. } if reason.contains("another record")), "{error}");
}

#[tokio::test]
async fn a_run_that_was_taken_back_has_nothing_settled() {
    let account = Account::new(&[("a", None)]);
    let world = World::new();
    let (run, _) = world.apply(&account, &plan_for(&account, &["a"])).await;
    assert_eq!(settled(&world.runs.open(&run).await.unwrap().1).len(), 1);
    world.rollback(&account, &run).await;
    assert!(settled(&world.runs.open(&run).await.unwrap().1).is_empty());
    assert_eq!(world.resume(&account, &run).await, [Outcome::Done], "resumed, it writes again and says so");
}

async fn applied(world: &World, account: &Account) -> (Journal, Vec<Entry>) {
    let (run, _) = world.apply(account, &plan_for(account, &["a"])).await;
    world.runs.open(&run).await.unwrap()
}

fn intent(entries: &mut [Entry]) -> &mut record::Intent {
    let found = entries.iter_mut().find_map(|entry| match &mut entry.record {
        Record::Intent(intent) => Some(intent),
        _ => None,
    });
    found.unwrap()
}

#[tokio::test]
async fn a_journal_without_its_first_record_or_about_elsewhere_is_damaged() {
    let account = Account::new(&[("a", None)]);
    let world = World::new();
    let (journal, entries) = applied(&world, &account).await;
    assert!(journal.began(&entries).is_ok() && journal.plan(&entries).await.is_ok());
    assert!(journal.check_buckets(&entries).await.is_ok());
    let damaged = |entries: &[Entry]| matches!(journal.began(entries), Err(JournalError::Damaged { .. }));
    assert!(damaged(&entries[1..]) && damaged(&[]));
    for change in [
        (|intent: &mut record::Intent| intent.account_id = "999".into()) as fn(&mut record::Intent),
        |intent| intent.bucket = "../other".into(),
        |intent| intent.bucket = "other/key?x=".into(),
        |intent| intent.bucket = "".into(),
        |intent| intent.region = "us-east-1.example.org/".into(),
    ] {
        let mut crafted = entries.clone();
        change(intent(&mut crafted));
        assert!(damaged(&crafted), "{crafted:?}");
    }
    let mut crafted = entries.clone();
    intent(&mut crafted).bucket = "other".into();
    let refused = journal.check_buckets(&crafted).await;
    assert!(matches!(refused, Err(JournalError::Damaged { .. })), "a bucket that the plan does not name");
    let (back, _) = world.rollback(&account, journal.run()).await;
    let (journal, entries) = world.runs.open(&back).await.unwrap();
    assert!(journal.began(&entries).is_ok() && journal.check_buckets(&entries).await.is_ok());
    assert!(matches!(journal.plan(&entries).await, Err(JournalError::Damaged { .. })), "not to be resumed");
}

#[tokio::test]
async fn a_plan_that_was_exchanged_in_the_journal_is_noticed() {
    let account = Account::new(&[("a", None)]);
    let objects = Arc::new(InMemory::new());
    let runs = of("one", &objects);
    let file = plan_for(&account, &["a"]).to_json();
    let verb = Verb::Apply { plan: crate::plan::identity(file.as_bytes()) };
    let run = runs.begin(World::started(verb), Some(file.as_bytes())).await.unwrap().run().to_owned();
    let (journal, entries) = runs.open(&run).await.unwrap();
    assert!(journal.plan(&entries).await.is_ok());
    let path = Path::from(format!("store/runs/{run}/plan.json"));
    objects.put(&path, file.replacen("\"f-0\"", "\"f-9\"", 1).into()).await.unwrap();
    assert!(matches!(journal.plan(&entries).await, Err(JournalError::Damaged { .. })));
    assert!(journal.check_buckets(&entries).await.is_err());
    objects.delete(&path).await.unwrap();
    assert!(journal.plan(&entries).await.is_err(), "nothing to resume");
    assert!(journal.check_buckets(&entries).await.is_ok(), "the way back needs no plan");
}

/// What a journal may claim stood there before, where `now` stands.
async fn rolled_back_to(before: &str, small_objects: &str, now: &str) -> (Outcome, bool) {
    let account = Account::new(&[("a", Some(now))]);
    let world = World::new();
    let live = account.lake.look("a").unwrap().configuration;
    let mut claimed = observed(Some(before)).configuration;
    claimed.small_objects = Some(small_objects.to_owned());
    let place = Place { account_id: ACCOUNT.into(), region: "us-east-1".into(), bucket: "a".into() };
    let mut journal = world.runs.begin(World::started(Verb::Apply { plan: String::new() }), None).await.unwrap();
    journal.intend(&place, &claimed, &live).await.unwrap();
    let (_, outcomes) = world.rollback(&account, journal.run()).await;
    (outcomes[0].clone(), account.writes() > 0)
}

const READ: &str = "varies_by_storage_class";

#[tokio::test]
async fn a_crafted_journal_cannot_change_the_rules_of_others_or_make_ours_delete() {
    let with = |rules: &str| THEIRS.replace("</Life", &format!("{rules}</Life"));
    let own = |id: &str, action: &str| {
        format!("<Rule><ID>{id}</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>{action}</Rule>")
    };
    let deletes = "<Expiration><Days>1</Days></Expiration>";
    let aborts =
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    for (claimed, setting) in [
        (THEIRS.replace("<Days>3<", "<Days>1<"), READ),
        (THEIRS.replace("tmp/", ""), READ),
        ("<LifecycleConfiguration><Rule><ID>leanlake-x</ID></Rule></LifecycleConfiguration>".to_owned(), READ),
        (with(&own("added", deletes)), READ),
        (with(&own("leanlake-x", deletes)), READ),
        (with(&own(ABORT_UPLOADS, &format!("{aborts}{deletes}"))), READ),
        (with(&own(ABORT_UPLOADS, aborts)), "all_storage_classes_128K"),
    ] {
        let (outcome, wrote) = rolled_back_to(&claimed, setting, THEIRS).await;
        assert!(matches!(outcome, Outcome::Guarded { .. }) && !wrote, "{claimed}: {outcome:?}");
    }
    let (outcome, wrote) = rolled_back_to(&with(&own(ABORT_UPLOADS, aborts)), READ, THEIRS).await;
    assert!(outcome == Outcome::Done && wrote, "{outcome:?}");
}

#[test]
fn a_configuration_with_rules_of_others_is_never_removed() {
    let live = observed(Some(THEIRS)).configuration;
    assert!(check_way_back(&live, &Configuration::default()).is_err());
    assert_eq!(check_way_back(&Configuration::default(), &Configuration::default()), Ok(()));
}

#[tokio::test]
async fn the_journal_holds_what_a_person_needs_without_leanlake() {
    let world = World::new();
    let mut journal = world.runs.begin(World::started(Verb::Apply { plan: String::new() }), None).await.unwrap();
    let place =
        |bucket: &str| Place { account_id: ACCOUNT.into(), region: "us-east-1".into(), bucket: bucket.to_owned() };
    let (theirs, none) = (observed(Some(THEIRS)).configuration, Configuration::default());
    journal.intend(&place("a"), &theirs, &none).await.unwrap();
    journal.intend(&place("it's"), &none, &theirs).await.unwrap();
    let (_, entries) = world.runs.open(journal.run()).await.unwrap();
    let intents: Vec<_> =
        entries.iter().filter_map(|e| if let Record::Intent(i) = &e.record { Some(i) } else { None }).collect();
    assert_eq!(
        intents[0].undo,
        "aws s3api put-bucket-lifecycle-configuration --region us-east-1 --cli-input-json file://0002-restore.json"
    );
    assert_eq!(intents[0].before.document.as_ref().unwrap().xml(), THEIRS);
    let cli = intents[0].before_cli.as_ref().unwrap();
    assert_eq!(cli["TransitionDefaultMinimumObjectSize"], "varies_by_storage_class");
    assert!(
        intents[1].undo.ends_with("--bucket 'it'\\''s' --expected-bucket-owner 111122223333"),
        "{}",
        intents[1].undo
    );
}
