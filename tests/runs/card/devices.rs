//! What `rigbench devices` and `rigbench doctor` say of the card.

use crate::card::fake::{Card, NAME};

#[test]
fn a_card_is_shown_with_its_class_its_address_and_three_sources_of_joules() {
    let test = "a_card_is_shown_with_its_class_its_address_and_three_sources_of_joules";
    let Some(card) = Card::with(test, "") else { return };
    let shown = card.shown();
    assert_eq!(shown["class"], "discrete-gpu");
    assert_eq!(shown["id"], "gpu:0", "a card comes before the processor");
    assert_eq!(shown["gpu"]["pci"], "0000:01:00.0", "{shown:#}");
    let sources = shown["sources"].as_array().unwrap();
    let kinds: Vec<_> = sources
        .iter()
        .map(|source| {
            assert_eq!((&source["kind"], &source["scope"]), (&"nvml".into(), &"gpu-board".into()));
            assert_eq!(source["model"], NAME);
            assert_eq!(source["driver"], "NVIDIA 580.95.05");
            (
                source["quantity"]["kind"].as_str().unwrap(),
                source["quantity"]["averaging_seconds"].as_f64(),
            )
        })
        .collect();
    assert_eq!(kinds, [("counter", None), ("power", Some(0.0)), ("power", Some(1.0))]);
    let doctor = card.says(&["doctor", "--device", "gpu:0"]);
    for word in ["nvml", "RTX 3080", "gpu-board", "joules", "watts"] {
        assert!(doctor.contains(word), "{word}: {doctor}");
    }
    assert!(!doctor.contains("No joules of gpu:0"), "{doctor}");
}

#[test]
fn a_card_that_tells_neither_power_nor_energy_comes_with_the_drivers_reason() {
    let test = "a_card_that_tells_neither_power_nor_energy_comes_with_the_drivers_reason";
    let Some(card) = Card::with(test, "") else { return };
    for (state, words) in [
        ("forbidden", &["NO_PERMISSION"][..]),
        ("mig", &["NO_PERMISSION", "MIG"]),
        ("lost", &["no longer answers"]),
    ] {
        card.becomes(state);
        let doctor = card.says(&["doctor", "--device", "gpu:0"]);
        let line = doctor.lines().find(|line| line.contains("No joules of gpu:0 can be read: "));
        let line = line.unwrap_or_else(|| panic!("{state}: {doctor}"));
        assert!(words.iter().all(|word| line.contains(word)), "{state}: {line}");
        let shown = card.shown();
        assert_eq!(shown["sources"].as_array().unwrap().len(), 0, "{state}: {shown:#}");
        let reason = shown["no_source_reason"].as_str().unwrap();
        assert!(words.iter().all(|word| reason.contains(word)), "{state}: {reason}");
    }
}
