//! Sampled elements of a product in result files.

use rigbench::workload::matmul::{Element, Elements};

/// A small product may sample one position twice, which counts once.
#[test]
fn windows_may_show_different_numbers_of_elements() {
    let cell = |window, row| Element { window, row, column: 2, value: 0.1 };
    let elements = vec![cell(0, 1), cell(0, 3), cell(2, 5), cell(3, 0), cell(3, 1), cell(3, 2)];
    let shown = Elements { f16_roundings: 1, weight_excess: 0, elements };
    let json = serde_json::to_string(&shown).unwrap();
    assert!(json.contains(r#""per_window":[2,0,1,3]"#) && json.contains("0.1,"), "{json}");
    assert_eq!(serde_json::from_str::<Elements>(&json).unwrap(), shown);
    for (old, other) in [("[2,0,1,3]", "[2,0,1,2]"), ("[2,0,1,3]", "[6,18446744073709551615]")] {
        let other = json.replace(old, other);
        assert!(serde_json::from_str::<Elements>(&other).is_err(), "{other}");
    }
}
