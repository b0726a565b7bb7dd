//! The advice as JSON: nothing is lost on the way, and every interval holds its middle.

use crate::economics::made_up::{MadeUp, h100, row, run};
use proptest::prelude::*;
use rigbench::economics::{Advice, Market};
use rigbench::energy::Scope;
use rigbench::units::{Interval, Provenance};
use serde_json::Value;
use strum::VariantArray;

fn json(advice: &Advice) -> Value {
    serde_json::from_str(&serde_json::to_string(advice).unwrap()).unwrap()
}

/// Every interval in a value.
fn intervals(value: &Value, found: &mut Vec<(Option<f64>, Option<f64>, Option<f64>)>) {
    match value {
        Value::Object(map) if map.contains_key("low") && map.contains_key("high") => {
            found.push((map["low"].as_f64(), map["value"].as_f64(), map["high"].as_f64()));
        }
        Value::Object(map) => map.values().for_each(|value| intervals(value, found)),
        Value::Array(all) => all.iter().for_each(|value| intervals(value, found)),
        _ => {}
    }
}

#[test]
fn every_part_is_there_with_units_in_its_keys() {
    let advice = h100().advice(&Market::embedded());
    let json = json(&advice);
    let count = |key: &str| json[key].as_array().unwrap().len();
    assert_eq!(count("choices"), advice.choices.len());
    assert_eq!(count("break_evens"), advice.break_evens.len());
    assert_eq!(count("hashes_forgone"), advice.hashes_forgone.len());
    let accelerators = json["megawatts"]["accelerators"].as_array().unwrap();
    assert_eq!(accelerators.len(), advice.megawatts.accelerators.len());
    assert_eq!(count("published_queries"), advice.published_queries.len());
    let best = &json["choices"][json["recommendation"]["best"].as_u64().unwrap() as usize];
    assert_eq!(best["kind"], "rent");
    let revenue = &best["revenue_dollars_per_kwh"];
    assert!(revenue["value"].is_null() && revenue["low"].as_f64() < revenue["high"].as_f64());
    assert_eq!(json["evidence"], "measured-counter");
    assert_eq!(json["conditions"]["electricity_dollars_per_kwh"], 0.05);
    assert_eq!(json["halving_block"], 1_050_000);
    let hashprice = json["hashprice_dollars_per_petahash_day"].as_f64().unwrap();
    assert!((hashprice / 30.4 - 1.0).abs() < 5e-3);
    let mut seen = [false; 2];
    for found in json["break_evens"].as_array().unwrap() {
        let (at, never) = (&found["at"]["value"], &found["never"]);
        assert!(at["provenance"].is_string() != never.is_string(), "{found}");
        assert!(found["choice"].is_u64() && found["parameter"].is_string(), "{found}");
        seen[usize::from(found["other"].is_u64())] = true;
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn a_bound_that_nobody_knows_is_null() {
    let mut run = h100();
    run.rows[0].1.energy.joules_per_unit = Some(Interval::between(0.0, 1e-7));
    let json = json(&run.advice(&Market::embedded()));
    let hash = json["choices"].as_array().unwrap().iter().find(|c| c["kind"] == "hash-here");
    let revenue = &hash.unwrap()["revenue_dollars_per_kwh"];
    assert!(revenue["low"].is_f64() && revenue["value"].is_null() && revenue["high"].is_null());
}

/// Rows as they may come: declared, modelled, with no least, of any scope.
fn runs() -> impl Strategy<Value = MadeUp> {
    let energy = (1e-3..10.0, 0.0..1.0, 0.0..2.0, any::<bool>(), 0..Scope::VARIANTS.len());
    prop::collection::vec(energy, 4).prop_map(|energies| {
        let specs = [
            ("sha256d", 1e-8),
            ("decode:llama-3-8b:int8:batch=8", 1.0),
            ("prefill:llama-3-8b:int8:batch=8", 1.0),
            ("decode:llama-3-70b:f16:batch=1", 1.0),
        ];
        let made = specs.into_iter().zip(energies);
        let made = made.map(|((spec, one), (size, below, above, stated, scope))| {
            let (row, mut figures) = row(spec, 1.0, 1.0);
            let interval = |value: f64| {
                // Now and then nothing is known of the least.
                let low = if below > 0.9 { 0.0 } else { value * (1.0 - below) };
                let range = Interval::between(low, value * (1.0 + above));
                let declared = Interval { value: Some(value), ..range };
                Some(if stated { declared.with_provenance(Provenance::Declared) } else { range })
            };
            figures.energy.joules_per_unit = interval(size * one);
            figures.energy.power_watts = interval(300.0);
            figures.energy.scope = Some(Scope::VARIANTS[scope]);
            (row, figures)
        });
        run(made.collect())
    })
}

proptest! {
    #[test]
    fn intervals_hold_their_middle(run in runs()) {
        let advice = run.advice(&Market::embedded());
        let mut found = Vec::new();
        intervals(&json(&advice), &mut found);
        prop_assert!(found.len() > 100);
        for (low, value, high) in found {
            let (least, most) = (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY));
            prop_assert!(least <= most, "{low:?} to {high:?}");
            if let Some(value) = value {
                let slack = 1e-9 * value.abs();
                prop_assert!(least <= value + slack && value <= most + slack, "{value} in {low:?} to {high:?}");
            }
        }
    }
}
