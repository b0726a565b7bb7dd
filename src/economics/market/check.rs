//! Checks a market file key by key, so that an error names the key and what is expected there.

use super::figure::{Expected, Figure, Wire};
use super::{
    Asic, Build, CardCost, Market, NetworkFigures, Premises, Published, ReferenceTokens, Rental,
    TokenPrice, subsidy_at, wire,
};
use crate::economics::hash::HALVING_BLOCKS;
use crate::economics::row::Stage;
use crate::energy::Scope;
use crate::units::Unit;
use jiff::civil::Date;

// Typical figures stand where a wrong unit is 100 times off or more: cents for dollars, terahashes for hashes.
const ELECTRICITY: Expected = Expected::near("$/kWh", 0.02).or_zero();
const PUE: Expected = Expected::within("ratio", 1.0, 5.0);
const UTILISATION: Expected = Expected::within("share", 0.001, 1.0);
const QUERY_TOKENS: Expected = Expected::near("token", 500.0);
const FACTOR: Expected = Expected::within("ratio", 1.0, 10.0);
const DIFFICULTY: Expected = Expected::near("difficulty", 125e12);
const BITCOIN: Expected = Expected::near("$/BTC", 60_000.0);
const FEE_SHARE: Expected = Expected::within("share", 0.0, 0.9);
const SUBSIDY: Expected = Expected::near("BTC/block", 3.125);
const HALVING: Expected = Expected::near("block", 1_050_000.0);
const EFFICIENCY: Expected = Expected::near(Unit::Hash.energy_symbol(), 15.0);
const TOKEN_PRICE: Expected = Expected::near("$/Mtoken", 0.3).or_range();
const RENT: Expected = Expected::near("$/h", 2.0).or_range();
const BUILD: Expected = Expected::near("$/MW", 3e6).or_range();
const CARD: Expected = Expected::near("$", 5000.0).or_range();
const LIFETIME: Expected = Expected::near("year", 4.0).or_range();
const COLOCATION: Expected = Expected::near("$/MW-year", 1.85e6).or_range();
const TOKEN_ENERGY: Expected = Expected::near(Unit::Token.energy_symbol(), 0.5);
const QUERY_ENERGY: Expected = Expected::near("Wh", 0.5);

/// The file's date, which no figure may be after.
struct Checker {
    date: Date,
}

/// The checked file, or one line with the key.
pub(super) fn market(file: wire::File) -> Result<Market, String> {
    let date = file.date.parse().map_err(|_| {
        format!("date: '{}' is no day; write the day of the file, as in 2026-11-23", file.date)
    })?;
    let c = Checker { date };
    if file.asic.is_empty() {
        return Err("asic: give at least one reference miner".into());
    }
    let token_prices =
        rows(file.token_price, "token_price", |price, key| c.token_price(price, key))?;
    let p = file.premises;
    let w = file.wall_factor;
    let optional = [
        (Scope::GpuBoard, w.gpu_board),
        (Scope::CpuPackage, w.cpu_package),
        (Scope::Machine, w.machine),
    ];
    let wall_factors = optional
        .into_iter()
        .filter_map(|(scope, figure)| Some((scope, figure?)))
        .map(|(scope, figure)| {
            Ok((scope, c.figure(figure, &format!("wall_factor.{}", scope.name()), FACTOR)?))
        })
        .collect::<Result<_, String>>()?;
    let market = Market {
        date,
        premises: Premises {
            electricity: c.figure(p.electricity, "premises.electricity", ELECTRICITY)?,
            pue: c.figure(p.pue, "premises.pue", PUE)?,
            utilisation: c.figure(p.utilisation, "premises.utilisation", UTILISATION)?,
            query_tokens_in: c.figure(
                p.query_tokens_in,
                "premises.query_tokens_in",
                QUERY_TOKENS,
            )?,
            query_tokens_out: c.figure(
                p.query_tokens_out,
                "premises.query_tokens_out",
                QUERY_TOKENS,
            )?,
            query_idle: c.figure(p.query_idle, "premises.query_idle", FACTOR)?,
        },
        wall_factors,
        network: c.network(file.network)?,
        asics: rows(file.asic, "asic", |asic, key| {
            let efficiency = c.figure(asic.efficiency, &format!("{key}.efficiency"), EFFICIENCY)?;
            Ok(Asic { name: name(asic.name, key)?, efficiency })
        })?,
        rentals: rows(file.rental, "rental", |rental, key| {
            let rent = c.figure(rental.rent, &format!("{key}.rent"), RENT)?;
            let devices = names(rental.devices, key, "devices")?;
            Ok(Rental { name: name(rental.name, key)?, devices, rent })
        })?,
        mining: c.build(file.build.mining, "build.mining")?,
        inference: c.build(file.build.inference, "build.inference")?,
        card_costs: rows(file.card_cost, "card_cost", |card, key| {
            Ok(CardCost {
                devices: names(card.devices, key, "devices")?,
                cost: c.figure(card.cost, &format!("{key}.cost"), CARD)?,
                lifetime: c.figure(card.lifetime, &format!("{key}.lifetime"), LIFETIME)?,
            })
        })?,
        colocation: c.figure(file.colocation.price, "colocation.price", COLOCATION)?,
        reference_tokens: rows(file.reference_tokens, "reference_tokens", |tokens, key| {
            c.reference(tokens, key, &token_prices)
        })?,
        published_queries: rows(file.published_query, "published_query", |query, key| {
            let energy = c.figure(query.energy, &format!("{key}.energy"), QUERY_ENERGY)?;
            Ok(Published { name: name(query.name, key)?, energy })
        })?,
        token_prices,
    };
    unique("asic", market.asics.iter().map(|asic| &asic.name))?;
    unique("token_price", market.token_prices.iter().map(|price| &price.name))?;
    unique("rental", market.rentals.iter().map(|rental| &rental.name))?;
    Ok(market)
}

impl Checker {
    fn figure(&self, wire: Wire, key: &str, expected: Expected) -> Result<Figure, String> {
        wire.check(key.to_string(), expected, self.date).map_err(|what| format!("{key}: {what}"))
    }

    fn network(&self, n: wire::Network) -> Result<NetworkFigures, String> {
        let network = NetworkFigures {
            difficulty: self.figure(n.difficulty, "network.difficulty", DIFFICULTY)?,
            bitcoin: self.figure(n.bitcoin, "network.bitcoin", BITCOIN)?,
            fee_share: self.figure(n.fee_share, "network.fee_share", FEE_SHARE)?,
            subsidy: self.figure(n.subsidy, "network.subsidy", SUBSIDY)?,
            halving: self.figure(n.halving, "network.halving", HALVING)?,
        };
        let block = network.halving.number();
        if block % HALVING_BLOCKS as f64 != 0.0 {
            return Err(format!(
                "network.halving: {block} is no halving; every {HALVING_BLOCKS}th block is"
            ));
        }
        let before = subsidy_at(block as u64 - 1);
        if network.subsidy.number() != before {
            return Err(format!(
                "network.subsidy: it is {} BTC/block, but {before} before block {block}; correct it or network.halving",
                network.subsidy.number()
            ));
        }
        Ok(network)
    }

    fn build(&self, build: wire::Megawatt, key: &str) -> Result<Build, String> {
        let lifetime = build
            .lifetime
            .map(|figure| self.figure(figure, &format!("{key}.lifetime"), LIFETIME))
            .transpose()?;
        Ok(Build { cost: self.figure(build.cost, &format!("{key}.cost"), BUILD)?, lifetime })
    }

    fn token_price(&self, price: wire::TokenPrice, key: &str) -> Result<TokenPrice, String> {
        let (least, most) = price.batches;
        if least == 0 || least > most {
            return Err(format!(
                "{key}.batches: write the smallest and the largest batch, as in [1, 1024]"
            ));
        }
        Ok(TokenPrice {
            name: name(price.name, key)?,
            models: names(price.models, key, "models")?,
            stage: match price.tokens {
                wire::Tokens::Input => Stage::Prefill,
                wire::Tokens::Output => Stage::Decode,
            },
            types: names(price.types, key, "types")?,
            batches: price.batches,
            price: self.figure(price.price, &format!("{key}.price"), TOKEN_PRICE)?,
        })
    }

    fn reference(
        &self,
        tokens: wire::ReferenceTokens,
        key: &str,
        prices: &[TokenPrice],
    ) -> Result<ReferenceTokens, String> {
        if !prices.iter().any(|price| price.name == tokens.price) {
            return Err(format!("{key}.price: no token_price is named '{}'", tokens.price));
        }
        let scope = Scope::ALL.into_iter().find(|s| s.name() == tokens.scope).ok_or_else(|| {
            let known = Scope::ALL.map(Scope::name).join(", ");
            format!("{key}.scope: '{}' is no scope; known: {known}", tokens.scope)
        })?;
        Ok(ReferenceTokens {
            name: name(tokens.name, key)?,
            price: tokens.price,
            scope,
            energy: self.figure(tokens.energy, &format!("{key}.energy"), TOKEN_ENERGY)?,
        })
    }
}

/// Every row of a list, with its key.
fn rows<W, T>(
    wire: Vec<W>,
    list: &str,
    check: impl Fn(W, &str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let keyed = wire.into_iter().enumerate();
    keyed.map(|(i, row)| check(row, &format!("{list}[{i}]"))).collect()
}

fn name(name: String, key: &str) -> Result<String, String> {
    if name.trim().is_empty() { Err(format!("{key}.name: it is empty")) } else { Ok(name) }
}

fn names(names: Vec<String>, key: &str, field: &str) -> Result<Vec<String>, String> {
    if names.is_empty() { Err(format!("{key}.{field}: name at least one")) } else { Ok(names) }
}

fn unique<'a>(list: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    let mut names = names;
    match names.find(|name| !seen.insert(*name)) {
        Some(twice) => Err(format!("{list}: '{twice}' stands twice; give each its own name")),
        None => Ok(()),
    }
}
