//! Shelly plugs and meters of every generation, through HTTP: power, and a counter in watt-hours or watt-minutes.

use super::super::{EnergyError, EnergySource, MeterKind};
use super::http::{Http, Login, Refusal};
use super::plug::{
    About, CLAMP_CEILING, Channel, Figure, PLUG_CEILING, address, choose, public_name, sources,
};
use crate::units::{Joules, WATT_HOUR, WATT_MINUTE, Watts};
use serde_json::Value;

/// A component with a meter, in devices of generation 2 and later.
struct Component {
    name: &'static str,
    watts: &'static str,
    /// The component with the counter, and its field in watt-hours.
    counter: (&'static str, &'static str),
    ceiling: Watts,
}

/// Components with one meter. The counter's resolution is 0.001 Wh (3.6 J) or 0.01 Wh. Its update period is not documented; the plug's
/// own history beside it is in whole minutes.
const COMPONENTS: [Component; 3] = [
    Component {
        name: "Switch",
        watts: "apower",
        counter: ("Switch", "aenergy/total"),
        ceiling: PLUG_CEILING,
    },
    // A meter without a switch.
    Component {
        name: "PM1",
        watts: "apower",
        counter: ("PM1", "aenergy/total"),
        ceiling: PLUG_CEILING,
    },
    // A current clamp.
    Component {
        name: "EM1",
        watts: "act_power",
        counter: ("EM1Data", "total_act_energy"),
        ceiling: CLAMP_CEILING,
    },
];

/// Maximum number of components of a kind; their ids start at 0.
const COMPONENTS_OF_A_KIND: u32 = 4;

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
    let about = http.get("/shelly").map_err(|refusal| http.explain(refusal))?;
    let text = |field: &str| about.get(field).and_then(Value::as_str);
    let (model, firmware, channels) = if about.get("gen").is_some() {
        (text("model"), text("ver"), gen2_plus(&http, wanted)?)
    } else if let Some(model) = text("type") {
        (Some(model), text("fw"), gen1(&http, model, wanted)?)
    } else {
        return Err(EnergyError(
            "what answers there is no Shelly plug; check the address, or name another kind of plug"
                .into(),
        ));
    };
    let private = [text("mac").unwrap_or_default(), text("id").unwrap_or_default()];
    let mut about = About {
        kind: MeterKind::Shelly,
        model: public_name(model, &private).unwrap_or_else(|| "Shelly".into()),
        firmware: public_name(firmware, &private).map(|version| format!("firmware {version}")),
        share: 0.03,
        reference: "the maker publishes no figure that we know of; owners report errors of some per cent",
    };
    let channel = choose(channels, wanted, &mut about)?;
    sources(http, about, channel)
}

/// The channels of a device of generation 2 or later.
fn gen2_plus(http: &Http, wanted: Option<&str>) -> Result<Vec<Channel>, EnergyError> {
    for component in &COMPONENTS {
        let mut channels = Vec::new();
        for id in 0..COMPONENTS_OF_A_KIND {
            let path = |name: &str| format!("/rpc/{name}.GetStatus?id={id}");
            let Some(answer) = component_status(http, &path(component.name))? else {
                // If the first is missing, there is none of this kind.
                if id == 0 { break } else { continue }
            };
            let of_this_number =
                id == 0 || answer.get("id").and_then(Value::as_u64) == Some(id.into());
            let (counter, field) = component.counter;
            if of_this_number && answer.get(component.watts).is_some() {
                let watts = Figure::new(&path(component.name), "", component.watts, 1.0);
                channels.push(Channel {
                    name: id.to_string(),
                    now: watts.watts(&answer),
                    watts,
                    joules: Some(Figure::new(&path(counter), "", field, WATT_HOUR.0)),
                    ceiling: component.ceiling,
                });
            }
        }
        if !channels.is_empty() {
            return Ok(channels);
        }
    }
    let path = "/rpc/EM.GetStatus?id=0";
    match component_status(http, path)? {
        Some(answer) if answer.get("a_act_power").is_some() => {
            let phase = |phases: &[&str]| {
                let fields =
                    |of: &str| phases.iter().map(|phase| format!("{phase}_{of}")).collect();
                let watts =
                    Figure { fields: fields("act_power"), ..Figure::new(path, "", "", 1.0) };
                let counter = Figure::new("/rpc/EMData.GetStatus?id=0", "", "", WATT_HOUR.0);
                Channel {
                    name: phases.concat(),
                    now: watts.watts(&answer),
                    watts,
                    joules: Some(Figure { fields: fields("total_act_energy"), ..counter }),
                    ceiling: Watts(CLAMP_CEILING.0 * phases.len() as f64),
                }
            };
            Ok(phases(wanted, phase(&PHASES), PHASES.map(|name| phase(&[name])).into()))
        }
        _ => Err(no_meter()),
    }
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
    let answer = http.get(PATH).map_err(|refusal| http.explain(refusal))?;
    let meters = |list: &str| answer.get(list).and_then(Value::as_array).map_or(0, Vec::len);
    let channel = |list: &str, numbers: &[usize], unit: Joules, ceiling: Watts| {
        let objects: Vec<String> =
            numbers.iter().map(|number| format!("/{list}/{number}")).collect();
        let figure = |field: &str, unit: f64| Figure {
            objects: objects.clone(),
            ..Figure::new(PATH, "", field, unit)
        };
        let watts = figure("power", 1.0);
        Channel {
            name: numbers.iter().map(usize::to_string).collect(),
            now: watts.watts(&answer),
            watts,
            joules: Some(figure("total", unit.0)),
            ceiling,
        }
    };
    let clamps: Vec<usize> = (0..meters("emeters")).collect();
    if !clamps.is_empty() {
        let channel = |numbers: &[usize]| {
            let ceiling = Watts(CLAMP_CEILING.0 * numbers.len() as f64);
            channel("emeters", numbers, WATT_HOUR, ceiling)
        };
        let channels = clamps.iter().map(|&number| channel(&[number])).collect();
        return Ok(match model {
            "SHEM-3" => phases(wanted, channel(&clamps), channels),
            _ => channels,
        });
    }
    let plugs = 0..meters("meters");
    let channels: Vec<Channel> =
        plugs.map(|number| channel("meters", &[number], WATT_MINUTE, PLUG_CEILING)).collect();
    match &answer["meters"] {
        Value::Array(meters) if meters.iter().any(|meter| meter.get("total").is_some()) => {
            Ok(channels)
        }
        // A Shelly 1 shows the watts that its owner entered for the lamp behind it.
        Value::Array(meters) if meters.iter().any(|meter| meter.get("power").is_some()) => {
            Err(EnergyError(
                "this Shelly has no meter: the watts that it shows were typed in by its owner; use one with a \
                 power meter, or --power declared:WATTS"
                    .into(),
            ))
        }
        _ => Err(no_meter()),
    }
}

/// The channels of a three-phase meter: the sum of its phases, unless the user names one.
fn phases(wanted: Option<&str>, sum: Channel, channels: Vec<Channel>) -> Vec<Channel> {
    if wanted.is_none() { vec![sum] } else { channels }
}

fn no_meter() -> EnergyError {
    EnergyError(
        "this Shelly measures no power: none of its switches has a meter; use one with a power meter, or name a command"
            .into(),
    )
}
