//! The uses that a kilowatt-hour can be put to here, and those that cannot be offered, each with the reason.

use super::citation::{Citation, joules_of, watts_of};
use super::market::{Figure, Rental};
use super::{
    Capital, Conditions, Estimate, Market, MeasuredRow, Plan, Price, RowEnergy, Venture, WorkEnergy,
};
use crate::device::Class;
use crate::energy::{Provenance, Scope};
use crate::units::{EnergyPerWork, MILLION_TOKENS, Unit};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Hashing on a measured device: the yardstick.
    HashHere,
    /// Hashing on a reference miner.
    HashAsic,
    /// Selling tokens of a measured device.
    Infer,
    /// Letting a measured device.
    Rent,
}

/// How the energy that a choice rests on came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A row of results.
    Row(Provenance),
    /// A figure of the market file.
    Published,
}

impl Origin {
    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Row(provenance) => provenance.name(),
            Origin::Published => "published",
        }
    }
}

/// Whether a choice may stand in one ranking with others.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Its joules are those of the hall's meter, by factors that are shown.
    Meter,
    /// Joules are missing, so that it earns no more than this. A clause that says which.
    Bound(String),
}

/// A factor between the joules that were measured and those that are bought, or on the time that is sold.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// `plug per gpu-board`, `PUE`, `utilisation`.
    pub name: String,
    /// What dollars a kilowatt-hour are divided by, or multiplied by in the case of utilisation.
    pub value: f64,
    /// Where it comes from.
    pub source: String,
}

/// A use of a kilowatt-hour and what it earns.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What is done.
    pub kind: Kind,
    /// What stands for it where nothing else does.
    pub label: String,
    /// What hashes, whose tokens, which terms of rent.
    pub subject: String,
    /// The measured device, if it is on one.
    pub device: Option<On>,
    /// The computation behind it.
    pub venture: Venture,
    /// Dollars of revenue for a kilowatt-hour that the hall buys.
    pub revenue: Estimate,
    /// The same after the next halving.
    pub revenue_after_halving: Estimate,
    /// Dollars of hardware in a kilowatt-hour, where cost and lifetime are given.
    pub hardware: Option<Estimate>,
    /// Revenue less hardware (where counted) and electricity.
    pub margin: Estimate,
    /// The same after the next halving.
    pub margin_after_halving: Estimate,
    /// Whether it may be ranked.
    pub standing: Standing,
    /// How its energy came about.
    pub origin: Origin,
    /// What that energy covers.
    pub scope: Scope,
    /// What was applied to it.
    pub factors: Vec<Factor>,
    /// The figures that it rests on.
    pub rests_on: Vec<Citation>,
}

/// A measured device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// Its id, the same in all of its rows.
    pub id: String,
    /// As its driver calls it.
    pub name: String,
    /// Its hardware class.
    pub class: Class,
}

/// A use that cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// What would be done.
    pub kind: Kind,
    /// With what.
    pub label: String,
    /// Why it is not there, in a sentence.
    pub reason: String,
}

/// What choices are made from.
pub(super) struct Offers<'a> {
    pub market: &'a Market,
    pub conditions: Conditions,
}

/// A choice before its sums.
struct Draft<'a> {
    kind: Kind,
    label: String,
    subject: String,
    device: Option<&'a MeasuredRow>,
    plan: Plan,
    capital: Option<Capital>,
    origin: Origin,
    scope: Scope,
    rests_on: Vec<Citation>,
}

impl Offers<'_> {
    /// All reference miners, then all that each device can do.
    pub fn all(&self, rows: &[MeasuredRow]) -> (Vec<Choice>, Vec<Absent>) {
        let mut choices: Vec<Choice> = self.asics().collect();
        let mut absent = Vec::new();
        let mut devices: Vec<&str> = Vec::new();
        for row in rows {
            if !devices.contains(&row.device.as_str()) {
                devices.push(&row.device);
            }
        }
        for device in devices {
            let own: Vec<&MeasuredRow> = rows.iter().filter(|row| row.device == device).collect();
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
        let years = build.lifetime.as_ref().map(|figure| figure.estimate);
        let capital = years.map(|years| Capital::Megawatt { dollars: build.cost.estimate, years });
        self.market.asics.iter().map(move |asic| {
            let unit = Unit::Hash;
            let joules = EnergyPerWork::quoted(asic.efficiency.number(), unit).joules.into();
            self.choice(Draft {
                kind: Kind::HashAsic,
                label: format!("hash on {}", asic.name),
                subject: asic.name.clone(),
                device: None,
                plan: Plan::Hash(WorkEnergy { joules, unit }),
                capital,
                origin: Origin::Published,
                scope: Scope::Wall,
                rests_on: vec![(&asic.efficiency).into()],
            })
        })
    }

    fn hash(&self, own: &[&MeasuredRow]) -> Vec<Result<Choice, Absent>> {
        let kind = Kind::HashHere;
        let rows: Vec<_> = own.iter().filter(|row| row.unit == Unit::Hash).collect();
        if rows.is_empty() {
            return missing(kind, "hash", own, "no hashing was measured; run --workload sha256d");
        }
        let offer = |row: &&&MeasuredRow| {
            let (energy, work) = energy(kind, row)?;
            Ok(self.choice(self.measured(kind, row, energy, Plan::Hash(work))))
        };
        rows.iter().map(offer).collect()
    }

    fn infer(&self, own: &[&MeasuredRow]) -> Vec<Result<Choice, Absent>> {
        let kind = Kind::Infer;
        if own.iter().all(|row| row.sequences.is_none()) {
            let why = "no tokens were measured; run --workload decode:MODEL for a model that the market file prices";
            return missing(kind, "infer", own, why);
        }
        own.iter().flat_map(|row| self.infer_row(row)).collect()
    }

    fn infer_row(&self, row: &MeasuredRow) -> Vec<Result<Choice, Absent>> {
        let (kind, Some(tokens)) = (Kind::Infer, &row.sequences) else { return Vec::new() };
        let (energy, work) = match energy(kind, row) {
            Ok(both) => both,
            Err(absent) => return vec![Err(absent)],
        };
        let prices = || self.market.token_prices.iter();
        let priced = prices().filter(|price| price.mismatch(tokens).is_none());
        let choices: Vec<_> = priced
            .map(|price| {
                let dollars = price.price.estimate / MILLION_TOKENS;
                let price_of = Price { dollars, unit: Unit::Token };
                let plan = Plan::Infer { energy: work, price: price_of };
                let mut draft = self.measured(kind, row, energy, plan);
                draft.label = format!("sell {} at the price of {}", draft.label, price.name);
                draft.subject = tokens.to_string();
                draft.rests_on.push((&price.price).into());
                Ok(self.choice(draft))
            })
            .collect();
        if !choices.is_empty() {
            return choices;
        }
        // Prices of the model at hand say best what is amiss; without one, all that there is.
        let of_model = prices().filter(|price| price.models.contains(&tokens.model));
        let near: Vec<String> = of_model
            .filter_map(|price| Some(format!("'{}' {}", price.name, price.mismatch(tokens)?)))
            .collect();
        let known: Vec<&str> =
            prices().flat_map(|price| &price.models).map(String::as_str).collect();
        let why = match (near.is_empty(), known.is_empty()) {
            (false, _) => near.join(", "),
            (true, false) => format!("it prices {}", known.join(", ")),
            (true, true) => "it prices no tokens".into(),
        };
        let what = format!(
            "{} tokens of {} with {} weights at batch {}",
            tokens.stage.tokens(),
            tokens.model,
            tokens.weights,
            tokens.batch
        );
        let reason = format!("the market file has no price for {what}; {why}");
        vec![Err(Absent { kind, label: row.label(), reason })]
    }

    fn rent(&self, own: &[&MeasuredRow]) -> Vec<Result<Choice, Absent>> {
        let (kind, Some(first)) = (Kind::Rent, own.first()) else { return Vec::new() };
        let fits = |rental: &&Rental| rental.devices.iter().any(|name| name == first.card());
        let rentals: Vec<&Rental> = self.market.rentals.iter().filter(fits).collect();
        if rentals.is_empty() {
            let why = format!("the market file has no rental price of {}", first.card());
            return missing(kind, "rent", own, &why);
        }
        let Some((row, energy)) = self.thirstiest(own) else {
            return missing(kind, "rent", own, "its power was not measured");
        };
        let offer = |rental: &Rental| {
            let dollars_per_hour = rental.rent.estimate;
            let plan = Plan::Rent { dollars_per_hour, watts: energy.watts };
            let mut draft = self.measured(kind, row, energy, plan);
            draft.label = format!("rent out {}: {}", row.device_name, rental.name);
            draft.subject = rental.name.clone();
            draft.rests_on = vec![watts_of(row, energy), (&rental.rent).into()];
            Ok(self.choice(draft))
        };
        rentals.into_iter().map(offer).collect()
    }

    /// The row of the most power: a tenant may draw it. Rows whose joules reach the plug come first.
    fn thirstiest<'a>(&self, own: &[&'a MeasuredRow]) -> Option<(&'a MeasuredRow, RowEnergy)> {
        let powered = own.iter().filter_map(|row| Some((*row, *row.energy.as_ref().ok()?)));
        powered.max_by(|(_, a), (_, b)| {
            let rank = |energy: &RowEnergy| {
                let wall = self.market.wall_factor(energy.scope).map(|(factor, _)| factor);
                (wall.is_some(), wall.unwrap_or(1.0) * energy.watts.middle())
            };
            let (a, b) = (rank(a), rank(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        })
    }

    /// A draft on a measured row.
    fn measured<'a>(
        &self,
        kind: Kind,
        row: &'a MeasuredRow,
        energy: RowEnergy,
        plan: Plan,
    ) -> Draft<'a> {
        let cost = |devices: &[String]| devices.iter().any(|name| name == row.card());
        let card = self.market.card_costs.iter().find(|card| cost(&card.devices));
        let build = &self.market.inference;
        let capital = match (card, &build.lifetime) {
            (Some(card), _) => Some(Capital::Card {
                dollars: card.cost.estimate,
                years: card.lifetime.estimate,
                watts: energy.watts,
            }),
            // What a megawatt of accelerators costs says nothing of a processor.
            (None, Some(years)) if !row.class.runs_on_cpu() => {
                Some(Capital::Megawatt { dollars: build.cost.estimate, years: years.estimate })
            }
            _ => None,
        };
        Draft {
            kind,
            label: row.label(),
            subject: row.workload.clone(),
            device: Some(row),
            plan,
            capital,
            origin: Origin::Row(energy.provenance),
            scope: energy.scope,
            rests_on: vec![joules_of(row, energy)],
        }
    }

    fn choice(&self, draft: Draft) -> Choice {
        let (conditions, after) = (&self.conditions, &self.conditions.after_halving());
        let (wall, mut factors, standing) = to_meter(self.market, draft.scope);
        let sells_always = matches!(draft.plan, Plan::Hash(_));
        if !sells_always {
            let utilisation = &self.market.premises.utilisation;
            factors.push(factor("utilisation", conditions.utilisation, utilisation));
        }
        let venture = Venture { plan: draft.plan, wall, capital: draft.capital };
        Choice {
            kind: draft.kind,
            label: draft.label,
            subject: draft.subject,
            device: draft.device.map(|row| On {
                id: row.device.clone(),
                name: row.device_name.clone(),
                class: row.class,
            }),
            venture,
            revenue: venture.revenue(conditions),
            revenue_after_halving: venture.revenue(after),
            hardware: venture.hardware(conditions),
            margin: venture.margin(conditions),
            margin_after_halving: venture.margin(after),
            standing,
            origin: draft.origin,
            scope: draft.scope,
            factors,
            rests_on: draft.rests_on,
        }
    }
}

/// What takes joules of a scope to the hall's meter: the factor to the plug, all factors, and whether they suffice.
pub(super) fn to_meter(market: &Market, scope: Scope) -> (f64, Vec<Factor>, Standing) {
    let name = format!("plug per {}", scope.name());
    let (wall, first, standing) = match market.wall_factor(scope) {
        Some((wall, Some(figure))) => (wall, factor(&name, wall, figure), Standing::Meter),
        Some((wall, None)) => {
            let source = "the figure is of the plug".to_string();
            (wall, Factor { name, value: wall, source }, Standing::Meter)
        }
        None => {
            let (_, excludes) = scope.extent();
            let source = "unknown, taken as 1".to_string();
            let why = format!(
                "{} leaves out {excludes}, and wall_factor has nothing for it",
                scope.name()
            );
            (1.0, Factor { name, value: 1.0, source }, Standing::Bound(why))
        }
    };
    let pue = &market.premises.pue;
    (wall, vec![first, factor("PUE", pue.number(), pue)], standing)
}

fn factor(name: &str, value: f64, figure: &Figure) -> Factor {
    Factor { name: name.into(), value, source: format!("{} ({})", figure.source, figure.date) }
}

/// The energy of a row, or why it gives no choice.
fn energy(kind: Kind, row: &MeasuredRow) -> Result<(RowEnergy, WorkEnergy), Absent> {
    let absent = |reason: &String| Absent { kind, label: row.label(), reason: reason.clone() };
    let energy = *row.energy.as_ref().map_err(absent)?;
    Ok((energy, WorkEnergy { joules: energy.joules_per_unit, unit: row.unit }))
}

fn missing(kind: Kind, verb: &str, own: &[&MeasuredRow], why: &str) -> Vec<Result<Choice, Absent>> {
    let name = own.first().map_or("", |row| &row.device_name);
    vec![Err(Absent { kind, label: format!("{verb} on {name}"), reason: why.to_string() })]
}
