//! Shelly plugs and meters of every generation, through HTTP: power, and a counter in watt-hours or watt-minutes.

use super::http::{Http, Login, Refusal};
use super::plug::{
    CLAMP_CEILING, Channel, Figure, PLUG_CEILING, PlugInfo, address, public_name, sources,
};
use crate::energy::{EnergyError, EnergySource, MeterKind};
use crate::units::{Joules, WATT_HOUR, WATT_MINUTE, Watts};
use serde_json::Value;

/// Components with one meter, in devices of generation 2 and later: name, field of the watts, component with the counter and its field in
/// watt-hours, maximum power. The counter's resolution is 0.001 Wh (3.6 J) or 0.01 Wh. Its update period is not documented; the plug's own
/// history beside it is in whole minutes. PM1 is a meter without a switch, EM1 a current clamp.
const COMPONENTS: [(&str, &str, (&str, &str), Watts); 3] = [
    ("Switch", "apower", ("Switch", "aenergy/total"), PLUG_CEILING),
    ("PM1", "apower", ("PM1", "aenergy/total"), PLUG_CEILING),
    ("EM1", "act_power", ("EM1Data", "total_act_energy"), CLAMP_CEILING),
];

/// The error if no component has a meter.
const NO_METER: &str = "this Shelly measures no power: none of its switches has a meter; use one with a power meter, \
    or name a command";

/// Channel names of a three-phase meter.
const PHASES: [&str; 3] = ["a", "b", "c"];

/// The power and the counter of a plug, power first. The address may contain a name and a password for plugs of the first generation;
/// later ones require digest authentication, which is not supported. `?channel=2` behind it selects a meter of a device with several.
///
/// # Errors
/// If there is no Shelly plug; one line, without the address.
pub fn find(url: &str) -> Result<Vec<Box<dyn EnergySource>>, EnergyError> {
    let (base_url, wanted) = address(url, MeterKind::Shelly)?;
    let http = Http::new(base_url, Login::Basic, "Shelly plug")?;
    let about = http.ask("/shelly")?;
    let text = |field: &str| about.get(field).and_then(Value::as_str);
    let (model, firmware, channels) = match (about.get("gen"), text("type")) {
        (Some(_), _) => (text("model"), text("ver"), gen2_plus(&http, wanted)?),
        (None, Some(model)) => (Some(model), text("fw"), gen1(&http, model, wanted)?),
        (None, None) => Err(
            "what answers there is no Shelly plug; check the address, or name another kind of plug",
        )?,
    };
    let private = [text("mac").unwrap_or_default(), text("id").unwrap_or_default()];
    let about = PlugInfo {
        kind: MeterKind::Shelly,
        model: public_name(model, &private).unwrap_or_else(|| "Shelly".into()),
        firmware: public_name(firmware, &private).map(|version| format!("firmware {version}")),
        share: 0.03,
        reference: "the maker publishes no figure that we know of; owners report errors of some per cent",
    };
    sources(http, about, channels, wanted)
}

/// The channels of a device of generation 2 or later.
fn gen2_plus(http: &Http, wanted: Option<&str>) -> Result<Vec<Channel>, EnergyError> {
    for (name, power, (counter, energy), ceiling) in COMPONENTS {
        let mut channels = Vec::new();
        // There are at most four components of a kind.
        for id in 0..4u32 {
            let path = |component: &str| format!("/rpc/{component}.GetStatus?id={id}");
            let Some(answer) = component_status(http, &path(name))? else {
                // If the first is missing, there is none of this kind.
                if id == 0 { break } else { continue }
            };
            let has_this_id =
                id == 0 || answer.get("id").and_then(Value::as_u64) == Some(id.into());
            if has_this_id && answer.get(power).is_some() {
                let watts = Figure::new(path(name), None, [("", power.into())]);
                let joules = Figure::new(path(counter), Some(WATT_HOUR), [("", energy.into())]);
                let (name, now) = (id.to_string(), watts.value(&answer));
                channels.push(Channel { name, watts, joules: Some(joules), ceiling, now });
            }
        }
        if !channels.is_empty() {
            return Ok(channels);
        }
    }
    let path = "/rpc/EM.GetStatus?id=0";
    let answer = component_status(http, path)?;
    let answer = answer.filter(|answer| answer.get("a_act_power").is_some()).ok_or(NO_METER)?;
    let channel = |phases: &[&str]| {
        let figure = |path, unit, suffix| {
            let field = |phase: &&str| ("", format!("{phase}_{suffix}"));
            Figure::new(path, unit, phases.iter().map(field))
        };
        let watts = figure(path, None, "act_power");
        let joules = figure("/rpc/EMData.GetStatus?id=0", Some(WATT_HOUR), "total_act_energy");
        let ceiling = Watts(CLAMP_CEILING.0 * phases.len() as f64);
        let (name, now) = (phases.concat(), watts.value(&answer));
        Channel { name, watts, joules: Some(joules), ceiling, now }
    };
    Ok(phases(wanted, &PHASES, channel))
}

/// The answer of a component; `None` if the device does not have it and answers with an error status.
fn component_status(http: &Http, path: &str) -> Result<Option<Value>, EnergyError> {
    match http.get(path) {
        Ok(answer) => Ok(Some(answer)),
        Err(Refusal::Status(_)) => Ok(None),
        Err(refusal) => Err(http.explain(refusal)),
    }
}

/// The channels of a device of the first generation: energy meters, which count watt-hours, or plugs, whose counter is in whole
/// watt-minutes (60 J) and starts at 0 when the plug starts.
fn gen1(http: &Http, model: &str, wanted: Option<&str>) -> Result<Vec<Channel>, EnergyError> {
    const PATH: &str = "/status";
    let answer = http.ask(PATH)?;
    let meters = |list: &str| answer.get(list).and_then(Value::as_array).map_or(0, Vec::len);
    let channel = |list: &str, numbers: &[usize], unit: Joules, ceiling: Watts| {
        let figure = |unit, field: &str| {
            let object = |number| (format!("/{list}/{number}"), field.to_string());
            Figure::new(PATH, unit, numbers.iter().map(object))
        };
        let name = numbers.iter().map(usize::to_string).collect();
        let (watts, joules) = (figure(None, "power"), Some(figure(Some(unit), "total")));
        Channel { name, now: watts.value(&answer), watts, joules, ceiling }
    };
    let clamps: Vec<usize> = (0..meters("emeters")).collect();
    if !clamps.is_empty() {
        let channel = |numbers: &[usize]| {
            let ceiling = Watts(CLAMP_CEILING.0 * numbers.len() as f64);
            channel("emeters", numbers, WATT_HOUR, ceiling)
        };
        return Ok(match model {
            "SHEM-3" => phases(wanted, &clamps, channel),
            _ => clamps.chunks(1).map(channel).collect(),
        });
    }
    let plugs = 0..meters("meters");
    let channels: Vec<Channel> =
        plugs.map(|number| channel("meters", &[number], WATT_MINUTE, PLUG_CEILING)).collect();
    let any_has = |field: &str| {
        answer["meters"].as_array().into_iter().flatten().any(|meter| meter.get(field).is_some())
    };
    match (any_has("total"), any_has("power")) {
        (true, _) => Ok(channels),
        // A Shelly 1 shows the watts that its owner entered for the lamp behind it.
        (false, true) => Err("this Shelly has no meter: the watts that it shows were typed in by its owner; use one \
             with a power meter, or --power declared:WATTS"
            .into()),
        (false, false) => Err(NO_METER.into()),
    }
}

/// The channels of a three-phase meter: the sum of its phases, unless the user names one.
fn phases<P>(
    wanted: Option<&str>,
    phases: &[P],
    channel: impl Fn(&[P]) -> Channel,
) -> Vec<Channel> {
    phases.chunks(if wanted.is_none() { phases.len() } else { 1 }).map(channel).collect()
}
