//! Marks, equity samples, margin.

use super::portfolio::Portfolio;
use super::row::{Operation, finite, positive, time_of};
use crate::error::Result;
use crate::portfolio::Sample;

impl Portfolio {
    /// Marks symbols with `quotes` and takes an equity sample. One at the time of the last sample takes its row; it
    /// counts for high water and drawdowns all the same.
    ///
    /// # Errors
    /// [1001] a quote that is none, [1003] before the last sample, [1008] no time, [2005] [2008].
    pub fn update(&mut self, row: &impl Operation) -> Result<()> {
        let earliest = self.start.map_or(i64::MIN, |_| self.tracker.last().time);
        let time = time_of(row.time(), earliest, "the last sample")?;
        let replaced = self.instruments.quote(row)?;
        let unrealised = if self.mark_to_market { self.unrealised_at(time) } else { Ok(0.0) };
        let sampled = unrealised.and_then(|unrealised| finite(self.book.cash + unrealised, "equity"));
        let equity = match sampled {
            Ok(equity) => equity,
            Err(error) => {
                self.instruments.restore(replaced);
                return Err(error);
            }
        };
        self.happened(time);
        self.tracker.overwrite(Sample { time, equity, balance: self.book.cash });
        Ok(())
    }

    /// What open positions would give at the last marks, before exit costs: their symbol's last quote, else the entry
    /// price.
    ///
    /// # Errors
    /// [2005] not finite, [2008] no rate at the time of the last operation.
    pub fn unrealised(&self) -> Result<f64> {
        self.unrealised_at(self.now())
    }

    fn unrealised_at(&self, moment: i64) -> Result<f64> {
        let mut sum = 0.0;
        for position in self.book.open.values() {
            let instrument = self.instruments.get(position.symbol);
            let price = instrument.mark(position.direction()).unwrap_or(position.entry_price);
            sum += instrument.valuation()?.money.unrealised(position, price, moment)?;
        }
        finite(sum, "the unrealised profit")
    }

    /// Margin that `size` lots of a symbol would tie up at `price`; rates are those of `time`, or of the last operation.
    ///
    /// # Errors
    /// [1001] symbol, size or price, [1008] no rate, [2005] [2008].
    pub fn calculate_margin(
        &mut self,
        symbol: &str,
        size: f64,
        price: f64,
        time: Option<i64>,
    ) -> Result<f64> {
        let number = self.instruments.number(symbol)?;
        let (size, price) = (positive(Some(size), "size")?, positive(Some(price), "price")?);
        let moment = time.unwrap_or_else(|| self.now());
        finite(self.instruments.valued(number)?.margin.of(size, price, moment)?, "margin")
    }
}
