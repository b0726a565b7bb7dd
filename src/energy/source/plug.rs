//! A plug's two sources, watts and joules, which come from the same answer. Both are read at the wall.

use super::super::{Accuracy, Basis, EnergyError, EnergySource, Quantity, Scope, SourceInfo};
use super::http::Http;
use crate::units::{Seconds, Watts};
use serde_json::Value;
use std::sync::Arc;

/// The largest plugs are made for 16 A, and no mains that they fit has more than 250 V.
const CEILING: Watts = Watts(16.0 * 250.0);

/// Plugs work out their watts about once a second.
const PERIOD: Seconds = Seconds(1.0);

/// When a counter moved is known no better than this; a small plug answers so often.
const POLL: Seconds = Seconds(0.5);

/// Finds a figure in an answer.
pub(super) type Figure = fn(&Value) -> Option<f64>;

/// The answer that holds the figures.
#[derive(Clone, Copy)]
pub(super) struct Answer {
    pub path: &'static str,
    pub watts: Figure,
    pub joules: Figure,
}

/// What a plug is.
pub(super) struct About {
    pub kind: &'static str,
    pub model: String,
    pub firmware: Option<String>,
    /// How far its figures may be off, as a share of them, and why that is assumed.
    pub share: f64,
    pub reference: &'static str,
}

/// One of the two sources.
struct Plug {
    http: Arc<Http>,
    path: &'static str,
    figure: Figure,
    info: SourceInfo,
}

/// The two sources of a plug, watts first, each read once.
pub(super) fn sources(
    http: Http,
    about: About,
    answer: Answer,
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
        ceiling: CEILING,
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
    let (http, path) = (Arc::new(http), answer.path);
    let power = Plug { http: Arc::clone(&http), path, figure: answer.watts, info: power };
    let counter = Plug { http, path, figure: answer.joules, info: counter };
    let first = power.ask()?;
    power.pick(&first)?;
    counter.pick(&first)?;
    Ok(vec![Box::new(power), Box::new(counter)])
}

impl Plug {
    fn ask(&self) -> Result<Value, EnergyError> {
        self.http.get(self.path).map_err(|refusal| self.http.explain(refusal))
    }

    fn pick(&self, answer: &Value) -> Result<f64, EnergyError> {
        (self.figure)(answer).filter(|figure| figure.is_finite() && *figure >= 0.0).ok_or_else(
            || {
                let (kind, unit) = match self.info.quantity {
                    Quantity::Power { .. } => ("power", "watts"),
                    Quantity::Counter { .. } => ("energy", "energy"),
                };
                EnergyError(format!(
                    "the {} plug's answer holds no {kind} reading (a number of {unit}, 0 or more); \
                 check that it has a meter and its firmware is current",
                    self.info.kind
                ))
            },
        )
    }
}

impl EnergySource for Plug {
    fn describe(&self) -> SourceInfo {
        self.info.clone()
    }

    fn read(&mut self) -> Result<Vec<f64>, EnergyError> {
        Ok(vec![self.pick(&self.ask()?)?])
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
