//! The committed JSON Schema is the one that the types give.

use rigbench::results::{self, Document};
use schemars::generate::SchemaSettings;
use strum::VariantArray;

fn generated() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    generator.into_root_schema_for::<Document>().to_value()
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
        "{path} differs; RIGBENCH_BLESS=1 cargo test --test documents schema:: writes it anew"
    );
    assert_eq!(generated()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(results::SCHEMA_VERSION, "2.0.0");
}

/// An interval may have no value, and says where it comes from: what is modelled passes for nothing else.
#[test]
fn an_interval_has_its_ends_its_provenance_and_its_method() {
    let schema = generated();
    let interval = &schema["$defs"]["Interval"];
    let required: Vec<&str> =
        interval["required"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
    for field in ["provenance", "method"] {
        assert!(required.contains(&field), "{required:?}");
    }
    let may_be_null = |field: &str| interval["properties"][field]["type"][1] == "null";
    assert!(["value", "low", "high"].into_iter().all(may_be_null), "{interval}");
}

/// What a file of this version may leave out: within 2.x nothing is added that must be there.
#[test]
fn every_field_of_the_first_version_is_known_to_the_schema() {
    let schema = generated();
    let root = schema["properties"].as_object().unwrap();
    let names: Vec<&String> = root.keys().collect();
    assert_eq!(names, ["schema_version", "rules", "evidence", "derived", "proof"]);
    let evidence = schema["$defs"]["Evidence"]["properties"].as_object().unwrap();
    for field in ["run", "challenge", "beacon", "manifest", "clock", "baselines", "rows"] {
        assert!(evidence.contains_key(field), "{field}");
    }
    let row = schema["$defs"]["Row"]["properties"].as_object().unwrap();
    for field in
        ["device", "workload", "condition", "kernel", "tuning", "outcome", "windows", "readings"]
    {
        assert!(row.contains_key(field), "{field}");
    }
}

/// What the command line and the tables call a thing is what documents call it.
#[test]
fn names_are_those_of_the_document() {
    fn same<T: serde::Serialize + Copy>(values: &[T], name: fn(&T) -> &'static str) {
        for value in values {
            assert_eq!(serde_json::json!(value), name(value));
        }
    }
    use MeterKind::{Command, Hwmon, Nvml, Rapl, Shelly, Tasmota};
    use rigbench::energy::{Basis, MeterKind, Scope, Throttle};
    use rigbench::workload::Id;
    same(Scope::VARIANTS, Scope::into_str);
    same(Throttle::VARIANTS, Throttle::into_str);
    same(&[Nvml, Hwmon, Rapl, Shelly, Tasmota, Command], MeterKind::into_str);
    same(&[Basis::Datasheet, Basis::Paper, Basis::Assumed], Basis::into_str);
    same(
        &[Id::Sha256d, Id::Gemm, Id::Gemv, Id::Prefill, Id::Decode, Id::Peak, Id::Stream],
        Id::into_str,
    );
}
