//! What is read in detail: accounts, services and Regions in order of spend until most of the lake's spend is covered.
//!
//! Pure. What the bill does not know is read; what is left out is said with its dollars.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::aws::collect::{Collector, Reach};
use crate::model::Money;

/// The share of the lake's spend, in hundredths, that a scan reads in detail.
pub const ENOUGH: u32 = 95;

/// What the last thirty days cost, USD, as far as the bill tells. The bill tells accounts and Regions apart, but not both
/// at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spend {
    /// By account and service; empty when it was not read.
    pub accounts: BTreeMap<(String, String), Money>,
    /// By service and Region; empty when it was not read. Of `EC2 - Other` only what the network costs.
    pub regions: BTreeMap<(String, String), Money>,
    /// By service what no collector looks at: disks under `EC2 - Other`.
    pub apart: BTreeMap<String, Money>,
}

/// A collector in an account and, for regional ones, a Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// What is read.
    pub collector: Collector,
    /// Where.
    pub account_id: String,
    /// Where; `None` for collectors that have one endpoint for the whole account.
    pub region: Option<String>,
}

/// What is read and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranked {
    /// Runs, the dearest first.
    pub kept: Vec<Run>,
    /// Runs that are left out, with what they cost.
    pub left: Vec<(Run, Cost)>,
}

/// What a run looks at costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// USD in thirty days.
    pub usd: Money,
    /// True where the bill does not tell: it is the account's dollars, shared among Regions as the whole bill is.
    pub about: bool,
}

impl Cost {
    /// Returns the dollars for people.
    pub fn human(self) -> String {
        format!("{}{}", if self.about { "about " } else { "" }, self.usd.human())
    }

    fn and(self, other: Cost) -> Cost {
        Cost { usd: self.usd + other.usd, about: self.about || other.about }
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Cost>>(costs: I) -> Cost {
        costs.fold(Cost::default(), Cost::and)
    }
}

/// How many buckets each account has in each Region, as far as they were listed.
pub type Buckets = BTreeMap<(String, String), usize>;

impl Ranked {
    /// Takes from `earlier` whether the runs of `these` are made: they were, or were not, before more Regions were known.
    pub fn decided_before(&mut self, earlier: &Ranked, these: impl Fn(&Run) -> bool) {
        self.kept.retain(|run| !these(run));
        self.left.retain(|(run, _)| !these(run));
        self.kept.extend(earlier.kept.iter().filter(|run| these(run)).cloned());
        self.left.extend(earlier.left.iter().filter(|(run, _)| these(run)).cloned());
    }

    /// Returns what is left out costs. Collectors that share a service share its dollars.
    pub fn left_cost(&self) -> Cost {
        let mut by_service: BTreeMap<(&str, &[&str]), BTreeMap<Collector, Cost>> = BTreeMap::new();
        for (run, cost) in &self.left {
            let service = by_service.entry((run.account_id.as_str(), run.collector.billed_as())).or_default();
            let sum = service.entry(run.collector).or_default();
            *sum = sum.and(*cost);
        }
        by_service.into_values().filter_map(|costs| costs.into_values().max_by_key(|cost| cost.usd)).sum()
    }

    /// Returns the runs that are left out, with those of all Regions of an account as one without a Region.
    pub fn left_by_place(&self) -> Vec<(Run, Cost)> {
        let made: BTreeSet<(Collector, &str)> =
            self.kept.iter().map(|run| (run.collector, run.account_id.as_str())).collect();
        let mut places: BTreeMap<Run, Cost> = BTreeMap::new();
        for (run, cost) in &self.left {
            let partly = made.contains(&(run.collector, run.account_id.as_str()));
            let region = run.region.clone().filter(|_| partly);
            let place = places.entry(Run { region, ..run.clone() }).or_default();
            *place = place.and(*cost);
        }
        places.into_iter().collect()
    }
}

/// Returns which of `runs` are made. A Region where an account that is read has `buckets` is not left out for what the bill
/// of all accounts makes of it.
pub fn rank(runs: &[Run], spend: &Spend, buckets: &Buckets) -> Ranked {
    let accounts: BTreeSet<&str> = runs.iter().map(|run| run.account_id.as_str()).collect();
    let services = Services::of(spend, accounts.len() == 1);
    let costs: Vec<Option<Cost>> = runs.iter().map(|run| services.cost(run)).collect();
    let mut places: BTreeMap<_, Money> =
        runs.iter().zip(&costs).filter_map(|(run, cost)| Some((place(run), (*cost)?.usd))).collect();
    let told = in_regions(&places);
    // Dollars that are told by Region do not count again in the whole account: it keeps those of no known Region.
    for (place, usd) in places.iter_mut().filter(|((_, _, region), _)| region.is_none()) {
        *usd = (*usd - told.get(&(place.0, place.1)).copied().unwrap_or_default()).max(Money::ZERO);
    }
    let kept = dearest(&places);
    let entered: BTreeSet<_> = kept.iter().map(|(account, services, _)| (*account, *services)).collect();
    let anywhere = |run: &Run| {
        let all = (run.account_id.as_str(), run.collector.billed_as(), None);
        kept.contains(&all) && places[&all].is_positive()
    };
    let seen = |run: &Run, region: &String| buckets.contains_key(&(run.account_id.clone(), region.clone()));
    let is_kept = |run: &Run, cost: Cost| match &run.region {
        None => entered.contains(&whole(run)),
        Some(region) => {
            let guessed = cost.about && entered.contains(&whole(run)) && seen(run, region);
            kept.contains(&place(run)) || anywhere(run) || guessed
        }
    };
    let is_kept = |run: &Run, cost: Option<Cost>| cost.is_none_or(|cost| is_kept(run, cost));
    let mut ranked: Vec<(Option<Cost>, bool, Run)> =
        runs.iter().zip(costs).map(|(run, cost)| (cost, is_kept(run, cost), run.clone())).collect();
    // What nobody can rank comes first: it is little, and other accounts may hang on it.
    let usd = |cost: &Option<Cost>| cost.map(|cost| cost.usd);
    ranked.sort_by(|a, b| (a.0.is_some(), usd(&b.0), &a.2).cmp(&(b.0.is_some(), usd(&a.0), &b.2)));
    let (kept, left): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|(_, kept, _)| *kept);
    Ranked {
        kept: kept.into_iter().map(|(_, _, run)| run).collect(),
        left: left.into_iter().map(|(cost, _, run)| (run, cost.unwrap_or_default())).collect(),
    }
}

/// Collectors of one service share its dollars: both are made or neither is.
fn place(run: &Run) -> (&str, &'static [&'static str], Option<&str>) {
    (&run.account_id, run.collector.billed_as(), run.region.as_deref())
}

/// The same for all Regions.
fn whole(run: &Run) -> (&str, &'static [&'static str]) {
    (&run.account_id, run.collector.billed_as())
}

/// Returns what of each service of an account is told by Region.
fn in_regions<'a>(
    places: &BTreeMap<(&'a str, &'static [&'static str], Option<&str>), Money>,
) -> BTreeMap<(&'a str, &'static [&'static str]), Money> {
    let mut told = BTreeMap::new();
    for ((account, services, region), usd) in places {
        if region.is_some() {
            *told.entry((*account, *services)).or_default() += *usd;
        }
    }
    told
}

/// Returns the places that together have enough of the spend.
fn dearest<K: Ord + Copy>(places: &BTreeMap<K, Money>) -> BTreeSet<K> {
    let total: Money = places.values().copied().sum();
    let enough = total * Decimal::new(ENOUGH.into(), 2);
    let mut order: Vec<(K, Money)> = places.iter().map(|(place, usd)| (*place, *usd)).collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut sum = Money::ZERO;
    let mut kept = BTreeSet::new();
    for (place, usd) in order {
        if sum >= enough && total > Money::ZERO {
            break;
        }
        sum += usd;
        kept.insert(place);
    }
    kept
}

/// What each service costs in all Regions, and how many accounts pay for it: summed up once for all runs.
struct Services<'a> {
    spend: &'a Spend,
    everywhere: BTreeMap<&'a str, Money>,
    payers: BTreeMap<&'a str, usize>,
    /// True where no other account is read.
    alone: bool,
}

impl<'a> Services<'a> {
    fn of(spend: &'a Spend, alone: bool) -> Self {
        let (mut everywhere, mut payers) = (BTreeMap::<_, Money>::new(), BTreeMap::new());
        for ((service, _), usd) in &spend.regions {
            *everywhere.entry(service.as_str()).or_default() += *usd;
        }
        for ((_, service), _) in spend.accounts.iter().filter(|(_, usd)| **usd != Money::ZERO) {
            *payers.entry(service.as_str()).or_default() += 1;
        }
        Services { spend, everywhere, payers, alone }
    }

    /// Returns what the services of a run cost there; `None` where the bill does not tell.
    fn cost(&self, run: &Run) -> Option<Cost> {
        let services = run.collector.billed_as();
        if services.is_empty() || (self.spend.accounts.is_empty() && self.spend.regions.is_empty()) {
            return None;
        }
        Some(services.iter().map(|service| self.of_service(service, run)).sum())
    }

    fn of_service(&self, service: &str, run: &Run) -> Cost {
        let everywhere = self.everywhere.get(service).copied().unwrap_or_default();
        let account = self.spend.accounts.get(&(run.account_id.clone(), service.to_owned())).copied();
        let looked_at = self.looked_at(service, everywhere);
        let account = account.map(|usd| looked_at.map_or(usd, |share| usd * share));
        let account = account.unwrap_or(if self.spend.accounts.is_empty() { everywhere } else { Money::ZERO });
        let only = self.has_one_payer(service);
        let Some(region) = &run.region else {
            let about = !only && (looked_at.is_some() || self.spend.accounts.is_empty());
            return Cost { usd: account, about: about && account.is_positive() };
        };
        let there = self.spend.regions.get(&(service.to_owned(), region.clone())).copied().unwrap_or(Money::ZERO);
        let usd = there.usd().checked_div(everywhere.usd()).map_or(account, |share| account * share);
        // In the one Region that the bill names is all of it; where the bill names none of it, none of the account's is.
        let told = only || account == Money::ZERO || there == Money::ZERO || there == everywhere;
        Cost { usd, about: !told || (looked_at.is_some() && !only && usd.is_positive()) }
    }

    /// Returns true where the dollars of a Region are all of one account.
    fn has_one_payer(&self, service: &str) -> bool {
        if self.spend.accounts.is_empty() {
            self.alone
        } else {
            self.payers.get(service).is_none_or(|count| *count < 2)
        }
    }

    /// The share of a service that a collector looks at: the bill does not tell usage types by account.
    fn looked_at(&self, service: &str, everywhere: Money) -> Option<Decimal> {
        let apart = *self.spend.apart.get(service)?;
        everywhere.usd().checked_div((everywhere + apart).usd())
    }
}

/// Returns the runs of `collectors` over `accounts` and `regions`.
pub fn runs(collectors: &[Collector], accounts: &[String], regions: &BTreeSet<String>) -> Vec<Run> {
    let mut runs = Vec::new();
    for (account_id, &collector) in accounts.iter().flat_map(|account| collectors.iter().map(move |of| (account, of))) {
        let run = |region: Option<&String>| Run { collector, account_id: account_id.clone(), region: region.cloned() };
        match collector.reach() {
            Reach::Regional => runs.extend(regions.iter().map(|region| run(Some(region)))),
            Reach::Bill | Reach::Organization | Reach::Buckets | Reach::Global => runs.push(run(None)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::{ATHENA, EC2_OTHER, GLUE, S3};

    fn usd(amount: i64) -> Money {
        Money::new(amount.into())
    }

    fn spend(accounts: &[(&str, &str, i64)], regions: &[(&str, &str, i64)]) -> Spend {
        let pairs = |of: &[(&str, &str, i64)]| {
            of.iter().map(|(a, b, amount)| (((*a).to_owned(), (*b).to_owned()), usd(*amount))).collect()
        };
        Spend { accounts: pairs(accounts), regions: pairs(regions), apart: BTreeMap::new() }
    }

    fn all(accounts: &[&str], regions: &[&str]) -> Vec<Run> {
        let accounts: Vec<String> = accounts.iter().map(|account| (*account).to_owned()).collect();
        let regions = regions.iter().map(|region| (*region).to_owned()).collect();
        runs(&[Collector::Storage, Collector::Athena], &accounts, &regions)
    }

    fn names(runs: &[Run]) -> Vec<String> {
        let name =
            |run: &Run| format!("{} {} {}", run.account_id, run.collector.name(), run.region.as_deref().unwrap_or("-"));
        runs.iter().map(name).collect()
    }

    #[test]
    fn the_dearest_come_first_until_enough_is_covered_and_the_rest_is_left_out_with_its_dollars() {
        let spend = spend(
            &[("1", S3, 900), ("1", ATHENA, 60), ("2", S3, 39), ("2", ATHENA, 1)],
            &[(S3, "eu-west-1", 10), (ATHENA, "eu-west-1", 10)],
        );
        let ranked = rank(&all(&["1", "2"], &["eu-west-1"]), &spend, &Buckets::new());
        assert_eq!(names(&ranked.kept), ["1 cloudwatch eu-west-1", "1 athena eu-west-1"]);
        let left: Vec<(String, Money)> =
            ranked.left.iter().map(|(run, cost)| (names(std::slice::from_ref(run)).remove(0), cost.usd)).collect();
        assert_eq!(left, [("2 cloudwatch eu-west-1".to_owned(), usd(39)), ("2 athena eu-west-1".to_owned(), usd(1))]);
    }

    #[test]
    fn a_region_gets_its_share_of_the_accounts_spend() {
        let spend = spend(&[("1", S3, 100)], &[(S3, "eu-west-1", 98), (S3, "us-east-1", 2)]);
        let ranked = rank(&all(&["1"], &["eu-west-1", "us-east-1"]), &spend, &Buckets::new());
        assert_eq!(names(&ranked.kept), ["1 cloudwatch eu-west-1"]);
        assert!(ranked.left.iter().any(
            |(run, cost)| run.region.as_deref() == Some("us-east-1") && *cost == Cost { usd: usd(2), about: false }
        ));
    }

    #[test]
    fn without_a_bill_everything_is_read() {
        let ranked = rank(&all(&["1", "2"], &["eu-west-1"]), &Spend::default(), &Buckets::new());
        assert_eq!((ranked.kept.len(), ranked.left.len()), (4, 0));
    }

    #[test]
    fn a_bill_without_accounts_still_ranks_regions() {
        let spend = spend(&[], &[(S3, "eu-west-1", 99), (S3, "us-east-1", 1), (ATHENA, "eu-west-1", 0)]);
        let ranked = rank(&all(&["1"], &["eu-west-1", "us-east-1"]), &spend, &Buckets::new());
        assert_eq!(names(&ranked.kept), ["1 cloudwatch eu-west-1"]);
    }

    #[test]
    fn what_is_left_out_of_all_regions_is_told_once_and_shared_dollars_count_once() {
        let spend = spend(
            &[("1", S3, 10_000), ("2", S3, 4), ("2", ATHENA, 2)],
            &[(S3, "eu-west-1", 50), (S3, "us-east-1", 50), (ATHENA, "eu-west-1", 1)],
        );
        let accounts = ["1".to_owned(), "2".to_owned()];
        let regions = BTreeSet::from(["eu-west-1".to_owned(), "us-east-1".to_owned()]);
        let collectors = [Collector::S3, Collector::Storage, Collector::Athena];
        let ranked = rank(&runs(&collectors, &accounts, &regions), &spend, &Buckets::new());
        let told: Vec<(String, Money)> =
            ranked.left_by_place().into_iter().map(|(run, cost)| (names(&[run]).remove(0), cost.usd)).collect();
        let told: Vec<(&str, Money)> = told.iter().map(|(name, usd)| (name.as_str(), *usd)).collect();
        let wanted = [("2 s3 -", usd(4)), ("2 cloudwatch -", usd(4)), ("1 athena -", usd(0)), ("2 athena -", usd(2))];
        assert_eq!(told, wanted);
        assert_eq!(ranked.left_cost().usd, usd(6));
    }

    #[test]
    fn a_lake_that_cost_nothing_is_read_whole() {
        let spend = spend(&[("1", S3, 0), ("1", ATHENA, 0)], &[(S3, "eu-west-1", 0)]);
        assert_eq!(rank(&all(&["1"], &["eu-west-1"]), &spend, &Buckets::new()).left, []);
    }

    proptest::proptest! {
        #[test]
        fn what_is_kept_covers_enough_and_nothing_is_lost(
            amounts in proptest::collection::vec(0_i64..10_000, 1..12),
        ) {
            let accounts: Vec<String> = (0..amounts.len()).map(|n| format!("{n:012}")).collect();
            let billed: Vec<(&str, &str, i64)> = accounts.iter().zip(&amounts).map(|(a, n)| (a.as_str(), S3, *n)).collect();
            let runs = runs(&[Collector::S3], &accounts, &BTreeSet::new());
            let ranked = rank(&runs, &spend(&billed, &[]), &Buckets::new());
            let left: Money = ranked.left.iter().map(|(_, cost)| cost.usd).sum();
            let total: i64 = amounts.iter().sum();
            proptest::prop_assert!(left * Decimal::from(20) <= usd(total));
            let again: BTreeSet<Run> = ranked.kept.into_iter().chain(ranked.left.into_iter().map(|(run, _)| run)).collect();
            proptest::prop_assert_eq!(again, runs.into_iter().collect::<BTreeSet<_>>());
        }
    }

    #[test]
    fn dollars_that_two_collectors_share_count_once() {
        let spend = spend(&[], &[(S3, "eu-west-1", 950), (GLUE, "eu-west-1", 99)]);
        let regions = BTreeSet::from(["eu-west-1".to_owned()]);
        let of = [Collector::S3, Collector::Storage, Collector::Glue];
        let ranked = rank(&runs(&of, &["1".to_owned()], &regions), &spend, &Buckets::new());
        assert!(ranked.left.is_empty(), "{:?}", ranked.left);
        let little = Spend { regions: [((S3.to_owned(), "eu-west-1".to_owned()), usd(2))].into(), ..spend };
        let little = Spend {
            regions: [((GLUE.to_owned(), "eu-west-1".to_owned()), usd(98))].into_iter().chain(little.regions).collect(),
            ..little
        };
        let left = rank(&runs(&of, &["1".to_owned()], &regions), &little, &Buckets::new()).left;
        let left: Vec<_> = left.iter().map(|(run, cost)| (run.collector, cost.usd)).collect();
        assert_eq!(left, [(Collector::S3, usd(2)), (Collector::Storage, usd(2))], "both, or neither");
    }

    #[test]
    fn dollars_of_no_known_region_rank_the_account_and_all_its_regions() {
        let spend = spend(&[("1", S3, 990), ("2", S3, 10)], &[(S3, "", 1000)]);
        let regions = BTreeSet::from(["us-east-1".to_owned()]);
        let accounts = ["1".to_owned(), "2".to_owned()];
        let ranked = rank(&runs(&[Collector::S3, Collector::Storage], &accounts, &regions), &spend, &Buckets::new());
        assert_eq!(names(&ranked.kept), ["1 s3 -", "1 cloudwatch us-east-1"]);
        assert_eq!(ranked.left_cost().usd, usd(10));
    }

    #[test]
    fn disks_do_not_make_the_network_dear() {
        let told = spend(
            &[("1", EC2_OTHER, 200_000), ("1", S3, 4_000)],
            &[(EC2_OTHER, "eu-west-1", 20), (S3, "eu-west-1", 4_000)],
        );
        let spend = Spend { apart: [(EC2_OTHER.to_owned(), usd(199_980))].into(), ..told };
        let regions = BTreeSet::from(["eu-west-1".to_owned()]);
        let ranked =
            rank(&runs(&[Collector::S3, Collector::Network], &["1".to_owned()], &regions), &spend, &Buckets::new());
        let kept: Vec<_> = ranked.kept.iter().map(|run| run.collector).collect();
        assert_eq!((kept, ranked.left_cost().usd), (vec![Collector::S3], usd(20)));
    }

    #[test]
    fn a_share_of_an_accounts_region_is_a_guess_and_one_that_the_bill_tells_is_none() {
        let cost = |spend: &Spend, accounts: &[&str], account: &str, region: &str| {
            let ranked = rank(&all(accounts, &["eu-west-1", "us-east-1"]), spend, &Buckets::new());
            let of = |run: &Run| run.account_id == account && run.region.as_deref() == Some(region);
            let left = ranked.left.iter().find(|(run, _)| run.collector == Collector::Storage && of(run));
            left.map(|(_, cost)| cost.human())
        };
        let two = spend(&[("1", S3, 900), ("2", S3, 100)], &[(S3, "eu-west-1", 980), (S3, "us-east-1", 20)]);
        assert_eq!(cost(&two, &["1", "2"], "1", "us-east-1").as_deref(), Some("about $18.00"));
        let one = spend(&[("1", S3, 1000)], &[(S3, "eu-west-1", 980), (S3, "us-east-1", 20)]);
        assert_eq!(cost(&one, &["1"], "1", "us-east-1").as_deref(), Some("$20.00"), "nobody else pays");
        let of_one_region = spend(&[("1", S3, 980), ("2", S3, 20)], &[(S3, "eu-west-1", 1000)]);
        assert_eq!(cost(&of_one_region, &["1", "2"], "2", "eu-west-1").as_deref(), Some("$20.00"), "nowhere else");
    }

    #[test]
    fn a_region_where_an_account_has_buckets_is_not_left_out_for_what_all_accounts_spend_there() {
        let spend = spend(&[("1", S3, 500), ("2", S3, 500)], &[(S3, "eu-west-1", 990), (S3, "us-east-1", 10)]);
        let runs = all(&["1", "2"], &["eu-west-1", "us-east-1"]);
        let there = |ranked: &Ranked| {
            let there = ranked.kept.iter().filter(|run| run.region.as_deref() == Some("us-east-1"));
            there.map(|run| run.account_id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(there(&rank(&runs, &spend, &Buckets::new())), Vec::<String>::new());
        let buckets = Buckets::from([(("2".to_owned(), "us-east-1".to_owned()), 7)]);
        assert_eq!(there(&rank(&runs, &spend, &buckets)), ["2"]);
    }
}
