//! The whole answer, from rows to flips, on the market file that comes with rigbench and on edits of it.

use crate::economics::made_up::{CARD, MadeUp, TODAY, failed, h100, row, run, with};
use proptest::prelude::*;
use rigbench::economics::market::EMBEDDED;
use rigbench::economics::{Advice, Answer, Crossing, Kind, Market, Question, Ranked, advise_on};
use rigbench::energy::Scope;
use rigbench::results::{Energy, Reason, Verdict};
use rigbench::units::{Interval, Method, Provenance};

/// The market file with one piece of text in place of another that stands in it.
pub fn edited(from: &str, to: &str) -> String {
    assert!(EMBEDDED.contains(from), "{from}");
    EMBEDDED.replacen(from, to, 1)
}

pub fn market(from: &str, to: &str) -> Market {
    Market::parse(&edited(from, to)).unwrap()
}

pub fn advice() -> Advice {
    h100().advice(&Market::embedded())
}

pub fn place(advice: &Advice, label: &str) -> usize {
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
    assert_eq!(advice.missing_choices.len(), 1);
    let why = &advice.missing_choices[0].reason;
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
    let token = advice.hashes_forgone.iter().find(|e| e.hasher.contains("sha256d")).unwrap();
    assert!((token.hashes_per_token.value.unwrap() - 0.5 / 60e-9).abs() < 1e-3);
    let wall = advice.hashes_forgone.iter().find(|e| e.hasher.contains("S21")).unwrap();
    assert!((wall.hashes_per_token.value.unwrap() / (0.5 * 1.43 / 13.5e-12) - 1.0).abs() < 1e-9);
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
        let advice = run(vec![row(workload, 0.5, 420.0)]).advice(&Market::embedded());
        assert!(advice.choices.iter().all(|choice| choice.kind != Kind::Infer), "{workload}");
        let found =
            advice.missing_choices.iter().find(|choice| choice.kind == Kind::Infer).unwrap();
        assert!(found.reason.contains(why), "{}", found.reason);
    }
}

#[test]
fn no_rent_without_a_price_of_that_very_card() {
    for name in ["NVIDIA GeForce RTX 4090", "NVIDIA H100", "NVIDIA H100 PCIe Laptop"] {
        let advice = MadeUp { card: name.into(), ..h100() }.advice(&Market::embedded());
        assert!(advice.choices.iter().all(|choice| choice.kind != Kind::Rent), "{name}");
        let found = advice.missing_choices.iter().find(|choice| choice.kind == Kind::Rent).unwrap();
        assert!(found.reason.contains(name), "{}", found.reason);
    }
}

#[test]
fn joules_that_do_not_reach_the_plug_are_never_ranked() {
    let of_scope = |scope| with(|energy| energy.scope = Some(scope)).advice(&Market::embedded());
    let advice = of_scope(Scope::CpuPackage);
    assert_eq!(advice.ranking.order.len(), 3);
    let here = &advice.choices[place(&advice, "sha256d")];
    assert!(here.upper_bound_reason.as_ref().unwrap().contains("cpu-package"));
    assert!(advice.yardsticks.is_empty());
    assert!(advice.hashes_forgone.iter().all(|exchange| exchange.hasher.contains("sha256d")));
    assert!(advice.queries.iter().all(|query| query.lower_bound_reason.is_some()));
    let compared = |question: Question| question.other.is_some_and(|other| other < 3);
    assert!(!advice.break_evens.iter().any(|found| compared(found.question)));
    // At the plug no factor is applied; the same joules earn more than on the board alone.
    let wall = of_scope(Scope::Wall);
    let earned = |advice: &Advice| advice.choices[place(advice, "sell decode")].revenue.low;
    assert!((earned(&wall) / earned(&self::advice()) - 1.43).abs() < 1e-9);
    assert_eq!(wall.ranking.order.len(), 7);
}

#[test]
fn tokens_and_hashes_of_unlike_scopes_have_no_exchange_rate() {
    let mut run = h100();
    run.rows[0].1.energy.scope = Some(Scope::Wall);
    let advice = run.advice(&Market::embedded());
    assert!(advice.hashes_forgone.iter().all(|exchange| !exchange.hasher.contains("sha256d")));
}

#[test]
fn what_is_only_modelled_has_bounds_everywhere_and_a_value_nowhere() {
    let modelled =
        |figure: Option<Interval>| figure.map(|figure| Interval::between(figure.low, figure.high));
    let run = with(|energy| {
        energy.joules_per_unit = modelled(energy.joules_per_unit);
        energy.power_watts = modelled(energy.power_watts);
    });
    let advice = run.advice(&Market::embedded());
    for choice in advice.choices.iter().filter(|choice| choice.device.is_some()) {
        assert!(choice.revenue.value.is_none() && choice.margin.value.is_none());
        assert_eq!(choice.provenance, Provenance::Modelled);
        assert_eq!(choice.revenue.provenance, Provenance::Modelled);
    }
    assert!(advice.queries[0].watt_hours.value.is_none());
    for found in &advice.break_evens {
        let here = advice.choices[found.question.choice].device.is_some();
        if let (true, Crossing::At { value, .. }) = (here, &found.crossing) {
            assert!(value.value.is_none(), "{found:?}");
        }
    }
}

#[test]
fn a_row_without_energy_says_why() {
    let mut mixed = h100();
    mixed.rows[0].1.verdict = Verdict::Invalid;
    mixed.rows[0].1.reasons = vec![Reason::Failed];
    (mixed.rows[2].0.no_source, mixed.rows[2].1.energy) =
        (Some("no meter was found".into()), Energy::default());
    let advice = mixed.advice(&Market::embedded());
    let reasons: Vec<&str> =
        advice.missing_choices.iter().map(|choice| choice.reason.as_str()).collect();
    let expected = ["its row is invalid: it failed", "there is no energy: no meter was found"];
    assert_eq!(reasons, expected);
    assert_eq!(advice.missing_queries.len(), 1);
    mixed.rows[0].0.outcome = failed("the kernel is wrong");
    let advice = mixed.advice(&Market::embedded());
    assert_eq!(advice.missing_choices[0].reason, "failed: the kernel is wrong");
    let bare = run(vec![row("gemm:64x64x64:f32", 1e-12, 500.0)]).advice(&Market::embedded());
    let kinds: Vec<Kind> = bare.missing_choices.iter().map(|choice| choice.kind).collect();
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
    let mut hashing = MadeUp { card: "a card".into(), ..h100() };
    hashing.rows.truncate(1);
    let hashing = hashing.advice(&Market::embedded());
    let recommendation = &hashing.recommendation;
    assert_eq!(recommendation.best, place(&hashing, "S23 Hyd"));
    assert_eq!(recommendation.best_here, Some(place(&hashing, "sha256d")));
    assert_eq!((recommendation.pays, recommendation.pays_after_halving), (Answer::Yes, Answer::No));
    // With nothing measured the miners are still there.
    let bare = advise_on(&[], &Market::embedded(), TODAY);
    assert_eq!((bare.evidence, bare.recommendation.best_here), (Provenance::None, None));
}

#[test]
fn a_card_of_which_only_the_most_is_known_is_never_taken_for_the_best() {
    let mut run = with(|energy| {
        energy.joules_per_unit = Some(Interval::between(0.0, energy.joules_per_unit.unwrap().high));
        energy.power_watts = Some(Interval::between(0.0, 700.0));
    });
    run.rows.truncate(1);
    run.card = "a card".into();
    let advice = run.advice(&Market::embedded());
    let here = place(&advice, "sha256d");
    assert_eq!(advice.choices[here].revenue.high, f64::INFINITY);
    assert_eq!(advice.recommendation.best, place(&advice, "S23 Hyd"));
    // And yet nobody can say that it is not.
    assert!(advice.recommendation.rivals.contains(&here));
    assert_eq!(*advice.ranking.order.last().unwrap(), Ranked { choice: here, settled: true });
    for found in &advice.break_evens {
        if let Crossing::At { value, checked, .. } = &found.crossing {
            assert!(*checked && value.low <= value.high, "{found:?}");
        }
    }
}

#[test]
fn best_first_and_settled_only_where_intervals_part() {
    let advice = advice();
    let worth = |i: usize| advice.choices[i].revenue;
    for pair in advice.ranking.order.windows(2) {
        let (one, next) = (worth(pair[0].choice), worth(pair[1].choice));
        assert!(one.middle() >= next.middle());
        assert_eq!(pair[0].settled, one.low > next.high);
    }
    // One-year rent lies within the spread on demand.
    let order = &advice.ranking.order;
    assert_eq!(order[0], Ranked { choice: place(&advice, "on demand"), settled: false });
    assert_eq!(order.last().unwrap().choice, place(&advice, "sha256d"));
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
    let advice = h100().advice(&Market::parse(&both).unwrap());
    assert!(advice.ranking.counts_hardware);
    let asic = &advice.choices[0];
    let hardware = asic.hardware.unwrap();
    assert!((hardware.low - 0.7e6 / (5.0 * 8766.0 * 1000.0)).abs() < 1e-9);
    assert!((asic.margin.high - (asic.revenue.high - hardware.low - 0.05)).abs() < 1e-9);
    assert!(advice.break_evens.iter().all(|found| found.counts_hardware));
    let card = format!(
        "[[card_cost]]\ndevices = [\"{CARD}\"]\ncost = {{ value = 25000, unit = \"$\", date = \"2026\", source = \"mine\" }}\n{}\n[colocation]",
        years(4)
    );
    let advice = h100().advice(&market("[colocation]", &card));
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
    assert!((best.revenue_dollars_per_hour.value.unwrap() - per_megawatt_hour).abs() < 1e-6);
    assert!(
        (best.revenue_dollars_per_year.value.unwrap() - 8766.0 * per_megawatt_hour).abs() < 1e-3
    );
    let left = best.left_dollars_per_year.value.unwrap();
    assert!((best.payback_years.unwrap().low - 8e6 / left).abs() < 1e-6);
    assert_eq!(megawatts.accelerators.len(), 3 + 6);
    // Where power costs more than tokens bring in, nothing is ever paid back.
    let dear = h100().advice(&market("value = 0.05", "value = 0.2"));
    let mut all = dear.megawatts.accelerators.iter();
    let poor = all.find(|m| m.left_dollars_per_year.low < 0.0).unwrap();
    assert!(poor.payback_years.is_none());
    assert_eq!(Answer::of(poor.left_dollars_per_year), Answer::No);
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
    let epoch = advice.published_queries.iter().find(|q| q.name == "Epoch AI" && q.asic == s21);
    let epoch = epoch.unwrap();
    assert!((epoch.hashes.value.unwrap() / 80e12 - 1.0).abs() < 1e-9);
    let dollars = epoch.dollars.value.unwrap() * 39.53 / advice.conditions.network.hashprice();
    assert!((dollars - 0.00004).abs() < 0.000004, "{dollars}");
}

#[test]
fn a_row_without_an_interval_is_remarked_on() {
    for joules in [
        Interval::exact(1e-7),
        Interval::bare(1e-7, Provenance::MeasuredCounter, Method::MeterUncertainty),
    ] {
        let advice =
            with(|energy| energy.joules_per_unit = Some(joules)).advice(&Market::embedded());
        let remarks = advice.remarks.iter().filter(|remark| remark.contains("no interval"));
        assert_eq!(remarks.count(), 3);
        assert!(advice.choices.iter().all(|choice| choice.revenue.high.is_finite()));
    }
}

proptest! {
    /// A better meter never changes an answer for the worse: a narrower interval gives a narrower one, inside.
    #[test]
    fn intervals_are_carried_through(
        joules in 0.01..5.0, width in 0.0..0.3, share in 0.0..1.0,
    ) {
        let earned = |width: f64| {
            let (row, mut figures) = row("decode:llama-3-8b:int8:batch=8", joules, 400.0);
            let ends = (joules * (1.0 - width), joules * (1.0 + width));
            let (provenance, method) = (Provenance::MeasuredCounter, Method::MeterUncertainty);
            let interval = Interval::new(joules, ends, provenance, method);
            figures.energy.joules_per_unit = Some(interval);
            let advice = run(vec![(row, figures)]).advice(&Market::embedded());
            advice.choices[place(&advice, "sell decode")].margin
        };
        let (wide, narrow) = (earned(width), earned(width * share));
        prop_assert!(wide.low <= narrow.low + 1e-12 && narrow.high <= wide.high + 1e-12);
        prop_assert_eq!(wide.value, narrow.value);
    }
}
