//! Plugs with the Tasmota firmware, asked over HTTP: watts, and a counter of kilowatt-hours.

use super::super::{EnergyError, EnergySource};
use super::http::{Http, Login};
use super::plug::{About, Answer, public_name, sources};
use crate::units::KILOWATT_HOUR;
use serde_json::Value;

/// Watts come as whole ones and the counter as thousandths of a kilowatt-hour, 3600 J, unless the owner set `WattRes`
/// and `EnergyRes` higher: `EnergyRes 5` gives 36 J. The firmware adds to the counter every second.
const ENERGY: Answer = Answer {
    path: "/cm?cmnd=Status%208",
    watts: |answer| energy(answer)?.get("Power")?.as_f64(),
    joules: |answer| Some(energy(answer)?.get("Total")?.as_f64()? * KILOWATT_HOUR.0),
};

/// The power and the counter of a plug, watts first. The address may hold a name and a password.
///
/// # Errors
/// If nothing there answers as a Tasmota plug with one meter does; one line, without the address.
pub fn find(base_url: &str) -> Result<Vec<Box<dyn EnergySource>>, EnergyError> {
    let http = Http::new(base_url, Login::Query, "Tasmota plug")?;
    let answer = http.get(ENERGY.path).map_err(|refusal| http.explain(refusal))?;
    if energy(&answer).is_none() {
        return Err(EnergyError(
            "what answers there is no Tasmota plug with a power meter; check the address and the plug's module".into(),
        ));
    }
    // What it is called is good to know, but no reason to do without its readings.
    let (module, firmware) =
        (http.get("/cm?cmnd=Module").ok(), http.get("/cm?cmnd=Status%202").ok());
    let module =
        module.as_ref().and_then(|answer| answer.get("Module")?.as_object()?.values().next());
    let firmware = firmware.as_ref().and_then(|answer| answer.get("StatusFWR")?.get("Version"));
    let about = About {
        kind: "tasmota",
        model: public_name(module.and_then(Value::as_str), &[]).unwrap_or_else(|| "Tasmota".into()),
        firmware: public_name(firmware.and_then(Value::as_str), &[])
            .map(|version| format!("Tasmota {version}")),
        share: 0.05,
        reference: "the meter is as good as its owner's calibration, which nobody can see",
    };
    sources(http, about, ENERGY)
}

fn energy(answer: &Value) -> Option<&Value> {
    answer.get("StatusSNS")?.get("ENERGY")
}
