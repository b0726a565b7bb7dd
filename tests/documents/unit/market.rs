//! Syntax errors of a market file name table and key, and a decimal comma.

use rigbench::economics::Market;

fn faults(text: &str) -> Vec<String> {
    Market::parse(text).err().map_or(Vec::new(), |error| error.faults)
}

#[test]
fn a_line_has_its_table_and_key() {
    let lines = ["date = 5", "", "[one] # first", "a = 1", "[[two]]", "", "bé = { c = 3 }"];
    let keys = [("date", 0), ("one.a", 3), ("two.bé", 6)];
    for (key, place) in keys {
        let mut broken = lines.map(str::to_string);
        broken[place] += " 7";
        let faults = faults(&broken.join("\n"));
        let named = format!("line {}, {key}: ", place + 1);
        assert!(faults.iter().any(|fault| fault.starts_with(&named)), "{named}: {faults:#?}");
    }
    let header = faults("[one\na = 1");
    assert!(header.iter().any(|fault| fault.starts_with("line 1, one: ")), "{header:#?}");
    assert!(!faults("").is_empty());
}

#[test]
fn only_decimal_commas_are_recognised() {
    let has = |line: &str, hint: &str| {
        let faults = faults(line);
        assert!(faults.iter().any(|fault| fault.contains(hint)), "{line}: {faults:#?}");
    };
    has("a = { value = 0,05, unit = \"x\" }", "write 0.05");
    has("a = { value = -1,5 }", "write -1.5");
    has("bitcoin = { value = 60,000 }", "or 60000 if it parts thousands");
    for other in ["a = [1, 2]", "a = { b = 1, c = 2 }", "a = { b = \"x,1\" }", "", "a"] {
        assert!(!faults(other).iter().any(|fault| fault.contains("decimal comma")), "{other}");
    }
}
