//! The meter of a smart plug: watts, joules, or both, through HTTP. The scope is the wall.

use super::http::{Http, Refusal};
use super::{ALL_ONES, Reader, is_all_ones};
use crate::energy::{Accuracy, EnergyError, EnergySource, MeterKind, Quantity, Scope, SourceInfo};
use crate::units::{Joules, Seconds, Watts};
use serde_json::Value;
use std::sync::Arc;

/// The largest plugs are rated for 16 A, at no more than 250 V.
pub(super) const PLUG_CEILING: Watts = Watts(16.0 * 250.0);
/// The largest current clamps are rated for 400 A.
pub(super) const CLAMP_CEILING: Watts = Watts(400.0 * 250.0);
/// Plugs update their power about once per second.
const PERIOD: Seconds = Seconds(1.0);
/// Poll interval: it bounds the timing error of a counter's tick and does not overload a small plug.
const POLL: Seconds = Seconds(0.5);
/// Meters without a load show values around 0, also negative ones.
const NOISE: Watts = Watts(1.0);

/// A value in an answer: power, or a counter.
pub(super) struct Figure {
    /// Path of the request.
    path: String,
    /// Joules per unit of a counter; `None` for watts.
    unit: Option<Joules>,
    /// JSON pointers to the objects that contain the value, one per phase, each with a field or a path below it. Their values are summed.
    terms: Vec<(String, String)>,
}

/// Why an answer does not contain the value.
#[derive(Debug)]
pub(super) enum Fault {
    /// The field is missing.
    Absent,
    /// The field is not a plausible number.
    Unreadable,
    /// The plug marks the value as invalid.
    Invalid,
    /// There is no number, but a list of errors.
    Errors(String),
    /// Negative power.
    Negative(f64),
    /// The value of an unset register.
    Garbage(f64),
}

impl Figure {
    pub fn new<T: Into<String>>(
        path: impl Into<String>,
        unit: Option<Joules>,
        terms: impl IntoIterator<Item = (T, String)>,
    ) -> Figure {
        let terms = terms.into_iter().map(|(object, field)| (object.into(), field)).collect();
        Figure { path: path.into(), unit, terms }
    }

    /// Watts or joules in an answer.
    pub fn value(&self, answer: &Value) -> Result<f64, Fault> {
        let term = |(object, field): &(String, String)| {
            let number = number(answer.pointer(object).ok_or(Fault::Absent)?, field)?;
            match self.unit {
                // A scaled all-ones value is valid here, since a counter passes 65.535 kWh.
                Some(_) if ALL_ONES.contains(&number) => Err(Fault::Garbage(number)),
                Some(_) if number < 0.0 => Err(Fault::Unreadable),
                None if is_all_ones(number) => Err(Fault::Garbage(number)),
                None if number < -NOISE.0 => Err(Fault::Negative(number)),
                _ => Ok(number.max(0.0)),
            }
        };
        let sum: f64 = self.terms.iter().map(term).sum::<Result<f64, Fault>>()?;
        Ok(sum * self.unit.map_or(1.0, |unit| unit.0))
    }
}

/// A number of an object.
fn number(object: &Value, field: &str) -> Result<f64, Fault> {
    if object.get("is_valid") == Some(&Value::Bool(false)) {
        return Err(Fault::Invalid);
    }
    let value = object.pointer(&format!("/{field}")).ok_or(Fault::Absent)?;
    let number = match value {
        Value::Number(number) => number.as_f64(),
        // Old firmware writes numbers as strings.
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| errors(object).map_or(Fault::Unreadable, Fault::Errors))
}

/// Errors that a plug reports of itself, if they are safe to show.
fn errors(object: &Value) -> Option<String> {
    let lists = object.as_object()?.iter().filter(|(key, _)| key.ends_with("errors"));
    let words = lists.filter_map(|(_, list)| list.as_array()).flatten().filter_map(Value::as_str);
    let plain = |word: &&str| {
        word.len() <= 40 && word.chars().all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c))
    };
    let words: Vec<&str> = words.filter(plain).take(3).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// One meter of a plug.
pub(super) struct Channel {
    /// Its name for the user: `0`, `1`, `a`.
    pub name: String,
    pub watts: Figure,
    /// Its counter, if the firmware has one.
    pub joules: Option<Figure>,
    /// Its maximum power.
    pub ceiling: Watts,
    /// Its present power.
    pub now: Result<f64, Fault>,
}

/// Description of a plug.
pub(super) struct PlugInfo {
    pub kind: MeterKind,
    pub model: String,
    pub firmware: Option<String>,
    /// Accuracy as a share of the reading, and the reason for the assumption.
    pub share: f64,
    pub reference: &'static str,
}

/// The address of a plug without its query, and the channel that the query names: `http://HOST?channel=2`.
///
/// # Errors
/// If the query is anything else. The address is not repeated.
pub(super) fn address(url: &str, kind: MeterKind) -> Result<(&str, Option<&str>), EnergyError> {
    let Some((address, query)) = url.split_once('?') else { return Ok((url, None)) };
    let plain = |name: &&str| {
        (1..=3).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let name = query.strip_prefix("channel=").filter(plain).ok_or_else(|| {
        format!("after the {kind} plug's address only a channel can be named, as in {kind}:http://HOST?channel=2")
    })?;
    Ok((address, Some(name)))
}

/// The channel that the user named, or else the only one, or else the only one with a load, which must be this machine; and whether there
/// was a choice.
///
/// # Errors
/// If there is no such channel, or if it is ambiguous.
fn choose(
    mut channels: Vec<Channel>,
    wanted: Option<&str>,
    kind: MeterKind,
) -> Result<(Channel, bool), EnergyError> {
    let list =
        |shown: fn(&Channel) -> String| channels.iter().map(shown).collect::<Vec<_>>().join(", ");
    // A reversed clamp also has a load, and gets its own error later.
    let is_loaded = |channel: &Channel| match channel.now {
        Ok(watts) => watts > NOISE.0,
        Err(ref fault) => matches!(fault, Fault::Negative(_)),
    };
    let mut loaded = (0..channels.len()).filter(|&i| is_loaded(&channels[i]));
    let index = match (wanted, loaded.next(), loaded.next()) {
        (Some(wanted), ..) => channels.iter().position(|c| c.name == wanted).ok_or_else(|| {
            let names = list(|channel| channel.name.clone());
            format!("the {kind} plug has no meter at channel {wanted}; it has one at {names}")
        })?,
        (None, ..) if channels.len() == 1 => return Ok((channels.remove(0), false)),
        (None, Some(only), None) => only,
        (None, ..) => {
            let shown = list(|channel| match channel.now {
                Ok(watts) | Err(Fault::Negative(watts)) => {
                    format!("{}: {watts:.0} W", channel.name)
                }
                Err(_) => format!("{}: no reading", channel.name),
            });
            return Err(EnergyError(format!(
                "the {kind} plug has several channels ({shown}): name the one that feeds this machine, as in \
                 {kind}:http://HOST?channel={}",
                channels.last().map_or("0", |channel| &channel.name)
            )));
        }
    };
    Ok((channels.swap_remove(index), true))
}

/// A source of a channel: its power or its counter.
struct Plug {
    http: Arc<Http>,
    figure: Figure,
    info: SourceInfo,
}

/// The sources of a plug's channel, power first, each read once. A channel may have only one of them. Its name is appended to the model
/// unless the plug has only one.
///
/// # Errors
/// If there is no such channel, or it is ambiguous; if it has neither source, or its power is not plausible.
pub(super) fn sources(
    http: Http,
    about: PlugInfo,
    channels: Vec<Channel>,
    wanted: Option<&str>,
) -> Result<Vec<Box<dyn EnergySource>>, EnergyError> {
    let (channel, is_chosen) = choose(channels, wanted, about.kind)?;
    let name = if is_chosen { format!(" channel {}", channel.name) } else { String::new() };
    let power = SourceInfo {
        kind: about.kind,
        model: about.model + &name,
        driver: about.firmware,
        scope: Scope::Wall,
        // No manufacturer documents the averaging time; a full update period is the maximum that makes sense.
        quantity: Quantity::Power { averaging: PERIOD },
        update_period: Some(PERIOD),
        poll: POLL,
        ceiling: channel.ceiling,
        accuracy: Accuracy { share: about.share, ..Accuracy::assumed(about.reference) },
    };
    let counter = SourceInfo {
        quantity: Quantity::Counter { ranges: vec![None], duty: 1.0 },
        // The update period of a counter depends on its resolution and on the load.
        update_period: None,
        ..power.clone()
    };
    let http = Arc::new(http);
    let plug = |figure, info| Plug { http: Arc::clone(&http), figure, info };
    let (power, counter) = (plug(channel.watts, power), channel.joules.map(|f| plug(f, counter)));
    let watts = power.first()?;
    // A meter without a counter still measures power.
    let counter = match counter {
        Some(counter) if counter.first()?.is_ok() => Some(counter),
        _ => None,
    };
    let power = match watts {
        Ok(_) => Some(power),
        Err(Fault::Absent) if counter.is_some() => None,
        Err(fault) => return Err(power.explain(fault)),
    };
    let source =
        |plug: Plug| Box::new(Reader { info: plug.info.clone(), read: move || plug.read() }) as _;
    Ok([power, counter].into_iter().flatten().map(source).collect())
}

impl Plug {
    /// The first answer, in which the value may be missing.
    fn first(&self) -> Result<Result<f64, Fault>, EnergyError> {
        match self.http.get(&self.figure.path) {
            Ok(answer) => Ok(self.value(&answer)),
            // Some firmware has the meter without the component that contains the counter.
            Err(Refusal::Status(_)) if self.figure.unit.is_some() => Ok(Err(Fault::Absent)),
            Err(refusal) => Err(self.http.explain(refusal)),
        }
    }

    fn read(&self) -> Result<Vec<f64>, EnergyError> {
        let answer = self.http.ask(&self.figure.path)?;
        Ok(vec![self.value(&answer).map_err(|fault| self.explain(fault))?])
    }

    fn value(&self, answer: &Value) -> Result<f64, Fault> {
        match self.figure.value(answer)? {
            value if value > self.info.largest() => Err(Fault::Garbage(value)),
            value => Ok(value),
        }
    }

    fn explain(&self, fault: Fault) -> EnergyError {
        let (what, unit) = match self.info.quantity {
            Quantity::Power { .. } => ("power", "watts"),
            Quantity::Counter { .. } => ("energy", "energy"),
        };
        let kind = self.info.kind;
        EnergyError(match fault {
            Fault::Absent | Fault::Unreadable => format!(
                "the {kind} plug's answer holds no {what} reading (a number of {unit}, 0 or more); \
                 check that it has a meter and its firmware is current"
            ),
            Fault::Invalid => format!(
                "the {kind} plug marks its own {what} reading as not valid: restart the plug, or use another meter"
            ),
            Fault::Errors(errors) => format!(
                "the {kind} plug gives no {what} and reports the error {errors}: restart it, and replace it if that stays"
            ),
            Fault::Negative(watts) => format!(
                "the {kind} plug shows negative power ({watts} W): its clamp or the plug is reversed, turn it round"
            ),
            Fault::Garbage(raw) => format!(
                "the {kind} plug shows {raw}, which is a register without content: restart the plug, or use another meter"
            ),
        })
    }
}

/// A name from a plug's answer, if it is suitable for a result file: short and plain, without a hardware address or any part of `private`.
pub(super) fn public_name(name: Option<&str>, private: &[&str]) -> Option<String> {
    let name = name?.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._+()/-".contains(c);
    if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
        return None;
    }
    // A MAC address is twelve consecutive hexadecimal digits, or six pairs.
    let runs: Vec<usize> = name.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).collect();
    if runs.iter().any(|digits| *digits >= 12) || runs.windows(6).any(|pairs| pairs == [2; 6]) {
        return None;
    }
    let squeezed = alphanumeric_lowercase(name);
    // The last digits of a MAC address identify a plug.
    let identifies = |private: &&str| {
        let private = alphanumeric_lowercase(private);
        let tail = &private[private.len().saturating_sub(6)..];
        !tail.is_empty() && squeezed.contains(tail)
    };
    (!private.iter().any(identifies)).then(|| name.to_string())
}

/// Letters and digits only, in lower case.
fn alphanumeric_lowercase(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}
