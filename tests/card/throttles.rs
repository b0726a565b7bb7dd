//! A card that was slowed down: recorded, and its row is invalid.

use crate::fake::{Card, boards};
use rigbench::results::wire::Verdict;

#[test]
fn a_card_that_heat_or_its_power_supply_slows_down_makes_its_row_invalid() {
    let test = "a_card_that_heat_or_its_power_supply_slows_down_makes_its_row_invalid";
    let Some(card) = Card::with(test, "thermal brake") else { return };
    let run = card.run(&["gemm:128x128x128:f32"], |_| ());
    let [row] = &run.document.measurements[..] else { panic!("one row") };
    for name in ["thermal-software", "power-brake"] {
        let recorded = |throttle: &Vec<String>| throttle.iter().any(|reason| reason == name);
        assert!(boards(row).iter().all(|board| board.throttle.as_ref().is_some_and(recorded)));
        let why = format!("the board was slowed down ({name})");
        assert!(row.reasons.iter().any(|reason| reason.contains(&why)), "{:?}", row.reasons);
        let of_run = &run.document.run.reasons;
        assert!(of_run.iter().any(|reason| reason.contains(&why)), "{of_run:?}");
    }
    assert_eq!(row.verdict, Verdict::Invalid);
    assert_eq!(run.document.run.verdict, Verdict::Invalid);
    assert!(row.throughput.is_some(), "a verdict takes no figure away");
}
