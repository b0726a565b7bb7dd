//! Canonical JSON: seeds and digests of documents depend on every byte that the canonicalizer writes, so that a new version of it must
//! write the same. Vectors of RFC 8785.

use serde_json::json;

/// Appendix B: the bits of a double, and the number as text.
const NUMBERS: [(u64, &str); 24] = [
    (0x0000_0000_0000_0000, "0"),
    (0x8000_0000_0000_0000, "0"),
    (0x0000_0000_0000_0001, "5e-324"),
    (0x8000_0000_0000_0001, "-5e-324"),
    (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
    (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
    (0x4340_0000_0000_0000, "9007199254740992"),
    (0xc340_0000_0000_0000, "-9007199254740992"),
    (0x4430_0000_0000_0000, "295147905179352830000"),
    (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
    (0x44b5_2d02_c7e1_4af6, "1e+23"),
    (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
    (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
    (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
    (0x444b_1ae4_d6e2_ef50, "1e+21"),
    (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
    (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
    (0x41b3_de43_5555_5553, "333333333.3333332"),
    (0x41b3_de43_5555_5554, "333333333.33333325"),
    (0x41b3_de43_5555_5555, "333333333.3333333"),
    (0x41b3_de43_5555_5556, "333333333.3333334"),
    (0x41b3_de43_5555_5557, "333333333.33333343"),
    (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
    (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
];

#[test]
fn numbers_are_written_as_ecmascript_writes_them() {
    for (bits, text) in NUMBERS {
        let json = serde_json_canonicalizer::to_string(&json!(f64::from_bits(bits))).unwrap();
        assert_eq!(json, text, "{bits:016x}");
    }
}

/// Section 3.2.3: members are sorted by the UTF-16 code units of their names, at every depth.
#[test]
fn members_are_sorted_by_utf16() {
    let names = ["\u{20ac}", "\r", "\u{fb33}", "1", "\u{1f600}", "\u{80}", "\u{f6}"];
    let members: serde_json::Map<String, serde_json::Value> =
        names.iter().map(|name| (name.to_string(), json!([{}, [], 1.0]))).collect();
    let json = serde_json_canonicalizer::to_string(&json!({ "outer": [members] })).unwrap();
    let sorted = ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"];
    let members: Vec<String> =
        sorted.iter().map(|name| format!("\"{name}\":[{{}},[],1]")).collect();
    assert_eq!(json, format!("{{\"outer\":[{{{}}}]}}", members.join(",")));
}

/// The example of section 3.2.
#[test]
fn canonical_json_is_that_of_the_rfc() {
    let given: serde_json::Value = serde_json::from_str(
        r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#,
    )
    .unwrap();
    let expected = r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
    assert_eq!(serde_json_canonicalizer::to_string(&given).unwrap(), expected);
}
