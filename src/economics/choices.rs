//! The choices for a kilowatt-hour, and the unavailable ones with their reasons.

use super::citation::{Citation, joules_of, watts_of};
use super::market::{Figure, Rental, tokens_of};
use super::{
    Capital, Conditions, DeviceRow, Market, MeasuredDevice, Price, RevenueModel, RowEnergy,
    Scenario, WorkEnergy,
};
use crate::energy::Scope;
use crate::units::{EnergyPerWork, Interval, MILLION_TOKENS, Provenance, Unit};
use serde::Serialize;

/// What the energy is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Hashing on a measured device, as a yardstick.
    HashHere,
    /// Hashing on a reference miner.
    HashAsic,
    /// Selling tokens computed on a measured device.
    Infer,
    /// Renting out a measured device.
    Rent,
}

/// A factor between measured and purchased energy, or the utilisation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Factor {
    /// `plug per gpu-board`, `PUE`, `utilisation`.
    pub name: String,
    /// Revenue per kWh is divided by it, or multiplied by it if it is the utilisation.
    pub value: f64,
    /// Where it comes from.
    pub source: String,
}

/// One use of a kilowatt-hour and what it earns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// What the energy is used for.
    pub kind: Kind,
    /// A name that needs no context.
    pub label: String,
    /// The miner, the workload, the tokens or the rental terms.
    pub subject: String,
    /// The measured device; null for a reference miner.
    pub device: Option<MeasuredDevice>,
    /// The inputs of the figures below.
    #[serde(skip)]
    pub scenario: Scenario,
    /// Revenue in dollars per kWh at the facility meter.
    #[serde(rename = "revenue_dollars_per_kwh")]
    pub revenue: Interval,
    /// The same after the next halving.
    #[serde(rename = "revenue_after_halving_dollars_per_kwh")]
    pub revenue_after_halving: Interval,
    /// Depreciation of hardware in dollars per kWh; null unless cost and lifetime are given.
    #[serde(rename = "hardware_dollars_per_kwh")]
    pub hardware: Option<Interval>,
    /// Revenue less hardware (if counted) and electricity, in dollars per kWh.
    #[serde(rename = "margin_dollars_per_kwh")]
    pub margin: Interval,
    /// The same after the next halving.
    #[serde(rename = "margin_after_halving_dollars_per_kwh")]
    pub margin_after_halving: Interval,
    /// Why the energy is incomplete, so that revenue is an upper bound and the choice is not ranked; null if complete.
    pub upper_bound_reason: Option<String>,
    /// Provenance of the energy figure.
    pub provenance: Provenance,
    /// Scope of the energy figure.
    pub scope: Scope,
    /// Factors applied to the revenue.
    pub factors: Vec<Factor>,
    /// The figures that it is computed from.
    pub rests_on: Vec<Citation>,
}

impl Choice {
    /// Whether its energy can be converted to the facility meter, as ranking requires.
    pub fn reaches_meter(&self) -> bool {
        self.upper_bound_reason.is_none()
    }
}

/// An unavailable choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Absent {
    /// What the energy would be used for.
    pub kind: Kind,
    /// A name that needs no context.
    pub label: String,
    /// Why it is unavailable, as a clause.
    pub reason: String,
}

/// The inputs that choices are built from.
pub(super) struct Offers<'a> {
    pub market: &'a Market,
    pub conditions: Conditions,
}

/// A choice before its dollar figures are computed.
struct Draft {
    kind: Kind,
    label: String,
    subject: String,
    device: Option<MeasuredDevice>,
    revenue_model: RevenueModel,
    capital: Option<Capital>,
    provenance: Provenance,
    scope: Scope,
    rests_on: Vec<Citation>,
}

impl Offers<'_> {
    /// The reference miners, then the choices of each device.
    pub fn all(&self, rows: &[DeviceRow]) -> (Vec<Choice>, Vec<Absent>) {
        let mut choices: Vec<Choice> = self.asics().collect();
        let mut absent = Vec::new();
        let mut devices: Vec<&str> = Vec::new();
        for row in rows {
            if !devices.contains(&row.device.id.as_str()) {
                devices.push(&row.device.id);
            }
        }
        for device in devices {
            let own: Vec<&DeviceRow> = rows.iter().filter(|row| row.device.id == device).collect();
            for offer in self.hash(&own).into_iter().chain(self.infer(&own)).chain(self.rent(&own))
            {
                match offer {
                    Ok(choice) => choices.push(choice),
                    Err(why) => absent.push(why),
                }
            }
        }
        (choices, absent)
    }

    fn asics(&self) -> impl Iterator<Item = Choice> {
        let build = &self.market.mining;
        let years = build.lifetime.as_ref().map(|figure| figure.interval);
        let capital = years.map(|years| Capital::Megawatt { dollars: build.cost.interval, years });
        self.market.asics.iter().map(move |asic| {
            let unit = Unit::Hash;
            let joules = asic.efficiency.interval / EnergyPerWork { joules: 1.0, unit }.quote();
            self.choice(Draft {
                kind: Kind::HashAsic,
                label: format!("hash on {}", asic.name),
                subject: asic.name.clone(),
                device: None,
                revenue_model: RevenueModel::Hash(WorkEnergy { joules, unit }),
                capital,
                provenance: joules.provenance,
                scope: Scope::Wall,
                rests_on: vec![(&asic.efficiency).into()],
            })
        })
    }

    fn hash(&self, own: &[&DeviceRow]) -> Vec<Result<Choice, Absent>> {
        let kind = Kind::HashHere;
        let rows: Vec<_> = own.iter().filter(|r| r.row.workload.unit == Unit::Hash).collect();
        if rows.is_empty() {
            return missing(kind, "hash", own, "no hashing was measured; run --workload sha256d");
        }
        let offer = |row: &&&DeviceRow| {
            let energy = energy(kind, row)?;
            Ok(self.choice(self.measured(kind, row, energy, RevenueModel::Hash(energy.work))))
        };
        rows.iter().map(offer).collect()
    }

    fn infer(&self, own: &[&DeviceRow]) -> Vec<Result<Choice, Absent>> {
        let kind = Kind::Infer;
        let rows: Vec<_> = own.iter().filter(|r| r.row.workload.id.has_model()).collect();
        if rows.is_empty() {
            let why = "no tokens were measured; run --workload decode:MODEL for a model that the market file prices";
            return missing(kind, "infer", own, why);
        }
        rows.into_iter().flat_map(|row| self.infer_row(row)).collect()
    }

    fn infer_row(&self, row: &DeviceRow) -> Vec<Result<Choice, Absent>> {
        let (kind, tokens) = (Kind::Infer, &row.row.workload);
        let energy = match energy(kind, row) {
            Ok(energy) => energy,
            Err(absent) => return vec![Err(absent)],
        };
        let prices = || self.market.token_prices.iter();
        let priced = prices().filter(|price| price.mismatch(tokens).is_none());
        let choices: Vec<_> = priced
            .map(|price| {
                let dollars = price.price.interval / MILLION_TOKENS;
                let price_of = Price { dollars, unit: Unit::Token };
                let revenue_model = RevenueModel::Infer { energy: energy.work, price: price_of };
                let mut draft = self.measured(kind, row, energy, revenue_model);
                draft.label = format!("sell {} at the price of {}", draft.label, price.name);
                draft.subject = tokens_of(tokens);
                draft.rests_on.push((&price.price).into());
                Ok(self.choice(draft))
            })
            .collect();
        if !choices.is_empty() {
            return choices;
        }
        // Report why prices of the same model do not match; without such a price, list the models that have one.
        let of_model = prices().filter(|price| price.is_of(tokens));
        let mismatches: Vec<String> = of_model
            .filter_map(|price| Some(format!("'{}' {}", price.name, price.mismatch(tokens)?)))
            .collect();
        let known: Vec<&str> =
            prices().flat_map(|price| &price.models).map(String::as_str).collect();
        let why = match (mismatches.is_empty(), known.is_empty()) {
            (false, _) => mismatches.join(", "),
            (true, false) => format!("it prices {}", known.join(", ")),
            (true, true) => "it prices no tokens".into(),
        };
        let reason = format!("the market file has no price for {}; {why}", tokens_of(tokens));
        vec![Err(Absent { kind, label: row.label(), reason })]
    }

    fn rent(&self, own: &[&DeviceRow]) -> Vec<Result<Choice, Absent>> {
        let (kind, Some(first)) = (Kind::Rent, own.first()) else { return Vec::new() };
        let card = first.device.card();
        let fits = |rental: &&Rental| rental.devices.iter().any(|name| name == card);
        let rentals: Vec<&Rental> = self.market.rentals.iter().filter(fits).collect();
        if rentals.is_empty() {
            let why = format!("the market file has no rental price of {card}");
            return missing(kind, "rent", own, &why);
        }
        let Some((row, energy)) = self.highest_power_row(own) else {
            return missing(kind, "rent", own, "its power was not measured");
        };
        let offer = |rental: &Rental| {
            let dollars_per_hour = rental.rent.interval;
            let revenue_model = RevenueModel::Rent { dollars_per_hour, watts: energy.watts };
            let mut draft = self.measured(kind, row, energy, revenue_model);
            draft.label = format!("rent out {}: {}", row.device.name, rental.name);
            draft.subject = rental.name.clone();
            draft.rests_on = vec![watts_of(row, energy), (&rental.rent).into()];
            Ok(self.choice(draft))
        };
        rentals.into_iter().map(offer).collect()
    }

    /// The row with the highest power, since a tenant may draw as much. Rows with a known plug factor take precedence.
    fn highest_power_row<'r>(
        &self,
        own: &[&'r DeviceRow<'r>],
    ) -> Option<(&'r DeviceRow<'r>, RowEnergy)> {
        let powered = own.iter().filter_map(|row| Some((*row, row.energy().ok()?)));
        powered.max_by(|(_, a), (_, b)| {
            let rank = |energy: &RowEnergy| {
                let wall = self.market.wall_factor(energy.scope).map(|(factor, _)| factor);
                (wall.is_some(), wall.unwrap_or(1.0) * energy.watts.middle())
            };
            let (a, b) = (rank(a), rank(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        })
    }

    /// A draft for a measured row.
    fn measured(
        &self,
        kind: Kind,
        row: &DeviceRow,
        energy: RowEnergy,
        revenue_model: RevenueModel,
    ) -> Draft {
        let device = &row.device;
        let fits = |devices: &[String]| devices.iter().any(|name| name == device.card());
        let card = self.market.card_costs.iter().find(|card| fits(&card.devices));
        let build = &self.market.inference;
        let capital = match (card, &build.lifetime) {
            (Some(card), _) => Some(Capital::Card {
                dollars: card.cost.interval,
                years: card.lifetime.interval,
                watts: energy.watts,
            }),
            // The cost of a megawatt of accelerators does not apply to a CPU.
            (None, Some(years)) if !device.class.runs_on_cpu() => {
                Some(Capital::Megawatt { dollars: build.cost.interval, years: years.interval })
            }
            _ => None,
        };
        Draft {
            kind,
            label: row.label(),
            subject: row.spec.clone(),
            device: Some(device.clone()),
            revenue_model,
            capital,
            provenance: energy.provenance(),
            scope: energy.scope,
            rests_on: vec![joules_of(row, energy)],
        }
    }

    fn choice(&self, draft: Draft) -> Choice {
        let (conditions, after) = (&self.conditions, &self.conditions.after_halving());
        let (wall, mut factors, upper_bound_reason) = to_meter(self.market, draft.scope);
        let sells_always = matches!(draft.revenue_model, RevenueModel::Hash(_));
        if !sells_always {
            let utilisation = &self.market.premises.utilisation;
            factors.push(factor("utilisation", conditions.utilisation, utilisation));
        }
        let Draft { revenue_model, capital, .. } = draft;
        let scenario = Scenario { revenue_model, wall, capital };
        Choice {
            kind: draft.kind,
            label: draft.label,
            subject: draft.subject,
            device: draft.device,
            scenario,
            revenue: scenario.revenue(conditions),
            revenue_after_halving: scenario.revenue(after),
            hardware: scenario.hardware(conditions),
            margin: scenario.margin(conditions),
            margin_after_halving: scenario.margin(after),
            upper_bound_reason,
            provenance: draft.provenance,
            scope: draft.scope,
            factors,
            rests_on: draft.rests_on,
        }
    }
}

/// From a scope to the facility meter: the factor to the plug, all factors, and why they are incomplete if they are.
pub(super) fn to_meter(market: &Market, scope: Scope) -> (f64, Vec<Factor>, Option<String>) {
    let name = format!("plug per {}", scope.name());
    let (wall, first, missing) = match market.wall_factor(scope) {
        Some((wall, Some(figure))) => (wall, factor(&name, wall, figure), None),
        Some((wall, None)) => {
            let source = "the figure is of the plug".to_string();
            (wall, Factor { name, value: wall, source }, None)
        }
        None => {
            let (_, excludes) = scope.extent();
            let source = "unknown, taken as 1".to_string();
            let why = format!(
                "{} leaves out {excludes}, and wall_factor has nothing for it",
                scope.name()
            );
            (1.0, Factor { name, value: 1.0, source }, Some(why))
        }
    };
    let pue = &market.premises.pue;
    (wall, vec![first, factor("PUE", pue.number(), pue)], missing)
}

fn factor(name: &str, value: f64, figure: &Figure) -> Factor {
    Factor { name: name.into(), value, source: format!("{} ({})", figure.source, figure.date) }
}

/// The energy of a row, or the unavailable choice with the reason.
fn energy(kind: Kind, row: &DeviceRow) -> Result<RowEnergy, Absent> {
    row.energy().map_err(|reason| Absent { kind, label: row.label(), reason })
}

fn missing(kind: Kind, verb: &str, own: &[&DeviceRow], why: &str) -> Vec<Result<Choice, Absent>> {
    let name = own.first().map_or("", |row| &row.device.name);
    vec![Err(Absent { kind, label: format!("{verb} on {name}"), reason: why.to_string() })]
}
