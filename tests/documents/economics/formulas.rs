//! Revenue per hash and per kilowatt-hour, held to published figures and to what industry computes with.

use proptest::prelude::*;
use rigbench::economics::{
    Network, Price, WorkEnergy, depreciation, hashes_forgone, rented, sales_revenue, subsidy_at,
    watt_hours,
};
use rigbench::units::{
    EnergyPerWork, Interval, KILOWATT_HOUR, MILLION_TOKENS, PETAHASH_DAY, Unit, WATT_HOUR,
};

/// Intervals around values in `size`, some without a value.
pub fn interval(size: std::ops::Range<f64>) -> impl Strategy<Value = Interval> {
    (size, 0.0..0.4, 0.0..0.4, any::<bool>()).prop_map(|(value, below, above, stated)| {
        let (low, high) = (value * (1.0 - below), value * (1.0 + above));
        Interval { value: stated.then_some(value), ..Interval::between(low, high) }
    })
}

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
    let network_hashrate = n.difficulty * 2f64.powi(32) / 600.0;
    1e15 / network_hashrate * (n.subsidy + n.fees) * n.bitcoin
}

/// Another one: the fraction of the network that 1 PH/s is, inverted.
fn inverts_the_share(n: Network) -> f64 {
    let network_hashrate = n.difficulty * 2f64.powi(32) / 600.0;
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
    assert!(inverts_the_share(hard) > inverts_the_share(easy));
    assert!(hard.hashprice() < easy.hashprice());
    assert!(inverts_the_share(easy) / easy.hashprice() > 1e6);
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

fn energy(figure: f64, unit: Unit) -> WorkEnergy {
    WorkEnergy { joules: Interval::exact(EnergyPerWork::quoted(figure, unit).joules), unit }
}

fn hashing(hashprice: f64, joules_per_terahash: f64) -> f64 {
    let price = Price { dollars: Interval::exact(hashprice / PETAHASH_DAY), unit: Unit::Hash };
    sales_revenue(energy(joules_per_terahash, Unit::Hash), price).value.unwrap()
}

fn inferring(dollars_per_million: f64, joules: f64) -> f64 {
    let dollars = Interval::exact(dollars_per_million / MILLION_TOKENS);
    let price = Price { dollars, unit: Unit::Token };
    sales_revenue(energy(joules, Unit::Token), price).value.unwrap()
}

#[test]
fn miners_at_39_53() {
    for (joules_per_terahash, dollars_per_megawatt_hour) in
        [(13.5, 122.0), (21.5, 77.0), (9.5, 173.0)]
    {
        let earned = 1000.0 * hashing(39.53, joules_per_terahash);
        assert!((earned - dollars_per_megawatt_hour).abs() < 0.5, "{earned}");
    }
}

#[test]
fn an_l40s_hashes_for_a_two_hundredth_of_a_cent() {
    let earned = hashing(39.53, 35_000.0);
    assert!((earned - 0.00005).abs() < 0.000005, "{earned}");
    assert!((hashing(39.53, 13.5) / earned - 2600.0).abs() < 10.0);
}

#[test]
fn eight_billion_parameters_on_an_h100() {
    assert!((inferring(0.03, 0.070) - 1.54).abs() < 0.005);
    assert!((inferring(0.03, 0.455) - 0.24).abs() < 0.005);
}

#[test]
fn a_rented_card_and_a_built_megawatt() {
    let rent = rented(Interval::exact(2.35), Interval::exact(700.0)).value.unwrap();
    assert!((rent - 2.35 / 0.7).abs() < 1e-9, "{rent}");
    // $1.85 million per megawatt-year is 21 cents per kWh.
    let housing = depreciation(Interval::exact(1.85e6), Interval::exact(1.0)).value.unwrap();
    assert!((housing - 0.21).abs() < 0.002, "{housing}");
}

#[test]
#[should_panic(expected = "a price is of the work")]
fn a_token_price_buys_no_hashes() {
    sales_revenue(
        energy(13.5, Unit::Hash),
        Price { dollars: Interval::exact(1.0), unit: Unit::Token },
    );
}

/// A common mistake: with the ratio inverted, revenue falls with the hashprice and rises with J/TH.
fn inverts_the_ratio(hashprice: f64, joules_per_terahash: f64) -> f64 {
    24.0 * joules_per_terahash / hashprice
}

#[test]
fn counter_example_the_inverted_ratio_pays_the_worse_miner_more() {
    assert!(inverts_the_ratio(39.53, 21.5) > inverts_the_ratio(39.53, 13.5));
    assert!(hashing(39.53, 21.5) < hashing(39.53, 13.5));
}

proptest! {
    /// Joules and dollars per hash give the same as J/TH and $/PH/day.
    #[test]
    fn si_units_match_the_industry_formulas(
        hashprice in 1.0..1000.0, per_terahash in 1.0..1e6, price in 0.001..100.0, token in 1e-3..1e3,
    ) {
        let expected = hashprice / (24.0 * per_terahash);
        prop_assert!((hashing(hashprice, per_terahash) / expected - 1.0).abs() < 1e-9);
        let expected = 3.6 * price / token;
        prop_assert!((inferring(price, token) / expected - 1.0).abs() < 1e-9);
    }

    /// Hashes per token times dollars per hash is the mining revenue of the token's energy.
    #[test]
    fn hashes_forgone_are_worth_the_energy_of_the_token(
        token in 1e-3..1e3, per_terahash in 1.0..1e6, hashprice in 1.0..1000.0,
    ) {
        let forgone = hashes_forgone(energy(token, Unit::Token), energy(per_terahash, Unit::Hash));
        let dollars = forgone.value.unwrap() * hashprice / PETAHASH_DAY;
        let by_energy = hashing(hashprice, per_terahash) * token / KILOWATT_HOUR.0;
        prop_assert!((dollars / by_energy - 1.0).abs() < 1e-9);
    }

    #[test]
    fn earns_more_for_a_better_price_and_less_for_more_joules(
        joules in interval(1e-3..1e3), dollars in interval(1e-9..1e-3), more in 1.01..100.0,
    ) {
        let unit = Unit::Token;
        let at = |j: f64, d: f64| {
            sales_revenue(WorkEnergy { joules: joules * j, unit }, Price { dollars: dollars * d, unit })
        };
        let base = at(1.0, 1.0);
        prop_assert!(base.low <= base.high && base.value.is_none_or(|v| base.low <= v && v <= base.high));
        for (less, greater) in [(base, at(1.0, more)), (at(more, 1.0), base)] {
            prop_assert!(less.low < greater.low && less.high < greater.high);
        }
        prop_assert!(rented(dollars, joules * more).high < rented(dollars, joules).high);
        prop_assert!(depreciation(dollars, joules * more).low < depreciation(dollars, joules).low);
    }
}

#[test]
fn three_tenths_of_a_watt_hour_from_every_factor() {
    let factors = [1.5, 1.2, 1.2];
    let exact = Interval::exact;
    // (500 · 0.1 + 300 · 1.5) J · 2.16 / 3600
    let energy = watt_hours((500.0, exact(0.1)), (300.0, exact(1.5)), factors);
    assert!((energy.value.unwrap() - 0.3).abs() < 1e-12);
    // With decode energy for prompt tokens it is far off.
    let mixed = watt_hours((500.0, exact(1.5)), (300.0, exact(1.5)), factors);
    assert!(mixed.value.unwrap() > 0.7);
}

#[test]
fn the_factors_of_gemini_make_1_72() {
    let factors = [83.0 / 58.0, 93.0 / 83.0, 100.0 / 93.0];
    let watt_hour = (1.0, Interval::exact(WATT_HOUR.0));
    let energy = watt_hours((0.0, Interval::exact(0.0)), watt_hour, factors);
    assert!((energy.value.unwrap() - 1.72).abs() < 0.005);
}

proptest! {
    #[test]
    fn a_query_grows_with_tokens_joules_and_factors(
        prefill in 1e-3..1.0, decode in 1e-3..10.0, tokens in 1.0..1e4, more in 1.01..10.0, which in 0usize..7,
    ) {
        let mut all = [tokens, tokens, prefill, decode, 1.4, 1.1, 1.2];
        let energy = |a: [f64; 7]| {
            let (prefill, decode) = ((a[0], Interval::exact(a[2])), (a[1], Interval::exact(a[3])));
            watt_hours(prefill, decode, [a[4], a[5], a[6]]).value.unwrap()
        };
        let before = energy(all);
        all[which] *= more;
        prop_assert!(energy(all) > before);
    }
}
