//! Mining revenue per hash, from difficulty, block reward and bitcoin price.

use crate::units::PETAHASH_DAY;
use serde::Serialize;

/// Expected hashes per block at difficulty 1: 2³².
const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;
/// Blocks between halvings.
pub(super) const HALVING_BLOCKS: u64 = 210_000;
/// Block subsidy before the first halving, in bitcoin.
const FIRST_SUBSIDY: f64 = 50.0;

/// State of the Bitcoin network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Network {
    /// Mining difficulty; 1 for the first block.
    pub difficulty: f64,
    /// Dollars per bitcoin.
    #[serde(rename = "bitcoin_dollars")]
    pub bitcoin: f64,
    /// Block subsidy in bitcoin.
    #[serde(rename = "subsidy_bitcoins_per_block")]
    pub subsidy: f64,
    /// Transaction fees per block, in bitcoin.
    #[serde(rename = "fees_bitcoins_per_block")]
    pub fees: f64,
}

impl Network {
    /// A network whose fees are a fraction of the block reward (subsidy plus fees), 0 to below 1.
    pub fn with_fee_share(difficulty: f64, bitcoin: f64, subsidy: f64, share: f64) -> Network {
        Network { difficulty, bitcoin, subsidy, fees: subsidy * share / (1.0 - share) }
    }

    /// Expected dollars per hash.
    pub fn dollars_per_hash(self) -> f64 {
        let reward = (self.subsidy + self.fees) * self.bitcoin;
        reward / (self.difficulty * HASHES_PER_DIFFICULTY)
    }

    /// Hashprice in dollars per PH/s and day.
    pub fn hashprice(self) -> f64 {
        self.dollars_per_hash() * PETAHASH_DAY
    }

    /// The same network at another hashprice, by a change of difficulty.
    pub fn at_hashprice(self, hashprice: f64) -> Network {
        Network { difficulty: self.difficulty * self.hashprice() / hashprice, ..self }
    }

    /// After the next halving: half the subsidy, all else unchanged.
    pub fn after_halving(self) -> Network {
        Network { subsidy: self.subsidy / 2.0, ..self }
    }
}

/// Block subsidy at a height, in bitcoin.
pub fn subsidy_at(height: u64) -> f64 {
    FIRST_SUBSIDY / 2f64.powi((height / HALVING_BLOCKS).min(64) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_close(a: f64, b: f64, tolerance: f64) -> bool {
        (a / b - 1.0).abs() < tolerance
    }

    #[test]
    fn the_textbook_network_pays_62_864_a_petahash_day() {
        let network = Network { difficulty: 1e14, bitcoin: 100_000.0, subsidy: 3.125, fees: 0.0 };
        assert!(is_close(network.hashprice(), 62.864, 1e-5), "{}", network.hashprice());
    }

    #[test]
    fn matches_the_hashprice_of_12_january_2026() {
        let at = |difficulty| Network::with_fee_share(difficulty, 91_132.0, 3.125, 0.0055);
        let bitcoins = |network: Network| network.hashprice() / network.bitcoin;
        assert!(is_close(bitcoins(at(146.47e12)), 0.00043143, 5e-4));
        // The published hashprice in dollars is 0.5 % above the published one in bitcoin times the published price.
        assert!(is_close(at(146.47e12).hashprice(), 39.53, 6e-3));
        // The page prints this difficulty, which does not give its hashprice.
        assert!(is_close(bitcoins(at(148.26e12)), 0.0004264, 5e-4));
    }

    #[test]
    fn june_2026_is_about_30_4() {
        let network = Network::with_fee_share(124.93e12, 60_000.0, 3.125, 0.005);
        assert!(is_close(network.hashprice(), 30.4, 5e-3), "{}", network.hashprice());
    }

    #[test]
    fn a_halving_leaves_the_fees() {
        let network = Network::with_fee_share(1e14, 1e5, 3.125, 0.005);
        let kept = network.after_halving().hashprice() / network.hashprice();
        assert!(is_close(kept, 0.5025, 1e-9), "{kept}");
        assert_eq!(subsidy_at(1_049_999), 3.125);
        assert_eq!(subsidy_at(1_050_000), 1.5625);
        assert_eq!(subsidy_at(0), 50.0);
    }

    /// A common mistake: revenue of 1 PH/s per block, taken for revenue per day.
    fn forgets_144_blocks_a_day(n: Network) -> f64 {
        let network_hashrate = n.difficulty * HASHES_PER_DIFFICULTY / 600.0;
        1e15 / network_hashrate * (n.subsidy + n.fees) * n.bitcoin
    }

    /// Another one: the fraction of the network that 1 PH/s is, inverted.
    fn inverts_the_ratio(n: Network) -> f64 {
        let network_hashrate = n.difficulty * HASHES_PER_DIFFICULTY / 600.0;
        network_hashrate / 1e15 * 144.0 * (n.subsidy + n.fees) * n.bitcoin
    }

    #[test]
    fn counter_example_forgetting_144_blocks_a_day_is_144_times_too_low() {
        let network = Network::with_fee_share(124.93e12, 60_000.0, 3.125, 0.005);
        let wrong = forgets_144_blocks_a_day(network);
        assert!(is_close(network.hashprice() / wrong, 144.0, 1e-9), "{wrong}");
    }

    #[test]
    fn counter_example_the_inverted_ratio_grows_with_the_difficulty() {
        let at = |difficulty| Network::with_fee_share(difficulty, 60_000.0, 3.125, 0.005);
        let (easy, hard) = (at(100e12), at(200e12));
        assert!(inverts_the_ratio(hard) > inverts_the_ratio(easy));
        assert!(hard.hashprice() < easy.hashprice());
        assert!(inverts_the_ratio(easy) / easy.hashprice() > 1e6);
    }

    proptest! {
        #[test]
        fn hashprice_rises_with_bitcoin_price_and_falls_with_difficulty(
            difficulty in 1e12..1e16, bitcoin in 1e3..1e6, share in 0.0..0.5, more in 1.01..10.0,
        ) {
            let network = Network::with_fee_share(difficulty, bitcoin, 3.125, share);
            let harder = Network { difficulty: difficulty * more, ..network };
            let dearer = Network { bitcoin: bitcoin * more, ..network };
            prop_assert!(harder.hashprice() < network.hashprice());
            prop_assert!(is_close(dearer.hashprice(), network.hashprice() * more, 1e-9));
            let kept = network.after_halving().hashprice() / network.hashprice();
            prop_assert!(is_close(kept, (1.0 + share) / 2.0, 1e-9));
            prop_assert!(is_close(network.at_hashprice(31.0).hashprice(), 31.0, 1e-9));
        }
    }
}
