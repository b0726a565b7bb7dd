//! The market file is checked on load: whatever is wrong gets one line with the key and what is expected.

use jiff::civil::date;
use proptest::prelude::*;
use rigbench::economics::Market;
use rigbench::economics::market::{EMBEDDED, Figure};

fn faults(text: &str) -> Vec<String> {
    match Market::parse(text) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults,
    }
}

/// The file that comes with rigbench, with something replaced.
fn edited(from: &str, to: &str) -> String {
    assert!(EMBEDDED.contains(from), "{from}");
    EMBEDDED.replacen(from, to, 1)
}

/// The number of the line that has this, as a fault names it.
fn line_of(text: &str, part: &str) -> String {
    let line = text.lines().position(|line| line.contains(part)).unwrap() + 1;
    format!("line {line}, ")
}

#[test]
fn a_mistake_gets_one_line_with_its_line_number_its_key_and_what_is_expected() {
    for (from, to, key, expected) in [
        // Missing.
        ("difficulty = {", "# difficulty = {", "network.difficulty", "it is missing"),
        ("value = 60000, ", "", "network.bitcoin", "write a value"),
        ("unit = \"$/BTC\", ", "", "network.bitcoin.unit", "it is missing"),
        (", source = \"its maker\"", "", "asic[0].efficiency.source", "it is missing"),
        ("models = [\"llama-3-8b\"]", "models = []", "token_price[0].models", "at least one"),
        ("source = \"its maker\"", "source = \" \"", "asic[0].efficiency.source", "empty"),
        // Misspelt: the near name is suggested, and not told to be missing besides.
        ("[colocation]", "[colocatoin]", "colocatoin", "did you mean colocation?"),
        ("source = \"its", "sauce = \"its", "asic[0].efficiency.sauce", "did you mean source?"),
        ("gpu-board = {", "gpu-bored = {", "wall_factor.gpu-bored", "did you mean gpu-board?"),
        ("electricity = {", "electrcity = {", "premises.electrcity", "did you mean electricity?"),
        ("[[rental]]", "[[rentals]]", "rentals", "did you mean rental?"),
        ("tokens = \"output\"", "tokens = \"out\"", "token_price[0].tokens", "output?"),
        ("scope = \"gpu-board\"", "scope = \"gpu\"", "reference_tokens[0].scope", "gpu-board?"),
        (
            "price = \"Llama 3.1 8B\"",
            "price = \"Llama 3 8B\"",
            "reference_tokens[0].price",
            "'Llama 3.1 8B'?",
        ),
        ("\"Antminer S21 XP\"", "\"Antminer S23 Hyd\"", "asic[1].name", "duplicated"),
        // Not numbers.
        ("value = 0.05", "value = \"0.05\"", "premises.electricity.value", "without quotes, as in"),
        ("value = 0.05", "value = \"0,05\"", "premises.electricity.value", "and without a comma"),
        ("value = 0.05", "value = 0,05", "premises.electricity", "decimal comma; write 0.05"),
        ("value = 60000", "value = 60,000", "network.bitcoin", "or 60000 if it parts thousands"),
        ("value = 0.05", "value = true", "premises.electricity.value", "has to be a number"),
        ("[1, 1024]", "[64, 8]", "token_price[0].batches", "[1, 1024]"),
        ("[1, 1024]", "[1.5, 8]", "token_price[0].batches", "[1, 1024]"),
        (
            "utilisation = { value = 1.0, unit",
            "utilisation = 1.0 # { unit",
            "premises.utilisation",
            "it is a number",
        ),
        (
            "[[asic]]\nname = \"Antminer S23 Hyd\"",
            "[asic]\nname = \"Antminer S23 Hyd\"",
            "asic",
            "",
        ),
        // Negative, where nothing can be.
        ("value = 13.5", "value = -13.5", "asic[1].efficiency", "above 0"),
        ("value = 0.03,", "value = -0.03,", "token_price[0].price", "above 0"),
        ("value = 60000", "value = nan", "network.bitcoin", "write a number"),
        ("value = 0.05", "value = -inf", "premises.electricity", "write a number"),
        // Absurd: another unit, a slipped point, another currency.
        ("124.93e12", "124.93", "network.difficulty", "decimal point"),
        (
            "value = 0.05",
            "value = 8.5",
            "premises.electricity",
            "check the unit, the currency and the decimal point",
        ),
        (
            "value = 0.05",
            "value = -8.5",
            "premises.electricity",
            "check the unit, the currency and the decimal point",
        ),
        ("value = 60000", "value = 7000000", "network.bitcoin", "the currency"),
        ("value = 0.03,", "value = 0.00003,", "token_price[0].price", "$/Mtoken"),
        ("value = 13.5", "value = 13.5e-12", "asic[1].efficiency", "below"),
        ("value = 1.58", "value = 158", "premises.pue", "1 to 5"),
        ("value = 1.58", "value = 0.9", "premises.pue", "1 to 5"),
        ("value = 0.005", "value = 0.95", "network.fee_share", "0 to 0.9"),
        ("value = 1.0, ", "value = 85, ", "premises.utilisation", "0.001 to 1"),
        ("value = 0.070", "value = 70", "reference_tokens[0].energy", "J/token"),
        ("low = 1.99, high = 5.00", "low = 5.00, high = 1.99", "rental[1].rent", "order them"),
        // Units, dates, protocol.
        ("unit = \"$/h\"", "unit = \"$/day\"", "rental[0].rent.unit", "'$/h'"),
        ("date = \"2026-11-23\"\n", "date = \"November\"\n", "date", "2026-11-23"),
        ("date = \"2026-06\"", "date = \"June\"", "network.difficulty.date", "2026-11"),
        (
            "date = \"2026-06\"",
            "date = \"2027-06\"",
            "network.difficulty.date",
            "after the file's own",
        ),
        ("value = 3.125", "value = 1.5625", "network.subsidy", "3.125 before block 1050000"),
        ("value = 1050000", "value = 1050001", "network.halving", "210000th"),
    ] {
        let found = faults(&edited(from, to));
        let [fault] = &found[..] else {
            assert!(
                from.starts_with("[[asic]]") && !found.is_empty(),
                "{from} -> {to}: {found:#?}"
            );
            continue;
        };
        let what = fault
            .split_once(", ")
            .filter(|_| fault.starts_with("line "))
            .map_or(fault.as_str(), |f| f.1);
        assert!(
            what.starts_with(&format!("{key}: ")) && what.contains(expected),
            "{from} -> {to}: {fault}"
        );
        assert!(!fault.contains('\n'), "{fault}");
    }
    let wrong = edited("value = 13.5", "value = -13.5");
    assert!(faults(&wrong)[0].starts_with(&line_of(&wrong, "-13.5")), "{:?}", faults(&wrong));
    assert!(faults("").contains(&"network: it is missing".to_string()));
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_lines() {
    let mut text = EMBEDDED.to_string();
    for (from, to) in [
        ("value = 0.05, unit = \"$/kWh\"", "value = 5.0, unit = \"ct/kWh\""),
        ("value = 1.58", "value = 158"),
        ("bitcoin = {", "bitcoins = {"),
        ("efficiency = { value = 13.5", "efficiency = { value = -13.5"),
        ("date = \"2026\", source = \"lowest", "date = \"last year\", source = \"lowest"),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let found = faults(&text);
    let expected = [
        ("ct/kWh", "premises.electricity.unit"),
        ("158", "premises.pue"),
        ("bitcoins", "network.bitcoins"),
        ("-13.5", "asic[1].efficiency"),
        ("last year", "token_price[0].price.date"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (fault, (part, key)) in found.iter().zip(expected) {
        assert!(fault.starts_with(&(line_of(&text, part) + key)), "{fault}");
    }
    // Beside a mistake of syntax the others are told too, and nothing that only follows from it.
    let comma = text.replacen("value = 60000", "value = 60000,5", 1);
    let found = faults(&comma);
    assert!(found.iter().any(|fault| fault.contains("decimal comma; write 60000.5")), "{found:#?}");
    assert!(found.iter().any(|fault| fault.contains("premises.pue")), "{found:#?}");
    assert!(!found.iter().any(|fault| fault.contains("missing")), "{found:#?}");
}

/// The rent of an hour, typically $2, with its numbers and other parts replaced; an error has all faults.
fn rent(numbers: &str, parts: [&str; 2]) -> Result<Figure, String> {
    let [unit, date] = parts;
    let from = "rent = { value = 2.35, unit = \"$/h\", date = \"2026-03\"";
    let to = format!("rent = {{ {numbers} unit = \"{unit}\", date = \"{date}\"");
    let market = Market::parse(&edited(from, &to)).map_err(|error| error.to_string())?;
    Ok(market.rentals[0].rent.clone())
}

const RIGHT: [&str; 2] = ["$/h", "2026-05"];

#[test]
fn one_value_a_range_or_both() {
    let figure = rent("low = 1.99, high = 5.0,", RIGHT).unwrap();
    assert_eq!((figure.interval.value, figure.interval.ends()), (None, Some((1.99, 5.0))));
    assert_eq!(rent("value = 2.0,", RIGHT).unwrap().number(), 2.0);
    assert!(rent("value = 2.0, low = 1.0, high = 3.0,", RIGHT).is_ok());
    for odd in ["", "value = 2.0, low = 1.0,", "low = 1.0,"] {
        assert!(rent(odd, RIGHT).unwrap_err().contains("write a value"));
    }
    let error = rent("low = 5.0, high = 1.99,", RIGHT).unwrap_err();
    assert!(error.contains("order them"), "{error}");
    let range = faults(&edited("value = 60000", "low = 50000, high = 60000"));
    assert!(range[0].contains("a range will not do"), "{range:?}");
}

#[test]
fn a_figure_is_of_the_first_day_of_its_date() {
    let market = Market::parse(&edited("2026-03", "2026-05")).unwrap();
    let is_stale = |today| market.stale(today).contains(&"rental[0].rent (2026-05)".to_string());
    assert!(!is_stale(date(2026, 7, 30)) && is_stale(date(2026, 7, 31)));
}

#[test]
fn figures_100_times_off_are_rejected_and_99_times_off_are_not() {
    for (number, rejected) in
        [("200.0", true), ("199.0", false), ("0.02", true), ("0.0202", false), ("0.0", true)]
    {
        assert_eq!(rent(&format!("value = {number},"), RIGHT).is_err(), rejected, "{number}");
    }
    let either = rent("low = 2.0, high = 500.0,", RIGHT);
    assert!(either.unwrap_err().contains("decimal point"));
    for (bad, why) in [("-1.0", "above 0"), ("nan", "a number"), ("inf", "a number")] {
        let error = rent(&format!("value = {bad},"), RIGHT).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_price_that_may_be_negative_has_the_same_limits_below_0() {
    // Electricity is typically at $0.02.
    for (number, rejected) in [
        ("0.0", false),
        ("-0.005", false),
        ("-1.99", false),
        ("-2.0", true),
        ("-0.0001", true),
        ("nan", true),
    ] {
        let found = faults(&edited("value = 0.05", &format!("value = {number}")));
        assert_eq!(!found.is_empty(), rejected, "{number}");
    }
}

#[test]
fn all_faults_of_a_figure_are_reported() {
    let error = rent("value = -2.0,", ["€/h", "May"]).unwrap_err();
    assert!(error.contains("unit: it is '€/h'") && error.contains("date: 'May'"), "{error}");
    assert!(!error.contains("above 0"), "a number in another unit cannot be judged: {error}");
}

#[test]
fn unit_and_date_are_checked() {
    let error = rent("value = 2.0,", ["$/day", "2026-05"]).unwrap_err();
    assert!(error.contains("'$/day'") && error.contains("'$/h'"), "{error}");
    for odd in ["May 2026", "2026-13", "26", "2026-02-30"] {
        let error = rent("value = 2.0,", ["$/h", odd]).unwrap_err();
        assert!(error.contains("2026-11"), "{error}");
    }
    assert!(rent("value = 2.0,", ["$/h", ""]).unwrap_err().contains("date: it is empty"));
    let error = rent("value = 2.0,", ["$/h", "2026-12"]).unwrap_err();
    assert!(error.contains("after the file's own date"), "{error}");
}

#[test]
fn a_negative_and_a_free_kilowatt_hour_are_prices() {
    for price in ["-0.012", "0", "0.0", "-1.5", "0.0005"] {
        let text = edited("value = 0.05", &format!("value = {price}"));
        let market = Market::parse(&text).unwrap();
        assert_eq!(market.premises.electricity.number(), price.parse::<f64>().unwrap());
    }
}

#[test]
fn lines_may_end_as_windows_ends_them() {
    assert_eq!(Market::parse(&EMBEDDED.replace('\n', "\r\n")).unwrap(), Market::embedded());
}

#[test]
fn words_of_the_file_cannot_steer_a_terminal() {
    let hostile = edited("\"Antminer S21 XP\"", "\"\\u001b]0;x\\u0007\\nAnt\\u202eminer\"");
    let market = Market::parse(&hostile).unwrap();
    assert_eq!(market.asics[1].name, "\\u{1b}]0;x\\u{7}\\nAnt\\u{202e}miner");
    let key = edited("bitcoin = {", "\"bit\\u001b[2Jcoin\" = {");
    assert!(faults(&key).iter().all(|fault| fault.chars().all(|c| !c.is_control())));
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
            prop_assert!(!line.contains('\n') && !error.faults.is_empty(), "{}", line);
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
            let found = faults(&lines.join("\n"));
            prop_assert_eq!(found.len(), 1, "{:?}", found);
            prop_assert!(found[0].starts_with(&format!("line {}, ", line + 1)), "{:?}", found);
            prop_assert!(found[0].ends_with(&format!(".{key}: it is missing")), "{:?}", found);
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
