//! The built-in instruments.

/// What is known of an instrument without any configuration.
pub(super) struct BuiltIn {
    pub symbol: &'static str,
    pub contract_size: f64,
    pub pip_size: f64,
    pub tick_size: f64,
    /// Minimum, step, maximum, in lots.
    pub volume: [f64; 3],
    pub base: &'static str,
    pub quote: &'static str,
}

const fn row(
    symbol: &'static str,
    [contract_size, pip_size, tick_size]: [f64; 3],
    volume: [f64; 3],
    base: &'static str,
    quote: &'static str,
) -> BuiltIn {
    BuiltIn { symbol, contract_size, pip_size, tick_size, volume, base, quote }
}

/// Contract size, pip and tick of a currency pair with five decimals, and with three.
const FIVE: [f64; 3] = [100_000.0, 0.0001, 0.000_01];
const THREE: [f64; 3] = [100_000.0, 0.01, 0.001];
const LOTS: [f64; 3] = [0.01, 0.01, 200.0];

pub(super) const BUILT_IN: [BuiltIn; 21] = [
    row("EURUSD", FIVE, LOTS, "EUR", "USD"),
    row("GBPUSD", FIVE, LOTS, "GBP", "USD"),
    row("AUDUSD", FIVE, LOTS, "AUD", "USD"),
    row("NZDUSD", FIVE, LOTS, "NZD", "USD"),
    row("USDCHF", FIVE, LOTS, "USD", "CHF"),
    row("USDCAD", FIVE, LOTS, "USD", "CAD"),
    row("EURGBP", FIVE, LOTS, "EUR", "GBP"),
    row("EURCHF", FIVE, LOTS, "EUR", "CHF"),
    row("AUDNZD", FIVE, LOTS, "AUD", "NZD"),
    row("GBPAUD", FIVE, LOTS, "GBP", "AUD"),
    row("USDJPY", THREE, LOTS, "USD", "JPY"),
    row("EURJPY", THREE, LOTS, "EUR", "JPY"),
    row("GBPJPY", THREE, LOTS, "GBP", "JPY"),
    row("AUDJPY", THREE, LOTS, "AUD", "JPY"),
    row("XAUUSD", [100.0, 0.01, 0.01], [0.01, 0.01, 100.0], "XAU", "USD"),
    row("XAGUSD", [5_000.0, 0.01, 0.001], [0.01, 0.01, 50.0], "XAG", "USD"),
    row("DE40", [1.0, 1.0, 0.5], [0.1, 0.1, 50.0], "DE40", "EUR"),
    row("US500", [1.0, 1.0, 0.1], [0.1, 0.1, 100.0], "US500", "USD"),
    row("BTCUSD", [1.0, 1.0, 0.01], [0.001, 0.001, 100.0], "BTC", "USD"),
    row("BTCPERP", [1.0, 1.0, 0.01], [0.001, 0.001, 100.0], "BTC", "USD"),
    row("GOOG", [1.0, 0.01, 0.01], [1.0, 1.0, 1_000_000.0], "GOOG", "USD"),
];
