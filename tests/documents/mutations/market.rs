//! Mutated market files, read as `advise --market` reads them.

use crate::mutations::random::Random;
use crate::mutations::soak::soak;
use crate::mutations::{bytes, results, tree};
use rigbench::economics::market::EMBEDDED;
use rigbench::economics::{Market, advise_on};
use rigbench::report;

#[test]
fn mutated_market_files_do_no_harm() {
    let value: serde_json::Value = toml::from_str(EMBEDDED).unwrap();
    let documents = [serde_json::from_slice(&results::original()).unwrap()];
    let today = "2026-11-30".parse().unwrap();
    let mutate = |random: &mut Random| {
        let mut text = EMBEDDED.as_bytes().to_vec();
        let way = random.below(3);
        if way > 0 {
            let mut value = value.clone();
            tree::mutate(&mut value, random);
            // TOML has no null.
            text = toml::to_string(&value).map_or(text, String::into_bytes);
        }
        if way != 1 {
            bytes::mutate(&mut text, random);
        }
        text
    };
    let again = toml::to_string(&value).unwrap();
    soak("market", again.as_bytes(), mutate, |path| {
        let Ok(text) = std::fs::read_to_string(path) else { return false };
        match Market::parse(&text) {
            Ok(market) => {
                let advice = advise_on(&documents, &market, today);
                report::advice_to_terminal(&advice, 100, false);
                serde_json::to_string(&advice).unwrap();
                true
            }
            Err(why) => {
                let line = why.to_string();
                assert!(!line.is_empty(), "an error says what is wrong");
                false
            }
        }
    });
}
