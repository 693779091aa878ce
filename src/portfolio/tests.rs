//! The portfolio against brute force, and the promises that a controller would check.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::model::finding::{Effect, Pillar};
use crate::model::{
    Axis, BillLine, Confidence, Cost, Estimate, Finding, FindingId, Level, Money, Pool, PoolPath, Range, Status,
    Verdict,
};

pub(super) fn pool(path: &str, class: &str, usd: &str) -> Pool {
    let line = BillLine { account_id: None, region: None, service: "S3".into(), usage_type: "T".into() };
    let cost = Some(Money::new(usd.parse().unwrap()));
    let (path, class) = (PoolPath::parse(path), class.into());
    Pool { path, class, line, quantity: Decimal::ONE, list: cost, billed: None, own_lines: false, today: None }
}

/// What a test says about a proposal: where, on which axis, what stays, what it costs.
#[derive(Clone, Debug)]
struct Offer {
    id: String,
    cuts: Vec<(&'static str, Option<&'static str>, Axis, i64)>,
    running: i64,
    one_off: i64,
    knob: Option<(u8, u8)>,
}

const SCOPES: [&str; 7] = ["a", "a/b", "a/b/current", "a/b/noncurrent", "a/c", "a/c/current", "a/c/unsplit"];
const CLASSES: [Option<&str>; 3] = [None, Some("STANDARD"), Some("STANDARD_IA")];

fn lake(costs: &[i64]) -> Vec<Pool> {
    let leaves = [
        ("a/b/current", "STANDARD"),
        ("a/b/current", "STANDARD_IA"),
        ("a/b/noncurrent", "STANDARD"),
        ("a/c/current", "STANDARD"),
        ("a/c/unsplit", "STANDARD_IA"),
    ];
    leaves.iter().zip(costs).map(|((path, class), usd)| pool(path, class, &usd.to_string())).collect()
}

fn quarters(keep: i64) -> Decimal {
    Decimal::new(keep * 25, 2)
}

fn usd(amount: Decimal) -> Range {
    Range::exact(Money::new(amount))
}

/// Cost of the leaf that stays after the offer's own cuts, by axis, straight from the words of the offer.
fn kept(offer: &Offer, leaf: &Pool, axis: Axis) -> Decimal {
    let hits = |scope: &str, class: Option<&str>| {
        PoolPath::parse(scope).covers(&leaf.path) && class.is_none_or(|class| class == leaf.class)
    };
    let own = offer.cuts.iter().filter(|(scope, class, on, _)| *on == axis && hits(scope, *class));
    own.map(|(.., keep)| quarters(*keep)).product()
}

fn gross(offer: &Offer, leaves: &[Pool]) -> Decimal {
    let saved = |leaf: &Pool| Decimal::ONE - kept(offer, leaf, Axis::Usage) * kept(offer, leaf, Axis::Rate);
    leaves.iter().map(|leaf| leaf.cost().unwrap().usd() * saved(leaf)).sum()
}

fn net(offer: &Offer, leaves: &[Pool]) -> Decimal {
    (gross(offer, leaves) - Decimal::from(offer.running)) * Decimal::from(12) - Decimal::from(offer.one_off)
}

fn proposal(offer: &Offer, leaves: &[Pool]) -> Option<Proposal> {
    let keep = |keep: i64| Keep { low: quarters(keep), expected: quarters(keep), high: quarters(keep) };
    let cut = |(scope, class, axis, left): &(&str, Option<&str>, Axis, i64)| Cut {
        scope: PoolPath::parse(scope),
        class: class.map(str::to_owned),
        axis: *axis,
        keep: keep(*left),
    };
    let net = net(offer, leaves);
    (net > Decimal::ZERO).then(|| Proposal {
        id: FindingId(offer.id.clone()),
        effects: offer.cuts.iter().map(cut).collect(),
        saving: usd(gross(offer, leaves)),
        running: Cost::of(usd(offer.running.into())).unwrap(),
        one_off: Cost::of(usd(offer.one_off.into())).unwrap(),
        net_12m: usd(net),
        limit: None,
        claims: offer.knob.iter().map(|(knob, v)| ("r".into(), knob.to_string(), v.to_string())).collect(),
    })
}

/// True when two offers want the same axis of one leaf, or one knob at two values.
fn exclude(a: &Offer, b: &Offer, leaves: &[Pool]) -> bool {
    let cuts = |offer: &Offer, leaf: &Pool, axis| kept(offer, leaf, axis) < Decimal::ONE;
    let same = |axis| leaves.iter().any(|leaf| cuts(a, leaf, axis) && cuts(b, leaf, axis));
    let knob = a.knob.zip(b.knob).is_some_and(|((one, x), (other, y))| one == other && x != y);
    same(Axis::Usage) || same(Axis::Rate) || knob
}

/// What a set brings in 12 months, or `None` when it may not stand together: each offer keeps the share of its saving
/// that the usage cuts of the others leave.
fn worth(set: &[&Offer], leaves: &[Pool]) -> Option<Decimal> {
    let pairs = set.iter().enumerate().flat_map(|(at, a)| set[at + 1..].iter().map(move |b| (*a, *b)));
    if pairs.into_iter().any(|(a, b)| exclude(a, b, leaves)) {
        return None;
    }
    let brings = |offer: &&Offer| {
        let lost: Decimal =
            set.iter().filter(|other| other.id != offer.id).map(|other| loss(offer, other, leaves)).sum();
        net(offer, leaves).round_dp(12) - lost
    };
    Some(set.iter().map(brings).sum())
}

fn loss(offer: &Offer, taker: &Offer, leaves: &[Pool]) -> Decimal {
    let gone = |leaf: &Pool| {
        let cheaper = kept(offer, leaf, Axis::Usage) * (Decimal::ONE - kept(offer, leaf, Axis::Rate));
        leaf.cost().unwrap().usd() * cheaper * (Decimal::ONE - kept(taker, leaf, Axis::Usage))
    };
    let lost: Decimal = leaves.iter().map(gone).sum();
    (net(offer, leaves) * lost / gross(offer, leaves)).round_dp(12)
}

/// Tries every set: most dollars, then fewest changes, then the earliest ids.
fn brute_force(offers: &[Offer], leaves: &[Pool]) -> (Decimal, Vec<String>) {
    let able: Vec<&Offer> = offers.iter().filter(|offer| net(offer, leaves) > Decimal::ZERO).collect();
    let mut best = (Decimal::ZERO, Vec::new());
    for mask in 0_u32..1 << able.len() {
        let set: Vec<&Offer> = able.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, o)| *o).collect();
        let Some(value) = worth(&set, leaves) else { continue };
        let mut ids: Vec<String> = set.iter().map(|offer| offer.id.clone()).collect();
        ids.sort();
        let order = |(value, ids): &(Decimal, Vec<String>)| (*value, std::cmp::Reverse((ids.len(), ids.clone())));
        if order(&(value, ids.clone())) > order(&best) {
            best = (value, ids);
        }
    }
    best
}

fn choose(offers: &[Offer], leaves: &[Pool]) -> (Decimal, Vec<String>) {
    let mut proposals: Vec<Proposal> = offers.iter().filter_map(|offer| proposal(offer, leaves)).collect();
    proposals.sort_by(|a, b| a.id.cmp(&b.id));
    let pick = Field::of(&proposals, &Ground::of(leaves)).best();
    (pick.value, pick.members.iter().map(|at| proposals[*at].id.0.clone()).collect())
}

fn cut() -> impl Strategy<Value = (&'static str, Option<&'static str>, Axis, i64)> {
    let axis = prop_oneof![Just(Axis::Usage), Just(Axis::Rate)];
    (proptest::sample::select(&SCOPES[..]), proptest::sample::select(&CLASSES[..]), axis, 0_i64..5)
}

fn offers(most: usize) -> impl Strategy<Value = Vec<Offer>> {
    let one = (proptest::collection::vec(cut(), 1..3), 0_i64..4, 0_i64..40, proptest::option::of((0_u8..2, 0_u8..2)));
    proptest::collection::vec(one, 0..=most).prop_map(|all| {
        let offer =
            |(at, (cuts, running, one_off, knob))| Offer { id: format!("f-{at}"), cuts, running, one_off, knob };
        all.into_iter().enumerate().map(offer).collect()
    })
}

/// The same leaves after they grew: each costs so many percent more today than the bill says.
fn grown(leaves: Vec<Pool>, percent: &[i64]) -> Vec<Pool> {
    let grow = |(leaf, percent): (Pool, &i64)| {
        let billed = leaf.list;
        let today = billed.map(|usd| usd * (Decimal::ONE + Decimal::new(*percent, 2)));
        Pool { billed, today, ..leaf }
    };
    leaves.into_iter().zip(percent).map(grow).collect()
}

fn growth() -> impl Strategy<Value = Vec<i64>> {
    proptest::collection::vec(prop_oneof![1 => Just(0_i64), 1 => 1_i64..200], 5)
}

fn costs() -> impl Strategy<Value = Vec<i64>> {
    proptest::collection::vec(prop_oneof![1 => Just(0_i64), 9 => 1_i64..40], 5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_best_set_is_the_one_that_trying_every_set_finds(offers in offers(8), costs in costs()) {
        let leaves = lake(&costs);
        prop_assert_eq!(choose(&offers, &leaves), brute_force(&offers, &leaves));
    }

    #[test]
    fn a_further_proposal_never_lowers_the_total(offers in offers(8), costs in costs()) {
        let leaves = lake(&costs);
        let all = choose(&offers, &leaves).0;
        for without in 0..offers.len() {
            let mut fewer = offers.clone();
            fewer.remove(without);
            prop_assert!(choose(&fewer, &leaves).0 <= all);
        }
    }

    #[test]
    fn what_counts_on_a_leaf_is_its_cost_times_one_less_the_product_of_what_stays(
        offers in offers(8), costs in costs(),
    ) {
        let leaves = lake(&costs);
        let ids: BTreeSet<String> = choose(&offers, &leaves).1.into_iter().collect();
        let chosen: Vec<&Offer> = offers.iter().filter(|offer| ids.contains(&offer.id)).collect();
        let left = |leaf: &Pool, axis| chosen.iter().map(|o| kept(o, leaf, axis)).product::<Decimal>();
        let together: Decimal = leaves.iter().map(|leaf| {
            leaf.cost().unwrap().usd() * (Decimal::ONE - left(leaf, Axis::Usage) * left(leaf, Axis::Rate))
        }).sum();
        let proposals: Vec<Proposal> = chosen.iter().filter_map(|o| proposal(&Offer { running: 0, ..(*o).clone() }, &leaves)).collect();
        let (parts, whole) = count::count(&proposals.iter().collect::<Vec<_>>(), &Ground::of(&leaves));
        let summed: Money = parts.iter().map(|part| part.monthly.low).sum();
        prop_assert!((whole.monthly.low.usd() - together).abs() < Decimal::new(1, 9), "{whole:?} {together}");
        prop_assert_eq!(summed, whole.monthly.low);
    }
}

/// A finding on a scope, as a policy makes it.
pub(super) fn finding(
    id: u32,
    scope: &str,
    class: Option<&str>,
    axis: Axis,
    saving: Range,
    cost: (Range, Range),
) -> Finding {
    let (running, one_off) = cost;
    let (a_month, once) = (Cost::of(running).unwrap(), Cost::of(one_off).unwrap());
    let curve: Vec<Range> = (0..12)
        .map(|month| saving.minus_cost(a_month).minus_cost(if month == 0 { once } else { Cost::NOTHING }))
        .collect();
    Finding {
        id: FindingId(format!("f-{id:03}")),
        policy: "p".into(),
        title: String::new(),
        pillar: Pillar::Save,
        resource: "r".into(),
        account_id: "1".into(),
        region: "eu-west-1".into(),
        owner: None,
        effect: Some(Effect { scope: PoolPath::parse(scope), class: class.map(str::to_owned), axis }),
        saving: Estimate::Known(saving),
        running: Estimate::Known(running),
        one_off: Estimate::Known(one_off),
        net_saving_12m: Estimate::Known(curve.iter().copied().sum()),
        curve,
        payback_days: None,
        basis: Vec::new(),
        confidence: Confidence::Measured,
        unlock: None,
        effort: Level::Low,
        risk: Level::Low,
        reversible: true,
        action: None,
        instructions: None,
        evidence: std::collections::BTreeMap::new(),
        trace: Vec::new(),
        gaps: Vec::new(),
        status: Status::Open,
        verdict: Verdict::Possible,
    }
}

fn range(low: i64, expected: i64, high: Option<i64>) -> Range {
    let usd = |amount: i64| Money::new(amount.into());
    Range { low: usd(low), expected: usd(expected), high: high.map(usd) }
}

const FREE: (Range, Range) = (Range::ZERO, Range::ZERO);

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    let saving = (0_i64..30, 0_i64..20, proptest::option::of(0_i64..30));
    let axis = prop_oneof![Just(Axis::Usage), Just(Axis::Rate)];
    let one = (
        proptest::sample::select(&SCOPES[..]),
        proptest::sample::select(&CLASSES[..]),
        axis,
        saving,
        (0_i64..3, 0_i64..30),
    );
    proptest::collection::vec(one, 0..9).prop_map(|all| {
        let mut made = Vec::new();
        for (id, (scope, class, axis, (low, more, most), (running, one_off))) in (0..).zip(all) {
            let saving = range(low, low + more, most.map(|most| low + more + most));
            let cost = (range(running, running, Some(running + 1)), range(one_off, one_off, Some(one_off * 2)));
            made.push(finding(id, scope, class, axis, saving, cost));
        }
        made
    })
}

/// What counts on all scopes under `scope`, at the low and the expected end.
fn counted_under(portfolio: &Portfolio, scope: &str) -> (Money, Money) {
    let scope = PoolPath::parse(scope);
    let inside = |f: &&Finding| f.effect.as_ref().is_some_and(|effect| scope.covers(&effect.scope));
    let mut sum = (Money::ZERO, Money::ZERO);
    for finding in portfolio.findings.iter().filter(inside) {
        if let Verdict::Recommended { counted, .. } = finding.verdict {
            sum = (sum.0 + counted.low, sum.1 + counted.expected);
        }
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_part_of_the_bill_is_saved_twice(findings in findings(), costs in costs(), growth in growth()) {
        let leaves = grown(lake(&costs), &growth);
        let portfolio = decide(findings, &leaves);
        let a_cent = Money::new(Decimal::new(1, 9));
        for scope in SCOPES {
            let all = PoolPath::parse(scope);
            let cost: Money = leaves.iter().filter(|leaf| all.covers(&leaf.path)).filter_map(Pool::cost).sum();
            let most: Money = leaves.iter().filter(|leaf| all.covers(&leaf.path)).filter_map(Pool::most).sum();
            let (low, expected) = counted_under(&portfolio, scope);
            prop_assert!(low <= cost + a_cent && expected <= most + a_cent, "{scope}: {low} {expected} of {cost}, {most}");
        }
        let cost: Money = leaves.iter().filter_map(Pool::most).sum();
        let totals = &portfolio.totals;
        prop_assert!(totals.recommended.high.is_none_or(|high| high <= cost + a_cent), "{totals:?} of {cost}");
        prop_assert_eq!(counted_under(&portfolio, "a"), (totals.headline_low, totals.recommended.expected));
        let ordered = |r: Range| Range::new(r.low, r.expected, r.high).is_some();
        prop_assert!(ordered(totals.recommended) && ordered(totals.net_saving_12m) && ordered(totals.one_off));
        for finding in &portfolio.findings {
            if let Verdict::Recommended { counted, .. } = finding.verdict {
                prop_assert!(ordered(counted));
            }
        }
    }

    #[test]
    fn what_counts_alone_is_what_the_finding_says_or_it_says_why_not(
        saving in (1_i64..60, 0_i64..20, proptest::option::of(0_i64..30)), costs in costs(), growth in growth(),
    ) {
        let leaves = grown(lake(&costs), &growth);
        let (low, more, most) = saving;
        let said = range(low, low + more, most.map(|most| low + more + most));
        let portfolio = decide(vec![finding(1, "a/b", None, Axis::Usage, said, FREE)], &leaves);
        if let Verdict::Recommended { counted, limit } = &portfolio.findings[0].verdict {
            let less = counted.low < said.low || counted.expected < said.expected
                || said.high.is_some_and(|high| counted.high < Some(high));
            prop_assert_eq!(less, limit.is_some(), "{:?} of {:?}: {:?}", counted, said, limit);
        }
    }

    #[test]
    fn any_order_of_findings_and_pools_gives_the_same_answer(
        findings in findings(), costs in costs(), seed in any::<u64>(),
    ) {
        let leaves = lake(&costs);
        let (mut shuffled, mut stirred) = (findings.clone(), leaves.clone());
        shuffled.sort_by_key(|finding| (finding.id.0.len() as u64).wrapping_add(hash(&finding.id.0, seed)));
        stirred.sort_by_key(|pool| hash(&format!("{}{}", pool.path, pool.class), seed));
        prop_assert_eq!(decide(findings, &leaves), decide(shuffled, &stirred));
    }
}

fn hash(text: &str, seed: u64) -> u64 {
    text.bytes().fold(seed | 1, |sum, byte| sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte))
}

fn verdicts(portfolio: &Portfolio) -> Vec<(&str, &str)> {
    let mut all: Vec<_> = portfolio.findings.iter().map(|f| (f.id.0.as_str(), f.verdict.as_str())).collect();
    all.sort_unstable();
    all
}

#[test]
fn deleting_old_versions_and_cheaper_storage_on_one_bucket_multiply() {
    let leaves = [pool("a/b/current", "STANDARD", "60"), pool("a/b/noncurrent", "STANDARD", "40")];
    let gone = finding(1, "a/b/noncurrent", None, Axis::Usage, range(40, 40, Some(40)), FREE);
    let fees = (range(5, 5, Some(5)), Range::ZERO);
    let cheaper = finding(2, "a/b", Some("STANDARD"), Axis::Rate, range(50, 50, Some(50)), fees);
    let portfolio = decide(vec![gone, cheaper], &leaves);
    assert_eq!(verdicts(&portfolio), [("f-001", "recommended"), ("f-002", "recommended")]);
    // 40 are gone; of the other half-price 60, 30 are saved, and 60 % of the monitoring stays: 40 + 30 − 3.
    assert_eq!(portfolio.totals.headline_low, Money::new(67.into()));
}

#[test]
fn a_cheaper_rate_for_bytes_that_go_away_is_outbid() {
    let leaves = [pool("a/b/noncurrent", "STANDARD", "40")];
    let gone = finding(1, "a/b", None, Axis::Usage, range(40, 40, Some(40)), FREE);
    let cheaper = finding(2, "a/b", None, Axis::Rate, range(10, 10, Some(10)), FREE);
    let portfolio = decide(vec![cheaper, gone], &leaves);
    assert_eq!(verdicts(&portfolio), [("f-001", "recommended"), ("f-002", "outbid")]);
    assert_eq!(portfolio.totals.headline_low, Money::new(40.into()));
}

#[test]
fn costs_that_outlast_the_year_are_no_payback_and_say_when() {
    let leaves = [pool("a/b/current", "STANDARD", "100")];
    let slow = finding(1, "a/b", None, Axis::Rate, range(10, 10, Some(10)), (Range::ZERO, range(150, 150, Some(150))));
    let never = finding(2, "a/b", None, Axis::Rate, range(10, 10, Some(10)), (range(11, 11, Some(11)), Range::ZERO));
    let portfolio = decide(vec![slow, never], &leaves);
    let month = |id: &str| portfolio.findings.iter().find(|f| f.id.0 == id).map(|f| f.verdict.clone());
    assert_eq!(month("f-001"), Some(Verdict::NoPayback { month: Some(15) }));
    assert_eq!(month("f-002"), Some(Verdict::NoPayback { month: None }));
    assert_eq!(portfolio.totals.headline_low, Money::ZERO);
}

#[test]
fn growth_since_the_bill_lowers_the_low_end_alone_and_the_finding_says_so() {
    let leaves = grown(vec![pool("a/b/current", "STANDARD", "80")], &[25]);
    let all = finding(1, "a/b", None, Axis::Usage, range(100, 100, Some(100)), FREE);
    let portfolio = decide(vec![all], &leaves);
    let Verdict::Recommended { counted, limit } = &portfolio.findings[0].verdict else { panic!("not recommended") };
    assert_eq!(*counted, range(80, 100, Some(100)));
    let why = "the low end counts no more than its part of the last full month's bill, $80.00";
    assert_eq!(limit.as_deref(), Some(why));
}

#[test]
fn a_sample_counts_what_it_extrapolates_and_only_the_bill_bounds_the_rest() {
    let leaves = [pool("a/b/unsplit", "STANDARD", "50"), pool("a/b/noncurrent", "STANDARD", "30")];
    let sampled = finding(1, "a/b/unsplit", None, Axis::Usage, range(1, 9, None), FREE);
    let versions = finding(2, "a/b/noncurrent", None, Axis::Usage, range(20, 30, Some(30)), FREE);
    let portfolio = decide(vec![sampled, versions], &leaves);
    let first = portfolio.findings.iter().find(|finding| finding.id.0 == "f-001").unwrap();
    assert_eq!(first.verdict, Verdict::Recommended { counted: range(1, 9, Some(50)), limit: None });
    assert_eq!(portfolio.totals.recommended, range(21, 39, Some(80)));
}

#[test]
fn a_cost_that_nothing_bounds_leaves_the_net_unknown_and_never_competes() {
    let leaves = [pool("a/b/current", "STANDARD", "100")];
    for (running, one_off) in [(range(1, 2, None), Range::ZERO), (Range::ZERO, range(1, 2, None))] {
        let mut open = finding(1, "a/b", None, Axis::Rate, range(10, 10, Some(10)), FREE);
        (open.running, open.one_off) = (Estimate::Known(running), Estimate::Known(one_off));
        let portfolio = decide(vec![open], &leaves);
        let Verdict::Unknown { why } = &portfolio.findings[0].verdict else { panic!("{portfolio:?}") };
        assert!(why.ends_with("cost: nothing bounds it"), "{why}");
        assert_eq!(portfolio.totals.headline_low, Money::ZERO);
    }
}

#[test]
fn a_saving_without_a_pool_or_beyond_the_pool_is_never_counted() {
    let leaves = [pool("a/b/current", "STANDARD", "10")];
    let lost = finding(1, "a/nowhere", None, Axis::Usage, range(5, 5, Some(5)), FREE);
    let boast = finding(2, "a/b", None, Axis::Usage, range(500, 900, None), FREE);
    let portfolio = decide(vec![lost, boast], &leaves);
    assert_eq!(verdicts(&portfolio), [("f-001", "unknown"), ("f-002", "recommended")]);
    assert_eq!(portfolio.totals.recommended, range(10, 10, Some(10)));
}

#[test]
fn what_only_a_look_can_settle_never_competes_and_is_never_summed() {
    let leaves = [pool("a/b/current", "STANDARD", "100")];
    let sure = finding(1, "a/b", None, Axis::Rate, range(10, 10, Some(10)), FREE);
    let mut maybe = finding(2, "a/b", None, Axis::Rate, range(0, 50, Some(90)), FREE);
    let free_nothing = finding(3, "a/b", None, Axis::Usage, range(0, 50, Some(90)), FREE);
    maybe.confidence = Confidence::Possible;
    let portfolio = decide(vec![maybe, sure, free_nothing], &leaves);
    assert_eq!(verdicts(&portfolio), [("f-001", "recommended"), ("f-002", "possible"), ("f-003", "possible")]);
    assert_eq!(portfolio.totals.recommended, range(10, 10, Some(10)));
}

#[test]
fn hundreds_of_buckets_under_regional_proposals_are_solved_exactly_and_at_once() {
    let mut leaves = Vec::new();
    let mut all = Vec::new();
    for bucket in 0..400_u32 {
        let name = format!("a/b{bucket}");
        leaves.push(pool(&format!("{name}/current"), "STANDARD", "60"));
        leaves.push(pool(&format!("{name}/noncurrent"), "STANDARD", "40"));
        all.push(finding(4 * bucket, &name, Some("STANDARD"), Axis::Rate, range(30, 30, Some(30)), FREE));
        all.push(finding(
            4 * bucket + 1,
            &format!("{name}/noncurrent"),
            None,
            Axis::Usage,
            range(40, 40, Some(40)),
            FREE,
        ));
        all.push(finding(4 * bucket + 2, &name, None, Axis::Usage, range(45, 45, Some(45)), FREE));
    }
    all.push(finding(90_000, "a", Some("STANDARD"), Axis::Rate, range(9_000, 9_000, Some(9_000)), FREE));
    all.push(finding(90_001, "a", None, Axis::Usage, range(17_000, 17_000, Some(17_000)), FREE));
    let portfolio = decide(all, &leaves);
    // Per bucket 45 + 30 × 0.55 = 61.50 against 40 + 30 × 0.6 = 58; the regional ones bring less than 400 of either.
    assert_eq!(portfolio.totals.headline_low, Money::new(Decimal::from(24_600)));
    assert_eq!(portfolio.totals.outbid_count, 402);
}
