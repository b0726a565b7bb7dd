//! The choices for a kilowatt-hour, and the unavailable ones with their reasons.

use super::market::{Figure, ReferenceTokens, Rental, TokenPrice, tokens_of};
use super::{
    Capital, Conditions, DeviceRow, Market, MeasuredDevice, RevenueModel, RowEnergy, Scenario,
    WorkEnergy,
};
use crate::energy::Scope;
use crate::units::{EnergyPerWork, Interval, Provenance, Unit};
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

impl Kind {
    /// Whether it earns by hashing, so that a halving affects it.
    pub fn hashes(self) -> bool {
        matches!(self, Kind::HashHere | Kind::HashAsic)
    }
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
    #[serde(rename = "rests_on")]
    pub inputs: Vec<Figure>,
}

impl Choice {
    /// Whether its energy can be converted to the facility meter, as ranking requires.
    pub fn has_wall_energy(&self) -> bool {
        self.upper_bound_reason.is_none()
    }
}

/// An unavailable choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingChoice {
    /// What the energy would be used for.
    pub kind: Kind,
    /// A name that needs no context.
    pub label: String,
    /// Why it is unavailable, as a clause.
    pub reason: String,
}

/// Index of the choice of a kind with the highest revenue per kWh.
pub fn best_of(choices: &[Choice], kind: Kind) -> Option<usize> {
    let all = (0..choices.len()).filter(|i| choices[*i].kind == kind);
    let revenue = |i: usize| choices[i].revenue.middle();
    all.max_by(|a, b| revenue(*a).total_cmp(&revenue(*b)))
}

/// Indices of the choices of a kind that hashes, with their energy per hash at the plug.
pub(super) fn hashers(
    choices: &[Choice],
    kind: Kind,
) -> impl Iterator<Item = (usize, &Choice, WorkEnergy)> {
    let of_kind = choices.iter().enumerate().filter(move |(_, choice)| choice.kind == kind);
    of_kind.filter_map(|(i, choice)| match choice.scenario.revenue_model {
        RevenueModel::Hash(WorkEnergy { joules, unit }) => {
            Some((i, choice, WorkEnergy { joules: joules * choice.scenario.wall, unit }))
        }
        _ => None,
    })
}

/// A choice on a device, or the label of an unavailable one and the reason.
type Offer = Result<Choice, (String, String)>;

/// The inputs that choices are built from.
pub(super) struct Offers<'a> {
    pub market: &'a Market,
    pub conditions: Conditions,
}

impl Offers<'_> {
    /// The reference miners, then the choices of each device.
    pub fn all(&self, rows: &[DeviceRow]) -> (Vec<Choice>, Vec<MissingChoice>) {
        let mut choices: Vec<Choice> = self.asics().collect();
        let mut missing = Vec::new();
        let mut devices: Vec<(&MeasuredDevice, Vec<&DeviceRow>)> = Vec::new();
        for row in rows {
            match devices.iter_mut().find(|(device, _)| device.id == row.device.id) {
                Some((_, device_rows)) => device_rows.push(row),
                None => devices.push((&row.device, vec![row])),
            }
        }
        for (device, device_rows) in devices {
            for (kind, verb, offers) in [
                (Kind::HashHere, "hash", self.hash(&device_rows)),
                (Kind::Infer, "infer", self.infer(&device_rows)),
                (Kind::Rent, "rent", self.rent(&device_rows)),
            ] {
                let none = |reason| vec![Err((format!("{verb} on {}", device.name), reason))];
                for offer in offers.unwrap_or_else(none) {
                    match offer {
                        Ok(choice) => choices.push(choice),
                        Err((label, reason)) => missing.push(MissingChoice { kind, label, reason }),
                    }
                }
            }
        }
        (choices, missing)
    }

    fn asics(&self) -> impl Iterator<Item = Choice> {
        let build = &self.market.build.mining;
        let years = build.lifetime.as_ref().map(|figure| figure.interval);
        let capital =
            years.map(|years| Capital { dollars: build.cost.interval, years, watts: None });
        self.market.asics.iter().map(move |asic| {
            let unit = Unit::Hash;
            let joules = asic.efficiency.interval / EnergyPerWork { joules: 1.0, unit }.quote();
            let model = RevenueModel::Hash(WorkEnergy { joules, unit });
            Choice {
                label: format!("hash on {}", asic.name),
                subject: asic.name.clone(),
                inputs: vec![asic.efficiency.clone()],
                ..self.choice(Kind::HashAsic, (joules.provenance, Scope::Wall), model, capital)
            }
        })
    }

    fn hash(&self, device_rows: &[&DeviceRow]) -> Result<Vec<Offer>, String> {
        let rows: Vec<_> =
            device_rows.iter().filter(|r| r.row.workload.unit == Unit::Hash).collect();
        if rows.is_empty() {
            return Err("no hashing was measured; run --workload sha256d".into());
        }
        let offer = |row: &&&DeviceRow| {
            let energy = row.energy().map_err(|reason| (row.label(), reason))?;
            Ok(self.measured(Kind::HashHere, row, &energy, RevenueModel::Hash(energy.work)))
        };
        Ok(rows.iter().map(offer).collect())
    }

    fn infer(&self, device_rows: &[&DeviceRow]) -> Result<Vec<Offer>, String> {
        let rows: Vec<_> = device_rows.iter().filter(|r| r.row.workload.id.has_model()).collect();
        if rows.is_empty() {
            return Err("no tokens were measured; run --workload decode:MODEL for a model that the market file prices".into());
        }
        let offers = |row: &&DeviceRow| match self.infer_row(row) {
            Ok(choices) => choices.into_iter().map(Ok).collect(),
            Err(reason) => vec![Err((row.label(), reason))],
        };
        Ok(rows.into_iter().flat_map(offers).collect())
    }

    /// The tokens of a row at each price that applies to them.
    fn infer_row(&self, row: &DeviceRow) -> Result<Vec<Choice>, String> {
        let tokens = &row.row.workload;
        let energy = row.energy()?;
        let prices = || self.market.token_prices.iter();
        let priced = prices().filter(|price| price.mismatch(tokens).is_none());
        let choice = |price: &TokenPrice| {
            let model = RevenueModel::Infer { energy: energy.work, price: price.per_token() };
            let mut choice = self.measured(Kind::Infer, row, &energy, model);
            choice.label = format!("sell {} at the price of {}", choice.label, price.name);
            choice.subject = tokens_of(tokens);
            choice.inputs.push(price.price.clone());
            choice
        };
        let choices: Vec<Choice> = priced.map(choice).collect();
        if !choices.is_empty() {
            return Ok(choices);
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
        Err(format!("the market file has no price for {}; {why}", tokens_of(tokens)))
    }

    fn rent(&self, device_rows: &[&DeviceRow]) -> Result<Vec<Offer>, String> {
        let card = device_rows[0].device.card();
        let fits = |rental: &&Rental| rental.devices.iter().any(|name| name == card);
        let rentals: Vec<&Rental> = self.market.rentals.iter().filter(fits).collect();
        if rentals.is_empty() {
            return Err(format!("the market file has no rental price of {card}"));
        }
        let (row, energy) =
            self.highest_power_row(device_rows).ok_or("its power was not measured")?;
        let offer = |rental: &Rental| {
            let dollars_per_hour = rental.rent.interval;
            let model = RevenueModel::Rent { dollars_per_hour, watts: energy.watts };
            Ok(Choice {
                label: format!("rent out {}: {}", row.device.name, rental.name),
                subject: rental.name.clone(),
                inputs: vec![row.cite(&energy, energy.watts, "W"), rental.rent.clone()],
                ..self.measured(Kind::Rent, row, &energy, model)
            })
        };
        Ok(rentals.into_iter().map(offer).collect())
    }

    /// Published tokens at their price, as choices on nobody's device.
    pub fn published_tokens(&self) -> Vec<Choice> {
        let choice = |tokens: &ReferenceTokens| {
            let mut prices = self.market.token_prices.iter();
            let price = prices.find(|price| price.name == tokens.price)?;
            let energy = WorkEnergy { joules: tokens.energy.interval, unit: Unit::Token };
            let origin = (energy.joules.provenance, tokens.scope);
            let model = RevenueModel::Infer { energy, price: price.per_token() };
            Some(Choice {
                label: format!("{}, at the price of {}", tokens.name, price.name),
                inputs: vec![tokens.energy.clone(), price.price.clone()],
                ..self.choice(Kind::Infer, origin, model, None)
            })
        };
        self.market.reference_tokens.iter().filter_map(choice).collect()
    }

    /// The row with the highest power, since a tenant may draw as much. Rows with a known plug factor take precedence.
    fn highest_power_row<'r>(
        &self,
        device_rows: &[&'r DeviceRow<'r>],
    ) -> Option<(&'r DeviceRow<'r>, RowEnergy)> {
        let powered = device_rows.iter().filter_map(|row| Some((*row, row.energy().ok()?)));
        let rank = |energy: &RowEnergy| {
            let (wall, _, missing) = to_meter(self.market, energy.scope);
            (missing.is_none(), wall * energy.watts.middle())
        };
        powered.max_by(|(_, a), (_, b)| {
            let (a, b) = (rank(a), rank(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        })
    }

    /// A choice on the device of a measured row.
    fn measured(
        &self,
        kind: Kind,
        row: &DeviceRow,
        energy: &RowEnergy,
        model: RevenueModel,
    ) -> Choice {
        let device = &row.device;
        let fits = |devices: &[String]| devices.iter().any(|name| name == device.card());
        let card = self.market.card_costs.iter().find(|card| fits(&card.devices));
        let build = &self.market.build.inference;
        let capital = |dollars: &Figure, years: &Figure, watts| {
            Some(Capital { dollars: dollars.interval, years: years.interval, watts })
        };
        let capital = match (card, &build.lifetime) {
            (Some(card), _) => capital(&card.cost, &card.lifetime, Some(energy.watts)),
            // The cost of a megawatt of accelerators does not apply to a CPU.
            (None, Some(years)) if !device.class.runs_on_cpu() => capital(&build.cost, years, None),
            _ => None,
        };
        let unit = energy.work.unit;
        let joules = energy.work.joules * EnergyPerWork { joules: 1.0, unit }.quote();
        Choice {
            label: row.label(),
            subject: row.spec.clone(),
            device: Some(device.clone()),
            inputs: vec![row.cite(energy, joules, unit.energy_symbol())],
            ..self.choice(kind, (energy.provenance(), energy.scope), model, capital)
        }
    }

    /// A choice without its names and sources.
    fn choice(
        &self,
        kind: Kind,
        (provenance, scope): (Provenance, Scope),
        revenue_model: RevenueModel,
        capital: Option<Capital>,
    ) -> Choice {
        let (wall, mut factors, upper_bound_reason) = to_meter(self.market, scope);
        if !kind.hashes() {
            factors.push(factor("utilisation", &self.market.premises.utilisation));
        }
        let scenario = Scenario { revenue_model, wall, capital, conditions: self.conditions };
        let after = scenario.after_halving();
        Choice {
            kind,
            label: String::new(),
            subject: String::new(),
            device: None,
            scenario,
            revenue: scenario.revenue(),
            revenue_after_halving: after.revenue(),
            hardware: scenario.hardware(),
            margin: scenario.margin(),
            margin_after_halving: after.margin(),
            upper_bound_reason,
            provenance,
            scope,
            factors,
            inputs: Vec::new(),
        }
    }
}

/// From a scope to the facility meter: the factor to the plug, all factors, and why they are incomplete if they are.
pub(super) fn to_meter(market: &Market, scope: Scope) -> (f64, Vec<Factor>, Option<String>) {
    let name = format!("plug per {}", scope.into_str());
    let (first, missing) = match market.wall_factors.get(&scope) {
        _ if scope == Scope::Wall => {
            (Factor { name, value: 1.0, source: "the figure is of the plug".into() }, None)
        }
        Some(figure) => (factor(&name, figure), None),
        None => {
            let (scope, (_, excludes)) = (scope.into_str(), scope.extent());
            let why = format!(
                "{scope} excludes {excludes}, and the market file has no wall_factor for it"
            );
            (Factor { name, value: 1.0, source: "unknown, taken as 1".into() }, Some(why))
        }
    };
    (first.value, vec![first, factor("PUE", &market.premises.pue)], missing)
}

fn factor(name: &str, figure: &Figure) -> Factor {
    let source = format!("{} ({})", figure.source, figure.date);
    Factor { name: name.into(), value: figure.number(), source }
}
