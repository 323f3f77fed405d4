//! The symbols of a portfolio: what they are, what their lots are worth, and their last quotes.

use super::row::{Operation, positive, wrong};
use crate::error::{Error, Result};
use crate::execution::margin::Margin;
use crate::execution::options::Options;
use crate::execution::rates::Rates;
use crate::execution::sizing::{SizingModel, UnitMoney};
use crate::market::SymbolSpec;
use crate::orders::Direction;
use crate::portfolio::Money;
use std::collections::{BTreeMap, HashMap};

/// Bid and ask.
type Prices = (f64, f64);

/// Symbols by number, and their quotes before new ones came.
pub(super) type Replaced = Vec<(usize, Option<Prices>)>;

/// What lots of a symbol are worth in the account currency.
#[derive(Debug)]
pub(super) struct Valuation {
    pub money: Money,
    pub margin: Margin,
    pub sizing: SizingModel,
}

/// One symbol.
#[derive(Debug)]
pub(super) struct Instrument {
    pub spec: SymbolSpec,
    valuation: Option<Valuation>,
    quote: Option<Prices>,
}

impl Instrument {
    /// The exit-side price of the last quote.
    pub fn mark(&self, direction: Direction) -> Option<f64> {
        self.quote.map(|(bid, ask)| if direction == Direction::Long { bid } else { ask })
    }

    /// The valuation, which a symbol has once a position of it was entered.
    pub fn valuation(&self) -> Result<&Valuation> {
        let missing = || Error::engine(4004, format!("{} has no valuation", self.spec.symbol));
        self.valuation.as_ref().ok_or_else(missing)
    }
}

/// All symbols that were named so far, by number.
#[derive(Debug)]
pub(super) struct Instruments {
    options: Options,
    rates: Rates,
    /// Specifications of the user's; other symbols are the built-in ones.
    specs: BTreeMap<String, SymbolSpec>,
    known: Vec<Instrument>,
    numbers: HashMap<String, usize>,
    /// Number of the symbol that was named last: the next one is often the same.
    last: usize,
}

impl Instruments {
    pub fn new(options: Options, rates: Rates, specs: BTreeMap<String, SymbolSpec>) -> Self {
        Self { options, rates, specs, known: Vec::new(), numbers: HashMap::new(), last: 0 }
    }

    /// The number of a symbol by its name.
    ///
    /// # Errors
    /// [1001] for an unknown one.
    pub fn number(&mut self, name: &str) -> Result<usize> {
        if self.known.get(self.last).is_some_and(|instrument| instrument.spec.symbol == name) {
            return Ok(self.last);
        }
        self.last = match self.numbers.get(name) {
            Some(&number) => number,
            None => self.learn(name)?,
        };
        Ok(self.last)
    }

    #[cold]
    fn learn(&mut self, name: &str) -> Result<usize> {
        if name.is_empty() {
            return Err(wrong("the symbol is empty").fix("name the symbol"));
        }
        let spec = match self.specs.get(name) {
            Some(spec) => spec.clone(),
            None => SymbolSpec::resolve(name, &serde_json::Map::new()).map_err(|e| e.at("specs"))?,
        };
        let number = self.known.len();
        self.known.push(Instrument { spec, valuation: None, quote: None });
        self.numbers.insert(name.to_owned(), number);
        Ok(number)
    }

    pub fn get(&self, number: usize) -> &Instrument {
        &self.known[number]
    }

    /// What lots of a symbol are worth; its conversion is resolved when it is first needed.
    ///
    /// # Errors
    /// [1008] naming a missing rate.
    pub fn valued(&mut self, number: usize) -> Result<&Valuation> {
        let instrument = &mut self.known[number];
        if instrument.valuation.is_none() {
            instrument.valuation = Some(valuation(&instrument.spec, &self.options, &self.rates)?);
        }
        instrument.valuation()
    }

    /// Takes the quotes of an update; gives what they replaced, for [`Self::restore`].
    ///
    /// # Errors
    /// [1001] for an unknown symbol and a price that is not finite and above 0; then none is taken.
    pub fn quote(&mut self, row: &impl Operation) -> Result<Replaced> {
        let mut taken = Replaced::new();
        row.quotes(|symbol, bid, ask| {
            let prices = (positive(Some(bid), "bid")?, positive(Some(ask), "ask")?);
            taken.push((self.number(symbol)?, Some(prices)));
            Ok(())
        })?;
        for (number, quote) in &mut taken {
            std::mem::swap(&mut self.known[*number].quote, quote);
        }
        Ok(taken)
    }

    /// Undoes [`Self::quote`].
    pub fn restore(&mut self, replaced: Replaced) {
        for (number, quote) in replaced.into_iter().rev() {
            self.known[number].quote = quote;
        }
    }
}

fn valuation(spec: &SymbolSpec, options: &Options, rates: &Rates) -> Result<Valuation> {
    let account = &options.account;
    let unit = UnitMoney::new(spec, account.sizing.unit_value, &account.currency, rates)?;
    let below = options.execution.below_min_volume;
    Ok(Valuation {
        money: Money { pnl: options.execution.pnl, unit: unit.clone() },
        margin: Margin::new(unit.clone(), account.leverage),
        sizing: SizingModel::new(spec, &account.sizing, account.risk_per_trade, below, unit),
    })
}
