//! The meter of a plug: watts, joules, or both, as its firmware answers them over HTTP. All is read at the wall.

use super::super::{
    Accuracy, Basis, EnergyError, EnergySource, MeterKind, Quantity, Scope, SourceInfo,
};
use super::http::{Http, Refusal};
use super::{ALL_ONES, is_all_ones};
use crate::units::{Seconds, Watts};
use serde_json::Value;
use std::sync::Arc;

/// The largest plugs are made for 16 A, and no mains that they fit has more than 250 V.
pub(super) const PLUG_CEILING: Watts = Watts(16.0 * 250.0);

/// The largest current clamps are made for 400 A.
pub(super) const CLAMP_CEILING: Watts = Watts(400.0 * 250.0);

/// Plugs work out their watts about once a second.
const PERIOD: Seconds = Seconds(1.0);

/// When a counter moved is known no better than this; a small plug answers so often.
const POLL: Seconds = Seconds(0.5);

/// Meters without a load show a little around 0, negative or not.
pub(super) const NOISE: Watts = Watts(1.0);

/// A figure in an answer.
#[derive(Clone)]
pub(super) struct Figure {
    /// What is asked.
    pub path: String,
    /// JSON pointers to the objects that hold the figure, whose figures are added: one, or one a phase.
    pub objects: Vec<String>,
    /// The field of each object, or a path below it.
    pub fields: Vec<String>,
    /// Watts or joules in 1 of the answer's unit.
    pub unit: f64,
}

/// Why an answer has no such figure.
#[derive(Debug)]
pub(super) enum Fault {
    /// The field is not there.
    Absent,
    /// The field is no number that can be right.
    Unreadable,
    /// The plug marks the figure as not valid.
    Invalid,
    /// No number, and a list of errors in its place.
    Errors(String),
    /// Power that flows backwards.
    Negative(f64),
    /// A number that a register without content shows.
    Garbage(f64),
}

impl Figure {
    /// A figure of one field of one object.
    pub fn new(path: &str, object: &str, field: &str, unit: f64) -> Figure {
        Figure { path: path.into(), objects: vec![object.into()], fields: vec![field.into()], unit }
    }

    /// The figure in an answer; of several objects or fields their sum.
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

    /// Joules in an answer. A counter passes 65.535 kWh on its way.
    fn joules(&self, answer: &Value) -> Result<f64, Fault> {
        self.sum(answer, |count| match count {
            _ if ALL_ONES.contains(&count) => Err(Fault::Garbage(count)),
            _ if count < 0.0 => Err(Fault::Unreadable),
            _ => Ok(count),
        })
    }
}

/// One number of an object.
fn number(object: &Value, field: &str) -> Result<f64, Fault> {
    if object.get("is_valid") == Some(&Value::Bool(false)) {
        return Err(Fault::Invalid);
    }
    let value = object.pointer(&format!("/{field}")).ok_or(Fault::Absent)?;
    let number = match value {
        Value::Number(number) => number.as_f64(),
        // Old firmware writes numbers as texts.
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| errors(object).map_or(Fault::Unreadable, Fault::Errors))
}

/// What a plug says of its own faults, if it is fit for a message.
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
    /// How a user names it: `0`, `1`, `a`.
    pub name: String,
    pub watts: Figure,
    /// Its counter, where the firmware shows one.
    pub joules: Option<Figure>,
    /// What it cannot exceed.
    pub ceiling: Watts,
    /// What it shows now.
    pub now: Result<f64, Fault>,
}

/// What a plug is.
pub(super) struct About {
    pub kind: MeterKind,
    pub model: String,
    pub firmware: Option<String>,
    /// How far its figures may be off, as a share of them, and why that is assumed.
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

/// The channel that a user named, or else the only one, or else the only one that shows power: the machine that runs
/// this draws some. The channel's name is put behind the model unless the plug has one channel.
///
/// # Errors
/// If there is no such channel, or several could be meant.
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
            // A reversed clamp has a load too, and gets its own error later.
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

/// One of the two sources of a channel.
struct Plug {
    http: Arc<Http>,
    figure: Figure,
    info: SourceInfo,
}

/// The sources of a channel, watts first, each read once. A channel may have only one of them.
///
/// # Errors
/// If it has neither, or its watts cannot be right.
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
        // No maker says over what time it averages; a whole update is the most that makes sense.
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
        // How often a counter moves hangs on its resolution and on the load.
        update_period: None,
        ..power.clone()
    };
    let http = Arc::new(http);
    let power = Plug { http: Arc::clone(&http), figure: channel.watts, info: power };
    let watts = power.first()?;
    let joules = match channel.joules {
        Some(figure) => {
            let counter = Plug { http, figure, info: counter };
            // A meter without a counter is still a meter of watts.
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
    /// The first answer, in which the figure may be missing.
    fn first(&self) -> Result<Result<f64, Fault>, EnergyError> {
        match self.http.get(&self.figure.path) {
            Ok(answer) => Ok(self.pick(&answer)),
            // Some firmware has the meter without the component that counts.
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

/// A name from a plug's answer, if it is fit for a result file: short and plain, without an address of hardware or any
/// of what else is `private`.
pub(super) fn public_name(name: Option<&str>, private: &[&str]) -> Option<String> {
    let name = name?.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._+()/-".contains(c);
    if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
        return None;
    }
    // A MAC address is twelve hexadecimal digits in a row, or six pairs.
    let runs: Vec<usize> = name.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).collect();
    if runs.iter().any(|digits| *digits >= 12) || runs.windows(6).any(|pairs| pairs == [2; 6]) {
        return None;
    }
    let squeezed = squeeze(name);
    // The end of the MAC address is enough to know a plug by.
    let tells = |private: &&&str| {
        let private = squeeze(private);
        let tail = &private[private.len().saturating_sub(6)..];
        !tail.is_empty() && squeezed.contains(tail)
    };
    (!private.iter().any(|private| tells(&private))).then(|| name.to_string())
}

/// Letters and digits alone, in small letters.
fn squeeze(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}
