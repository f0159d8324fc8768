//! Chance, from a seed: the same seed gives the same numbers, so that rules which use it can be tested.

/// Steele, Lea and Flood's SplitMix64: good enough to spread dates, and six lines long.
#[derive(Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `limit`, both included.
    pub(super) fn up_to(&mut self, limit: u64) -> u64 {
        match limit.checked_add(1) {
            Some(count) => self.next() % count,
            None => self.next(),
        }
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_within_their_limit_and_reach_it() {
        let mut jitter = Jitter::new(1);
        let numbers: Vec<u64> = (0..200).map(|_| jitter.up_to(3)).collect();
        assert!((0..=3).all(|number| numbers.contains(&number)));
        assert!(numbers.iter().all(|number| *number <= 3));
        assert_eq!(jitter.up_to(0), 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let numbers = |seed| {
            let mut jitter = Jitter::new(seed);
            [(); 4].map(|()| jitter.up_to(u64::MAX))
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }
}
