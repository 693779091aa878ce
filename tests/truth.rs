//! Findings against the simulation: what a policy says of the demo lake, from what a scan could see, must hold what is
//! true of it. The truth comes from simulated objects, uploads and runs, and from the simulated bill; from no policy.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::TimeDelta;
use leanlake::analysis;
use leanlake::demo::{DemoOptions, Lake, Since, Without, fill};
use leanlake::engine::Engine;
use leanlake::model::{Finding, Range};
use leanlake::policy::{Library, evaluate};
use leanlake::prices::PriceBook;
use leanlake::store::tables;
use rust_decimal::Decimal;

/// A lake, and what the policies say of it.
struct World {
    lake: Lake,
    findings: Vec<Finding>,
}

/// Two lakes of different seeds, and the first without Storage Lens: made once for all tests.
static WORLDS: LazyLock<[World; 3]> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = |seed, without: &[Without]| runtime.block_on(World::new(seed, without));
    [world(42, &[]), world(7, &[]), world(42, &[Without::Lens])]
});

impl World {
    async fn new(seed: u64, without: &[Without]) -> Self {
        let without = without.iter().copied().collect();
        let lake = fill(&DemoOptions { seed, days: 150, without, ..DemoOptions::default() });
        let engine = Engine::new().unwrap();
        for (name, rows) in lake.tables(lake.as_of(), Since::default()).rows {
            engine.register(tables::find(name).unwrap(), &rows).unwrap();
        }
        let card = analysis::rate_card(&engine, PriceBook::embedded().unwrap(), lake.as_of()).await.unwrap();
        let library = Library::built_in().unwrap();
        let said = evaluate(&library, &engine, &card, lake.as_of(), &["team".to_owned()]).await.unwrap();
        World { lake, findings: said.findings }
    }

    fn of<'a>(&'a self, policy: &'a str) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.policy == policy)
    }

    /// Net dollars for one more unit of a usage type, from the simulated bill.
    fn marginal(&self, region: &str, usage_type: &str) -> Decimal {
        self.lake.marginal(region, usage_type).unwrap_or_else(|| panic!("no price of {usage_type} in {region}"))
    }

    fn standard(&self, region: &str) -> Decimal {
        self.marginal(region, "TimedStorage-ByteHrs")
    }

    /// Checks every finding of a policy whose dollars are known; returns how many there are.
    fn hold(&self, policy: &str, truth: impl Fn(&Finding) -> Decimal) -> usize {
        let known = self.of(policy).filter_map(|finding| Some((finding, finding.saving.known()?)));
        let (mut count, mut wrong) = (0, Vec::new());
        for (finding, said) in known {
            let truth = truth(finding);
            count += 1;
            if !holds(said, truth) {
                wrong.push(format!("{} of {}, true is {truth:.2}", said.human(), finding.resource.terminal()));
            }
        }
        assert!(wrong.is_empty(), "{policy} says\n{}", wrong.join("\n"));
        count
    }
}

/// True when the range holds the truth, but for a thousandth of it: the bill gives an average over tiers, not the tier.
fn holds(said: Range, truth: Decimal) -> bool {
    let slack = truth * Decimal::new(1, 3) + Decimal::new(1, 2);
    said.low.usd() <= truth + slack && said.high.is_none_or(|high| truth <= high.usd() + slack)
}

fn gib(bytes: i64) -> Decimal {
    Decimal::from(bytes) / Decimal::from(1 << 30)
}

#[test]
fn abandoned_uploads_cost_what_the_simulation_left_behind() {
    for world in &WORLDS[..2] {
        let (truth, now) = (world.lake.truth(), world.lake.as_of());
        let old = |finding: &Finding| truth[finding.resource.raw()].abandoned_bytes(now, 7);
        let policy = "s3-abandoned-uploads";
        let known = world.hold(policy, |finding| gib(old(finding)) * world.standard(&finding.region));
        let unknown = world.of(policy).filter(|finding| finding.saving.known().is_none()).count();
        assert!(known > 10 && unknown > 3, "{known} known, {unknown} unknown");
        assert!(world.of(policy).all(|finding| old(finding) > 0), "a finding without an abandoned upload");
    }
}

#[test]
fn noncurrent_versions_cost_what_the_simulation_kept() {
    for world in &*WORLDS {
        let truth = world.lake.truth();
        let usd = |finding: &Finding| {
            let old = truth[finding.resource.raw()].noncurrent_bytes(30);
            let paid = |(place, bytes): (&&'static str, &i64)| {
                let kind = leanlake::model::storage_type::find(place).unwrap();
                gib(*bytes) * world.marginal(&finding.region, kind.usage_type)
            };
            old.iter().map(paid).sum()
        };
        let policy = "s3-noncurrent-kept";
        let known = world.hold(policy, usd);
        let hidden = world.of(policy).filter(|finding| finding.saving.known().is_none()).count();
        assert!(hidden > 3, "{hidden} unknown");
        let lens = !world.lake.options.without.contains(&Without::Lens);
        assert_eq!(known > 0, lens, "{known} known");
    }
}

#[test]
fn unwatched_standard_storage_can_save_what_nobody_in_the_simulation_reads() {
    for world in &WORLDS[..2] {
        let truth = world.lake.truth();
        let usd = |finding: &Finding| {
            let standard = world.standard(&finding.region);
            let rate = |tier: &str| world.marginal(&finding.region, &format!("TimedStorage-INT-{tier}-ByteHrs"));
            // Objects move at 30 days; from then on each counts the days since its last read.
            let waited = |idle: &leanlake::demo::bucket::Idle| idle.days.min(idle.age - 30);
            let large = |idle: &&leanlake::demo::bucket::Idle| idle.bytes / idle.objects >= 128 << 10;
            let idle = truth[finding.resource.raw()].idle.iter().filter(large);
            let saved = idle.map(|idle| match waited(idle) {
                90.. => gib(idle.bytes) * (standard - rate("AIA")),
                30..90 => gib(idle.bytes) * (standard - rate("IA")),
                _ => Decimal::ZERO,
            });
            saved.sum()
        };
        assert!(world.hold("s3-standard-unwatched", usd) > 20);
    }
}

#[test]
fn result_reuse_saves_at_most_what_the_replay_says_and_never_less_than_what_is_certain() {
    for world in &WORLDS[..2] {
        let midnight = world.lake.calendar.at(world.lake.calendar.today, 0);
        let avoidable = world.lake.avoidable_bytes(midnight - TimeDelta::days(30), 60);
        let by_name: BTreeMap<&str, i64> = avoidable.iter().map(|((_, _, name), bytes)| (*name, *bytes)).collect();
        let usd = |finding: &Finding| {
            let bytes = by_name.get(finding.resource.raw()).copied().unwrap_or(0);
            gib(bytes) / Decimal::from(1024) * world.marginal(&finding.region, "DataScannedInTB")
        };
        let policy = "athena-result-reuse";
        assert!(world.hold(policy, usd) > 0);
        assert!(
            world.of(policy).any(|finding| usd(finding) > Decimal::ONE_HUNDRED),
            "no dashboard that repeats itself"
        );
    }
}
