//! Shelly plugs of every generation, asked over HTTP: watts, and a counter of watt-hours or watt-minutes.

use super::super::{EnergyError, EnergySource};
use super::http::{Http, Login, Refusal};
use super::plug::{About, Answer, public_name, sources};
use crate::units::{WATT_HOUR, WATT_MINUTE};
use serde_json::Value;

/// First generation. The counter has whole watt-minutes, 60 J, and begins at 0 when the plug starts.
const FIRST: Answer = Answer {
    path: "/status",
    watts: |answer| meter(answer)?.get("power")?.as_f64(),
    joules: |answer| Some(meter(answer)?.get("total")?.as_f64()? * WATT_MINUTE.0),
};

/// Later generations. The counter has thousandths of a watt-hour, 3.6 J; when it moves is not documented, and the
/// plug's own history beside it has whole minutes.
const SWITCH: Answer = Answer {
    path: "/rpc/Switch.GetStatus?id=0",
    watts: |answer| answer.get("apower")?.as_f64(),
    joules: |answer| Some(answer.get("aenergy")?.get("total")?.as_f64()? * WATT_HOUR.0),
};

/// Later generations without a switch.
const METER: Answer = Answer { path: "/rpc/PM1.GetStatus?id=0", ..SWITCH };

/// The power and the counter of a plug, watts first. The address may hold a name and a password, for plugs of the first
/// generation; those of later ones ask for digest authentication, which is not spoken.
///
/// # Errors
/// If nothing there answers as a Shelly plug does; one line, without the address.
pub fn find(base_url: &str) -> Result<Vec<Box<dyn EnergySource>>, EnergyError> {
    let http = Http::new(base_url, Login::Basic, "Shelly plug")?;
    let about = http.get("/shelly").map_err(|refusal| http.explain(refusal))?;
    let text = |field: &str| about.get(field).and_then(Value::as_str);
    let (model, firmware, answer) = if about.get("gen").is_some() {
        (text("model"), text("ver"), later(&http)?)
    } else if text("type").is_some() {
        (text("type"), text("fw"), FIRST)
    } else {
        return Err(EnergyError(
            "what answers there is no Shelly plug; check the address, or name another kind of plug"
                .into(),
        ));
    };
    let private = [text("mac").unwrap_or_default(), text("id").unwrap_or_default()];
    let about = About {
        kind: "shelly",
        model: public_name(model, &private).unwrap_or_else(|| "Shelly".into()),
        firmware: public_name(firmware, &private).map(|version| format!("firmware {version}")),
        share: 0.03,
        reference: "the maker publishes no figure that we know of; owners report errors of some per cent",
    };
    sources(http, about, answer)
}

/// The answer of a later plug that holds its watts: the switch's, or that of a meter without a switch.
fn later(http: &Http) -> Result<Answer, EnergyError> {
    for answer in [SWITCH, METER] {
        match http.get(answer.path) {
            Ok(found) if found.get("apower").is_some() => return Ok(answer),
            // A component that it does not have is answered by an error status.
            Ok(_) | Err(Refusal::Status(_)) => {}
            Err(refusal) => return Err(http.explain(refusal)),
        }
    }
    Err(EnergyError(
        "this Shelly measures no power at its first switch; use one with a power meter, or name a command".into(),
    ))
}

/// The first meter, unless the plug itself says that its figures do not count.
fn meter(answer: &Value) -> Option<&Value> {
    let meter = answer.get("meters")?.get(0)?;
    (meter.get("is_valid") != Some(&Value::Bool(false))).then_some(meter)
}
