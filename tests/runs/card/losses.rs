//! A card whose driver no longer answers in mid-run: its joules end there, with the driver's reason, and the run goes on.

use crate::card::fake::{Card, WORKLOADS, absences, measured, rows};
use rigbench::results::Outcome;

#[test]
fn a_card_that_is_lost_in_mid_run_costs_joules_and_not_the_run() {
    let test = "a_card_that_is_lost_in_mid_run_costs_joules_and_not_the_run";
    let Some(card) = Card::with(test, "") else { return };
    let run = card.run(&WORKLOADS, |line| {
        if line.contains("a block is kept") {
            card.becomes("lost");
        }
    });
    assert!(run.document.evidence.run.finished_at.is_some());
    for (row, figures) in rows(&run) {
        assert_eq!(row.outcome, Outcome::Measured);
        assert!(figures.throughput.is_some());
    }
    // The block that was kept before has its joules, the later ones and the other row have none.
    let (read, unread): (Vec<_>, Vec<_>) =
        rows(&run).into_iter().partition(|(_, figures)| !measured(&run, figures).is_empty());
    let ([(_, read)], [(_, unread)]) = (&read[..], &unread[..]) else {
        panic!("{:#?}", run.document)
    };
    for (energy, _) in measured(&run, read) {
        let blocks = &energy.measured.as_ref().unwrap().blocks_gross_joules;
        let (first, later) = blocks.split_first().unwrap();
        assert!(first.is_some() && !later.is_empty(), "{blocks:?}");
        assert!(later.iter().all(Option::is_none), "{blocks:?}");
    }
    assert_eq!(absences(&run, unread).len(), 3);
    // Each row has the driver's own words.
    for (row, _) in rows(&run) {
        assert_eq!(row.readings.len(), 3);
        for readings in &row.readings {
            let error = readings.last_error.as_ref().unwrap();
            assert!(readings.failed_reads > 0 && error.contains("no longer answers"), "{error}");
        }
    }
}
