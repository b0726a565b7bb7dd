//! Nothing is faster than its roof, and nothing that a meter read goes back in time.

use crate::honest::{calm, findings, forged, measured};
use rigbench::device::hardware;
use rigbench::results::{self, wire};
use wire::{Document, Measurement, Verdict};

fn position(document: &Document, id: &str) -> usize {
    document.measurements.iter().position(|m| m.workload.id == id).unwrap()
}

/// Multiplies a row's rate.
fn hasten(m: &mut Measurement, factor: f64) {
    m.windows.iter_mut().for_each(|w| w.work = (w.work as f64 * factor) as u64);
}

/// The product's row at so many times the peak that the same run measured.
fn at_times_the_peak(times: f64) -> Measurement {
    let mut document = calm();
    let product = position(&document, "gemm");
    let share = document.measurements[product].roof.as_ref().unwrap().peak_share.unwrap();
    hasten(&mut document.measurements[product], times / share);
    results::fill(&mut document);
    document.measurements[product].clone()
}

#[test]
fn a_product_above_the_peak_of_its_run_makes_its_row_invalid() {
    let below = at_times_the_peak(0.9);
    assert_eq!((&below.verdict, &below.reasons[..]), (&Verdict::Valid, &[][..]));
    let above = at_times_the_peak(1.1);
    assert_eq!(above.verdict, Verdict::Invalid);
    assert!(above.reasons[0].starts_with("it is faster than peak:f32"), "{:?}", above.reasons);
}

#[test]
fn a_rate_far_above_what_the_vendor_publishes_is_refused() {
    let card = "NVIDIA H100 PCIe";
    let (peak, _) = hardware::peak(card, "f32").unwrap();
    let of_peak = |share: f64| {
        forged(|document: &mut Document| {
            let product = position(document, "gemm");
            document.manifest.devices[0].name = card.into();
            let rate = document.measurements[product].throughput.as_ref().unwrap().value;
            hasten(&mut document.measurements[product], share * peak / rate);
        })
    };
    let says = |faults: &[String]| {
        faults.iter().any(|fault| fault.contains("roof.published_peak_share: 1.5"))
    };
    assert!(says(&of_peak(1.5)), "{:#?}", of_peak(1.5));
    assert!(!says(&of_peak(1.1)));
}

#[test]
fn stamps_of_readings_go_forward() {
    let mut document = calm();
    let readings = &mut measured(&mut document.measurements[0]).next().unwrap().readings;
    readings.before_seconds.swap(3, 4);
    document.proof.document_sha256 = results::document_sha256(&document);
    let faults = findings(&document).faults;
    assert!(faults.iter().any(|f| f.starts_with("measurements[0].energy")), "{faults:#?}");
    // Filled in again, the source has no figure any more, and says why.
    let before = measured(&mut document.measurements[0]).count();
    results::fill(&mut document);
    assert_eq!(measured(&mut document.measurements[0]).count(), before - 1);
    let said = serde_json::to_string(&document.measurements[0]).unwrap();
    assert!(said.contains("time runs backwards in the stamps"));
}
