//! Plugs and meters with several channels, phases or half a meter, as their firmware answers: the right channel is read or
//! asked for, and what cannot be read has its exact reason.

use crate::energy::fake::plug::{Found, Plug, Reply, json, line, missing};
use rigbench::energy::source::{shelly, tasmota};
use rigbench::energy::{EnergySource, Quantity};
use rigbench::units::Watts;

/// What `/shelly` answers of a device of the first generation, and of a later one.
fn first(model: &str) -> String {
    format!(r#"{{"type":"{model}","mac":"AABBCCDDEEFF","auth":false,"fw":"20230913-1/v1.14.0"}}"#)
}

fn later(model: &str) -> String {
    format!(
        r#"{{"name":null,"id":"shelly-aabbccddeeff","mac":"AABBCCDDEEFF","model":"{model}","gen":2,"ver":"1.4.4"}}"#
    )
}

/// A Shelly that answers these paths and no others.
fn device(about: String, answers: &[(&str, &str)]) -> Plug {
    let answers: Vec<(String, String)> =
        answers.iter().map(|(path, answer)| (path.to_string(), answer.to_string())).collect();
    Plug::new(move |path| match answers.iter().find(|(known, _)| known == path) {
        Some((_, answer)) => json(answer),
        None if path == "/shelly" => json(&about),
        None => missing(),
    })
}

fn tasmota_plug(energy: &str) -> Plug {
    sensors(format!(r#"{{"StatusSNS":{{"Time":"x","ENERGY":{energy}}}}}"#))
}

/// A Tasmota with these sensors.
fn sensors(answer: String) -> Plug {
    Plug::new(move |path| match path.starts_with("/cm?cmnd=Status%208") {
        true => json(&answer),
        false => missing(),
    })
}

/// The model, and what each source reads: W for watts, J for joules.
fn read(found: Found) -> (String, Vec<(char, f64)>) {
    let mut sources = found.unwrap();
    let model = sources[0].describe().model;
    let read = |source: &mut Box<dyn EnergySource>| {
        let info = source.describe();
        assert_eq!(info.model, model);
        let unit = if matches!(info.quantity, Quantity::Power { .. }) { 'W' } else { 'J' };
        (unit, source.read().unwrap()[0])
    };
    let read = sources.iter_mut().map(read).collect();
    (model, read)
}

const PRO_4PM: &[(&str, &str)] = &[
    ("/rpc/Switch.GetStatus?id=0", r#"{"id":0,"apower":0.0,"aenergy":{"total":12.3}}"#),
    ("/rpc/Switch.GetStatus?id=1", r#"{"id":1,"apower":0.4,"aenergy":{"total":0.0}}"#),
    ("/rpc/Switch.GetStatus?id=2", r#"{"id":2,"apower":300.5,"aenergy":{"total":1000.0}}"#),
    ("/rpc/Switch.GetStatus?id=3", r#"{"id":3,"apower":-0.3,"aenergy":{"total":0.0}}"#),
];

#[test]
fn the_only_channel_that_shows_power_is_the_machines() {
    let plug = device(later("SPSW-104PE16EU"), PRO_4PM);
    let (model, figures) = read(shelly::find(&plug.url("")));
    assert_eq!(model, "SPSW-104PE16EU channel 2");
    assert_eq!(figures, [('W', 300.5), ('J', 3_600_000.0)]);

    // A Shelly 2.5 answers for both channels at once.
    let plug = device(
        first("SHSW-25"),
        &[(
            "/status",
            r#"{"meters":[{"power":0.0,"is_valid":true,"total":5},{"power":300.5,"is_valid":true,"total":60000}]}"#,
        )],
    );
    let (model, figures) = read(shelly::find(&plug.url("")));
    assert_eq!(model, "SHSW-25 channel 1");
    assert_eq!(figures, [('W', 300.5), ('J', 3_600_000.0)]);

    let plug = tasmota_plug(r#"{"Total":[3.262,1.5],"Power":[0,300]}"#);
    let (model, figures) = read(tasmota::find(&plug.url("")));
    assert_eq!(model, "Tasmota channel 1");
    assert_eq!(figures, [('W', 300.0), ('J', 5_400_000.0)]);
}

#[test]
fn where_several_channels_show_power_or_none_does_the_user_names_one() {
    const TWO: &[(&str, &str)] = &[
        ("/rpc/Switch.GetStatus?id=0", r#"{"id":0,"apower":25.0,"aenergy":{"total":1}}"#),
        ("/rpc/Switch.GetStatus?id=1", r#"{"id":1,"apower":300.5,"aenergy":{"total":2}}"#),
    ];
    const NONE: &[(&str, &str)] = &[
        ("/rpc/Switch.GetStatus?id=0", r#"{"id":0,"apower":0.0,"aenergy":{"total":1}}"#),
        ("/rpc/Switch.GetStatus?id=1", r#"{"id":1,"apower":0.0,"aenergy":{"total":2}}"#),
    ];
    for (answers, shown) in [(TWO, "0: 25 W, 1: 300 W"), (NONE, "0: 0 W, 1: 0 W")] {
        let plug = device(later("SNSW-102P16EU"), answers);
        let line = line(shelly::find(&plug.url("")));
        assert!(line.contains(shown) && line.contains("shelly:http://HOST?channel=1"), "{line}");
        assert!(!plug.is_told_by(&line), "{line}");
    }
    let plug = device(later("SNSW-102P16EU"), TWO);
    for (channel, watts) in [("0", 25.0), ("1", 300.5)] {
        let (model, figures) = read(shelly::find(&format!("{}?channel={channel}", plug.url(""))));
        assert_eq!(model, format!("SNSW-102P16EU channel {channel}"));
        assert_eq!(figures[0], ('W', watts));
    }
    let unknown = line(shelly::find(&format!("{}/?channel=7", plug.url(""))));
    assert!(unknown.contains("no meter at channel 7; it has one at 0, 1"), "{unknown}");

    // Its one counter is both channels'.
    let plug = tasmota_plug(r#"{"Total":3.262,"Power":[23.6,300]}"#);
    let ambiguous = line(tasmota::find(&plug.url("")));
    assert!(ambiguous.contains("tasmota:http://HOST?channel=1"), "{ambiguous}");
    let (_, figures) = read(tasmota::find(&format!("{}?channel=0", plug.url(""))));
    assert_eq!(figures, [('W', 23.6)]);
}

#[test]
fn behind_an_address_only_a_channel_is_taken() {
    for query in ["?", "?channel=", "?chanel=2", "?channel=2&x=3", "?channel=../x", "?x=secret"] {
        for find in [shelly::find as fn(&str) -> Found, tasmota::find] {
            let line = line(find(&format!("http://127.0.0.1:9{query}")));
            assert!(line.contains("http://HOST?channel=2"), "{query}: {line}");
            assert!(!line.contains("127.0.0.1") && !line.contains("secret"), "{line}");
        }
    }
}

#[test]
fn a_three_phase_meter_is_the_sum_of_its_phases_unless_one_is_named() {
    const PRO_3EM: &[(&str, &str)] = &[
        (
            "/rpc/EM.GetStatus?id=0",
            r#"{"id":0,"a_act_power":300.5,"b_act_power":20.0,"c_act_power":0.0,"total_act_power":320.5,"a_errors":[]}"#,
        ),
        (
            "/rpc/EMData.GetStatus?id=0",
            r#"{"id":0,"a_total_act_energy":1000.0,"b_total_act_energy":10.0,"c_total_act_energy":0.0,"total_act":1010.0}"#,
        ),
    ];
    let plug = device(later("SPEM-003CEBEU"), PRO_3EM);
    let (model, figures) = read(shelly::find(&plug.url("")));
    assert_eq!(model, "SPEM-003CEBEU");
    assert_eq!(figures, [('W', 320.5), ('J', 3_636_000.0)]);
    let (model, figures) = read(shelly::find(&format!("{}?channel=a", plug.url(""))));
    assert_eq!(model, "SPEM-003CEBEU channel a");
    assert_eq!(figures, [('W', 300.5), ('J', 3_600_000.0)]);
    // Clamps measure more than plugs can carry.
    assert!(shelly::find(&plug.url("")).unwrap()[0].describe().ceiling > Watts(65_000.0));

    // The same without the component that counts.
    let plug = device(later("SPEM-003CEBEU"), &PRO_3EM[..1]);
    assert_eq!(read(shelly::find(&plug.url(""))).1, [('W', 320.5)]);

    let phases = r#"{"emeters":[{"power":300.5,"is_valid":true,"total":1000.0},{"power":20,"is_valid":true,"total":10.0},{"power":0,"is_valid":true,"total":0.0}]}"#;
    let plug = device(first("SHEM-3"), &[("/status", phases)]);
    let (model, figures) = read(shelly::find(&plug.url("")));
    assert_eq!((model.as_str(), figures), ("SHEM-3", vec![('W', 320.5), ('J', 3_636_000.0)]));
}

#[test]
fn current_clamps_are_read_and_count_watt_hours() {
    let plug = device(
        later("S3EM-002CXCEU"),
        &[
            // Its switch has no meter.
            ("/rpc/Switch.GetStatus?id=0", r#"{"id":0,"output":false}"#),
            ("/rpc/EM1.GetStatus?id=0", r#"{"id":0,"act_power":0.0}"#),
            ("/rpc/EM1.GetStatus?id=1", r#"{"id":1,"act_power":300.5}"#),
            ("/rpc/EM1Data.GetStatus?id=1", r#"{"id":1,"total_act_energy":1000.0}"#),
        ],
    );
    let (model, figures) = read(shelly::find(&plug.url("")));
    assert_eq!(model, "S3EM-002CXCEU channel 1");
    assert_eq!(figures, [('W', 300.5), ('J', 3_600_000.0)]);

    let clamps = r#"{"relays":[{"ison":true}],"emeters":[{"power":300.5,"is_valid":true,"total":1000.0},{"power":0,"is_valid":true,"total":0}]}"#;
    let plug = device(first("SHEM"), &[("/status", clamps)]);
    let (model, figures) = read(shelly::find(&plug.url("")));
    assert_eq!(model, "SHEM channel 0");
    assert_eq!(figures, [('W', 300.5), ('J', 3_600_000.0)]);
}

#[test]
fn half_a_meter_is_one_source() {
    for total in ["null", r#""1.0 kWh""#, "-1", "65535"] {
        let answer = format!(r#"{{"id":0,"apower":312.4,"aenergy":{{"total":{total}}}}}"#);
        let answers = [("/rpc/Switch.GetStatus?id=0", answer.as_str())];
        let plug = device(later("SNPL-00112EU"), &answers);
        assert_eq!(read(shelly::find(&plug.url(""))).1, [('W', 312.4)], "{total}");
    }
    let plug = tasmota_plug(r#"{"Power":300}"#);
    assert_eq!(read(tasmota::find(&plug.url(""))).1, [('W', 300.0)]);
    let plug = tasmota_plug(r#"{"Total":1.0}"#);
    assert_eq!(read(tasmota::find(&plug.url(""))).1, [('J', 3_600_000.0)]);
}

#[test]
fn numbers_may_be_texts_and_another_sensor_may_be_broken() {
    let plug = tasmota_plug(r#"{"Total":"1.000","Power":"300"}"#);
    assert_eq!(read(tasmota::find(&plug.url(""))).1, [('W', 300.0), ('J', 3_600_000.0)]);
    let broken = r#"{"StatusSNS":{"ENERGY":{"Total":1.0,"Power":300},"DHT11":{"Temperature":nan,"Humidity":-nan}}}"#;
    let plug = sensors(broken.into());
    assert_eq!(read(tasmota::find(&plug.url(""))).1, [('W', 300.0), ('J', 3_600_000.0)]);
    // Where the meter itself is broken there is no reading.
    let plug = tasmota_plug(r#"{"Total":1.0,"Power":nan}"#);
    assert!(line(tasmota::find(&plug.url(""))).contains("holds no power reading"));
}

/// The line that a Shelly's only switch ends in.
fn refused(status: &str) -> String {
    let answers = [("/rpc/Switch.GetStatus?id=0", status)];
    line(shelly::find(&device(later("SNPL-00112EU"), &answers).url("")))
}

#[test]
fn what_cannot_be_read_has_its_exact_reason() {
    let reversed = refused(r#"{"id":0,"apower":-300.5,"aenergy":{"total":1000.0}}"#);
    assert!(reversed.contains("shows negative power (-300.5 W)"), "{reversed}");
    assert!(reversed.contains("reversed"), "{reversed}");
    let faulty = refused(
        r#"{"id":0,"apower":null,"aenergy":{"total":12.0},"errors":["power_meter:0","\u001b[2J"]}"#,
    );
    assert!(faulty.contains("reports the error power_meter:0:"), "{faulty}");
    for ones in ["65535", "6553.5", "4294967295", "65.535"] {
        let status = format!(r#"{{"id":0,"apower":{ones}}}"#);
        assert!(refused(&status).contains("register without content"), "{ones}");
    }
    assert!(refused(r#"{"id":0,"apower":4001.0}"#).contains("4001"), "no plug carries that");

    let clamp: &[(&str, &str)] = &[
        ("/rpc/EM1.GetStatus?id=0", r#"{"id":0,"act_power":-300.5}"#),
        ("/rpc/EM1.GetStatus?id=1", r#"{"id":1,"act_power":0.0}"#),
    ];
    let line_of_clamp = line(shelly::find(&device(later("S3EM-002CXCEU"), clamp).url("")));
    assert!(line_of_clamp.contains("reversed"), "{line_of_clamp}");

    for (meter, says) in [
        (r#"{"meters":[{"power":40.0,"is_valid":true}]}"#, "typed in by its owner"),
        (r#"{"meters":[{"power":5,"total":5,"is_valid":false}]}"#, "not valid"),
    ] {
        let answers = [("/status", meter)];
        let line = line(shelly::find(&device(first("SHSW-1"), &answers).url("")));
        assert!(line.contains(says), "{line}");
    }

    let head =
        sensors(r#"{"StatusSNS":{"Time":"x","SML":{"Total_in":2173.5,"Power_curr":300}}}"#.into());
    let line = line(tasmota::find(&head.url("")));
    assert!(line.contains("no ENERGY sensor") && line.contains("reading head"), "{line}");
}

#[test]
fn a_meter_that_turns_negative_or_goes_blank_fails_that_reading() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let step = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&step);
    let plug = Plug::new(move |path| match path {
        "/shelly" => json(&later("SNPL-00112EU")),
        "/rpc/Switch.GetStatus?id=0" => {
            let power = ["300.5", "-300.5", "65535", "0.0"][theirs.load(Ordering::Relaxed)];
            json(&format!(r#"{{"id":0,"apower":{power},"aenergy":{{"total":1}}}}"#))
        }
        _ => missing(),
    });
    let mut power = shelly::find(&plug.url("")).unwrap().remove(0);
    let mut read = |at| {
        step.store(at, Ordering::Relaxed);
        power.read().map_err(|error| error.to_string())
    };
    assert!(read(1).unwrap_err().contains("negative power"));
    assert!(read(2).unwrap_err().contains("register without content"));
    assert_eq!(read(3), Ok(vec![0.0]));
    assert_eq!(read(0), Ok(vec![300.5]));
}

#[test]
fn a_neighbour_that_answers_for_every_number_is_one_channel() {
    // Without the number of the component in its answer, nothing shows that it is another one.
    let plug = Plug::new(|path| match path {
        "/shelly" => json(&later("SNPL-00112EU")),
        _ => Reply::Status(200, "", r#"{"apower":300.5,"aenergy":{"total":1000.0}}"#.into()),
    });
    let (model, figures) = read(shelly::find(&plug.url("")));
    assert_eq!((model.as_str(), figures.len()), ("SNPL-00112EU", 2));
}
