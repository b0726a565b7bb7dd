//! The advice as JSON: nothing is lost on the way, and every interval holds its middle.

use crate::advise::{TODAY, h100, row};
use proptest::prelude::*;
use rigbench::economics::{Advice, Estimate, Market, MeasuredRow, advise, wire};
use rigbench::energy::{Provenance, Scope};
use rigbench::units::Unit;
use serde_json::Value;

fn json(advice: &Advice) -> Value {
    let text = serde_json::to_string(&wire::Advice::from(advice)).unwrap();
    serde_json::from_str(&text).unwrap()
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
    let advice = advise(&h100(), &Market::embedded(), TODAY);
    let json = json(&advice);
    let count = |key: &str| json[key].as_array().unwrap().len();
    assert_eq!(count("choices"), advice.choices.len());
    assert_eq!(count("flips"), advice.flips.len());
    assert_eq!(count("hashes_forgone"), advice.exchanges.len());
    assert_eq!(count("accelerator_megawatts"), advice.megawatts.accelerators.len());
    assert_eq!(count("published_queries"), advice.published_queries.len());
    let best = &json["choices"][json["recommendation"]["best"].as_u64().unwrap() as usize];
    assert_eq!(best["kind"], "rent");
    let revenue = &best["revenue_dollars_per_kwh"];
    assert!(revenue["value"].is_null() && revenue["low"].as_f64() < revenue["high"].as_f64());
    assert_eq!(json["evidence"], "measured-counter");
    assert_eq!(json["conditions"]["electricity_dollars_per_kwh"], 0.05);
    assert_eq!(json["conditions"]["halving_block"], 1_050_000);
    let flip =
        json["flips"].as_array().unwrap().iter().find(|flip| flip["other"].is_u64()).unwrap();
    assert!(flip["at"].is_object() == flip["never"].is_null(), "{flip}");
}

#[test]
fn a_bound_that_nobody_knows_is_null() {
    let mut rows = h100();
    let energy = rows[0].energy.as_mut().unwrap();
    energy.joules_per_unit = Estimate::between(0.0, 1e-7);
    energy.provenance = Provenance::Modelled;
    let json = json(&advise(&rows, &Market::embedded(), TODAY));
    let hash = json["choices"].as_array().unwrap().iter().find(|c| c["kind"] == "hash-here");
    let revenue = &hash.unwrap()["revenue_dollars_per_kwh"];
    assert!(revenue["low"].is_f64() && revenue["value"].is_null() && revenue["high"].is_null());
}

/// Rows as they may come: measured, modelled, with no least, of any scope.
fn rows() -> impl Strategy<Value = Vec<MeasuredRow>> {
    let energy = (1e-3..10.0, 0.0..1.0, 0.0..2.0, any::<bool>(), 0..Scope::ALL.len());
    prop::collection::vec(energy, 4).prop_map(|energies| {
        let specs = [
            ("sha256d", Unit::Hash),
            ("decode:llama-3-8b:int8:batch=8", Unit::Token),
            ("prefill:llama-3-8b:int8:batch=8", Unit::Token),
            ("decode:llama-3-70b:f16:batch=1", Unit::Token),
        ];
        let made = specs.into_iter().zip(energies);
        made.map(|((spec, unit), (size, below, above, stated, scope))| {
            let mut row = row(spec, unit, 1.0, 1.0);
            let energy = row.energy.as_mut().unwrap();
            let joules = if unit == Unit::Hash { size * 1e-8 } else { size };
            let value = |value: f64| Estimate {
                low: value * (1.0 - below),
                value: stated.then_some(value),
                high: value * (1.0 + above),
            };
            // Now and then nothing is known of the least.
            let clip = |e: Estimate| if below > 0.9 { Estimate { low: 0.0, ..e } } else { e };
            (energy.joules_per_unit, energy.watts) = (clip(value(joules)), clip(value(300.0)));
            energy.scope = Scope::ALL[scope];
            let provenance = if stated { Provenance::Declared } else { Provenance::Modelled };
            energy.provenance = provenance;
            row
        })
        .collect()
    })
}

proptest! {
    #[test]
    fn intervals_hold_their_middle(rows in rows()) {
        let advice = advise(&rows, &Market::embedded(), TODAY);
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
