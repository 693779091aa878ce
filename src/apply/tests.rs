//! The protocol against an account in memory with troubles of its own: drift, contention, lost answers, late reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use object_store::memory::InMemory;
use object_store::path::Path;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::record::{Record, Started, Verb};
use super::rollback::Rollback;
use super::run::settled;
use super::*;
use crate::lifecycle::rule::ABORT_UPLOADS;
use crate::lifecycle::{Configuration, OwnRule};
use crate::plan::{self, Facts, Plan, Selection};

pub(super) const THEIRS: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n  <Rule><ID>theirs</ID>\
    <Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration>\
    <Unknown a=\"1\"><!-- kept --></Unknown></Rule>\n</LifecycleConfiguration>";
pub(super) const ACCOUNT: &str = "111122223333";

pub(super) fn at() -> DateTime<Utc> {
    "2026-11-20T06:00:00Z".parse().unwrap()
}

pub(super) fn observed(xml: Option<&str>) -> Observed {
    let document = xml.map(|xml| Document::parse(xml.as_bytes()).unwrap());
    let small_objects = document.is_some().then(|| "varies_by_storage_class".to_owned());
    Observed { configuration: Configuration { document, small_objects }, tags: Some(BTreeMap::new()) }
}

pub(super) fn target() -> Target {
    Target { account_id: ACCOUNT.into(), origin: Origin::Aws { partition: "aws".into() } }
}

/// What the next write meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// It takes effect and its answer is lost.
    LostAnswer,
    /// It does not take effect and no answer comes.
    Lost,
    /// It is refused.
    Refused,
    /// It takes effect, and the old document is read for a while.
    ReadLate(usize),
    /// Somebody else writes right after it.
    Contended,
}

pub(super) struct Account {
    pub(super) lake: Rehearsal,
    trouble: Mutex<Trouble>,
    stale: Mutex<(usize, Option<Observed>)>,
    writes: Mutex<usize>,
}

impl Account {
    pub(super) fn new(buckets: &[(&str, Option<&str>)]) -> Self {
        let buckets = buckets.iter().map(|(name, xml)| ((*name).to_owned(), observed(*xml))).collect();
        Account {
            lake: Rehearsal::new(buckets),
            trouble: Mutex::new(Trouble::None),
            stale: Mutex::default(),
            writes: Mutex::default(),
        }
    }

    pub(super) fn meets(self, trouble: Trouble) -> Self {
        *self.trouble.lock().unwrap() = trouble;
        self
    }

    pub(super) fn xml(&self, bucket: &str) -> Option<String> {
        self.lake.look(bucket).unwrap().configuration.document.map(|document| document.xml().to_owned())
    }

    pub(super) fn writes(&self) -> usize {
        *self.writes.lock().unwrap()
    }

    pub(super) fn put(&self, bucket: &str, xml: &str) {
        self.lake.place(bucket, observed(Some(xml)));
    }
}

fn failed(trouble: CallTrouble) -> CallError {
    CallError { trouble, said: "no\u{1b}pe".into() }
}

#[async_trait]
impl Executor for Account {
    async fn observe(&self, place: &Place) -> Result<Observed, CallError> {
        {
            let mut stale = self.stale.lock().unwrap();
            if stale.0 > 0 {
                stale.0 -= 1;
                return Ok(stale.1.clone().unwrap());
            }
        }
        self.lake.observe(place).await
    }

    async fn perform(&self, place: &Place, write: Write<'_>) -> Result<(), CallError> {
        *self.writes.lock().unwrap() += 1;
        let trouble = std::mem::replace(&mut *self.trouble.lock().unwrap(), Trouble::None);
        match trouble {
            Trouble::Lost => return Err(failed(CallTrouble::Unknown)),
            Trouble::Refused => return Err(failed(CallTrouble::Denied)),
            Trouble::ReadLate(reads) => *self.stale.lock().unwrap() = (reads, self.lake.look(&place.bucket)),
            Trouble::None | Trouble::LostAnswer | Trouble::Contended => {}
        }
        self.lake.perform(place, write).await?;
        match trouble {
            Trouble::LostAnswer => Err(failed(CallTrouble::Unknown)),
            Trouble::Contended => {
                self.put(&place.bucket, &THEIRS.replace("theirs", "third"));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn plan_for(account: &Account, buckets: &[&str]) -> Plan {
    let findings: Vec<_> =
        buckets.iter().enumerate().map(|(n, bucket)| crate::plan::tests::found(&format!("f-{n}"), bucket)).collect();
    let looks = buckets.iter().map(|bucket| ((*bucket).to_owned(), Ok(account.lake.look(bucket).unwrap()))).collect();
    let facts = Facts {
        account_id: ACCOUNT.into(),
        caller_arn: None,
        origin: target().origin,
        snapshot: "s".into(),
        as_of: at(),
        created_at: at(),
    };
    plan::build(facts, &findings, &Selection::default(), &looks)
}

pub(super) struct World {
    pub(super) runs: Runs,
    limits: Limits,
    cancel: CancellationToken,
}

impl World {
    pub(super) fn new() -> Self {
        let runs = Runs::new(Arc::new(InMemory::new()), Path::from("store/runs"), at, "this");
        World { runs, limits: Limits::default(), cancel: CancellationToken::new() }
    }

    pub(super) fn started(verb: Verb) -> Started {
        Started { verb, tool_version: "0".into(), account_id: ACCOUNT.into(), origin: target().origin }
    }

    pub(super) fn pace() -> Pace {
        Pace { reads: 6, first_wait: Duration::ZERO, longest_wait: Duration::ZERO }
    }

    pub(super) async fn apply(&self, account: &Account, plan: &Plan) -> (String, Vec<Outcome>) {
        let file = plan.to_json();
        let verb = Verb::Apply { plan: plan::identity(file.as_bytes()) };
        let journal = self.runs.begin(Self::started(verb), Some(file.as_bytes())).await.unwrap();
        self.go_on(account, plan, journal, &BTreeSet::new()).await
    }

    async fn go_on(
        &self,
        account: &Account,
        plan: &Plan,
        mut journal: Journal,
        settled: &BTreeSet<String>,
    ) -> (String, Vec<Outcome>) {
        let (limits, cancel, pace) = (&self.limits, &self.cancel, Self::pace());
        let tolerance = target().tolerance();
        let mut run = Run { executor: account, journal: &mut journal, limits, pace, tolerance, cancel };
        let reports = run.apply(plan, settled).await.unwrap();
        (journal.run().to_owned(), reports.into_iter().map(|report| report.outcome).collect())
    }

    pub(super) async fn resume(&self, account: &Account, run: &str) -> Vec<Outcome> {
        let (mut journal, entries) = self.runs.open(run).await.unwrap();
        let plan = journal.plan(&entries).await.unwrap();
        journal.append(Record::Resumed { tool_version: "0".into() }).await.unwrap();
        self.go_on(account, &plan, journal, &settled(&entries)).await.1
    }

    pub(super) async fn rollback(&self, account: &Account, run: &str) -> (String, Vec<Outcome>) {
        let (mut taken_back, entries) = self.runs.open(run).await.unwrap();
        let verb = Verb::Rollback { of: run.to_owned() };
        let mut journal = self.runs.begin(Self::started(verb), None).await.unwrap();
        taken_back.append(Record::TakenBack { by: journal.run().to_owned() }).await.unwrap();
        let (cancel, pace, tolerance) = (&self.cancel, Self::pace(), target().tolerance());
        let rollback = Rollback { executor: account, pace, tolerance, cancel };
        let reports = rollback.carry_out(&undo(&entries), &mut journal).await.unwrap();
        (journal.run().to_owned(), reports.into_iter().map(|report| report.outcome).collect())
    }
}

#[tokio::test]
async fn a_fix_is_written_read_back_journalled_and_taken_back_byte_for_byte() {
    let account = Account::new(&[("lake", Some(THEIRS)), ("bare", None)]);
    let world = World::new();
    let (run, outcomes) = world.apply(&account, &plan_for(&account, &["lake", "bare"])).await;
    assert_eq!(outcomes, [Outcome::Done, Outcome::Done]);
    assert!(account.xml("lake").unwrap().contains(ABORT_UPLOADS));
    assert_eq!(
        account.lake.look("lake").unwrap().configuration.small_objects.as_deref(),
        Some("varies_by_storage_class")
    );
    let (_, entries) = world.runs.open(&run).await.unwrap();
    let names: Vec<u32> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(names, [1, 2, 3, 4, 5, 6]);
    let (back, outcomes) = world.rollback(&account, &run).await;
    assert_eq!(outcomes, [Outcome::Done, Outcome::Done]);
    assert_eq!((account.xml("lake").as_deref(), account.xml("bare")), (Some(THEIRS), None));
    let (_, outcomes) = world.rollback(&account, &back).await;
    assert_eq!(outcomes, [Outcome::Done, Outcome::Done]);
    assert!(account.xml("bare").unwrap().contains(ABORT_UPLOADS), "a rollback can be taken back too");
}

#[tokio::test]
async fn applying_twice_changes_nothing_the_second_time() {
    let account = Account::new(&[("lake", Some(THEIRS))]);
    let (world, plan) = (World::new(), plan_for(&account, &["lake"]));
    world.apply(&account, &plan).await;
    let (run, outcomes) = world.apply(&account, &plan).await;
    assert_eq!((outcomes, account.writes()), (vec![Outcome::AlreadyDone], 1));
    assert!(undo(&world.runs.open(&run).await.unwrap().1).is_empty(), "a run that wrote nothing takes nothing back");
}

#[tokio::test]
async fn a_bucket_that_changed_is_refused_with_the_changed_rule_named_and_the_others_go_on() {
    let account = Account::new(&[("a", Some(THEIRS)), ("b", None)]);
    let plan = plan_for(&account, &["a", "b"]);
    account.put("a", &THEIRS.replace("<Days>3<", "<Days>30<"));
    let (_, outcomes) = World::new().apply(&account, &plan).await;
    let Outcome::Drifted { view } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert!(view.iter().any(|line| line.contains("~ rule `theirs`")), "{view:?}");
    assert!(view.iter().any(|line| line.contains("+ Expiration/Days: \"30\"")), "{view:?}");
    assert_eq!((&outcomes[1], account.writes()), (&Outcome::Done, 1));
}

#[tokio::test]
async fn a_changed_small_object_setting_is_drift() {
    let account = Account::new(&[("a", Some(THEIRS))]);
    let plan = plan_for(&account, &["a"]);
    let mut other = observed(Some(THEIRS));
    other.configuration.small_objects = Some("all_storage_classes_128K".into());
    account.lake.place("a", other);
    let (_, outcomes) = World::new().apply(&account, &plan).await;
    assert!(matches!(&outcomes[0], Outcome::Drifted { view } if view.iter().any(|l| l.contains("small objects"))));
    assert_eq!(account.writes(), 0);
}

#[tokio::test]
async fn white_space_and_order_of_rules_are_no_drift_and_the_live_bytes_are_kept() {
    let account = Account::new(&[("a", Some(THEIRS))]);
    let plan = plan_for(&account, &["a"]);
    let respaced = THEIRS.replace('\n', "\n\n\t");
    account.put("a", &respaced);
    assert_eq!(World::new().apply(&account, &plan).await.1, [Outcome::Done]);
    let kept = Document::parse(account.xml("a").unwrap().as_bytes()).unwrap().without(ABORT_UPLOADS).unwrap().unwrap();
    assert_eq!(kept.xml(), respaced);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_done_when_it_is_read_back() {
    let account = Account::new(&[("a", Some(THEIRS))]).meets(Trouble::LostAnswer);
    let (_, outcomes) = World::new().apply(&account, &plan_for(&account, &["a"])).await;
    assert_eq!((outcomes, account.writes()), (vec![Outcome::Done], 1));
}

#[tokio::test]
async fn a_write_that_is_read_late_is_waited_for() {
    let account = Account::new(&[("a", Some(THEIRS))]).meets(Trouble::ReadLate(3));
    let (_, outcomes) = World::new().apply(&account, &plan_for(&account, &["a"])).await;
    assert_eq!(outcomes, [Outcome::Done]);
}

#[tokio::test]
async fn a_write_that_is_not_seen_in_time_is_unconfirmed_stops_the_next_wave_and_can_be_resumed() {
    let account = Account::new(&[("a", Some(THEIRS)), ("b", None)]).meets(Trouble::ReadLate(50));
    let (world, plan) = (World::new(), plan_for(&account, &["a", "b"]));
    let (run, outcomes) = world.apply(&account, &plan).await;
    assert!(matches!(outcomes[0], Outcome::Unconfirmed { .. }), "{outcomes:?}");
    assert!(matches!(outcomes[1], Outcome::NotReached { .. }), "{outcomes:?}");
    account.stale.lock().unwrap().0 = 0;
    assert_eq!(world.resume(&account, &run).await, [Outcome::AlreadyDone, Outcome::Done]);
    world.rollback(&account, &run).await;
    assert_eq!((account.xml("a").as_deref(), account.xml("b")), (Some(THEIRS), None));
}

#[tokio::test]
async fn a_write_that_got_lost_is_never_sent_again_blindly() {
    let account = Account::new(&[("a", Some(THEIRS))]).meets(Trouble::Lost);
    let (world, plan) = (World::new(), plan_for(&account, &["a"]));
    let (run, outcomes) = world.apply(&account, &plan).await;
    assert!(matches!(&outcomes[0], Outcome::Unconfirmed { reason } if reason == "no\\u{1b}pe"), "{outcomes:?}");
    assert_eq!(account.writes(), 1);
    assert_eq!(world.resume(&account, &run).await, [Outcome::Done]);
}

#[tokio::test]
async fn a_refused_write_is_denied_and_the_bucket_is_as_before() {
    let account = Account::new(&[("a", Some(THEIRS))]).meets(Trouble::Refused);
    let (world, plan) = (World::new(), plan_for(&account, &["a"]));
    let (run, outcomes) = world.apply(&account, &plan).await;
    assert!(matches!(outcomes[0], Outcome::Denied { .. }), "{outcomes:?}");
    assert_eq!(account.xml("a").as_deref(), Some(THEIRS));
    assert!(undo(&world.runs.open(&run).await.unwrap().1).is_empty());
}

#[tokio::test]
async fn a_third_document_stops_the_whole_run_and_is_left_alone() {
    let account = Account::new(&[("a", Some(THEIRS)), ("b", None), ("c", None)]).meets(Trouble::Contended);
    let (_, outcomes) = World::new().apply(&account, &plan_for(&account, &["a", "b", "c"])).await;
    assert!(matches!(outcomes[0], Outcome::Contended { .. }), "{outcomes:?}");
    assert!(outcomes[1..].iter().all(|outcome| matches!(outcome, Outcome::NotReached { .. })));
    assert_eq!((account.writes(), account.xml("a").unwrap()), (1, THEIRS.replace("theirs", "third")));
}

#[tokio::test]
async fn rollback_of_a_bucket_that_moved_on_takes_out_our_rule_only() {
    let account = Account::new(&[("a", Some(THEIRS)), ("b", None)]);
    let world = World::new();
    let (run, _) = world.apply(&account, &plan_for(&account, &["a", "b"])).await;
    let mut other = account.lake.look("a").unwrap();
    let moved = account.xml("a").unwrap().replace("<Days>3<", "<Days>9<");
    other.configuration.document = Some(Document::parse(moved.as_bytes()).unwrap());
    account.lake.place("a", other);
    let mut other = account.lake.look("b").unwrap();
    let moved = account.xml("b").unwrap().replace("</Life", "<Rule><ID>new</ID><Filter/></Rule></Life");
    other.configuration.document = Some(Document::parse(moved.as_bytes()).unwrap());
    account.lake.place("b", other);
    assert_eq!(world.rollback(&account, &run).await.1, [Outcome::Done, Outcome::Done]);
    assert_eq!(account.xml("a").unwrap(), THEIRS.replace("<Days>3<", "<Days>9<"));
    let left = Document::parse(account.xml("b").unwrap().as_bytes()).unwrap();
    assert_eq!(left.rules().iter().map(|rule| rule.id.as_deref()).collect::<Vec<_>>(), [Some("new")]);
}

#[tokio::test]
async fn a_plan_whose_action_was_changed_is_refused() {
    let account = Account::new(&[("a", None)]);
    let plan = plan_for(&account, &["a"]);
    let file =
        plan.to_json().replace("\"abort_incomplete_multipart_days\": 7", "\"abort_incomplete_multipart_days\": 1");
    let (_, outcomes) = World::new().apply(&account, &Plan::read(file.as_bytes()).unwrap()).await;
    assert!(matches!(outcomes[0], Outcome::Guarded { .. }), "{outcomes:?}");
    let deletes = plan.to_json().replace("\"abort_incomplete_multipart_days\": 7", "\"noncurrent_expiration_days\": 1");
    let (_, outcomes) = World::new().apply(&account, &Plan::read(deletes.as_bytes()).unwrap()).await;
    assert!(matches!(outcomes[0], Outcome::Guarded { .. }), "{outcomes:?}");
    assert_eq!(account.writes(), 0);
}

#[tokio::test]
async fn a_step_of_another_account_or_on_another_bucket_or_on_none_is_refused() {
    let account = Account::new(&[("a", None), ("b", None), ("c", None), ("d/../a", None)]);
    let mut plan = plan_for(&account, &["a", "b", "c", "d/../a"]);
    plan.steps[0].account_id = "999".into();
    plan.steps[2].region = "us-east-1.example.org/".into();
    let crate::model::Action::PutLifecycleRule(rule) = &mut plan.steps[1].changes[0].action;
    rule.bucket = "a".into();
    let (_, outcomes) = World::new().apply(&account, &plan).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Guarded { .. })), "{outcomes:?}");
    assert_eq!(account.writes(), 0);
}

#[tokio::test]
async fn rollback_leaves_a_document_that_holds_more_than_rules() {
    let account = Account::new(&[("a", None)]);
    let world = World::new();
    let (run, _) = world.apply(&account, &plan_for(&account, &["a"])).await;
    for moved in [
        account.xml("a").unwrap().replace("</Life", "<Later/></Life"),
        "<LifecycleConfiguration><Later/></LifecycleConfiguration>".to_owned(),
    ] {
        account.put("a", &moved);
        let (_, outcomes) = world.rollback(&account, &run).await;
        assert!(matches!(outcomes[0], Outcome::Guarded { .. }), "{outcomes:?}");
        assert_eq!(account.xml("a"), Some(moved));
    }
}

#[tokio::test]
async fn a_bucket_that_was_protected_since_or_is_managed_elsewhere_is_refused() {
    let account = Account::new(&[("a", None), ("b", None), ("c", None)]);
    let plan = plan_for(&account, &["a", "b", "c"]);
    let tagged =
        |key: &str| Observed { tags: Some(BTreeMap::from([(key.to_owned(), String::new())])), ..observed(None) };
    account.lake.place("a", tagged("leanlake:protected"));
    account.lake.place("b", tagged("aws:cloudformation:stack-name"));
    account.lake.place("c", Observed { tags: None, ..observed(None) });
    let (_, outcomes) = World::new().apply(&account, &plan).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Guarded { .. })), "{outcomes:?}");
    assert_eq!(account.writes(), 0);
}

#[tokio::test]
async fn ctrl_c_ends_the_run_between_buckets() {
    let account = Account::new(&[("a", None)]);
    let world = World::new();
    world.cancel.cancel();
    let (_, outcomes) = world.apply(&account, &plan_for(&account, &["a"])).await;
    assert!(matches!(outcomes[0], Outcome::NotReached { .. }));
    assert_eq!(account.writes(), 0);
}

#[test]
fn a_plan_for_another_account_or_place_or_too_old_or_too_big_is_refused_before_any_look() {
    let account = Account::new(&[("a", None), ("b", None)]);
    let plan = plan_for(&account, &["a", "b"]);
    let check =
        |limits: &Limits, target: &Target, now| limits.check_plan(&plan, target, now).map_err(|refused| refused.kind);
    let (limits, here) = (Limits::default(), target());
    assert_eq!(check(&limits, &here, at()), Ok(()));
    assert_eq!(check(&limits, &here, at() + plan::VALID_FOR + chrono::TimeDelta::seconds(1)), Err(RefusalKind::Stale));
    assert_eq!(check(&limits, &here, at() - chrono::TimeDelta::minutes(6)), Err(RefusalKind::Stale), "made tomorrow");
    let other = Target { account_id: "999".into(), ..target() };
    assert_eq!(check(&limits, &other, at()), Err(RefusalKind::Guard));
    for origin in [Origin::Demo, Origin::Endpoint { hosts: BTreeMap::from([("s3".into(), "127.0.0.1:1".into())]) }] {
        assert_eq!(check(&limits, &Target { origin, ..target() }, at()), Err(RefusalKind::Guard));
    }
    let tight = Limits { max_steps: 1, ..Limits::default() };
    assert_eq!(check(&tight, &here, at()), Err(RefusalKind::Guard));
    let tight = Limits { max_bytes: Some(1), ..Limits::default() };
    assert_eq!(check(&tight, &here, at()), Err(RefusalKind::Guard));
    let free = Limits { max_one_off: Some(crate::model::Money::ZERO), ..Limits::default() };
    assert_eq!(check(&free, &here, at()), Ok(()));
}

#[test]
fn how_a_run_ended_follows_the_worst_that_scripts_care_about() {
    let ending = |outcomes: &[Outcome]| {
        let report = |outcome: &Outcome| Report { bucket: "b".into(), outcome: outcome.clone() };
        Ending::of(&outcomes.iter().map(report).collect::<Vec<_>>(), false)
    };
    let (drifted, denied) = (Outcome::Drifted { view: vec![] }, Outcome::Denied { reason: String::new() });
    let contended = Outcome::Contended { view: vec![] };
    assert_eq!(ending(&[]), Ending::Done);
    assert_eq!(ending(&[Outcome::Done, Outcome::AlreadyDone]), Ending::Done);
    assert_eq!(ending(&[Outcome::Done, drifted.clone()]), Ending::Partly);
    assert_eq!(ending(&[drifted, denied.clone()]), Ending::Drifted);
    assert_eq!(ending(&[denied]), Ending::Denied);
    assert_eq!(ending(&[Outcome::Done, contended]), Ending::Contended);
}

fn rules() -> impl Strategy<Value = Option<String>> {
    let rule = ("[a-k]{1,4}", 1u32..400).prop_map(|(id, days)| {
        format!(" <Rule><ID>{id}</ID><Filter><Prefix>{id}/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>{days}</Days></Expiration><X/></Rule>")
    });
    proptest::option::of(proptest::collection::vec(rule, 1..4)).prop_map(|rules| {
        rules.map(|rules| format!("<LifecycleConfiguration>{}</LifecycleConfiguration>", rules.concat()))
    })
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        Just(Trouble::None),
        Just(Trouble::LostAnswer),
        Just(Trouble::Lost),
        Just(Trouble::Refused),
        (0usize..9).prop_map(Trouble::ReadLate),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn plan_apply_and_rollback_leave_every_document_as_it_was(before in proptest::collection::vec(rules(), 1..4), trouble in trouble()) {
        let names = ["a", "b", "c"];
        let buckets: Vec<_> = names.iter().copied().zip(before.iter().map(Option::as_deref)).collect();
        let account = Account::new(&buckets).meets(trouble);
        let plan = plan_for(&account, &names[..before.len()]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let (run, _) = world.apply(&account, &plan).await;
            account.stale.lock().unwrap().0 = 0;
            world.resume(&account, &run).await;
            for (bucket, xml) in &buckets {
                let now = account.lake.look(bucket).unwrap().configuration;
                assert!(now.keeps_foreign_rules_of(&observed(*xml).configuration));
                assert!(now.means(&now.with(&OwnRule::AbortUploads { days: 7 }).unwrap()), "every bucket has the rule");
            }
            world.rollback(&account, &run).await;
        });
        for (bucket, xml) in &buckets {
            let now = account.xml(bucket);
            prop_assert_eq!(now.as_deref(), *xml);
        }
    }
}
