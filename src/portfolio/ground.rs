//! The pools that proposals stand on, in one order, found by scope. Never reads a database.

use std::iter::Sum;

use crate::model::{DollarSource, Pool, PoolPath};
use rust_decimal::Decimal;

use super::proposal::Cut;

/// Dollars a month of one leaf or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeafCost {
    /// What the last bill held: a low end counts no more of it.
    pub sure: Decimal,
    /// What today's quantity costs: the other ends count no more.
    pub most: Decimal,
}

impl Sum for LeafCost {
    fn sum<I: Iterator<Item = LeafCost>>(costs: I) -> Self {
        costs.fold(LeafCost::default(), |all, one| LeafCost { sure: all.sure + one.sure, most: all.most + one.most })
    }
}

/// Pools sorted by path and class: leaf numbers are places in this order.
#[derive(Debug)]
pub struct Ground<'a> {
    pools: Vec<&'a Pool>,
}

impl<'a> Ground<'a> {
    /// Sorts the pools; their order on the way in does not matter.
    pub fn of(pools: &'a [Pool]) -> Self {
        let mut sorted: Vec<&Pool> = pools.iter().collect();
        sorted.sort_by(|a, b| (&a.path, &a.class, &a.line, a.quantity).cmp(&(&b.path, &b.class, &b.line, b.quantity)));
        Ground { pools: sorted }
    }

    /// Returns the leaves that the cut touches, in order.
    pub fn touched(&self, cut: &Cut) -> Vec<usize> {
        let of_class = |leaf: &usize| cut.class.as_ref().is_none_or(|class| *class == self.pools[*leaf].class);
        self.under(&cut.scope).filter(of_class).collect()
    }

    /// Returns the cost a month of a leaf; `None` when neither bill nor list price is known.
    pub fn cost(&self, leaf: usize) -> Option<LeafCost> {
        let pool = self.pools[leaf];
        Some(LeafCost { sure: pool.cost()?.usd(), most: pool.most()?.usd() })
    }

    /// Returns what the cost of a leaf rests on.
    pub fn source(&self, leaf: usize) -> Option<DollarSource> {
        self.pools[leaf].source()
    }

    /// The leaf that the scope names, then those below it: two runs in the order, since `a-b` sorts before `a/b`.
    fn under(&self, scope: &PoolPath) -> impl Iterator<Item = usize> + use<'_, 'a> {
        let itself = self.run(|path| path.cmp(scope.as_str()));
        let below = format!("{}/", scope.as_str());
        let inside =
            self.run(|path| if path.starts_with(&below) { std::cmp::Ordering::Equal } else { path.cmp(&below) });
        itself.chain(inside)
    }

    fn run(&self, place: impl Fn(&str) -> std::cmp::Ordering) -> std::ops::Range<usize> {
        let start = self.pools.partition_point(|pool| place(pool.path.as_str()).is_lt());
        let end = self.pools.partition_point(|pool| place(pool.path.as_str()).is_le());
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::pool;
    use super::*;

    #[test]
    fn a_scope_finds_every_leaf_that_it_covers_and_no_other() {
        let paths = ["a/b", "a/b-c/d", "a/b/c", "a/b/c/d", "a/bc", "a", "b"];
        let pools: Vec<Pool> = paths.iter().map(|path| pool(path, "STANDARD", "1")).collect();
        let ground = Ground::of(&pools);
        for scope in paths {
            let cut = Cut::whole(PoolPath::parse(scope));
            let found: Vec<&str> = ground.touched(&cut).iter().map(|leaf| ground.pools[*leaf].path.as_str()).collect();
            let mut covered: Vec<&str> = paths.into_iter().filter(|p| cut.scope.covers(&PoolPath::parse(p))).collect();
            covered.sort_unstable();
            assert_eq!(found, covered, "{scope}");
        }
    }
}
