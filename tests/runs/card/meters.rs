//! Joules of the card: three sources that follow the load, in a file that every command takes.

use crate::card::fake::{Card, NAME, WORKLOADS, absences, board, measured, rows};
use rigbench::device::{Class, DeviceId};
use rigbench::energy::{MeterKind, NoFigure, Quantity, Scope, Throttle};
use rigbench::results::{Outcome, Reason};

#[test]
fn a_run_on_a_card_has_joules_of_three_sources_and_every_command_takes_its_file() {
    let test = "a_run_on_a_card_has_joules_of_three_sources_and_every_command_takes_its_file";
    let Some(card) = Card::with(test, "cap") else { return };
    let run = card.run(&["sha256d", WORKLOADS[0]], |_| ());
    let evidence = &run.document.evidence;
    let device = evidence.manifest.devices().find(|device| device.name == NAME).unwrap();
    assert_eq!((&device.id, device.class), (&DeviceId::Gpu(0), Class::DiscreteGpu));
    assert_eq!(evidence.manifest.sources.len(), 3);
    assert_eq!(rows(&run).len(), 2);
    for (row, figures) in rows(&run) {
        assert_eq!(row.outcome, Outcome::Measured);
        let measured = measured(&run, figures);
        let kind = |quantity: &Quantity| match quantity {
            Quantity::Counter { .. } => "counter",
            Quantity::Power { averaging } if averaging.0 == 0.0 => "instant",
            Quantity::Power { .. } => "mean",
        };
        // The card draws by what the processor does: beside other programs watts may vary too much for a figure.
        let withheld = absences(&run, figures);
        for (why, _) in &withheld {
            assert!(matches!(why, NoFigure::TooUncertain { .. }), "{why:?}");
        }
        let withheld = withheld.iter().map(|(_, info)| kind(&info.quantity));
        let mut kinds: Vec<_> = measured.iter().map(|(_, info)| kind(&info.quantity)).collect();
        assert!(kinds.contains(&"counter"), "{kinds:?}");
        kinds.extend(withheld);
        kinds.sort_unstable();
        assert_eq!(kinds, ["counter", "instant", "mean"]);
        for (energy, info) in measured {
            assert_eq!((info.scope, info.kind), (Scope::GpuBoard, MeterKind::Nvml));
            assert_eq!(energy.scope, Some(Scope::GpuBoard));
            let baseline = evidence.baselines.iter().find(|b| Some(b.source) == energy.source);
            let idle = baseline.expect("it was idle before the first row").idle.power.0;
            let power = energy.power_watts.unwrap().value.unwrap();
            // It draws 60 W to 300 W, shown within 0.1 %, and never as much without work.
            assert!((59.0..310.0).contains(&power), "{power} W");
            assert!((59.0..310.0).contains(&idle) && idle < power, "{idle} W when idle");
        }
        // Held at its power limit, as cards are at work: recorded, and no reason against the row.
        let board = board(row);
        let all = |column: &[Option<f64>], value| column.iter().all(|v| *v == Some(value));
        assert!(board.throttle.iter().all(|held| *held == Some(vec![Throttle::PowerCap])));
        assert!(all(&board.power_limit_watts, 320.0), "{board:?}");
        assert!(all(&board.celsius, 61.0) && all(&board.core_hertz, 1.71e9), "{board:?}");
        assert_eq!(row.condition.power_limit_watts, Some(320.0));
        let slowed = |reason: &Reason| matches!(reason, Reason::Throttled { .. });
        assert!(!figures.reasons.iter().any(slowed), "{:?}", figures.reasons);
    }
    let path = run.path.to_str().unwrap();
    let report = card.says(&["report", path]);
    assert!(report.contains("RTX 3080") && report.contains("measured"), "{report}");
    let advice = card.says(&["advise", path]);
    assert!(advice.contains("RTX 3080"), "{advice}");
}
