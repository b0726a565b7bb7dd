//! Parses a command's output as watts, or makes it safe to show in an error: words that may be passwords or addresses are removed.

use crate::text::plain;
use regex::Regex;
use std::sync::LazyLock;

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

/// A number with or without a unit, and with it perhaps an SI prefix.
static READING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(\S*?)\s*(?:([mkKM]?)(?i-u:watts?|w))?\s*$").expect("it is tested")
});
/// A number whose dot may separate thousands.
static GROUPED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[1-9][0-9]{0,2}\.[0-9]{3}$").expect("it is tested"));

/// Parses a line: a number, with or without the unit `W`, `Watt` or `Watts` in any case. The case of an SI prefix matters: `m` is 1e-3,
/// `k` and `K` are 1e3, `M` is 1e6.
pub fn parse(line: &str) -> Option<Reading> {
    let parts = READING.captures(line)?;
    let (number, prefix) = (&parts[1], parts.get(2).map_or("", |prefix| prefix.as_str()));
    let scale = match prefix {
        "m" => 1e-3,
        "k" | "K" => 1e3,
        "M" => 1e6,
        _ => 1.0,
    };
    let watts = number.parse::<f64>().ok()? * scale;
    let form = match () {
        () if !prefix.is_empty() => Form::Plain,
        () if number.bytes().all(|byte| byte.is_ascii_digit()) => Form::Whole,
        () if GROUPED.is_match(number) => Form::Grouped,
        () => Form::Plain,
    };
    (watts.is_finite() && watts >= 0.0).then_some(Reading { watts, form })
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
    let is_joint =
        |w: &&[char]| w[0].is_alphanumeric() && matches!(w[1], '.' | ':') && w[2].is_alphanumeric();
    let joints: Vec<_> = letters.windows(3).filter(is_joint).collect();
    // 12.5 is a number; plug.local, 10.0.0.1 and 10:22 are not.
    let number = matches!(joints[..], [[a, '.', b]] if a.is_ascii_digit() && b.is_ascii_digit());
    word.contains(['/', '\\', '@']) || word.contains("::") || !(joints.is_empty() || number)
}
