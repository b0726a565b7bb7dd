//! Every field of a file changed in every way that a forger would think of, and signed again: all that follows is filled
//! in by our own code, digests included. What is not refused must stand on the list of what nobody can see.

use crate::honest::{RUN, findings_of, measured, sign};
use cpu_time::ThreadTime;
use rigbench::results::{self, read, wire};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use wire::Document;

/// What nobody can see of a file alone, by the beginnings of paths: of the changes there the most, in percent, and why.
const UNSEEN: &[(&str, usize, &str)] = &[
    ("measurements.[].blocks.[].rest_seconds", 75, "the publisher's clock"),
    ("measurements.[].blocks.[].warm_up", 70, "the publisher's clock"),
    ("measurements.[].blocks.[].telemetry", 25, "what sensors showed"),
    ("measurements.[].windows.[].telemetry", 40, "what sensors showed"),
    ("measurements.[].windows.[].cpu_seconds", 60, "the publisher's clock"),
    ("measurements.[].windows.[].wall_seconds", 20, "the publisher's clock, at the end of a block"),
    ("measurements.[].windows.[].work", 40, "how often a product was computed, up to the roof"),
    ("measurements.[].energy.failed_reads", 60, "what the meter gave"),
    ("measurements.[].energy.readings", 40, "what the meter showed"),
    ("measurements.[].energy.sampler_core_share", 90, "the publisher's clock"),
    ("measurements.[].energy_other.[].failed_reads", 60, "what the meter gave"),
    ("measurements.[].energy_other.[].readings", 30, "what the meter showed"),
    ("measurements.[].energy_other.[].sampler_core_share", 90, "the publisher's clock"),
    ("measurements.[].kernel.arithmetic", 50, "which instruction of native code multiplied"),
    ("measurements.[].tuning", 45, "how the kernel was chosen"),
    ("measurements.[].verification", 70, "how much the publisher compared"),
    ("measurements.[].work_proof.shares", 15, "one share of a thousand more or less is chance"),
    ("measurements.[].reasons", 0, "what speaks against the publisher"),
    ("run.id", 90, "a random number"),
    ("run.reasons", 70, "what speaks against the publisher"),
    ("schema_version", 10, "a patch of the same version"),
];

/// What came of a mutation.
#[derive(Debug, PartialEq)]
enum Fate {
    /// With what validate says.
    Refused(Vec<String>),
    /// What follows was filled in again, and the file is what it was.
    Restored,
    /// A source's figure is gone: the row says that it has none.
    Withheld,
    Unseen,
}

/// Fills in what follows, signs, and asks.
fn forge(changed: &Value) -> Fate {
    let whole = serde_json::from_value::<Document>(changed.clone()).ok();
    let whole = whole.filter(|document| serde_json::to_value(document).unwrap() == *changed);
    let Some(mut document) = whole else {
        return match read::read(changed.to_string().as_bytes()) {
            Ok(_) => Fate::Unseen,
            Err(why) => Fate::Refused(vec![why.to_string()]),
        };
    };
    sign(&mut document);
    if document == RUN.document {
        return Fate::Restored;
    }
    let measured = |document: &Document| {
        let rows = document.measurements.iter();
        let all = rows.flat_map(|m| std::iter::once(&m.energy).chain(&m.energy_other));
        all.filter(|energy| !matches!(energy, wire::Energy::None(_))).count()
    };
    let withheld = measured(&document) < measured(&RUN.document);
    match findings_of(results::text(&document).as_bytes()).faults {
        faults if !faults.is_empty() => Fate::Refused(faults),
        _ if withheld => Fate::Withheld,
        _ => Fate::Unseen,
    }
}

/// Whether a reason names its place: `measurements[0].windows[1].work: …`, or a field that is missing at the top.
fn names_its_place(reason: &str) -> bool {
    const TOP: [&str; 5] = ["schema_version", "run", "manifest", "measurements", "proof"];
    let first = reason.split([' ', ':', '.', '[']).next().unwrap();
    TOP.contains(&first) || TOP.iter().any(|key| reason.contains(&format!("missing field `{key}`")))
}

/// Every path to something, of arrays the first and the last.
fn paths(value: &Value, at: Vec<String>, found: &mut Vec<Vec<String>>) {
    let mut step = |key: String, value: &Value| {
        let path = [&at[..], &[key]].concat();
        found.push(path.clone());
        paths(value, path, found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| step(key.clone(), value)),
        Value::Array(members) => {
            let n = members.len();
            let mut places = vec![0, n.saturating_sub(1)];
            places.dedup();
            places.iter().filter(|i| **i < n).for_each(|i| step(i.to_string(), &members[*i]));
        }
        _ => {}
    }
}

/// Everything that a leaf is changed to.
fn changes(value: &Value) -> Vec<Value> {
    match value {
        Value::Number(n) if n.is_u64() => {
            let n = n.as_u64().unwrap();
            [n.saturating_mul(10), n + 1, n.saturating_sub(1), n * 1000, 0]
                .into_iter()
                .filter(|m| *m != n)
                .map(|m| json!(m))
                .collect()
        }
        Value::Number(n) => {
            let x = n.as_f64().unwrap();
            [x * 10.0, x / 10.0, x * 1.02, x * 0.5, -x, 0.0, 1e300]
                .into_iter()
                .filter(|y| *y != x)
                .map(|y| json!(y))
                .collect()
        }
        Value::String(text) => {
            ["", "x", "gpu-board", "measured-counter", "publish", "sha256d", "hash", "valid"]
                .into_iter()
                .filter(|other| other != text)
                .map(|other| json!(other))
                .chain([json!(format!("{text}1"))])
                .collect()
        }
        Value::Bool(yes) => vec![json!(!yes)],
        Value::Null => vec![json!(1.5), json!("x"), json!(true)],
        Value::Array(members) if !members.is_empty() => {
            let twice: Vec<Value> = members.iter().chain(members.last()).cloned().collect();
            vec![json!(members[1..]), json!(members[..members.len() - 1]), json!(twice), json!([])]
        }
        _ => Vec::new(),
    }
}

fn place<'a>(value: &'a mut Value, path: &[String]) -> &'a mut Value {
    path.iter().fold(value, |value, key| match value {
        Value::Array(members) => &mut members[key.parse::<usize>().unwrap()],
        other => &mut other[key.as_str()],
    })
}

#[test]
fn every_forgery_is_refused_or_stands_on_the_list() {
    let honest = serde_json::to_value(&RUN.document).unwrap();
    let mut all = Vec::new();
    paths(&honest, Vec::new(), &mut all);
    let mut fates: BTreeMap<String, Vec<Fate>> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for path in &all {
        let name: Vec<&str> =
            path.iter().map(|p| if p.parse::<usize>().is_ok() { "[]" } else { p }).collect();
        let mut try_one = |changed: Value| {
            // Processor time, which a busy machine does not change.
            let began = ThreadTime::now();
            let fate = forge(&changed);
            slowest = slowest.max(began.elapsed());
            if let Fate::Refused(reasons) = &fate {
                assert!(reasons.iter().all(|why| names_its_place(why)), "{path:?}: {reasons:#?}");
            }
            fates.entry(name.join(".")).or_default().push(fate);
        };
        let (last, parent) = path.split_last().unwrap();
        let mut without = honest.clone();
        if let Value::Object(members) = place(&mut without, parent) {
            members.remove(last);
            try_one(without);
        }
        let mut original = honest.clone();
        for change in changes(place(&mut original, path)) {
            let mut changed = honest.clone();
            *place(&mut changed, path) = change;
            try_one(changed);
        }
    }
    let count = |is: fn(&Fate) -> bool| fates.values().flatten().filter(|f| is(f)).count();
    let refused = count(|fate| matches!(fate, Fate::Refused(_)));
    let (restored, unseen) = (count(|f| *f == Fate::Restored), count(|f| *f == Fate::Unseen));
    let withheld = count(|fate| *fate == Fate::Withheld);
    println!(
        "{refused} refused, {restored} undone by filling in, {withheld} leave out energy, {unseen} that nobody can see"
    );
    println!("the slowest took {slowest:?} of a processor");
    let mut unlisted = Vec::new();
    let mut listed: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (path, fates) in &fates {
        let unseen = fates.iter().filter(|f| **f == Fate::Unseen).count();
        match UNSEEN.iter().find(|(known, ..)| path.starts_with(known)) {
            Some((known, ..)) => {
                let (seen, all) = listed.entry(known).or_default();
                (*seen, *all) = (*seen + unseen, *all + fates.len());
            }
            None if unseen > 0 => unlisted.push(format!("{path} ({unseen} of {})", fates.len())),
            None => {}
        }
    }
    for (known, most, why) in UNSEEN {
        let (unseen, all) = listed.get(known).copied().unwrap_or_default();
        println!("unseen: {known} ({unseen} of {all}): {why}");
        assert!(100 * unseen <= most * all, "{known}: {unseen} of {all} are unseen");
    }
    assert!(refused >= 300);
    assert!(slowest <= Duration::from_secs(2), "{slowest:?}");
    assert!(unlisted.is_empty(), "{unlisted:#?}");
}

/// A change throughout the file that agrees with itself.
fn throughout(change: impl Fn(&mut Document)) -> Fate {
    let mut document = RUN.document.clone();
    change(&mut document);
    forge(&serde_json::to_value(&document).unwrap())
}

fn readings(document: &mut Document) -> impl Iterator<Item = &mut wire::MeasuredEnergy> {
    document.measurements.iter_mut().flat_map(measured)
}

#[track_caller]
fn refused(fate: &Fate) {
    assert!(matches!(fate, Fate::Refused(_)), "{fate:?}");
}

#[test]
fn what_nobody_can_see_is_said_and_all_else_is_seen() {
    // Joules of a meter that nobody else saw are the publisher's word. The program says so after each file.
    let half_the_joules = |document: &mut Document| {
        readings(document).for_each(|e| {
            e.readings.values.iter_mut().flatten().for_each(|value| *value /= 2.0);
            e.idle.iter_mut().for_each(|idle| idle.power_watts /= 2.0);
        });
    };
    assert_eq!(throughout(half_the_joules), Fate::Unseen);
    // Shorter windows are not those of the protocol.
    let faster = |document: &mut Document| {
        for window in document.measurements.iter_mut().flat_map(|m| &mut m.windows) {
            (window.wall_seconds, window.started_seconds) =
                (window.wall_seconds / 2.0, window.started_seconds / 2.0);
            window.cpu_seconds /= 2.0;
        }
    };
    refused(&throughout(faster));
    // A counter in other units, a source with another scope, or a better one.
    let tenfold = |document: &mut Document| {
        readings(document).for_each(|e| e.source.accuracy /= 10.0);
    };
    refused(&throughout(tenfold));
    let narrower = |document: &mut Document| {
        readings(document).for_each(|e| e.scope = wire::Scope::GpuBoard);
        document.manifest.sources.iter_mut().for_each(|s| s.scope = wire::Scope::GpuBoard);
    };
    // The manifest is in the headers.
    refused(&throughout(narrower));
    let measured = |document: &mut Document| {
        for m in &mut document.measurements {
            let counter = std::iter::once(&m.energy).chain(&m.energy_other).find_map(|e| match e {
                wire::Energy::MeasuredCounter(e) => Some(e.clone()),
                _ => None,
            });
            for energy in &mut m.energy_other {
                if let (wire::Energy::Declared(_), Some(counter)) = (&energy, &counter) {
                    *energy = wire::Energy::MeasuredCounter(counter.clone());
                }
            }
        }
    };
    refused(&throughout(measured));
    let published = |document: &mut Document| document.run.protocol.mode = "publish".into();
    refused(&throughout(published));
    let a_row_less = |document: &mut Document| {
        document.measurements.pop();
    };
    refused(&throughout(a_row_less));
}
