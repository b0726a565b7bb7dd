//! NVIDIA cards as the driver's library tells of them: which card, what it has, what it reads, how it is.

use crate::energy::fake::nvml::{Driver, GTX_970, RTX_3080, but};
use rigbench::energy::{Basis, BoardState, EnergySource, MeterKind, Quantity, Scope, Throttle};
use rigbench::units::{Joules, Seconds, Watts};

const FIRST: &str = "0000:01:00.0";
const SECOND: &str = "0000:0a:00.0";

#[test]
fn a_card_has_a_counter_and_the_power_of_this_moment_and_its_mean() {
    let driver = Driver::with(&[RTX_3080]);
    let mut sources = driver.find(FIRST).unwrap().sources;
    assert_eq!(sources.len(), 3);

    let counter = sources[0].describe();
    assert_eq!(
        (counter.kind, counter.model.as_str()),
        (MeterKind::Nvml, "NVIDIA GeForce RTX 3080")
    );
    assert_eq!(counter.driver.as_deref(), Some("NVIDIA 580.95.05"));
    assert_eq!(counter.scope, Scope::GpuBoard);
    assert_eq!(counter.quantity, Quantity::Counter { ranges: vec![None], duty: 1.0 });
    assert_eq!(counter.update_period, Some(Seconds(0.1)));
    assert_eq!(counter.poll, Seconds(0.025));
    assert_eq!(counter.ceiling, Watts(740.0));
    assert_eq!(counter.accuracy.basis, Basis::Assumed);

    let power = sources[1].describe();
    assert_eq!(power.quantity, Quantity::Power { averaging: Seconds(0.0) });
    let mean = sources[2].describe();
    assert_eq!(mean.quantity, Quantity::Power { averaging: Seconds(1.0) });
    let read: Vec<f64> = sources.iter_mut().map(|source| source.read().unwrap()[0]).collect();
    assert_eq!(read, [5000.0, 301.0, 300.0]);

    // Two seconds at 300 W.
    driver.answers(&[&but(RTX_3080, &[("energy", "5600000"), ("field186", "300000")])]);
    let drawn = Joules(sources[0].read().unwrap()[0]) - Joules(5000.0);
    assert_eq!(drawn / Seconds(2.0), Watts(sources[1].read().unwrap()[0]));
}

/// Fields 83, 185 and 186 of NVML, and its functions for energy and power: whichever a card has, nothing twice.
#[test]
fn a_card_is_read_by_whichever_of_fields_and_functions_it_has() {
    let read = |changes: &[(&str, &str)]| {
        let driver = Driver::with(&[&but(RTX_3080, changes)]);
        let sources = driver.find(FIRST).unwrap().sources;
        let read = |mut source: Box<dyn EnergySource>| {
            let averaging = match source.describe().quantity {
                Quantity::Counter { .. } => None,
                Quantity::Power { averaging } => Some(averaging.0),
            };
            (averaging, source.read().unwrap()[0])
        };
        sources.into_iter().map(read).collect::<Vec<_>>()
    };
    let (counter, instant, mean) = ((None, 5000.0), (Some(0.0), 301.0), (Some(1.0), 300.0));
    let field = [("energy", ""), ("field83", "5000000")];
    assert_eq!(read(&field), [counter, instant, mean], "the counter is a field alone");
    let usage = (Some(1.0), 299.0);
    assert_eq!(read(&[("field185", "")]), [counter, instant, usage], "a mean by power_usage");
    let turing = [("field185", ""), ("architecture", "6")];
    assert_eq!(read(&turing), [counter, instant], "power_usage is of the moment there");
    let plain = [("energy", ""), ("field185", ""), ("field186", ""), ("architecture", "6")];
    assert_eq!(read(&plain), [(Some(0.0), 299.0)]);
}

#[test]
fn of_two_cards_each_is_found_by_its_own_address() {
    let driver = Driver::with(&[RTX_3080, GTX_970]);
    for (address, watts) in [
        (FIRST, 301.0),
        ("00000000:01:00.0", 301.0),
        (SECOND, 140.0),
        ("0000:0A:00.0", 140.0),
        ("00000000:0A:00.0", 140.0),
    ] {
        assert_eq!(driver.power(address).read().unwrap(), [watts], "{address}");
    }
    let other = driver.find("0000:02:00.0").err().expect("there is no such card").to_string();
    assert!(other.contains("does not know this card") && !other.contains("02:00"), "{other}");
    assert!(driver.find("no address").is_err());
}

#[test]
fn an_old_card_has_neither_counter_nor_instant_power() {
    let driver = Driver::with(&[RTX_3080, GTX_970]);
    let mut found = driver.find(SECOND).unwrap();
    assert_eq!(found.sources.len(), 1);
    assert_eq!(
        found.sources[0].describe().quantity,
        Quantity::Power { averaging: Seconds(0.0) },
        "NVML documents power of the moment before Ampere"
    );
    assert_eq!(found.sources[0].read().unwrap(), [140.0]);
    let state = found.board.state();
    assert_eq!(state, BoardState { power_limit: Some(Watts(145.0)), ..Default::default() });
}

#[test]
fn a_card_without_any_sensor_has_no_sources_and_still_a_state() {
    let card = but(GTX_970, &[("power", ""), ("temperature", "44")]);
    let driver = Driver::with(&[&card]);
    let mut found = driver.find(SECOND).unwrap();
    assert!(found.sources.is_empty());
    assert_eq!(found.absence, None, "the driver says no more than that it has none");
    assert_eq!(found.board.state().celsius, Some(44.0));
}

/// Every reading of the card, refused.
const REFUSED: &[(&str, &str)] = &[
    ("energy", "no-permission"),
    ("field83", "no-permission"),
    ("field185", "no-permission"),
    ("field186", "no-permission"),
    ("power", "no-permission"),
];

#[test]
fn a_card_whose_readings_are_refused_is_not_one_without_a_sensor() {
    for (mig, says) in [("", "run as root"), ("0", "run as root"), ("1", "divided by MIG")] {
        let card = but(RTX_3080, &[REFUSED, &[("mig", mig)]].concat());
        let driver = Driver::with(&[&card]);
        let found = driver.find(FIRST).unwrap();
        assert!(found.sources.is_empty());
        let why = found.absence.expect("the driver says why").to_string();
        assert!(why.contains("NO_PERMISSION") && why.contains(says), "{why}");
        assert!(!why.contains("no sensor") && !why.contains('\n'), "{why}");
    }
    // One refusal beside sensors that are not there is the reason; one beside a reading is no matter.
    let driver = Driver::with(&[&but(GTX_970, &[("power", "no-permission")])]);
    assert!(driver.find(SECOND).unwrap().absence.unwrap().to_string().contains("NO_PERMISSION"));
    driver.answers(&[&but(RTX_3080, &[("energy", "no-permission")])]);
    let found = driver.find(FIRST).unwrap();
    assert_eq!((found.sources.len(), found.absence), (2, None));
}

#[test]
fn joules_of_a_card_divided_by_mig_are_said_to_be_the_whole_boards() {
    let model = |changes: &[(&str, &str)]| {
        let driver = Driver::with(&[&but(RTX_3080, changes)]);
        driver.find(FIRST).unwrap().sources[0].describe().model
    };
    let plain = "NVIDIA A100-SXM4-40GB";
    assert_eq!(model(&[("name", plain), ("mig", "0")]), plain);
    let whole = format!("{plain} (the whole board, all slices)");
    assert_eq!(model(&[("name", plain), ("mig", "1")]), whole);
}

#[test]
fn power_usage_is_a_mean_of_one_second_since_ampere_but_for_the_ga100() {
    let averaging = |name, architecture| {
        let changes =
            [("name", name), ("architecture", architecture), ("field185", ""), ("field186", "")];
        let driver = Driver::with(&[&but(RTX_3080, &changes)]);
        match driver.power(FIRST).describe().quantity {
            Quantity::Power { averaging } => averaging,
            counter => panic!("{counter:?}"),
        }
    };
    assert_eq!(averaging("NVIDIA GeForce RTX 2080", "6"), Seconds(0.0));
    assert_eq!(averaging("NVIDIA A100-SXM4-40GB", "7"), Seconds(0.0));
    assert_eq!(averaging("NVIDIA GeForce RTX 3080", "7"), Seconds(1.0));
    assert_eq!(averaging("NVIDIA H100 PCIe", "9"), Seconds(1.0));
    assert_eq!(averaging("NVIDIA GeForce RTX 7090", "77"), Seconds(1.0), "not known yet");
    assert_eq!(averaging("NVIDIA GeForce RTX 7090", ""), Seconds(1.0), "not told");
}

#[test]
fn only_an_old_generation_has_the_makers_word_for_its_accuracy() {
    let basis = |architecture| {
        let card = but(GTX_970, &[("architecture", architecture)]);
        Driver::with(&[&card]).power(SECOND).describe().accuracy.basis
    };
    assert_eq!(basis("2"), Basis::Datasheet);
    assert_eq!(basis("3"), Basis::Assumed);
}

#[test]
fn the_sensor_of_an_a100_or_h100_looks_at_a_quarter_of_the_time() {
    for (name, expected) in [
        ("NVIDIA A100-SXM4-40GB", 0.25),
        ("NVIDIA H100 80GB HBM3", 0.25),
        ("NVIDIA GH200 480GB", 0.25),
        ("NVIDIA RTX A1000", 1.0),
        ("NVIDIA RTX A3000 Laptop GPU", 1.0),
        ("NVIDIA L40S", 1.0),
    ] {
        let driver = Driver::with(&[&but(RTX_3080, &[("name", name)])]);
        match driver.find(FIRST).unwrap().sources[0].describe().quantity {
            Quantity::Counter { duty, .. } => assert_eq!(duty, expected, "{name}"),
            power => panic!("{power:?}"),
        }
    }
}

#[test]
fn the_state_is_in_base_units() {
    let driver = Driver::with(&[RTX_3080]);
    let state = driver.find(FIRST).unwrap().board.state();
    assert_eq!(state.celsius, Some(61.0));
    assert_eq!(state.core_hertz, Some(1.71e9));
    assert_eq!(state.memory_hertz, Some(9.501e9));
    assert_eq!(state.power_limit, Some(Watts(320.0)));
    assert_eq!(state.throttle, Some(vec![]));
}

#[test]
fn each_throttle_reason_has_its_name_and_settings_are_none() {
    let driver = Driver::with(&[RTX_3080]);
    let mut board = driver.find(FIRST).unwrap().board;
    for (bits, expected) in [
        (0x1, vec![]),
        (0x2, vec![]),
        (0x4, vec![Throttle::PowerCap]),
        (0x20, vec![Throttle::ThermalSoftware]),
        (0x48, vec![Throttle::ThermalHardware, Throttle::HardwareSlowdown]),
        (0x88, vec![Throttle::HardwareSlowdown, Throttle::PowerBrake]),
        (0x110, vec![Throttle::Other]),
        (0x25, vec![Throttle::PowerCap, Throttle::ThermalSoftware]),
    ] {
        driver.answers(&[&but(RTX_3080, &[("throttle", &format!("{bits}"))])]);
        assert_eq!(board.state().throttle, Some(expected), "{bits:#x}");
    }
    driver.answers(&[&but(RTX_3080, &[("throttle", "")])]);
    assert_eq!(board.state().throttle, None, "what is not told is not none");
}

#[test]
fn sources_and_board_work_in_threads_of_their_own() {
    let driver = Driver::with(&[RTX_3080]);
    let found = driver.find(FIRST).unwrap();
    let readers = found.sources.into_iter().map(|mut source| {
        std::thread::spawn(move || (0..50).map(|_| source.read().unwrap()[0]).sum::<f64>())
    });
    let readers: Vec<_> = readers.collect();
    let mut board = found.board;
    let watcher = std::thread::spawn(move || board.state().celsius);
    let sums: Vec<f64> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    assert_eq!(sums, [50.0 * 5000.0, 50.0 * 301.0, 50.0 * 300.0]);
    assert_eq!(watcher.join().unwrap(), Some(61.0));
}

#[test]
fn a_card_that_falls_off_its_bus_gives_errors_and_no_state() {
    let driver = Driver::with(&[RTX_3080]);
    let mut found = driver.find(FIRST).unwrap();
    driver.answers(&[&but(RTX_3080, &[("energy", "5030000")])]);
    assert_eq!(found.sources[0].read().unwrap(), [5030.0]);
    driver.answers(&[&[("lost", "1")]]);
    for source in &mut found.sources {
        let error = source.read().unwrap_err().to_string();
        assert!(error.contains("no longer answers") && error.contains("restart"), "{error}");
    }
    assert_eq!(found.board.state(), BoardState::default());
    assert!(driver.find(FIRST).is_err());
}

#[test]
fn a_missing_library_is_one_line_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("libnvidia-ml.so.1");
    let found = rigbench::energy::source::nvml::find(FIRST, Some(&missing));
    let error = found.err().expect("there is no library").to_string();
    assert!(error.starts_with("no NVIDIA driver library (libnvidia-ml) is here: "), "{error}");
    assert!(!error.contains('\n') && !error.contains("/tmp"), "{error}");
}
