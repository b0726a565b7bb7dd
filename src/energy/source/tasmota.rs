//! Plugs with Tasmota firmware, through HTTP: power, and a counter in kilowatt-hours.

use super::http::{Http, Login};
use super::plug::{Channel, Figure, PLUG_CEILING, PlugInfo, address, public_name, sources};
use crate::energy::{EnergyError, EnergySource, MeterKind};
use crate::units::KILOWATT_HOUR;
use serde_json::Value;

/// Requests all sensors. Power is in whole watts and the counter in 0.001 kWh (3600 J), unless the owner set `WattRes` and `EnergyRes`
/// higher: `EnergyRes 5` gives 36 J. The firmware updates the counter every second.
const SENSORS: &str = "/cm?cmnd=Status%208";

/// JSON pointer to the meter's values in that answer.
const METER: &str = "/StatusSNS/ENERGY";

/// The power and the counter of a plug, power first. The address may contain a name and a password. `?channel=1` behind it selects a meter
/// of a plug with several; the first is 0.
///
/// # Errors
/// If there is no Tasmota plug with a meter; one line, without the address.
pub fn find(url: &str) -> Result<Vec<Box<dyn EnergySource>>, EnergyError> {
    let (base_url, wanted) = address(url, MeterKind::Tasmota)?;
    let http = Http::new(base_url, Login::Query, "Tasmota plug")?;
    let channels = channels(&http.ask(SENSORS)?)?;
    // The model name is optional.
    let (module, firmware) =
        (http.get("/cm?cmnd=Module").ok(), http.get("/cm?cmnd=Status%202").ok());
    let module =
        module.as_ref().and_then(|answer| answer.get("Module")?.as_object()?.values().next());
    let firmware = firmware.as_ref().and_then(|answer| answer.get("StatusFWR")?.get("Version"));
    let about = PlugInfo {
        kind: MeterKind::Tasmota,
        model: public_name(module.and_then(Value::as_str), &[]).unwrap_or_else(|| "Tasmota".into()),
        firmware: public_name(firmware.and_then(Value::as_str), &[])
            .map(|version| format!("Tasmota {version}")),
        share: 0.05,
        reference: "the meter is as good as its owner's calibration, which nobody can see",
    };
    sources(http, about, channels, wanted)
}

/// The meters of a plug. A plug with several has a list of watts; its counter is a list, too, or else the sum of all, which belongs to no
/// channel.
fn channels(answer: &Value) -> Result<Vec<Channel>, EnergyError> {
    let Some(meter) = answer.pointer(METER) else {
        let why = match answer.get("StatusSNS") {
            Some(_) => {
                "this Tasmota has no ENERGY sensor, which rigbench reads (a reading head of a house's meter shows its \
                 figures under names of its owner's): use a plug with a meter, or name a command that prints its watts"
            }
            None => {
                "what answers there is no Tasmota plug with a power meter; check the address and the plug's module"
            }
        };
        return Err(why.into());
    };
    let length = |field: &str| meter.get(field).and_then(Value::as_array).map(Vec::len);
    let channel = |name: usize, watts: String, joules: Option<String>| {
        let figure = |unit, field| Figure::new(SENSORS, unit, [(METER, field)]);
        let joules = joules.map(|field| figure(Some(KILOWATT_HOUR), field));
        let (name, watts) = (name.to_string(), figure(None, watts));
        Channel { name, now: watts.value(answer), watts, joules, ceiling: PLUG_CEILING }
    };
    let Some(count) = length("Power") else {
        return Ok(vec![channel(0, "Power".into(), Some("Total".into()))]);
    };
    let counter = |number: usize| match length("Total") {
        Some(_) => Some(format!("Total/{number}")),
        None if count == 1 => Some("Total".into()),
        None => None,
    };
    match count {
        0 => Ok(vec![channel(0, "Power".into(), None)]),
        _ => Ok((0..count).map(|n| channel(n, format!("Power/{n}"), counter(n))).collect()),
    }
}
