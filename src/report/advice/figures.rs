//! Formats figures of the advice: a value with its interval, a range, or a bound.

use crate::units::{Interval, significant};

/// For a sentence: `0.0844`, `1.60 (1.55 to 1.66)`, `1.36 to 3.41`, `at least 1.36`.
pub(super) fn phrase(interval: Interval) -> String {
    phrase_by(interval, &number)
}

/// For a sentence, with numbers formatted by `show`.
pub(super) fn phrase_by(interval: Interval, show: &dyn Fn(f64) -> String) -> String {
    let Interval { low, value, high, .. } = interval;
    let range = match (low.is_finite() && low != 0.0, high.is_finite()) {
        (_, true) if show(low) == show(high) => show(high),
        (true, true) => format!("{} to {}", show(low), show(high)),
        (true, false) => format!("at least {}", show(low)),
        (false, true) => format!("up to {}", show(high)),
        (false, false) => "unknown".into(),
    };
    match value {
        Some(value) if range == show(value) => range,
        Some(value) => format!("{} ({range})", show(value)),
        None => range,
    }
}

/// For a sentence, in dollars: `$1.36 to $3.41`.
pub(super) fn dollars(interval: Interval) -> String {
    phrase_by(interval, &|value| format!("{}${}", minus(value), number(value.abs())))
}

/// A price as written: `$0.05`, `−$0.012`.
pub(super) fn price(value: f64) -> String {
    format!("{}${}", minus(value), plain(value.abs()))
}

/// The sign of a negative number.
fn minus(value: f64) -> &'static str {
    if value < 0.0 { "−" } else { "" }
}

/// For a table, with the interval on its own line: `1.60`, `1.55–1.66`.
pub(super) fn cell(interval: Interval) -> String {
    cell_by(interval, &number)
}

/// For a table, with numbers formatted by `show`.
pub(super) fn cell_by(interval: Interval, show: &dyn Fn(f64) -> String) -> String {
    let text = phrase_by(interval, show);
    match interval.value {
        Some(_) => {
            let dash = if interval.low < 0.0 { "\nto " } else { "–" };
            text.replacen(" (", "\n", 1).replacen(" to ", dash, 1).replace(')', "")
        }
        None => {
            text.replace("at least ", "≥ ").replace("up to ", "≤ ").replacen(" to ", "\nto ", 1)
        }
    }
}

/// For a table; an upper bound if the energy is incomplete.
pub(super) fn bounded(interval: Interval, reaches_meter: bool) -> String {
    match reaches_meter {
        true => cell(interval),
        false if interval.high.is_finite() => format!("≤ {}", number(interval.high)),
        false => "unknown".into(),
    }
}

/// Three significant digits, with a true minus sign.
pub(super) fn number(value: f64) -> String {
    // Long rows of digits and leading zeros are hard to read.
    let size = value.abs();
    if size >= 1e7 || (size > 0.0 && size < 1e-4) {
        return format!("{value:.2e}").replace('-', "−");
    }
    let text = significant(value).replace('-', "−");
    // Non-breaking, so that no line ends within a number.
    text.replace(' ', "\u{a0}")
}

/// A number as the user wrote it, without added or lost digits.
pub(super) fn plain(value: f64) -> String {
    let size = value.abs();
    let written = size.to_string();
    let written = match size {
        _ if size >= 1e9 => format!("{size:e}"),
        _ if size >= 1e4 && size.fract() == 0.0 => {
            crate::units::grouped(size as u128).replace(' ', "\u{a0}")
        }
        _ if written.len() <= 8 => written,
        _ => number(size),
    };
    format!("{}{written}", minus(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(value: f64, low: f64, high: f64) -> Interval {
        Interval { value: Some(value), ..Interval::between(low, high) }
    }

    #[test]
    fn a_figure_reads_as_what_it_is() {
        for (interval, in_a_sentence, in_a_table) in [
            (Interval::exact(0.08437), "0.0844", "0.0844"),
            (around(1.6, 1.55, 1.66), "1.60 (1.55 to 1.66)", "1.60\n1.55–1.66"),
            (around(1.6001, 1.6, 1.6002), "1.60", "1.60"),
            (Interval::between(1.36, 3.41), "1.36 to 3.41", "1.36\nto 3.41"),
            (Interval::between(1.36, f64::INFINITY), "at least 1.36", "≥ 1.36"),
            (Interval::between(0.0, 3.41), "up to 3.41", "≤ 3.41"),
            (Interval::between(f64::NEG_INFINITY, f64::INFINITY), "unknown", "unknown"),
            (Interval::between(-0.5, -0.25), "−0.500 to −0.250", "−0.500\nto −0.250"),
        ] {
            assert_eq!(phrase(interval), in_a_sentence);
            assert_eq!(cell(interval), in_a_table);
        }
        assert_eq!((number(124.93e12), plain(124.93e12)), ("1.25e14".into(), "1.2493e14".into()));
        assert_eq!(
            (plain(0.05), plain(3.125), plain(60_000.0)),
            ("0.05".into(), "3.125".into(), "60\u{a0}000".into())
        );
        assert_eq!(dollars(Interval::between(-0.5, 1.0)), "−$0.500 to $1.00");
        assert_eq!(
            (plain(-0.012), price(-0.012), price(0.05)),
            ("−0.012".into(), "−$0.012".into(), "$0.05".into())
        );
        assert_eq!(bounded(around(2.0, 1.0, 3.0), false), "≤ 3.00");
    }
}
