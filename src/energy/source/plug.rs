//! The meter of a smart plug: watts, joules, or both, through HTTP. The scope is the wall.

use super::super::{
    Accuracy, Basis, EnergyError, EnergySource, MeterKind, Quantity, Scope, SourceInfo,
};
use super::http::{Http, Refusal};
use super::{ALL_ONES, is_all_ones};
use crate::units::{Seconds, Watts};
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
pub(super) const NOISE: Watts = Watts(1.0);

/// A value in an answer.
#[derive(Clone)]
pub(super) struct Figure {
    /// Path of the request.
    pub path: String,
    /// JSON pointers to the objects that contain the value: one, or one per phase. Their values are summed.
    pub objects: Vec<String>,
    /// The field of each object, or a path below it.
    pub fields: Vec<String>,
    /// Watts or joules per unit of the answer.
    pub unit: f64,
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
    /// The value of one field of one object.
    pub fn new(path: &str, object: &str, field: &str, unit: f64) -> Figure {
        Figure { path: path.into(), objects: vec![object.into()], fields: vec![field.into()], unit }
    }

    /// The value in an answer: the sum over its objects and fields.
    fn sum(&self, answer: &Value, check: impl Fn(f64) -> Result<f64, Fault>) -> Result<f64, Fault> {
        let mut sum = 0.0;
        for object in &self.objects {
            let object = answer.pointer(object).ok_or(Fault::Absent)?;
            for field in &self.fields {
                sum += check(number(object, field)?)?;
            }
        }
        Ok(sum * self.unit)
    }

    /// Watts in an answer.
    pub fn watts(&self, answer: &Value) -> Result<f64, Fault> {
        self.sum(answer, |watts| match watts {
            _ if is_all_ones(watts) => Err(Fault::Garbage(watts)),
            _ if watts < -NOISE.0 => Err(Fault::Negative(watts)),
            _ => Ok(watts.max(0.0)),
        })
    }

    /// Joules in an answer. A scaled all-ones value is valid here, since a counter passes 65.535 kWh.
    fn joules(&self, answer: &Value) -> Result<f64, Fault> {
        self.sum(answer, |count| match count {
            _ if ALL_ONES.contains(&count) => Err(Fault::Garbage(count)),
            _ if count < 0.0 => Err(Fault::Unreadable),
            _ => Ok(count),
        })
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

impl Fault {
    fn explain(self, kind: MeterKind, quantity: &Quantity) -> EnergyError {
        let (what, unit) = match quantity {
            Quantity::Power { .. } => ("power", "watts"),
            Quantity::Counter { .. } => ("energy", "energy"),
        };
        EnergyError(match self {
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
pub(super) struct About {
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
    match query.strip_prefix("channel=").filter(plain) {
        Some(name) => Ok((address, Some(name))),
        None => Err(EnergyError(format!(
            "after the {kind} plug's address only a channel can be named, as in {kind}:http://HOST?channel=2"
        ))),
    }
}

/// The channel that the user named, or else the only one, or else the only one with a load, which must be this machine. The channel's name
/// is appended to the model unless the plug has only one.
///
/// # Errors
/// If there is no such channel, or if it is ambiguous.
pub(super) fn choose(
    mut channels: Vec<Channel>,
    wanted: Option<&str>,
    about: &mut About,
) -> Result<Channel, EnergyError> {
    let kind = about.kind;
    let names = |channels: &[Channel]| {
        channels.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let place = match wanted {
        Some(wanted) => channels.iter().position(|c| c.name == wanted).ok_or_else(|| {
            EnergyError(format!(
                "the {kind} plug has no meter at channel {wanted}; it has one at {}",
                names(&channels)
            ))
        })?,
        None if channels.len() == 1 => return Ok(channels.remove(0)),
        None => {
            // A reversed clamp also has a load, and gets its own error later.
            let loaded = |channel: &Channel| match channel.now {
                Ok(watts) => watts > NOISE.0,
                Err(Fault::Negative(_)) => true,
                Err(_) => false,
            };
            let with_load: Vec<usize> =
                (0..channels.len()).filter(|&place| loaded(&channels[place])).collect();
            match with_load[..] {
                [place] => place,
                _ => {
                    let shown = channels.iter().map(|channel| match channel.now {
                        Ok(watts) => format!("{}: {watts:.0} W", channel.name),
                        Err(Fault::Negative(watts)) => format!("{}: {watts:.0} W", channel.name),
                        Err(_) => format!("{}: no reading", channel.name),
                    });
                    return Err(EnergyError(format!(
                        "the {kind} plug has several channels ({}): name the one that feeds this machine, as in \
                         {kind}:http://HOST?channel={}",
                        shown.collect::<Vec<_>>().join(", "),
                        channels.last().map_or("0", |channel| &channel.name)
                    )));
                }
            }
        }
    };
    let channel = channels.swap_remove(place);
    about.model = format!("{} channel {}", about.model, channel.name);
    Ok(channel)
}

/// A source of a channel: its power or its counter.
struct Plug {
    http: Arc<Http>,
    figure: Figure,
    info: SourceInfo,
}

/// The sources of a channel, power first, each read once. A channel may have only one of them.
///
/// # Errors
/// If it has neither, or if its power is not plausible.
pub(super) fn sources(
    http: Http,
    about: About,
    channel: Channel,
) -> Result<Vec<Box<dyn EnergySource>>, EnergyError> {
    let power = SourceInfo {
        kind: about.kind,
        model: about.model,
        driver: about.firmware,
        scope: Scope::Wall,
        // No manufacturer documents the averaging time; a full update period is the maximum that makes sense.
        quantity: Quantity::Power { averaging: PERIOD },
        update_period: Some(PERIOD),
        poll: POLL,
        ceiling: channel.ceiling,
        accuracy: Accuracy {
            share: about.share,
            basis: Basis::Assumed,
            reference: about.reference.into(),
        },
    };
    let counter = SourceInfo {
        quantity: Quantity::Counter { ranges: vec![None], duty: 1.0 },
        // The update period of a counter depends on its resolution and on the load.
        update_period: None,
        ..power.clone()
    };
    let http = Arc::new(http);
    let power = Plug { http: Arc::clone(&http), figure: channel.watts, info: power };
    let watts = power.first()?;
    let joules = match channel.joules {
        Some(figure) => {
            let counter = Plug { http, figure, info: counter };
            // A meter without a counter still measures power.
            counter.first()?.ok().map(|_| counter)
        }
        None => None,
    };
    let power = match watts {
        Ok(_) => Some(power),
        Err(Fault::Absent) if joules.is_some() => None,
        Err(fault) => return Err(fault.explain(power.info.kind, &power.info.quantity)),
    };
    Ok([power, joules].into_iter().flatten().map(|source| Box::new(source) as _).collect())
}

impl Plug {
    /// The first answer, in which the value may be missing.
    fn first(&self) -> Result<Result<f64, Fault>, EnergyError> {
        match self.http.get(&self.figure.path) {
            Ok(answer) => Ok(self.pick(&answer)),
            // Some firmware has the meter without the component that contains the counter.
            Err(Refusal::Status(_)) if self.counts() => Ok(Err(Fault::Absent)),
            Err(refusal) => Err(self.http.explain(refusal)),
        }
    }

    fn counts(&self) -> bool {
        matches!(self.info.quantity, Quantity::Counter { .. })
    }

    fn pick(&self, answer: &Value) -> Result<f64, Fault> {
        match self.counts() {
            true => self.figure.joules(answer),
            false => match self.figure.watts(answer)? {
                watts if watts > self.info.ceiling.0 => Err(Fault::Garbage(watts)),
                watts => Ok(watts),
            },
        }
    }
}

impl EnergySource for Plug {
    fn describe(&self) -> SourceInfo {
        self.info.clone()
    }

    fn read(&mut self) -> Result<Vec<f64>, EnergyError> {
        let answer =
            self.http.get(&self.figure.path).map_err(|refusal| self.http.explain(refusal))?;
        let figure = self.pick(&answer);
        figure
            .map(|figure| vec![figure])
            .map_err(|fault| fault.explain(self.info.kind, &self.info.quantity))
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
    let squeezed = squeeze(name);
    // The last digits of a MAC address identify a plug.
    let identifies = |private: &&&str| {
        let private = squeeze(private);
        let tail = &private[private.len().saturating_sub(6)..];
        !tail.is_empty() && squeezed.contains(tail)
    };
    (!private.iter().any(|private| identifies(&private))).then(|| name.to_string())
}

/// Letters and digits only, in lower case.
fn squeeze(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}
