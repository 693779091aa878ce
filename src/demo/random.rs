//! The demo's dice: SplitMix64 (Steele, Lea and Flood, 2014), in whole numbers only, so that every machine throws alike.
//! Must never be seeded by anything but the options.

/// A stream of numbers that depends on the seed and a label, and on nothing else.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Returns the stream called `label` under `seed`: a thing keeps its numbers when another thing is added.
    pub fn new(seed: u64, label: &str) -> Self {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Random(label.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), fnv))
    }

    /// Returns the next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a whole number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u128::from(high.abs_diff(low)) + 1;
        let step = (u128::from(self.bits()) * span) >> 64;
        low + i64::try_from(step).unwrap_or(0)
    }

    /// Returns true `permille` times in a thousand.
    pub fn chance(&mut self, permille: i64) -> bool {
        self.between(0, 999) < permille
    }

    /// Returns one of `choices`, which must not be empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let last = i64::try_from(choices.len()).unwrap_or(1) - 1;
        &choices[usize::try_from(self.between(0, last)).unwrap_or(0)]
    }

    /// Returns `value` moved by up to `permille` thousandths of itself, either way.
    pub fn around(&mut self, value: i64, permille: i64) -> i64 {
        value + share(value, self.between(-permille, permille))
    }

    /// Returns `digits` hexadecimal digits, at most 16.
    pub fn hex(&mut self, digits: usize) -> String {
        format!("{:016x}", self.bits())[..digits].to_owned()
    }
}

/// Returns `permille` thousandths of `value`.
pub fn share(value: i64, permille: i64) -> i64 {
    i64::try_from(i128::from(value) * i128::from(permille) / 1000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_label_throw_the_same_numbers_and_others_do_not() {
        let throw = |seed, label| Random::new(seed, label).bits();
        assert_eq!(throw(7, "raw"), throw(7, "raw"));
        assert_ne!(throw(7, "raw"), throw(8, "raw"));
        assert_ne!(throw(7, "raw"), throw(7, "curated"));
    }

    #[test]
    fn splitmix_gives_the_published_first_number_of_seed_zero() {
        assert_eq!(Random(0).bits(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn numbers_stay_in_their_bounds_and_reach_both() {
        let mut random = Random::new(1, "bounds");
        let thrown: Vec<i64> = (0..200).map(|_| random.between(-2, 2)).collect();
        assert_eq!((thrown.iter().min(), thrown.iter().max()), (Some(&-2), Some(&2)));
    }
}
