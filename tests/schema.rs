//! The committed JSON Schema is the one that the types give.

use rigbench::results::{self, wire};
use schemars::generate::SchemaSettings;

fn generated() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    generator.into_root_schema_for::<wire::Document>().to_value()
}

/// Run with `RIGBENCH_BLESS=1` to write the file anew after a change of the types.
#[test]
fn the_committed_schema_is_generated_from_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/results/rigbench.schema.json");
    let text = serde_json::to_string_pretty(&generated()).unwrap() + "\n";
    if std::env::var_os("RIGBENCH_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == text,
        "{path} differs; RIGBENCH_BLESS=1 cargo test --test schema writes it anew"
    );
    assert_eq!(generated()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(results::SCHEMA_VERSION, "1.0.0");
}

/// A modelled figure has no joules-per-unit value in the type either.
#[test]
fn modelled_energy_has_only_a_low_and_a_high() {
    let schema = generated();
    let fields = |name: &str| -> Vec<String> {
        schema["$defs"][name]["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let modelled = fields("ModelledEnergy");
    assert!(modelled.contains(&"modelled_joules_per_unit_low".to_string()));
    assert!(
        !modelled.iter().any(|f| f == "joules_per_unit" || f == "gross_joules"),
        "{modelled:?}"
    );
    for point in ["MeasuredEnergy", "DeclaredEnergy"] {
        assert!(fields(point).contains(&"joules_per_unit".to_string()), "{point}");
    }
    assert_eq!(fields("NoEnergy"), ["reason"]);
}
