//! The whole answer, from rows to flips, on the market file that comes with rigbench and on edits of it.

use jiff::civil::{Date, date};
use proptest::prelude::*;
use rigbench::device::Class;
use rigbench::economics::market::EMBEDDED;
use rigbench::economics::{
    Advice, Answer, Era, Estimate, Kind, Market, MeasuredRow, Outcome, Parameter, Question,
    RowEnergy, Sequences, Stage, Standing, advise,
};
use rigbench::energy::{Provenance, Scope};
use rigbench::units::Unit;

pub const TODAY: Date = date(2026, 11, 25);
const CARD: &str = "NVIDIA H100 80GB HBM3";

fn around(value: f64) -> Estimate {
    Estimate::measured(value * 0.97, value, value * 1.04)
}

pub fn row(workload: &str, unit: Unit, joules: f64, watts: f64) -> MeasuredRow {
    let mut parts = workload.split(':');
    let stage = match parts.next() {
        Some("prefill") => Some(Stage::Prefill),
        Some("decode") => Some(Stage::Decode),
        _ => None,
    };
    let sequences = stage.map(|stage| Sequences {
        model: parts.next().unwrap().into(),
        weights: parts.next().unwrap().into(),
        batch: parts.next().map_or(1, |batch| batch.trim_start_matches("batch=").parse().unwrap()),
        stage,
    });
    MeasuredRow {
        device: "gpu:0".into(),
        device_name: CARD.into(),
        class: Class::DiscreteGpu,
        workload: workload.into(),
        unit,
        sequences,
        energy: Ok(RowEnergy {
            joules_per_unit: around(joules),
            watts: around(watts),
            scope: Scope::GpuBoard,
            provenance: Provenance::MeasuredCounter,
        }),
        date: date(2026, 11, 20),
    }
}

pub fn h100() -> Vec<MeasuredRow> {
    vec![
        row("sha256d", Unit::Hash, 60e-9, 640.0),
        row("decode:llama-3-8b:int8:batch=8", Unit::Token, 0.5, 420.0),
        row("prefill:llama-3-8b:int8:batch=8", Unit::Token, 0.02, 650.0),
    ]
}

pub fn with(change: impl Fn(&mut RowEnergy)) -> Vec<MeasuredRow> {
    let mut rows = h100();
    rows.iter_mut().for_each(|row| change(row.energy.as_mut().unwrap()));
    rows
}

/// The market file with one piece of text in place of another that stands in it.
fn edited(from: &str, to: &str) -> String {
    assert!(EMBEDDED.contains(from), "{from}");
    EMBEDDED.replacen(from, to, 1)
}

fn market(from: &str, to: &str) -> Market {
    Market::parse(&edited(from, to)).unwrap()
}

fn advice() -> Advice {
    advise(&h100(), &Market::embedded(), TODAY)
}

fn place(advice: &Advice, label: &str) -> usize {
    let found = advice.choices.iter().position(|choice| choice.label.contains(label));
    found.unwrap_or_else(|| panic!("no {label}"))
}

#[test]
fn every_use_is_there_with_its_reason_if_it_is_not() {
    let advice = advice();
    let count = |kind| advice.choices.iter().filter(|choice| choice.kind == kind).count();
    assert_eq!(count(Kind::HashAsic), 3);
    assert_eq!(count(Kind::HashHere), 1);
    assert_eq!(count(Kind::Infer), 1);
    assert_eq!(count(Kind::Rent), 2);
    // The price is of tokens that are written: those that are read get none.
    assert_eq!(advice.absent.len(), 1);
    let why = &advice.absent[0].reason;
    assert!(why.contains("input tokens") && why.contains("is of output tokens"), "{why}");
}

#[test]
fn dollars_are_those_of_the_formulas_with_every_factor() {
    let advice = advice();
    let hashprice = advice.conditions.network.hashprice();
    assert!((hashprice / 30.4 - 1.0).abs() < 5e-3);
    for (label, expected) in [
        ("S21 XP", hashprice / (24.0 * 13.5) / 1.58),
        ("sell decode", 3.6 * 0.03 / 0.5 / 1.43 / 1.58),
        ("one year", 2.35 / 0.650 / 1.43 / 1.58),
        ("hash", hashprice / (24.0 * 9.5) / 1.58),
        ("sha256d on", hashprice / (24.0 * 60_000.0) / 1.43 / 1.58),
    ] {
        let revenue = advice.choices[place(&advice, label)].revenue.value.unwrap();
        assert!((revenue / expected - 1.0).abs() < 1e-9, "{label}: {revenue}, not {expected}");
    }
    // A quoted range has no middle that anyone quoted.
    let on_demand = &advice.choices[place(&advice, "on demand")].revenue;
    assert!(on_demand.value.is_none() && on_demand.low < on_demand.high / 2.0);
    let token = advice.exchanges.iter().find(|e| e.hasher.contains("sha256d")).unwrap();
    assert!((token.hashes.value.unwrap() - 0.5 / 60e-9).abs() < 1e-3);
    let wall = advice.exchanges.iter().find(|e| e.hasher.contains("S21")).unwrap();
    assert!((wall.hashes.value.unwrap() / (0.5 * 1.43 / 13.5e-12) - 1.0).abs() < 1e-9);
}

#[test]
fn the_halving_takes_all_but_the_fees_and_leaves_tokens_alone() {
    let advice = advice();
    for choice in &advice.choices {
        let kept = choice.revenue_after_halving.low / choice.revenue.low;
        let hashes = matches!(choice.kind, Kind::HashHere | Kind::HashAsic);
        assert!((kept - if hashes { 0.5025 } else { 1.0 }).abs() < 1e-9, "{}", choice.label);
    }
    assert_eq!(advice.halving_block, 1_050_000);
}

#[test]
fn a_token_price_holds_for_its_model_type_and_batch_only() {
    for (workload, why) in [
        ("decode:smollm2-135m:int8:batch=8", "it prices llama-3-8b, llama-3-70b"),
        ("decode:llama-3-8b:int4:batch=8", "is of weights in f16, int8"),
        ("decode:llama-3-8b:f16:batch=2048", "is of batches of 1 to 1024"),
    ] {
        let rows = [row(workload, Unit::Token, 0.5, 420.0)];
        let advice = advise(&rows, &Market::embedded(), TODAY);
        assert!(advice.choices.iter().all(|choice| choice.kind != Kind::Infer), "{workload}");
        let absent = advice.absent.iter().find(|absent| absent.kind == Kind::Infer).unwrap();
        assert!(absent.reason.contains(why), "{}", absent.reason);
    }
}

#[test]
fn no_rent_without_a_price_of_that_very_card() {
    for name in ["NVIDIA GeForce RTX 4090", "NVIDIA H100", "NVIDIA H100 PCIe Laptop"] {
        let mut rows = h100();
        rows.iter_mut().for_each(|row| row.device_name = name.into());
        let advice = advise(&rows, &Market::embedded(), TODAY);
        assert!(advice.choices.iter().all(|choice| choice.kind != Kind::Rent), "{name}");
        let absent = advice.absent.iter().find(|absent| absent.kind == Kind::Rent).unwrap();
        assert!(absent.reason.contains(name), "{}", absent.reason);
    }
}

#[test]
fn joules_that_do_not_reach_the_plug_are_never_ranked() {
    let advice =
        advise(&with(|energy| energy.scope = Scope::CpuPackage), &Market::embedded(), TODAY);
    assert_eq!(advice.ranking.order.len(), 3);
    let here = &advice.choices[place(&advice, "sha256d")];
    assert!(matches!(&here.standing, Standing::Bound(why) if why.contains("cpu-package")));
    assert!(advice.yardsticks.is_empty());
    assert!(advice.exchanges.iter().all(|exchange| exchange.hasher.contains("sha256d")));
    assert!(advice.queries.iter().all(|query| query.bound.is_some()));
    let compared = |question| matches!(question, Question::Beats { other, .. } if other < 3);
    assert!(!advice.flips.iter().any(|flip| compared(flip.question)));
    // At the plug no factor is applied; the same joules earn more than on the board alone.
    let wall = advise(&with(|energy| energy.scope = Scope::Wall), &Market::embedded(), TODAY);
    let earned = |advice: &Advice| advice.choices[place(advice, "sell decode")].revenue.low;
    assert!((earned(&wall) / earned(&self::advice()) - 1.43).abs() < 1e-9);
    assert_eq!(wall.ranking.order.len(), 7);
}

#[test]
fn tokens_and_hashes_of_unlike_scopes_have_no_exchange_rate() {
    let mut rows = h100();
    rows[0].energy.as_mut().unwrap().scope = Scope::Wall;
    let advice = advise(&rows, &Market::embedded(), TODAY);
    assert!(advice.exchanges.iter().all(|exchange| !exchange.hasher.contains("sha256d")));
}

#[test]
fn what_is_only_modelled_has_bounds_everywhere_and_a_value_nowhere() {
    let rows = with(|energy| {
        energy.joules_per_unit.value = None;
        energy.watts.value = None;
        energy.provenance = Provenance::Modelled;
    });
    let advice = advise(&rows, &Market::embedded(), TODAY);
    for choice in advice.choices.iter().filter(|choice| choice.device.is_some()) {
        assert!(choice.revenue.value.is_none() && choice.margin.value.is_none());
        assert_eq!(choice.origin.name(), "modelled");
    }
    assert!(advice.queries[0].watt_hours.value.is_none());
    for flip in &advice.flips {
        let (Question::Pays { choice } | Question::Beats { choice, .. }) = flip.question;
        if let (true, Outcome::At { value, .. }) =
            (advice.choices[choice].device.is_some(), &flip.outcome)
        {
            assert!(value.value.is_none(), "{flip:?}");
        }
    }
}

#[test]
fn a_row_without_energy_says_why() {
    let mut rows = h100();
    rows[0].energy = Err("the row is invalid: thermal slowdown".into());
    rows[2].energy = Err("no meter was found".into());
    let advice = advise(&rows, &Market::embedded(), TODAY);
    let reasons: Vec<&str> = advice.absent.iter().map(|absent| absent.reason.as_str()).collect();
    assert_eq!(reasons, ["the row is invalid: thermal slowdown", "no meter was found"]);
    assert_eq!(advice.queries_absent.len(), 1);
    let bare =
        advise(&[row("gemm:64x64x64:f32", Unit::Flop, 1e-12, 500.0)], &Market::embedded(), TODAY);
    let kinds: Vec<Kind> = bare.absent.iter().map(|absent| absent.kind).collect();
    assert_eq!(kinds, [Kind::HashHere, Kind::Infer]);
}

#[test]
fn what_to_do_is_what_earns_most_and_says_what_may_earn_as_much() {
    let advice = advice();
    let recommendation = &advice.recommendation;
    assert_eq!(recommendation.best, place(&advice, "on demand"));
    // One-year rent lies within the spread on demand; nothing else reaches it.
    assert_eq!(recommendation.rivals, [place(&advice, "one year")]);
    assert_eq!(
        (recommendation.pays, recommendation.best_here),
        (Answer::Yes, Some(recommendation.best))
    );
    assert_eq!(advice.evidence, Provenance::MeasuredCounter);
    // Without rents and prices a miner is best, and what was measured is named beside it.
    let mut rows = h100()[..1].to_vec();
    rows[0].device_name = "a card".into();
    let hashing = advise(&rows, &Market::embedded(), TODAY);
    let recommendation = &hashing.recommendation;
    assert_eq!(recommendation.best, place(&hashing, "S23 Hyd"));
    assert_eq!(recommendation.best_here, Some(place(&hashing, "sha256d")));
    assert_eq!((recommendation.pays, recommendation.pays_after_halving), (Answer::Yes, Answer::No));
    // With nothing measured the miners are still there.
    let bare = advise(&[], &Market::embedded(), TODAY);
    assert_eq!((bare.evidence, bare.recommendation.best_here), (Provenance::None, None));
}

#[test]
fn a_card_of_which_only_the_most_is_known_is_never_taken_for_the_best() {
    let rows = with(|energy| {
        energy.joules_per_unit = Estimate::between(0.0, energy.joules_per_unit.high);
        energy.watts = Estimate::between(0.0, 700.0);
        energy.provenance = Provenance::Modelled;
    });
    let mut rows = rows;
    rows.truncate(1);
    rows[0].device_name = "a card".into();
    let advice = advise(&rows, &Market::embedded(), TODAY);
    let here = place(&advice, "sha256d");
    assert_eq!(advice.choices[here].revenue.high, f64::INFINITY);
    assert_eq!(advice.recommendation.best, place(&advice, "S23 Hyd"));
    // And yet nobody can say that it is not.
    assert!(advice.recommendation.rivals.contains(&here));
    assert_eq!(*advice.ranking.order.last().unwrap(), (here, true));
    for flip in &advice.flips {
        if let Outcome::At { value, checked, .. } = &flip.outcome {
            assert!(*checked && value.low <= value.high, "{flip:?}");
        }
    }
}

#[test]
fn best_first_and_settled_only_where_intervals_part() {
    let advice = advice();
    let worth = |i: usize| advice.choices[i].revenue;
    for pair in advice.ranking.order.windows(2) {
        let [(one, settled), (next, _)] = [pair[0], pair[1]];
        assert!(worth(one).middle() >= worth(next).middle());
        assert_eq!(settled, worth(one).low > worth(next).high);
    }
    // One-year rent lies within the spread on demand.
    let order: Vec<usize> = advice.ranking.order.iter().map(|(i, _)| *i).collect();
    assert_eq!(order[0], place(&advice, "on demand"));
    assert!(!advice.ranking.order[0].1);
    assert_eq!(*order.last().unwrap(), place(&advice, "sha256d"));
}

/// The market with one figure at another value, through the file: nothing of the flip's own computation is used.
fn market_at(parameter: Parameter, value: f64, era: Era, hashprice: f64) -> Option<Market> {
    let text = match parameter {
        Parameter::Electricity => edited("value = 0.05, unit", &format!("value = {value:e}, unit")),
        Parameter::Pue => edited("value = 1.58", &format!("value = {value:e}")),
        Parameter::Utilisation => edited("value = 1.0, unit", &format!("value = {value:e}, unit")),
        Parameter::Bitcoin => edited("value = 60000", &format!("value = {value:e}")),
        Parameter::TokenPrice => edited("value = 0.03", &format!("value = {value:e}")),
        Parameter::Rent => edited("value = 2.35", &format!("value = {value:e}")),
        Parameter::Hashprice => {
            let difficulty = 124.93e12 * hashprice / value;
            edited("value = 124.93e12", &format!("value = {difficulty:e}"))
        }
    };
    let halved = text
        .replacen("value = 3.125", "value = 1.5625", 1)
        .replacen("value = 1050000", "value = 1260000", 1)
        // The same bitcoins of fees are a larger share of half the reward.
        .replacen("value = 0.005", &format!("value = {:e}", 0.005 / 0.5025), 1);
    Market::parse(if era == Era::Now { &text } else { &halved }).ok()
}

#[test]
fn flips_flip_when_the_whole_advice_is_made_again_from_an_edited_file() {
    let advice = advice();
    let mut seen = Vec::new();
    for flip in &advice.flips {
        let Outcome::At { value, yes_above, checked } = &flip.outcome else { continue };
        assert!(*checked, "{flip:?}");
        let Some(value) = value.value else { continue };
        // The file's edit below is of the one-year rent.
        let on_demand = Some(place(&advice, "on demand"));
        let asked = match flip.question {
            Question::Pays { choice } => [Some(choice), None],
            Question::Beats { choice, other } => [Some(choice), Some(other)],
        };
        if asked.contains(&on_demand) {
            continue;
        }
        let hashprice = match flip.era {
            Era::Now => advice.conditions.network.hashprice(),
            Era::AfterHalving => advice.network_after_halving.hashprice(),
        };
        let answer = |value: f64| {
            let market = market_at(flip.parameter, value, flip.era, hashprice)?;
            let again = advise(&h100(), &market, TODAY);
            let worth = |i: usize| again.choices[i].revenue.value.unwrap();
            Some(match flip.question {
                Question::Pays { choice } => again.choices[choice].margin.value.unwrap() > 0.0,
                Question::Beats { choice, other } => worth(choice) > worth(other),
            })
        };
        // Values that the file refuses as absurd cannot be tried through it.
        let (Some(below), Some(above)) = (answer(value * 0.9999), answer(value * 1.0001)) else {
            continue;
        };
        assert_eq!((below, above), (!yes_above, *yes_above), "{flip:?}");
        seen.push((flip.era, flip.parameter));
    }
    for parameter in Parameter::ALL {
        assert!(seen.contains(&(Era::Now, parameter)), "{parameter:?} was never tried");
    }
    assert!(seen.contains(&(Era::AfterHalving, Parameter::Bitcoin)));
}

#[test]
fn cooling_and_power_never_choose_between_two_uses_of_the_same_kilowatt_hour() {
    for flip in &advice().flips {
        let common = matches!(flip.parameter, Parameter::Pue | Parameter::Electricity);
        if common && matches!(flip.question, Question::Beats { .. }) {
            assert!(matches!(flip.outcome, Outcome::Never(_)), "{flip:?}");
        }
    }
}

#[test]
fn the_break_even_price_of_power_is_divided_by_the_pue() {
    let advice = advice();
    let s21 = place(&advice, "S21 XP");
    let at = |parameter, era| {
        let found = advice.flips.iter().find(|flip| {
            (flip.question, flip.parameter, flip.era)
                == (Question::Pays { choice: s21 }, parameter, era)
        });
        match &found.unwrap().outcome {
            Outcome::At { value, .. } => value.value.unwrap(),
            never => panic!("{never:?}"),
        }
    };
    let hashprice = advice.conditions.network.hashprice();
    for (got, expected) in [
        (at(Parameter::Electricity, Era::Now), hashprice / (24.0 * 13.5) / 1.58),
        (at(Parameter::Electricity, Era::AfterHalving), 0.5025 * hashprice / (24.0 * 13.5) / 1.58),
        (at(Parameter::Hashprice, Era::Now), 0.05 * 24.0 * 13.5 * 1.58),
        (
            at(Parameter::Bitcoin, Era::AfterHalving),
            60_000.0 * 0.05 * 24.0 * 13.5 * 1.58 / hashprice / 0.5025,
        ),
        (at(Parameter::Pue, Era::Now), hashprice / (24.0 * 13.5) / 0.05),
    ] {
        assert!((got / expected - 1.0).abs() < 1e-9, "{got}, not {expected}");
    }
}

#[test]
fn hardware_counts_where_its_life_is_given_and_only_then() {
    let plain = advice();
    assert!(plain.choices.iter().all(|choice| choice.hardware.is_none()));
    assert!(!plain.ranking.counts_hardware);
    let years = |n| {
        format!("lifetime = {{ value = {n}, unit = \"year\", date = \"2026\", source = \"mine\" }}")
    };
    let both = edited("[build.mining]", &format!("[build.mining]\n{}", years(5)));
    let both = both.replacen("[build.inference]", &format!("[build.inference]\n{}", years(4)), 1);
    let advice = advise(&h100(), &Market::parse(&both).unwrap(), TODAY);
    assert!(advice.ranking.counts_hardware);
    let asic = &advice.choices[0];
    let hardware = asic.hardware.unwrap();
    assert!((hardware.low - 0.7e6 / (5.0 * 8766.0 * 1000.0)).abs() < 1e-9);
    assert!((asic.margin.high - (asic.revenue.high - hardware.low - 0.05)).abs() < 1e-9);
    assert!(advice.flips.iter().all(|flip| flip.counts_hardware));
    let card = format!(
        "[[card_cost]]\ndevices = [\"{CARD}\"]\ncost = {{ value = 25000, unit = \"$\", date = \"2026\", source = \"mine\" }}\n{}\n[colocation]",
        years(4)
    );
    let advice = advise(&h100(), &market("[colocation]", &card), TODAY);
    let one_year = &advice.choices[place(&advice, "one year")];
    let expected = 25_000.0 / (4.0 * 8766.0 * 0.650 * 1.43 * 1.58);
    assert!((one_year.hardware.unwrap().value.unwrap() / expected - 1.0).abs() < 1e-9);
    assert!(!advice.ranking.counts_hardware && advice.choices[0].hardware.is_none());
}

#[test]
fn a_gpu_hashes_thousands_of_times_worse_and_a_megawatt_is_held_against_a_megawatt() {
    let advice = advice();
    let times = |asic: &str| {
        let asic = place(&advice, asic);
        let yardstick = advice.yardsticks.iter().find(|y| y.asic == asic).unwrap();
        yardstick.times_worse.value.unwrap()
    };
    assert!((times("S21 XP") - 60_000.0 * 1.43 / 13.5).abs() < 1e-6);
    let megawatts = &advice.megawatts;
    assert!(megawatts.asic.label.contains("S23 Hyd"));
    let best = megawatts.accelerators.iter().find(|m| m.label.contains("H100, 8B, best")).unwrap();
    let per_megawatt_hour = 1000.0 * 3.6 * 0.03 / 0.070 / 1.43 / 1.58;
    assert!((best.dollars_per_hour.value.unwrap() - per_megawatt_hour).abs() < 1e-6);
    assert!((best.dollars_per_year.value.unwrap() - 8766.0 * per_megawatt_hour).abs() < 1e-3);
    let left = best.left_per_year.value.unwrap();
    assert!((best.payback_years.unwrap().low - 8e6 / left).abs() < 1e-6);
    assert_eq!(megawatts.accelerators.len(), 3 + 6);
    // Where power costs more than tokens bring in, nothing is ever paid back.
    let dear = advise(&h100(), &market("value = 0.05", "value = 0.2"), TODAY);
    let mut all = dear.megawatts.accelerators.iter();
    let poor = all.find(|m| m.left_per_year.low < 0.0).unwrap();
    assert!(poor.payback_years.is_none());
    assert_eq!(Answer::of(poor.left_per_year), Answer::No);
}

#[test]
fn a_query_shows_every_factor_and_stands_beside_the_published() {
    let advice = advice();
    let [query] = &advice.queries[..] else { panic!("{:?}", advice.queries) };
    let expected = (500.0 * 0.02 + 300.0 * 0.5) * 1.43 * 1.12 * 1.58 / 3600.0;
    assert!((query.watt_hours.value.unwrap() - expected).abs() < 1e-12);
    assert!(query.watt_hours.low < expected && expected < query.watt_hours.high);
    // 0.3 Wh is 80 TH on an S21 XP; at $39.53 that is $0.00004.
    let s21 = place(&advice, "S21 XP");
    let epoch =
        advice.published_queries.iter().find(|q| q.query.name == "Epoch AI" && q.asic == s21);
    let epoch = epoch.unwrap();
    assert!((epoch.hashes.value.unwrap() / 80e12 - 1.0).abs() < 1e-9);
    let dollars = epoch.dollars.value.unwrap() * 39.53 / advice.conditions.network.hashprice();
    assert!((dollars - 0.00004).abs() < 0.000004, "{dollars}");
}

#[test]
fn a_row_without_an_interval_is_remarked_on() {
    let rows = with(|energy| energy.joules_per_unit = Estimate::exact(1e-7));
    let remarks = advise(&rows, &Market::embedded(), TODAY).remarks;
    assert_eq!(remarks.iter().filter(|remark| remark.contains("no interval")).count(), 3);
}

proptest! {
    /// A better meter never changes an answer for the worse: a narrower interval gives a narrower one, inside.
    #[test]
    fn intervals_are_carried_through(
        joules in 0.01..5.0, width in 0.0..0.3, share in 0.0..1.0,
    ) {
        let earned = |width: f64| {
            let mut row = row("decode:llama-3-8b:int8:batch=8", Unit::Token, joules, 400.0);
            let energy = row.energy.as_mut().unwrap();
            energy.joules_per_unit =
                Estimate::measured(joules * (1.0 - width), joules, joules * (1.0 + width));
            let advice = advise(&[row], &Market::embedded(), TODAY);
            advice.choices[place(&advice, "sell decode")].margin
        };
        let (wide, narrow) = (earned(width), earned(width * share));
        prop_assert!(wide.low <= narrow.low + 1e-12 && narrow.high <= wide.high + 1e-12);
        prop_assert_eq!(wide.value, narrow.value);
    }
}
