//! Readings that cannot be: none of them becomes joules, and the row says why.

use crate::fake::{Card, measured, reasons};
use rigbench::results::wire::{Measurement, Quantity};

fn row(test: &str, state: &str) -> Option<Measurement> {
    let run = Card::with(test, state)?.run(&["gemm:128x128x128:f32"], |_| ());
    let [row] = run.document.measurements.try_into().expect("one row");
    assert!(row.throughput.is_some(), "what the card did is known all the same");
    Some(row)
}

#[test]
fn a_counter_that_never_moves_gives_no_joules_and_the_cards_power_does() {
    let test = "a_counter_that_never_moves_gives_no_joules_and_the_cards_power_does";
    let Some(row) = row(test, "frozen") else { return };
    let measured = measured(&row);
    assert_eq!(measured.len(), 2, "{:?}", reasons(&row));
    assert!(measured.iter().all(|e| matches!(e.source.quantity, Quantity::Power { .. })));
    let reasons = reasons(&row);
    assert!(reasons.len() == 1 && reasons[0].starts_with("nvml: "), "{reasons:?}");
}

#[test]
fn readings_a_thousand_times_too_small_are_no_joules_of_a_card() {
    let test = "readings_a_thousand_times_too_small_are_no_joules_of_a_card";
    let Some(row) = row(test, "thousandth") else { return };
    let watts: Vec<f64> = measured(&row).iter().map(|e| e.power_watts).collect();
    assert_eq!(watts, [0.0; 0], "{:?}", reasons(&row));
    assert!(!reasons(&row).is_empty());
}

#[test]
fn a_counter_that_counts_tenfold_is_not_believed() {
    let test = "a_counter_that_counts_tenfold_is_not_believed";
    let Some(row) = row(test, "tenfold") else { return };
    for e in measured(&row) {
        assert!(matches!(e.source.quantity, Quantity::Power { .. }), "{} W", e.power_watts);
    }
    assert!(!reasons(&row).is_empty());
}
