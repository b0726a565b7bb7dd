//! What a newer version of rigbench may write, and which rows it concerns.

use serde_json::{Value, json};

/// Something that a newer version of rigbench may write.
pub struct Novelty {
    pub what: &'static str,
    pub evidence: fn(&mut Value),
    pub derived: fn(&mut Value),
    /// Rows that it concerns.
    pub rows: &'static [usize],
    /// Where a file of this version has it.
    pub place: &'static str,
}

fn nothing(_: &mut Value) {}

/// Adds a row like the last one.
fn one_more_row(evidence: &mut Value, change: impl FnOnce(&mut Value)) {
    let mut row = evidence["rows"][1].clone();
    change(&mut row);
    evidence["rows"].as_array_mut().unwrap().push(row);
}

fn push(list: &mut Value, value: Value) {
    list.as_array_mut().unwrap().push(value);
}

pub const NOVELTIES: &[Novelty] = &[
    Novelty {
        what: "a kind of meter, of one workload",
        evidence: |evidence| {
            let mut source = evidence["manifest"]["sources"][0].clone();
            source["workload"] = json!("peak");
            source["origin"]["meter"]["kind"] = json!("calorimeter");
            push(&mut evidence["manifest"]["sources"], source);
            let place = evidence["manifest"]["sources"].as_array().unwrap().len() - 1;
            let mut baseline = evidence["baselines"][0].clone();
            baseline["source"] = json!(place);
            push(&mut evidence["baselines"], baseline);
            let mut readings = evidence["rows"][1]["readings"][0].clone();
            readings["source"] = json!(place);
            push(&mut evidence["rows"][1]["readings"], readings);
        },
        derived: nothing,
        rows: &[1],
        place: "evidence.manifest.sources[4].origin.meter.kind: unknown variant `calorimeter`",
    },
    Novelty {
        what: "another origin of joules, of another device",
        evidence: |evidence| {
            let source =
                json!({"devices": ["npu:0"], "workload": null, "origin": {"billed": {"kwh": 3}}});
            push(&mut evidence["manifest"]["sources"], source);
        },
        derived: nothing,
        rows: &[],
        place: "evidence.manifest.sources[4]",
    },
    Novelty {
        what: "a device that a meter covers, too",
        evidence: |evidence| {
            push(&mut evidence["manifest"]["sources"][0]["devices"], json!("npu:0"));
        },
        derived: nothing,
        rows: &[],
        place: "evidence.manifest.sources[0].devices",
    },
    Novelty {
        what: "a failure of a trial",
        evidence: |evidence| {
            let tuning = &mut evidence["rows"][1]["tuning"];
            tuning["trials"] = json!({
                "kernel": [tuning["kernel"]],
                "batch_seconds": [null],
                "throughput": [null],
                "failures": {"0": {"code": "too-noisy", "message": "the fan is loud"}},
            });
        },
        derived: nothing,
        rows: &[],
        place: "evidence.rows[1].outcome: unknown failure code 'too-noisy'",
    },
    Novelty {
        what: "a workload",
        evidence: |evidence| {
            push(&mut evidence["manifest"]["workloads"], json!("train:gpt-7"));
            one_more_row(evidence, |row| {
                row["workload"]["id"] = json!("train");
                row["workload"]["spec"] = json!("train:gpt-7");
            });
        },
        derived: nothing,
        rows: &[2],
        place: "evidence.rows[2].workload.id: unknown variant `train`",
    },
    Novelty {
        what: "a kind of proof",
        evidence: |evidence| {
            evidence["rows"][0]["proof"] = json!({"kind": "succinct", "bytes": "00"});
        },
        derived: nothing,
        rows: &[0],
        place: "evidence.rows[0].proof",
    },
    Novelty {
        what: "a class of devices",
        evidence: |evidence| {
            let mut device = evidence["manifest"]["devices"][0].clone();
            (device["id"], device["class"]) = (json!("gpu:0"), json!("optical-gpu"));
            push(&mut evidence["manifest"]["devices"], device);
            for place in [0, 1] {
                let mut row = evidence["rows"][place].clone();
                row["device"] = json!("gpu:0");
                row["readings"] = json!([]);
                push(&mut evidence["rows"], row);
            }
        },
        derived: nothing,
        rows: &[2, 3],
        place: "evidence.manifest.devices[1].class: unknown variant `optical-gpu`",
    },
    Novelty {
        what: "a way to name a device",
        evidence: |evidence| {
            let mut device = evidence["manifest"]["devices"][0].clone();
            device["id"] = json!("npu:0");
            push(&mut evidence["manifest"]["devices"], device);
            for place in [0, 1] {
                let mut row = evidence["rows"][place].clone();
                row["device"] = json!("npu:0");
                push(&mut evidence["rows"], row);
            }
        },
        derived: nothing,
        rows: &[2, 3],
        place: "evidence.manifest.devices[1].id: 'npu:0' is not a device id",
    },
    Novelty {
        what: "a reason of a row",
        evidence: nothing,
        derived: |derived| {
            derived["rows"][1]["reasons"] = json!([{"code": "cosmic-rays", "hits": 3}]);
            derived["rows"][1]["verdict"] = json!("invalid");
            derived["run"]["verdict"] = json!("invalid");
            derived["run"]["reasons"] = json!([{"code": "invalid-rows", "rows": [1]}]);
        },
        rows: &[1],
        place: "derived.rows[1].reasons[0]",
    },
    Novelty {
        what: "a verdict of a row",
        evidence: nothing,
        derived: |derived| derived["rows"][1]["verdict"] = json!("doubtful"),
        rows: &[1],
        place: "derived.rows[1].verdict: unknown variant `doubtful`",
    },
    Novelty {
        what: "a method of an interval",
        evidence: nothing,
        derived: |derived| derived["rows"][0]["throughput"]["method"] = json!("oracle"),
        rows: &[0],
        place: "derived.rows[0].throughput.method: unknown variant `oracle`",
    },
    Novelty {
        what: "a reason of the run",
        evidence: nothing,
        derived: |derived| {
            derived["run"]["verdict"] = json!("invalid");
            derived["run"]["reasons"] = json!([{"code": "power-cut"}]);
        },
        rows: &[],
        place: "derived.run.reasons[0]",
    },
    Novelty {
        what: "a verdict of the run",
        evidence: nothing,
        derived: |derived| derived["run"]["verdict"] = json!("doubtful"),
        rows: &[],
        place: "derived.run.verdict: unknown variant `doubtful`",
    },
    Novelty {
        what: "something that slows a board down",
        evidence: |evidence| {
            let samples = evidence["rows"][1]["telemetry"]["samples"].as_u64().unwrap() as usize;
            let nulls = vec![Value::Null; samples];
            evidence["rows"][1]["telemetry"]["board"] = json!({
                "celsius": nulls, "core_hertz": nulls, "memory_hertz": nulls,
                "power_limit_watts": nulls, "throttle": vec![json!(["humidity"]); samples],
            });
        },
        derived: nothing,
        rows: &[1],
        place: "evidence.rows[1].telemetry.board.throttle",
    },
    Novelty {
        what: "an outcome",
        evidence: |evidence| {
            push(&mut evidence["manifest"]["workloads"], json!("stream"));
            one_more_row(evidence, |row| {
                row["workload"]["spec"] = json!("stream");
                row["outcome"] = json!({"status": "postponed"});
            });
        },
        derived: nothing,
        rows: &[2],
        place: "evidence.rows[2].outcome",
    },
];
