//! A card whose driver no longer answers in mid-run: its joules end there, with the driver's reason, and the run goes on.

use crate::fake::{Card, measured, reasons};
use rigbench::results::wire::Outcome;

#[test]
fn a_card_that_is_lost_in_mid_run_costs_joules_and_not_the_run() {
    let test = "a_card_that_is_lost_in_mid_run_costs_joules_and_not_the_run";
    let Some(card) = Card::with(test, "") else { return };
    let run = card.run(&["gemm:128x128x128:f32", "gemm:96x64x64:f32"], |line| {
        if line.contains("a block is kept") {
            card.becomes("lost");
        }
    });
    let document = &run.document;
    assert!(document.run.finished_at.is_some());
    for row in &document.measurements {
        assert_eq!(row.outcome, Outcome::Measured, "{:?}", row.reason);
        assert!(row.throughput.is_some());
    }
    // The block that was kept before has its joules, and its row the later one's reason.
    let (read, unread): (Vec<_>, Vec<_>) =
        document.measurements.iter().partition(|row| !measured(row).is_empty());
    let ([read], [unread]) = (&read[..], &unread[..]) else { panic!("{document:#?}") };
    for e in measured(read) {
        let (first, later) = e.blocks.split_first().unwrap();
        assert!(first.gross_joules.is_some() && !later.is_empty(), "{:?}", e.blocks);
        assert!(later.iter().all(|b| b.gross_joules.is_none() && b.reason.is_some()));
    }
    let reasons = reasons(unread);
    assert!(!reasons.is_empty());
    for reason in reasons {
        assert!(reason.contains("no longer answers"), "{reason}");
    }
}
