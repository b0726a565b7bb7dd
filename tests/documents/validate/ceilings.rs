//! Nothing is faster than its ceiling, and nothing that a meter read goes back in time.

use crate::validate::honest::{calm, findings, forged, row, row_of, sign};
use rigbench::device::hardware::Cards;
use rigbench::energy::NoFigure;
use rigbench::results::{Document, Reason, Row, RowFigures, Verdict};
use rigbench::workload::Id;

/// The figures of a workload's row.
fn figures(document: &Document, id: Id) -> RowFigures {
    let found = document.rows().find(|(row, _)| row.workload.id == id);
    found.unwrap().1.clone()
}

/// Multiplies a row's rate.
fn hasten(row: &mut Row, factor: f64) {
    let work = &mut row.windows.as_mut().unwrap().work;
    work.iter_mut().for_each(|work| *work = (*work as f64 * factor) as u64);
}

/// The product's row at so many times the peak that the same run measured.
fn at_times_the_peak(times: f64) -> RowFigures {
    let mut document = calm();
    let share = figures(&document, Id::Gemm).ceilings.unwrap().peak_share.unwrap();
    hasten(row_of(&mut document, Id::Gemm), times / share);
    sign(&mut document);
    figures(&document, Id::Gemm)
}

#[test]
fn a_product_above_the_peak_of_its_run_makes_its_row_invalid() {
    let below = at_times_the_peak(0.9);
    assert_eq!((&below.verdict, &below.reasons[..]), (&Verdict::Valid, &[][..]));
    let above = at_times_the_peak(1.1);
    assert_eq!(above.verdict, Verdict::Invalid);
    assert_eq!(above.reasons, [Reason::AboveCeiling { ceiling: "peak:f32".into() }]);
    assert!(above.reasons_in_words().starts_with("it is faster than peak:f32"));
}

/// Without its kernel or its arithmetic a row would have no ceiling.
#[test]
fn a_product_that_does_not_say_how_it_multiplies_is_refused() {
    let silent = |change: fn(&mut Row)| forged(|document| change(row_of(document, Id::Gemm)));
    let says = |faults: &[String]| faults.iter().any(|f| f.starts_with("evidence.rows[1].kernel"));
    assert!(says(&silent(|row| row.kernel = None)));
    assert!(says(&silent(|row| row.kernel.as_mut().unwrap().arithmetic = None)));
    assert!(!says(&silent(|_| ())));
}

#[test]
fn a_rate_far_above_what_the_vendor_publishes_is_refused() {
    let card = "NVIDIA H100 PCIe";
    let (peak, _) = Cards::published().peak(card, "f32").unwrap();
    let of_peak = |share: f64| {
        forged(|document: &mut Document| {
            document.evidence.manifest.devices[0].known_mut().unwrap().name = card.into();
            let rate = figures(document, Id::Gemm).throughput.unwrap().value.unwrap();
            hasten(row_of(document, Id::Gemm), share * peak / rate);
        })
    };
    let says = |faults: &[String]| {
        faults.iter().any(|fault| fault.starts_with("evidence.rows[1].windows: 1.5"))
    };
    assert!(says(&of_peak(1.5)), "{:#?}", of_peak(1.5));
    assert!(!says(&of_peak(1.1)));
}

#[test]
fn stamps_of_readings_go_forward() {
    let mut document = calm();
    let before = document.derived.rows[0].known().unwrap().clone();
    row(&mut document, 0).readings[0].at_seconds.swap(3, 4);
    // Derived again, the source has no figure any more, and says why.
    sign(&mut document);
    let faults = findings(&document).faults;
    let place = "evidence.rows[0].readings[0]: time runs backwards";
    assert!(faults.iter().any(|fault| fault == place), "{faults:#?}");
    let with_figures = |figures: &RowFigures| {
        figures.energies().filter(|energy| energy.measured.is_some()).count()
    };
    let after = document.derived.rows[0].known().unwrap();
    assert_eq!(with_figures(after), with_figures(&before) - 1);
    let without = after.energies().find(|energy| energy.no_figure.is_some()).unwrap();
    assert_eq!(without.no_figure, Some(NoFigure::NothingMeasured));
}
