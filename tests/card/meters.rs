//! Joules of the card: three sources that follow the load, in a file that every command takes.

use crate::fake::{Card, NAME, boards, energies, measured};
use rigbench::results::wire::{Energy, Outcome, Quantity, Scope};

#[test]
fn a_run_on_a_card_has_joules_of_three_sources_and_every_command_takes_its_file() {
    let test = "a_run_on_a_card_has_joules_of_three_sources_and_every_command_takes_its_file";
    let Some(card) = Card::with(test, "cap") else { return };
    let run = card.run(&["sha256d", "gemm:128x128x128:f32"], |_| ());
    let document = &run.document;
    let device = document.manifest.devices.iter().find(|device| device.name == NAME).unwrap();
    assert_eq!((device.id.as_str(), device.class.as_str()), ("gpu:0", "discrete-gpu"));
    assert_eq!(document.manifest.sources.len(), 3);
    assert_eq!(document.measurements.len(), 2);
    for row in &document.measurements {
        assert_eq!(row.outcome, Outcome::Measured, "{:?}", row.reason);
        let mut kinds: Vec<_> = energies(row)
            .map(|energy| match energy {
                Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) => {
                    match e.source.quantity {
                        Quantity::Counter { .. } => "counter",
                        Quantity::Power { averaging_seconds: 0.0 } => "instant",
                        Quantity::Power { .. } => "mean",
                    }
                }
                other => panic!("{other:?}"),
            })
            .collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["counter", "instant", "mean"]);
        for e in measured(row) {
            assert_eq!((e.scope, e.source.kind.as_str()), (Scope::GpuBoard, "nvml"));
            let idle = e.idle.as_ref().expect("it was idle before the first row").power_watts;
            // It draws 60 W to 300 W, shown within 0.1 %, and never as much without work.
            assert!((59.0..310.0).contains(&e.power_watts), "{} W", e.power_watts);
            assert!((59.0..310.0).contains(&idle) && idle < e.power_watts, "{idle} W when idle");
        }
        // Held at its power limit, as cards are at work: recorded, and no reason against the row.
        for board in boards(row) {
            assert_eq!(board.throttle.as_deref(), Some(&["power-cap".to_string()][..]));
            assert_eq!(board.power_limit_watts, Some(320.0));
            assert_eq!((board.celsius, board.core_hertz), (Some(61.0), Some(1.71e9)));
        }
        assert!(!row.reasons.iter().any(|why| why.contains("slowed down")), "{:?}", row.reasons);
    }
    let path = run.path.to_str().unwrap();
    let report = card.says(&["report", path]);
    assert!(report.contains("RTX 3080") && report.contains("measured"), "{report}");
    let advice = card.says(&["advise", path]);
    assert!(advice.contains("RTX 3080"), "{advice}");
}
