//! Checks a market file key by key: type, unit and bounds of each value.

use super::figure::{self, Expected, Figure};
use super::reader::{Table, nearest};
use super::{
    Asic, Build, CardCost, Market, NetworkFigures, Premises, Published, ReferenceTokens, Rental,
    TokenPrice, subsidy_at,
};
use crate::economics::hash::HALVING_BLOCKS;
use crate::energy::Scope;
use crate::units::Unit;
use crate::workload::Id;
use jiff::civil::Date;

// Typical figures catch wrong units, which are off by a factor of 100 or more: cents for dollars, terahashes for hashes.
const ELECTRICITY: Expected = Expected::near("$/kWh", 0.02).or_negative();
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

/// The market of a file; `None` if it has faults, which the reader records.
pub(super) fn market(root: &Table) -> Option<Market> {
    let date = root.text("date").and_then(|text| {
        let date = text.parse::<Date>().ok();
        if date.is_none() {
            let what = format!("'{text}' is no day; write the day of the file, as in 2026-11-23");
            root.fault("date", &what);
        }
        date
    });
    let c = Checker { date };
    let premises = c.table(root, "premises", Checker::premises);
    let wall_factors = c.table(root, "wall_factor", Checker::wall_factors);
    let network = c.table(root, "network", Checker::network);
    let asics = c.rows(root, "asic", true, Checker::asic);
    let token_prices = c.rows(root, "token_price", false, Checker::token_price);
    let rentals = c.rows(root, "rental", false, Checker::rental);
    let build = c.table(root, "build", |c, build| {
        let mining = c.table(build, "mining", Checker::build);
        let inference = c.table(build, "inference", Checker::build);
        Some((mining?, inference?))
    });
    let card_costs = c.rows(root, "card_cost", false, Checker::card_cost);
    let colocation = c.table(root, "colocation", |c, table| c.figure(table, "price", COLOCATION));
    let reference_tokens = c.rows(root, "reference_tokens", false, Checker::reference_tokens);
    let published_queries = c.rows(root, "published_query", false, |c, query| {
        let (name, energy) = (query.text("name"), c.figure(query, "energy", QUERY_ENERGY));
        Some(Published { name: name?, energy: energy? })
    });
    if root.has("asic") && asics.as_ref().is_some_and(Vec::is_empty) {
        root.fault("asic", "give at least one reference miner");
    }
    unique(root, "asic", &asics, |asic| &asic.name);
    unique(root, "token_price", &token_prices, |price| &price.name);
    unique(root, "rental", &rentals, |rental| &rental.name);
    priced(root, &reference_tokens, &token_prices);
    let (mining, inference) = build?;
    Some(Market {
        date: date?,
        premises: premises?,
        wall_factors: wall_factors?,
        network: network?,
        asics: asics?,
        token_prices: token_prices?,
        rentals: rentals?,
        mining,
        inference,
        card_costs: card_costs?,
        colocation: colocation?,
        reference_tokens: reference_tokens?,
        published_queries: published_queries?,
    })
}

/// `date` is the file's date, the latest that a figure may have; `None` if the file has none.
struct Checker {
    date: Option<Date>,
}

/// Reads a table; `None` if it has faults.
type Read<T> = fn(&Checker, &Table) -> Option<T>;

impl Checker {
    fn figure(&self, table: &Table, name: &'static str, expected: Expected) -> Option<Figure> {
        figure::figure(table, name, expected, self.date)
    }

    fn optional(&self, table: &Table, name: &'static str, expected: Expected) -> Option<Figure> {
        figure::optional(table, name, expected, self.date)
    }

    /// Reads a required subtable.
    fn table<T>(&self, table: &Table, name: &'static str, read: Read<T>) -> Option<T> {
        let table = table.table(name)?;
        let found = read(self, &table);
        table.finish();
        found
    }

    /// Reads every table of a list; `None` if one has faults.
    fn rows<T>(
        &self,
        table: &Table,
        list: &'static str,
        required: bool,
        read: Read<T>,
    ) -> Option<Vec<T>> {
        let rows = table.rows(list, required).into_iter().map(|row| {
            let found = read(self, &row);
            row.finish();
            found
        });
        // Collected first, so that the faults of every table are recorded.
        let rows: Vec<Option<T>> = rows.collect();
        rows.into_iter().collect()
    }

    fn premises(&self, p: &Table) -> Option<Premises> {
        let electricity = self.figure(p, "electricity", ELECTRICITY);
        let pue = self.figure(p, "pue", PUE);
        let utilisation = self.figure(p, "utilisation", UTILISATION);
        let query_tokens_in = self.figure(p, "query_tokens_in", QUERY_TOKENS);
        let query_tokens_out = self.figure(p, "query_tokens_out", QUERY_TOKENS);
        let query_idle = self.figure(p, "query_idle", FACTOR);
        Some(Premises {
            electricity: electricity?,
            pue: pue?,
            utilisation: utilisation?,
            query_tokens_in: query_tokens_in?,
            query_tokens_out: query_tokens_out?,
            query_idle: query_idle?,
        })
    }

    fn wall_factors(&self, w: &Table) -> Option<Vec<(Scope, Figure)>> {
        let scopes = [Scope::GpuBoard, Scope::CpuPackage, Scope::Machine];
        let factor = |scope: Scope| Some((scope, self.optional(w, scope.name(), FACTOR)?));
        Some(scopes.into_iter().filter_map(factor).collect())
    }

    fn network(&self, n: &Table) -> Option<NetworkFigures> {
        let difficulty = self.figure(n, "difficulty", DIFFICULTY);
        let bitcoin = self.figure(n, "bitcoin", BITCOIN);
        let fee_share = self.figure(n, "fee_share", FEE_SHARE);
        let subsidy = self.figure(n, "subsidy", SUBSIDY);
        let halving = self.figure(n, "halving", HALVING);
        if let Some(block) = halving.as_ref().map(Figure::number) {
            if block % HALVING_BLOCKS as f64 != 0.0 {
                n.fault(
                    "halving",
                    &format!("{block} is no halving; every {HALVING_BLOCKS}th block is"),
                );
            } else if let Some(stated) = subsidy.as_ref().map(Figure::number) {
                let before = subsidy_at(block as u64 - 1);
                if stated != before {
                    let what = format!(
                        "it is {stated} BTC/block, but {before} before block {block}; correct it or network.halving"
                    );
                    n.fault("subsidy", &what);
                }
            }
        }
        Some(NetworkFigures {
            difficulty: difficulty?,
            bitcoin: bitcoin?,
            fee_share: fee_share?,
            subsidy: subsidy?,
            halving: halving?,
        })
    }

    fn asic(&self, asic: &Table) -> Option<Asic> {
        let (name, efficiency) = (asic.text("name"), self.figure(asic, "efficiency", EFFICIENCY));
        Some(Asic { name: name?, efficiency: efficiency? })
    }

    fn rental(&self, rental: &Table) -> Option<Rental> {
        let (name, devices) = (rental.text("name"), rental.texts("devices"));
        let rent = self.figure(rental, "rent", RENT);
        Some(Rental { name: name?, devices: devices?, rent: rent? })
    }

    fn build(&self, build: &Table) -> Option<Build> {
        let cost = self.figure(build, "cost", BUILD);
        let lifetime = self.optional(build, "lifetime", LIFETIME);
        Some(Build { cost: cost?, lifetime })
    }

    fn card_cost(&self, card: &Table) -> Option<CardCost> {
        let devices = card.texts("devices");
        let (cost, lifetime) =
            (self.figure(card, "cost", CARD), self.figure(card, "lifetime", LIFETIME));
        Some(CardCost { devices: devices?, cost: cost?, lifetime: lifetime? })
    }

    fn token_price(&self, price: &Table) -> Option<TokenPrice> {
        let (name, models) = (price.text("name"), price.texts("models"));
        let workload = keyword(price, "tokens", &[("input", Id::Prefill), ("output", Id::Decode)]);
        let types = price.texts("types");
        let example = "the smallest and the largest batch, as in [1, 1024]";
        let batches = price.pair("batches", example);
        if batches.is_some_and(|(least, most)| least == 0 || least > most) {
            price.fault("batches", &format!("it has to be {example}"));
        }
        let figure = self.figure(price, "price", TOKEN_PRICE);
        Some(TokenPrice {
            name: name?,
            models: models?,
            workload: workload?,
            types: types?,
            batches: batches?,
            price: figure?,
        })
    }

    fn reference_tokens(&self, tokens: &Table) -> Option<ReferenceTokens> {
        let (name, price) = (tokens.text("name"), tokens.text("price"));
        let scope = keyword(tokens, "scope", &Scope::ALL.map(|scope| (scope.name(), scope)));
        let energy = self.figure(tokens, "energy", TOKEN_ENERGY);
        Some(ReferenceTokens { name: name?, price: price?, scope: scope?, energy: energy? })
    }
}

/// The value of a keyword.
fn keyword<T: Copy>(table: &Table, name: &'static str, known: &[(&str, T)]) -> Option<T> {
    let text = table.text(name)?;
    let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let words = || known.iter().map(|(word, _)| *word);
        let hint = nearest(&text, words()).map(|near| format!("; did you mean {near}?"));
        let hint =
            hint.unwrap_or_else(|| format!("; known: {}", words().collect::<Vec<_>>().join(", ")));
        table.fault(name, &format!("there is no '{text}'{hint}"));
    }
    found
}

/// Checks that reference tokens name a price of the file.
fn priced(root: &Table, tokens: &Option<Vec<ReferenceTokens>>, prices: &Option<Vec<TokenPrice>>) {
    let (Some(tokens), Some(prices)) = (tokens, prices) else { return };
    let names = || prices.iter().map(|price| price.name.as_str());
    let rows = root.rows("reference_tokens", false);
    for (tokens, row) in tokens.iter().zip(&rows) {
        if !names().any(|name| name == tokens.price) {
            let hint =
                nearest(&tokens.price, names()).map(|near| format!("; did you mean '{near}'?"));
            let hint = hint.unwrap_or_default();
            row.fault("price", &format!("no token_price is named '{}'{hint}", tokens.price));
        }
    }
}

/// Checks that no two rows of a list have the same name.
fn unique<T>(
    root: &Table,
    list: &'static str,
    rows: &Option<Vec<T>>,
    name: impl Fn(&T) -> &String,
) {
    let mut seen = std::collections::BTreeSet::new();
    let tables = root.rows(list, false);
    for (row, table) in rows.iter().flatten().zip(&tables) {
        if !seen.insert(name(row)) {
            table.fault("name", &format!("'{}' is there twice; give each its own name", name(row)));
        }
    }
}
