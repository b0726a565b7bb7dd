//! Formats figures of the advice: a value with its interval, a range, or a bound.

use crate::units::{Interval, significant};

/// For a sentence: `0.0844`, `1.60 (1.55 to 1.66)`, `1.36 to 3.41`, `at least 1.36`.
pub fn phrase(interval: Interval) -> String {
    phrase_by(interval, &number)
}

/// For a sentence, with numbers formatted by `show`.
pub fn phrase_by(interval: Interval, show: &dyn Fn(f64) -> String) -> String {
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
pub fn dollars(interval: Interval) -> String {
    phrase_by(interval, &|value| format!("{}${}", minus(value), number(value.abs())))
}

/// A price as written: `$0.05`, `−$0.012`.
pub fn price(value: f64) -> String {
    format!("{}${}", minus(value), plain(value.abs()))
}

/// The sign of a negative number.
fn minus(value: f64) -> &'static str {
    if value < 0.0 { "−" } else { "" }
}

/// For a table, with the interval on its own line: `1.60`, `1.55–1.66`.
pub fn cell(interval: Interval) -> String {
    cell_by(interval, &number)
}

/// For a table, with numbers formatted by `show`.
pub fn cell_by(interval: Interval, show: &dyn Fn(f64) -> String) -> String {
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
pub fn bounded(interval: Interval, has_wall_energy: bool) -> String {
    match has_wall_energy {
        true => cell(interval),
        false if interval.high.is_finite() => format!("≤ {}", number(interval.high)),
        false => "unknown".into(),
    }
}

/// Three significant digits, with a true minus sign.
pub fn number(value: f64) -> String {
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
pub fn plain(value: f64) -> String {
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
