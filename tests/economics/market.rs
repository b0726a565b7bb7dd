//! The market file is checked on load: whatever is wrong gets one line with the key and what is expected.

use jiff::civil::date;
use proptest::prelude::*;
use rigbench::economics::Market;
use rigbench::economics::market::EMBEDDED;

fn error(from: &str, to: &str) -> String {
    assert!(EMBEDDED.contains(from), "{from}");
    match Market::parse(&EMBEDDED.replacen(from, to, 1)) {
        Ok(_) => panic!("{from} -> {to} is taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn mistakes_get_one_line_with_the_key_and_what_is_expected() {
    for (from, to, key, expected) in [
        // Missing.
        ("difficulty = {", "# difficulty = {", "[network]", "missing field `difficulty`"),
        ("[colocation]", "[housing]", "[housing]", "unknown field `housing`"),
        ("value = 60000, ", "", "network.bitcoin", "write a value"),
        ("unit = \"$/BTC\", ", "", "[network] bitcoin", "missing field `unit`"),
        (", source = \"its maker\"", "", "[[asic]] efficiency", "missing field `source`"),
        ("models = [\"llama-3-8b\"]", "models = []", "token_price[0].models", "at least one"),
        // Misspelt.
        ("source = \"its", "sauce = \"its", "[[asic]] efficiency", "unknown field `sauce`"),
        ("gpu-board = {", "gpu-bored = {", "[wall_factor] gpu-bored", "`gpu-board`"),
        ("tokens = \"output\"", "tokens = \"out\"", "[[token_price]] tokens", "`output`"),
        ("scope = \"gpu-board\"", "scope = \"gpu\"", "reference_tokens[0].scope", "gpu-board"),
        ("price = \"Llama 3.1 8B\"", "price = \"Llama\"", "reference_tokens[0].price", "'Llama'"),
        ("\"Antminer S21 XP\"", "\"Antminer S23 Hyd\"", "asic", "stands twice"),
        // Not numbers.
        ("value = 0.05", "value = \"0.05\"", "[premises] electricity", "expected f64"),
        ("value = 0.05", "value = 0,05", "[premises] electricity", ""),
        ("[1, 1024]", "[64, 8]", "token_price[0].batches", "[1, 1024]"),
        // Negative.
        ("value = 0.05", "value = -0.05", "premises.electricity", "above 0"),
        ("value = 13.5", "value = -13.5", "asic[1].efficiency", "above 0"),
        ("value = 60000", "value = nan", "network.bitcoin", "above 0"),
        // Absurd: another unit, a slipped point.
        ("124.93e12", "124.93", "network.difficulty", "decimal point"),
        ("value = 0.05", "value = 5.0", "premises.electricity", "$/kWh"),
        ("value = 0.03,", "value = 0.00003,", "token_price[0].price", "$/Mtoken"),
        ("value = 13.5", "value = 13.5e-12", "asic[1].efficiency", "below"),
        ("value = 1.58", "value = 158", "premises.pue", "1 to 5"),
        ("value = 1.58", "value = 0.9", "premises.pue", "1 to 5"),
        ("value = 1.0, ", "value = 85, ", "premises.utilisation", "0.001 to 1"),
        ("value = 0.070", "value = 70", "reference_tokens[0].energy", "J/token"),
        ("low = 1.99, high = 5.00", "low = 5.00, high = 1.99", "rental[1].rent", "order them"),
        // Units, dates, protocol.
        ("unit = \"$/h\"", "unit = \"$/day\"", "rental[0].rent", "'$/h'"),
        ("date = \"2026-11-23\"\n", "date = \"November\"\n", "date", "2026-11-23"),
        ("date = \"2026-06\"", "date = \"June\"", "network.difficulty", "2026-11"),
        ("date = \"2026-06\"", "date = \"2027-06\"", "network.difficulty", "after the file's own"),
        ("value = 3.125", "value = 1.5625", "network.subsidy", "3.125 before block 1050000"),
        ("value = 1050000", "value = 1050001", "network.halving", "210000th"),
    ] {
        let line = error(from, to);
        assert!(line.starts_with("market file: ") && !line.contains('\n'), "{line}");
        assert!(line.contains(key) && line.contains(expected), "{from} -> {to}: {line}");
    }
    assert!(error("[[asic]]", "oops").contains("line "));
    assert!(Market::parse("").unwrap_err().to_string().contains("missing field"));
}

#[test]
fn age_is_remarked_on_after_90_days_and_examples_until_they_are_replaced() {
    let market = Market::embedded();
    assert_eq!(market.age(date(2026, 11, 23)), None);
    assert_eq!(market.age(date(2027, 2, 21)), None);
    let old = market.age(date(2027, 2, 22)).unwrap();
    assert!(old.contains("2026-11-23") && old.contains("91 days"), "{old}");
    assert!(market.age(date(2026, 11, 22)).unwrap().contains("yet to come"));
    // A new file may still have old prices in it.
    let stale = market.stale(date(2026, 11, 23));
    assert!(stale.contains(&"network.bitcoin (2026-06)".to_string()), "{stale:?}");
    let examples = market.examples();
    assert!(examples.contains(&"premises.electricity = 0.05 $/kWh".to_string()), "{examples:?}");
    let own = Market::parse(&EMBEDDED.replace(", example = true", "")).unwrap();
    assert_eq!(own.examples(), Vec::<String>::new());
}

proptest! {
    /// No mutation of the file panics, and none gives more than a line.
    #[test]
    fn a_mutated_file_reads_or_gets_one_line(
        at in 0usize..EMBEDDED.len(), cut in 0usize..40, insert in "[-a-z0-9=\"{}\\[\\]. \n]{0,6}",
    ) {
        let mut bytes = EMBEDDED.as_bytes().to_vec();
        bytes.splice(at..(at + cut).min(EMBEDDED.len()), insert.bytes());
        if let Ok(text) = String::from_utf8(bytes) && let Err(error) = Market::parse(&text) {
            let line = error.to_string();
            prop_assert!(!line.contains('\n') && line.starts_with("market file: "), "{}", line);
        }
    }

    /// No figure of the file goes without its unit, its date or its source.
    #[test]
    fn no_figure_goes_without_unit_date_or_source(line in 0usize..EMBEDDED.lines().count(), part in 0usize..3) {
        let key = ["unit", "date", "source"][part];
        let mut lines: Vec<String> = EMBEDDED.lines().map(str::to_string).collect();
        let figure = lines[line].contains(" = {") && !lines[line].starts_with('#');
        if figure {
            let (head, rest) = lines[line].split_once(&format!("{key} = \"")).expect("each has all three");
            let (_, rest) = rest.split_once('"').unwrap();
            lines[line] = format!("{head}{}", rest.trim_start_matches(", ")).replace(", }", " }");
            let error = Market::parse(&lines.join("\n")).unwrap_err().to_string();
            prop_assert!(error.contains(&format!("missing field `{key}`")), "{}: {error}", lines[line]);
            prop_assert!(error.contains(&format!("line {}", line + 1)), "{error}");
        }
    }

    /// Figures reach a hundred times to either side of a typical one: ten thousand times off, none is taken.
    #[test]
    fn no_figure_may_be_ten_thousand_times_off(line in 0usize..EMBEDDED.lines().count(), up in any::<bool>()) {
        let mut lines: Vec<String> = EMBEDDED.lines().map(str::to_string).collect();
        let figure = lines[line].split_once("value = ").filter(|(key, _)| !key.starts_with('#'));
        if let Some((key, rest)) = figure {
            let (number, rest) = rest.split_once(',').unwrap();
            let number: f64 = number.parse().unwrap();
            let off = if up { number * 1e4 } else { number / 1e4 };
            let unit_is_share = rest.contains("\"share\"") && !up && key.starts_with("fee_share");
            lines[line] = format!("{key}value = {off:e},{rest}");
            // Hardly any fees are not absurd.
            prop_assert!(unit_is_share || Market::parse(&lines.join("\n")).is_err(), "{}", lines[line]);
        }
    }
}
