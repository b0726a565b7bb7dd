//! A card that was slowed down: recorded, and its row is invalid.

use crate::card::fake::{Card, WORKLOADS, board, rows};
use rigbench::energy::Throttle;
use rigbench::results::{OrNewer, RunReason, Verdict};

#[test]
fn a_card_that_heat_or_its_power_supply_slows_down_makes_its_row_invalid() {
    let test = "a_card_that_heat_or_its_power_supply_slows_down_makes_its_row_invalid";
    let Some(card) = Card::with(test, "thermal brake") else { return };
    let run = card.run(&WORKLOADS[..1], |_| ());
    let [(row, figures)] = rows(&run)[..] else { panic!("one row") };
    for throttle in [Throttle::ThermalSoftware, Throttle::PowerBrake] {
        let recorded = |held: &Option<Vec<_>>| held.as_ref().unwrap().contains(&throttle);
        assert!(board(row).throttle.iter().all(recorded));
        let why = format!("the board was slowed down ({})", throttle.into_str());
        let reasons = figures.reasons_in_words();
        assert!(reasons.contains(&why), "{reasons}");
    }
    assert_eq!(figures.verdict, Verdict::Invalid);
    let of_run = &run.document.derived.run;
    assert_eq!(of_run.verdict, Verdict::Invalid);
    assert_eq!(of_run.reasons, [OrNewer::Known(RunReason::InvalidRows { rows: vec![0] })]);
    assert!(figures.throughput.is_some(), "a verdict takes no figure away");
}
