//! Regression tests for counters read in the wrong unit, as with a field named mJ that held joules.

use crate::energy::fake::plug::Plug;
use rigbench::energy::EnergySource;
use rigbench::energy::source::{shelly, tasmota};

/// A kettle of 2 kW that boils for three minutes, in joules: watts by seconds, without any other unit in between.
const KETTLE: f64 = 2000.0 * 180.0;

fn joules(
    find: fn(&str) -> crate::energy::fake::plug::Found,
    about: &'static str,
    answer: String,
) -> f64 {
    let plug = Plug::new(move |path| match path {
        "/shelly" => crate::energy::fake::plug::json(about),
        "/status" | "/rpc/Switch.GetStatus?id=0" | "/cm?cmnd=Status%208" => {
            crate::energy::fake::plug::json(&answer)
        }
        _ => crate::energy::fake::plug::missing(),
    });
    let mut sources: Vec<Box<dyn EnergySource>> = find(&plug.url("")).unwrap();
    sources[1].read().unwrap()[0]
}

#[test]
fn first_generation_shelly_counts_watt_minutes_not_watt_hours() {
    // 2000 W for 3 min are 6000 W·min.
    let answer = r#"{"meters":[{"power":2000,"total":6000}]}"#;
    assert_eq!(joules(shelly::find, crate::energy::fake::plug::GEN1, answer.into()), KETTLE);
}

#[test]
fn later_shelly_counts_watt_hours_not_watt_minutes_or_milliwatt_hours() {
    // The history beside the counter has milliwatt-hours; 2000 W for a twentieth of an hour are 100 Wh.
    let answer =
        r#"{"apower":2000,"aenergy":{"total":100.0,"by_minute":[33333.3,33333.3,33333.4]}}"#;
    assert_eq!(joules(shelly::find, crate::energy::fake::plug::GEN2, answer.into()), KETTLE);
}

#[test]
fn tasmota_counts_kilowatt_hours_not_watt_hours() {
    // Beside it stand what was counted today and yesterday.
    let answer =
        r#"{"StatusSNS":{"ENERGY":{"Total":0.1,"Today":0.05,"Yesterday":0.02,"Power":2000}}}"#;
    assert!((joules(tasmota::find, "", answer.into()) - KETTLE).abs() < 1e-6);
}

#[test]
fn power_is_watts_and_not_volt_amperes() {
    let answer = r#"{"StatusSNS":{"ENERGY":{"Total":0.1,"ApparentPower":250,"ReactivePower":150,"Power":200}}}"#;
    let plug = Plug::new(move |_| crate::energy::fake::plug::json(answer));
    assert_eq!(tasmota::find(&plug.url("")).unwrap()[0].read().unwrap(), [200.0]);
}
