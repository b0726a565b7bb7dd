//! Parses a command's output as watts, or makes it safe to show in an error: words that may be passwords or addresses are removed.

use crate::text::plain;

/// Maximum number of characters shown in an error.
pub const SHOWN: usize = 80;
/// A word that shares this many characters with the command line is treated as part of it.
const SHARED: usize = 4;

/// The reading of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Power in watts.
    pub watts: f64,
    /// Its format.
    pub form: Form,
}

/// The format of a number without an SI prefix, as far as it determines the meaning of a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `980`: no dot.
    Whole,
    /// `1.285`: the dot may separate thousands.
    Grouped,
    /// Anything else.
    Plain,
}

/// Parses a line: a number, with or without the unit `W`, `Watt` or `Watts` in any case. The case of an SI prefix matters: `m` is 1e-3,
/// `k` and `K` are 1e3, `M` is 1e6.
pub fn parse(line: &str) -> Option<Reading> {
    const PREFIXES: [(char, f64); 4] = [('m', 1e-3), ('k', 1e3), ('K', 1e3), ('M', 1e6)];
    let line = line.trim();
    let without_unit = ["watts", "watt", "w"].iter().find_map(|unit| strip_unit(line, unit));
    let with_prefix = without_unit.and_then(|rest| {
        PREFIXES.iter().find_map(|&(letter, scale)| Some((rest.strip_suffix(letter)?, scale)))
    });
    let (number, scale) = with_prefix.unwrap_or((without_unit.unwrap_or(line), 1.0));
    let number = number.trim_end();
    let watts = number.parse::<f64>().ok()? * scale;
    let form = if with_prefix.is_some() { Form::Plain } else { form(number) };
    (watts.is_finite() && watts >= 0.0).then_some(Reading { watts, form })
}

/// The text before a unit, in any case.
fn strip_unit<'a>(line: &'a str, unit: &str) -> Option<&'a str> {
    let (rest, end) = line.split_at_checked(line.len().checked_sub(unit.len())?)?;
    end.eq_ignore_ascii_case(unit).then_some(rest)
}

fn form(number: &str) -> Form {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    match number.split_once('.') {
        None if digits(number) => Form::Whole,
        Some((before, after))
            if (1..=3).contains(&before.len())
                && after.len() == 3
                && digits(before)
                && digits(after)
                && !before.starts_with('0') =>
        {
            Form::Grouped
        }
        _ => Form::Plain,
    }
}

/// Detects a thousands separator: a command that prints 980 and then 1.285 may mean 1285.
#[derive(Default)]
pub struct Separator {
    /// The largest reading of each form.
    whole: f64,
    grouped: f64,
}

/// Maximum ratio of a machine's power under load to its idle power.
const IDLE_TO_LOAD: f64 = 20.0;

impl Separator {
    /// Adds a reading. Returns one reading of each form if they are consistent only with a dot as thousands separator; from then on no
    /// reading of the command can be trusted.
    pub fn contradiction(&mut self, reading: Reading) -> Option<(f64, f64)> {
        match reading.form {
            Form::Whole => self.whole = self.whole.max(reading.watts),
            Form::Grouped => self.grouped = self.grouped.max(reading.watts),
            Form::Plain => {}
        }
        let Separator { whole, grouped } = *self;
        if whole == 0.0 || grouped == 0.0 {
            return None;
        }
        let fits = |ratio: f64| (1.0 / IDLE_TO_LOAD..=IDLE_TO_LOAD).contains(&ratio);
        (fits(1000.0 * grouped / whole) && !fits(grouped / whole)).then_some((whole, grouped))
    }
}

/// Shortens a text to one line for an error and redacts words of the command line, values of environment variables named in it, and
/// addresses.
pub fn redacted(text: &str, line: &str) -> String {
    let mut secrets = vec![line.to_lowercase()];
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        line.contains(&name).then(|| value.to_string_lossy().to_lowercase())
    });
    secrets.extend(variables);
    let word = |word: &str| match is_part(word, &secrets) || is_address_or_path(word) {
        true => "…".to_string(),
        false => plain(word).into_owned(),
    };
    let text = text.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Whether a word shares `SHARED` consecutive characters with a secret.
fn is_part(word: &str, secrets: &[String]) -> bool {
    let letters: Vec<char> = word.to_lowercase().chars().collect();
    let mut parts = letters.windows(SHARED).map(String::from_iter);
    parts.any(|part| secrets.iter().any(|secret| secret.contains(&part)))
}

/// Whether a word may be an address, a host or a path.
fn is_address_or_path(word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    let joints = letters
        .windows(3)
        .filter(|w| w[0].is_alphanumeric() && matches!(w[1], '.' | ':') && w[2].is_alphanumeric());
    let joints: Vec<_> = joints.collect();
    // 12.5 is a number; plug.local, 10.0.0.1 and 10:22 are not.
    let number = matches!(joints[..], [[a, '.', b]] if a.is_ascii_digit() && b.is_ascii_digit());
    word.contains(['/', '\\', '@']) || word.contains("::") || !(joints.is_empty() || number)
}
