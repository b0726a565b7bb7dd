//! Revenue and cost per kWh: pure functions of energy per unit of work. One formula covers hashes and tokens.

use crate::units::{HOUR, Interval, KILOWATT_HOUR, MEGAWATT, Method, Provenance, Unit, YEAR};

/// Energy per unit of work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorkEnergy {
    /// Joules per unit.
    pub joules: Interval,
    /// The unit of work.
    pub unit: Unit,
}

/// Price per unit of work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Dollars per unit.
    pub dollars: Interval,
    /// The unit of work.
    pub unit: Unit,
}

/// A number of the market file. Figures computed from it are at best published.
pub(super) fn quoted(value: f64) -> Interval {
    let (provenance, method) = (Provenance::Published, Method::Quoted);
    Interval { provenance, method, ..Interval::exact(value) }
}

/// Revenue from selling work, in dollars per kWh.
///
/// # Panics
/// If energy and price are of different units of work.
pub fn sold(energy: WorkEnergy, price: Price) -> Interval {
    assert_eq!(energy.unit, price.unit, "a price is of the work that it is paid for");
    price.dollars * KILOWATT_HOUR.0 / energy.joules
}

/// Revenue from renting out a device of the given power, in dollars per kWh.
pub fn rented(dollars_per_hour: Interval, watts: Interval) -> Interval {
    dollars_per_hour * KILOWATT_HOUR.0 / (watts * HOUR.0)
}

/// Straight-line depreciation of a megawatt at full load, in dollars per kWh.
pub fn written_off(dollars_per_megawatt: Interval, years: Interval) -> Interval {
    let kilowatt_hours = (MEGAWATT * YEAR).0 / KILOWATT_HOUR.0;
    dollars_per_megawatt / (years * kilowatt_hours)
}

/// Hashes that the energy of one token could have computed. Both energies have the same scope.
///
/// # Panics
/// If the units are not token and hash.
pub fn hashes_forgone(token: WorkEnergy, hash: WorkEnergy) -> Interval {
    assert_eq!((token.unit, hash.unit), (Unit::Token, Unit::Hash), "hashes are forgone for tokens");
    token.joules / hash.joules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{EnergyPerWork, MILLION_TOKENS, PETAHASH_DAY, any_interval};
    use proptest::prelude::*;

    fn energy(figure: f64, unit: Unit) -> WorkEnergy {
        WorkEnergy { joules: Interval::exact(EnergyPerWork::quoted(figure, unit).joules), unit }
    }

    fn hashing(hashprice: f64, joules_per_terahash: f64) -> f64 {
        let price = Price { dollars: quoted(hashprice / PETAHASH_DAY), unit: Unit::Hash };
        sold(energy(joules_per_terahash, Unit::Hash), price).value.unwrap()
    }

    fn inferring(dollars_per_million: f64, joules: f64) -> f64 {
        let dollars = quoted(dollars_per_million / MILLION_TOKENS);
        let price = Price { dollars, unit: Unit::Token };
        sold(energy(joules, Unit::Token), price).value.unwrap()
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
        let rent = rented(quoted(2.35), quoted(700.0)).value.unwrap();
        assert!((rent - 2.35 / 0.7).abs() < 1e-9, "{rent}");
        // $1.85 million per megawatt-year is 21 cents per kWh.
        let housing = written_off(quoted(1.85e6), quoted(1.0)).value.unwrap();
        assert!((housing - 0.21).abs() < 0.002, "{housing}");
    }

    #[test]
    #[should_panic(expected = "a price is of the work")]
    fn a_token_price_buys_no_hashes() {
        sold(energy(13.5, Unit::Hash), Price { dollars: quoted(1.0), unit: Unit::Token });
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
            joules in any_interval(1e-3..1e3), dollars in any_interval(1e-9..1e-3), more in 1.01..100.0,
        ) {
            let unit = Unit::Token;
            let at = |j: f64, d: f64| {
                sold(WorkEnergy { joules: joules * j, unit }, Price { dollars: dollars * d, unit })
            };
            let base = at(1.0, 1.0);
            prop_assert!(base.low <= base.high && base.value.is_none_or(|v| base.low <= v && v <= base.high));
            for (less, greater) in [(base, at(1.0, more)), (at(more, 1.0), base)] {
                prop_assert!(less.low < greater.low && less.high < greater.high);
            }
            prop_assert!(rented(dollars, joules * more).high < rented(dollars, joules).high);
            prop_assert!(written_off(dollars, joules * more).low < written_off(dollars, joules).low);
        }
    }
}
