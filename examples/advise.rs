//! Prints the advice for a made-up H100 and the market file that comes with rigbench.

use comfy_table::Table;
use jiff::civil::date;
use rigbench::device::Class;
use rigbench::economics::{
    Advice, Era, Estimate, Market, MeasuredRow, Outcome, Question, RowEnergy, Sequences, Stage,
    Standing, advise,
};
use rigbench::energy::{Provenance, Scope};
use rigbench::units::{Unit, significant};

fn row(workload: &str, unit: Unit, stage: Option<Stage>, joules: f64, watts: f64) -> MeasuredRow {
    let around = |value: f64| Estimate::measured(value * 0.97, value, value * 1.03);
    MeasuredRow {
        device: "gpu:0".into(),
        device_name: "NVIDIA H100 80GB HBM3".into(),
        class: Class::DiscreteGpu,
        workload: workload.into(),
        unit,
        sequences: stage.map(|stage| Sequences {
            model: "llama-3-8b".into(),
            weights: "int8".into(),
            batch: 8,
            stage,
        }),
        energy: Ok(RowEnergy {
            joules_per_unit: around(joules),
            watts: around(watts),
            scope: Scope::GpuBoard,
            provenance: Provenance::MeasuredCounter,
        }),
        date: date(2026, 11, 20),
    }
}

fn show(estimate: Estimate) -> String {
    let range = format!("{} to {}", significant(estimate.low), significant(estimate.high));
    match estimate.value {
        Some(value) if estimate.is_exact() => significant(value),
        Some(value) => format!("{} ({range})", significant(value)),
        None => range,
    }
}

fn print(title: &str, head: &[&str], rows: Vec<Vec<String>>) {
    let mut table = Table::new();
    table.set_header(head.to_vec()).add_rows(rows);
    println!("\n{title}\n{table}");
}

fn main() {
    let rows = [
        row("sha256d", Unit::Hash, None, 60e-9, 640.0),
        row("decode:llama-3-8b:int8:batch=8", Unit::Token, Some(Stage::Decode), 0.455, 420.0),
        row("prefill:llama-3-8b:int8:batch=8", Unit::Token, Some(Stage::Prefill), 0.02, 650.0),
    ];
    let advice = advise(&rows, &Market::embedded(), date(2026, 11, 25));
    let (now, after) = (advice.conditions.network, advice.network_after_halving);
    println!("market file of {}", advice.market_date);
    advice.remarks.iter().for_each(|remark| println!("note: {remark}"));
    println!(
        "hashprice {} $/PH/day, {} after block {}; colocation {} $/kWh",
        significant(now.hashprice()),
        significant(after.hashprice()),
        advice.halving_block,
        show(advice.colocation)
    );
    choices(&advice);
    flips(&advice);
    rest(&advice);
}

fn choices(advice: &Advice) {
    let rows = advice.ranking.order.iter().map(|(i, settled)| {
        let c = &advice.choices[*i];
        let factors = c.factors.iter().map(|f| format!("{} {}", f.name, significant(f.value)));
        vec![
            i.to_string(),
            format!("{}{}", c.label, if *settled { "" } else { " (not parted from the next)" }),
            show(c.revenue),
            show(c.revenue_after_halving),
            show(c.margin),
            format!("{} {}", c.origin.name(), c.scope.name()),
            factors.collect::<Vec<_>>().join(", "),
        ]
    });
    let head = ["#", "use", "$/kWh", "after halving", "left after power", "energy", "factors"];
    print("What a kilowatt-hour at the hall's meter earns", &head, rows.collect());
    for c in advice.choices.iter() {
        if let Standing::Bound(why) = &c.standing {
            println!("not ranked: {}, at most {} $/kWh: {why}", c.label, show(c.revenue));
        }
        for cited in &c.rests_on {
            println!(
                "  [{}] {} {} ({}; {})",
                cited.what,
                show(cited.estimate),
                cited.unit,
                cited.date,
                cited.source
            );
        }
    }
    for a in &advice.absent {
        println!("absent: {}: {}", a.label, a.reason);
    }
}

fn flips(advice: &Advice) {
    let rows = advice.flips.iter().map(|flip| {
        let question = match flip.question {
            Question::Pays { choice } => format!("#{choice} pays its power"),
            Question::Beats { choice, other } => format!("#{choice} beats #{other}"),
        };
        let at = match &flip.outcome {
            Outcome::At { value, checked: true } => show(*value),
            Outcome::At { value, checked: false } => format!("{} NOT CHECKED", show(*value)),
            Outcome::Never(why) => format!("never: {why}"),
        };
        let era = if flip.era == Era::Now { "now" } else { "after halving" };
        vec![
            question,
            era.into(),
            format!("{:?}", flip.answer),
            flip.parameter.name().into(),
            show(flip.current),
            at,
            flip.parameter.unit().into(),
        ]
    });
    let head = ["question", "when", "answer", "with", "stands at", "flips at", "unit"];
    print("Where it flips", &head, rows.collect());
}

fn rest(advice: &Advice) {
    let rows = advice.exchanges.iter().map(|e| {
        vec![
            e.token.clone(),
            e.hasher.clone(),
            show(e.hashes),
            show(e.dollars),
            significant(e.wall),
        ]
    });
    let head = ["a token of", "hashes forgone", "hashes", "$", "plug factor"];
    print("Hashes forgone for a token", &head, rows.collect());
    for y in &advice.yardsticks {
        let (here, asic) = (&advice.choices[y.choice].label, &advice.choices[y.asic].label);
        println!("yardstick: {here} takes {} times the energy of {asic}", show(y.times_worse));
    }
    let all = std::iter::once(&advice.megawatts.asic).chain(&advice.megawatts.accelerators);
    let rows = all.map(|m| {
        vec![
            m.label.clone(),
            m.origin.name().into(),
            show(m.dollars_per_hour),
            show(m.times_the_asic),
            show(m.left_per_year),
            show(m.left_per_year_after_halving),
            m.build.map_or_else(String::new, show),
            m.payback_years.map_or("perhaps never".into(), show),
        ]
    });
    let head = [
        "a megawatt of",
        "energy",
        "$/h",
        "times the ASIC",
        "left $/year",
        "after halving",
        "to build $",
        "payback years",
    ];
    print("A megawatt against a megawatt", &head, rows.collect());
    for q in &advice.queries {
        println!(
            "\nquery: ({} tokens · {} J + {} tokens · {} J) · plug {} · idle {} · PUE {} / 3600 = {} Wh",
            q.query.tokens_in,
            show(q.prefill_joules),
            q.query.tokens_out,
            show(q.decode_joules),
            q.factors.wall,
            q.factors.idle,
            q.factors.pue,
            show(q.watt_hours)
        );
    }
    for q in &advice.published_queries {
        println!(
            "  {} ({}): {} Wh = {} TH, ${}, {}",
            q.query.name,
            q.query.energy.date,
            show(q.query.energy.estimate),
            show(q.hashes / 1e12),
            show(q.dollars),
            advice.choices[q.asic].label
        );
    }
}
