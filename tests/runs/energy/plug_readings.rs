//! A plug that answers rightly gives watts and joules, and says what it is but not where.

use crate::energy::fake::plug::{Plug, Reply};
use rigbench::energy::source::{shelly, tasmota};
use rigbench::energy::{Basis, EnergySource, MeterKind, Quantity, Scope};
use rigbench::units::{Seconds, Watts};

fn readings(mut sources: Vec<Box<dyn EnergySource>>) -> Vec<Vec<f64>> {
    sources.iter_mut().map(|source| source.read().unwrap()).collect()
}

#[test]
fn every_plug_gives_watts_and_joules() {
    // Joules worked out apart: 98 765 W·min, 1234.567 Wh, 12.345 kWh.
    let plug = Plug::new(crate::energy::fake::plug::gen1);
    assert_eq!(readings(shelly::find(&plug.url("")).unwrap()), [[241.75], [5_925_900.0]]);
    for answer in
        [crate::energy::fake::plug::gen2 as fn(&str) -> Reply, crate::energy::fake::plug::pm1]
    {
        let plug = Plug::new(answer);
        let read = readings(shelly::find(&plug.url("")).unwrap());
        assert_eq!(read[0], [312.4]);
        assert!((read[1][0] - 4_444_441.2).abs() < 1e-6, "{read:?}");
    }
    let plug = Plug::new(crate::energy::fake::plug::tasmota);
    let read = readings(tasmota::find(&plug.url("")).unwrap());
    assert_eq!(read[0], [187.0]);
    assert!((read[1][0] - 44_442_000.0).abs() < 1e-6, "{read:?}");
}

#[test]
fn they_say_what_they_are_and_not_where() {
    for (answer, find, kind, model, firmware) in [
        (
            crate::energy::fake::plug::gen1 as fn(&str) -> Reply,
            shelly::find as fn(&str) -> crate::energy::fake::plug::Found,
            MeterKind::Shelly,
            "SHPLG-S",
            "firmware 20230913-113421/v1.14.0-gcb84623",
        ),
        (
            crate::energy::fake::plug::gen2,
            shelly::find,
            MeterKind::Shelly,
            "SNPL-00112EU",
            "firmware 1.0.8",
        ),
        (
            crate::energy::fake::plug::pm1,
            shelly::find,
            MeterKind::Shelly,
            "SNPM-001PCEU16",
            "firmware 1.0.8",
        ),
        (
            crate::energy::fake::plug::tasmota,
            tasmota::find,
            MeterKind::Tasmota,
            "Sonoff Pow R2",
            "Tasmota 13.1.0(tasmota)",
        ),
    ] {
        let plug = Plug::new(answer);
        let sources = find(&format!("{}/", plug.url(""))).unwrap();
        let [power, counter] = [&sources[0], &sources[1]].map(|source| source.describe());
        assert_eq!(sources.len(), 2);
        for info in [&power, &counter] {
            assert_eq!((info.kind, info.model.as_str()), (kind, model));
            assert_eq!(info.driver.as_deref(), Some(firmware));
            assert_eq!((info.scope, info.ceiling), (Scope::Wall, Watts(4000.0)));
            assert_eq!(info.accuracy.basis, Basis::Assumed);
            let all = format!("{info:?}").to_lowercase();
            assert!(!plug.is_told_by(&all), "{all}");
            for private in ["a8032a", "be54dc", "c049ef", "8b3a34", "desk", "plusplugs"] {
                assert!(!all.contains(private), "{all}");
            }
        }
        assert_eq!(power.quantity, Quantity::Power { averaging: Seconds(1.0) });
        assert_eq!(power.update_period, Some(Seconds(1.0)));
        assert_eq!(counter.quantity, Quantity::Counter { ranges: vec![None], duty: 1.0 });
        assert_eq!(counter.update_period, None);
    }
}

#[test]
fn a_model_that_holds_the_hardware_address_is_not_told() {
    for model in [
        "shellyplusplugs-c049ef8b3a34",
        "plug 8B3A34",
        "C0-49-EF-8B-3A-34",
        "0123456789ab",
        "a\\u001b[31m",
        "",
        "x y z x y z x y z x y z x y z x y z x y z x y z x y z",
    ] {
        let about = crate::energy::fake::plug::GEN2.replace("SNPL-00112EU", model);
        let plug = Plug::new(move |path| match path {
            "/shelly" => crate::energy::fake::plug::json(&about),
            _ => crate::energy::fake::plug::gen2(path),
        });
        assert_eq!(shelly::find(&plug.url("")).unwrap()[0].describe().model, "Shelly", "{model}");
    }
}

#[test]
fn a_tasmota_that_does_not_tell_its_module_is_read_all_the_same() {
    let plug = Plug::new(|path| match path {
        "/cm?cmnd=Status%208" => crate::energy::fake::plug::tasmota(path),
        _ => Reply::Raw(b"\0\0".to_vec()),
    });
    let mut sources = tasmota::find(&plug.url("")).unwrap();
    let info = sources[0].describe();
    assert_eq!((info.model.as_str(), info.driver), ("Tasmota", None));
    assert_eq!(sources[0].read().unwrap(), [187.0]);
}

#[test]
fn what_changes_is_read_anew() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let watts = AtomicU32::new(100);
    let plug = Plug::new(move |path| match path {
        "/shelly" => crate::energy::fake::plug::gen2(path),
        _ => {
            let watts = watts.fetch_add(1, Ordering::Relaxed);
            crate::energy::fake::plug::json(&format!(
                r#"{{"apower":{watts},"aenergy":{{"total":1.0}}}}"#
            ))
        }
    });
    let mut sources = shelly::find(&plug.url("")).unwrap();
    let read: Vec<f64> = (0..3).map(|_| sources[0].read().unwrap()[0]).collect();
    assert!(read[0] < read[1] && read[1] < read[2], "{read:?}");
}
