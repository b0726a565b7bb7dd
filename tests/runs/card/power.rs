//! Readings that cannot be: none of them becomes joules, and the row says why.

use crate::card::fake::{Card, Run, WORKLOADS, absences, measured, rows};
use rigbench::energy::{MeterKind, NoFigure, Quantity, SourceInfo};
use rigbench::results::RowFigures;

fn run(test: &str, state: &str) -> Option<Run> {
    let run = Card::with(test, state)?.run(&WORKLOADS[..1], |_| ());
    assert!(row(&run).throughput.is_some(), "what the card did is known all the same");
    Some(run)
}

fn row(run: &Run) -> &RowFigures {
    let [(_, figures)] = rows(run)[..] else { panic!("one row") };
    figures
}

#[test]
fn a_counter_that_never_moves_gives_no_joules_and_the_cards_power_does() {
    let test = "a_counter_that_never_moves_gives_no_joules_and_the_cards_power_does";
    let Some(run) = run(test, "frozen") else { return };
    let (measured, absences) = (measured(&run, row(&run)), absences(&run, row(&run)));
    assert!(!measured.is_empty(), "{absences:?}");
    assert!(measured.iter().all(|(_, info)| matches!(info.quantity, Quantity::Power { .. })));
    // Beside other programs one of the two powers may be too uncertain for a figure, as it then says.
    let counter = |info: &SourceInfo| matches!(info.quantity, Quantity::Counter { .. });
    let (frozen, powers): (Vec<_>, Vec<_>) = absences.iter().partition(|(_, info)| counter(info));
    let [(NoFigure::NeverMoved, frozen)] = frozen[..] else { panic!("{absences:?}") };
    assert_eq!(frozen.kind, MeterKind::Nvml);
    let uncertain = |why: &NoFigure| matches!(why, NoFigure::TooUncertain { .. });
    assert!(powers.iter().all(|(why, _)| uncertain(why)), "{absences:?}");
}

#[test]
fn readings_a_thousand_times_too_small_are_no_joules_of_a_card() {
    let test = "readings_a_thousand_times_too_small_are_no_joules_of_a_card";
    let Some(run) = run(test, "thousandth") else { return };
    let watts: Vec<_> = measured(&run, row(&run)).iter().map(|(e, _)| e.power_watts).collect();
    assert_eq!(watts, [], "{:?}", absences(&run, row(&run)));
    assert!(!absences(&run, row(&run)).is_empty());
}

#[test]
fn a_counter_that_counts_tenfold_is_not_believed() {
    let test = "a_counter_that_counts_tenfold_is_not_believed";
    let Some(run) = run(test, "tenfold") else { return };
    for (energy, info) in measured(&run, row(&run)) {
        assert!(matches!(info.quantity, Quantity::Power { .. }), "{energy:?}");
    }
    assert!(!absences(&run, row(&run)).is_empty());
}
