use super::*;
use crate::metrics::CATALOGUE;
use crate::orders::Direction;
use crate::portfolio::SummaryValue;
use serde_json::json;
use std::borrow::Cow;

const NOON: i64 = 1_704_110_400_000_000;

fn portfolio(balance: f64, pnl: &str, equity: &str) -> Portfolio {
    let options = json!({
        "account": {"initial_balance": balance, "currency": "USD", "leverage": 100},
        "execution": {"pnl": pnl, "equity": equity},
        "rates": {"static": {"USDJPY": 150.0}},
    });
    Portfolio::new(Setup { options, ..Setup::default() }).unwrap()
}

fn in_r(balance: f64) -> Portfolio {
    portfolio(balance, "r_multiple", "realised")
}

fn word(text: &'static str) -> Option<Cow<'static, str>> {
    Some(text.into())
}

/// One lot of EURUSD at 100 of risk; long if the stop is below the price.
fn entry(price: f64, stop: f64, time: i64, fee: f64) -> Row<'static> {
    Row {
        op: word("register_entry"),
        symbol: word("EURUSD"),
        direction: word(if stop < price { "long" } else { "short" }),
        price: Some(price),
        stop_loss: Some(stop),
        size: Some(1.0),
        risk_per_trade: Some(100.0),
        time: Some(time),
        fee: Some(fee),
        ..Row::default()
    }
}

fn of(op: &'static str, id: u64, price: f64, time: i64) -> Row<'static> {
    Row { op: word(op), position_id: Some(id), price: Some(price), time: Some(time), ..Row::default() }
}

fn leave(id: u64, price: f64, time: i64, fee: f64) -> Row<'static> {
    Row { fee: Some(fee), ..of("register_exit", id, price, time) }
}

fn update(time: i64) -> Row<'static> {
    Row { op: word("update"), time: Some(time), ..Row::default() }
}

fn quoted(time: i64, symbol: &'static str, bid: f64, ask: f64) -> Row<'static> {
    Row { quotes: vec![Quote { symbol: symbol.into(), bid, ask }], ..update(time) }
}

fn paid(amount: f64, kind: &'static str, id: Option<u64>) -> Row<'static> {
    let op = word("register_fee");
    Row {
        op,
        amount: Some(amount),
        kind: word(kind),
        position_id: id,
        time: Some(NOON + 50),
        ..Row::default()
    }
}

fn all(portfolio: &mut Portfolio, rows: Vec<Row<'static>>) -> Report {
    portfolio.batch(rows.into_iter().map(Ok))
}

fn done(portfolio: &mut Portfolio, rows: Vec<Row<'static>>) -> Report {
    let report = all(portfolio, rows);
    assert_eq!(report.errors, []);
    report
}

/// Everything that an operation can change.
fn traces(p: &Portfolio) -> String {
    let (places, mark) = (p.places.len(), p.instruments.get(0).mark(Direction::Long));
    format!("{:?} {:?} {:?} {:?} {places} {mark:?}", p.book, p.pending, p.tracker, p.fees)
        + &format!("{:?} {:?} {} {:?}", p.start, p.clock, p.realised, p.new_id(None))
}

fn close_to(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
}

fn figure(portfolio: &Portfolio, name: &str) -> f64 {
    let all = portfolio.summary().unwrap();
    match all.into_iter().find(|(known, _)| *known == name).unwrap().1 {
        SummaryValue::Number(x) => x,
        SummaryValue::Count(n) => f64::from(u32::try_from(n).unwrap()),
    }
}

fn metric(portfolio: &Portfolio, name: &str) -> Option<f64> {
    let at = CATALOGUE.iter().position(|metric| metric.name == name).unwrap();
    portfolio.metrics()[at]
}

#[test]
fn three_documented_positions() {
    let mut p = in_r(100_000.0);
    let trades = [(1.1, 1.099, 1.1015), (1.102, 1.101, 1.1005), (1.25, 1.251, 1.2485)];
    for (id, (price, stop, out)) in (1..).zip(trades) {
        let t = NOON + 10 * i64::try_from(id).unwrap();
        let rows = vec![entry(price, stop, t, 3.0), update(t + 1), leave(id, out, t + 2, 2.5), update(t + 3)];
        done(&mut p, rows);
    }
    for (name, value) in [
        ("Final Balance", 100_133.5),
        ("Max Drawdown", 158.5),
        ("Drawdown Initial Balance", 14.0),
        ("Total Fees", 16.5),
        ("Total Lots", 3.0),
        ("Avg R-Multiple", 0.5),
        ("Winrate", 66.67),
        ("Wins", 2.0),
        ("Losses", 1.0),
    ] {
        assert_eq!(figure(&p, name), value, "{name}");
    }
    assert!((metric(&p, "sharpe_trade").unwrap() - 0.288_675_134_595).abs() < 1e-9);
    assert!((metric(&p, "sortino_trade").unwrap() - 0.577_350_269_190).abs() < 1e-9);
    assert_eq!(metric(&p, "active_days"), Some(1.0));
}

#[test]
fn a_batch_skips_what_is_refused() {
    let mut p = in_r(1000.0);
    let rows = vec![
        entry(1.1, 1.099, NOON, 3.0),
        leave(1, 1.101, NOON + 1, 2.0),
        leave(99, 1.101, NOON + 1, 2.0),
        Row { op: word("register_something"), ..Row::default() },
        Row { position_id: None, ..paid(1.0, "other", None) },
        update(NOON + 60),
    ];
    let report = all(&mut p, rows);
    let errors: Vec<(usize, u16)> = report.errors.iter().map(|e| (e.row, e.error.code)).collect();
    assert_eq!(errors, [(2, 1007), (3, 1001)]);
    assert_eq!((report.operations_processed, report.fees, report.ids), (4, 3, vec![1]));
    assert_eq!((report.entries, report.exits, report.updates), (1, 1, 1));
    close_to(report.final_cash, 1094.0);
    assert_eq!(report.final_equity, Some(p.cash()));
}

#[test]
fn what_is_refused_leaves_no_trace() {
    let mut p = portfolio(1000.0, "lots", "mark_to_market");
    let order = |price, stop| Row {
        status: word("pending"),
        fee: None,
        position_id: Some(2),
        ..entry(price, stop, NOON, 0.0)
    };
    done(&mut p, vec![entry(1.1, 1.09, NOON, 1.0), order(1.1, 1.2), quoted(NOON + 9, "EURUSD", 1.2, 1.3)]);
    let before = traces(&p);
    let cheap = entry(1.1, 1.09, NOON + 10, 0.0);
    let with = |size| Row { size: Some(size), ..of("partial_exit", 1, 1.1, NOON + 10) };
    let refused = [
        (1001, Row { symbol: word(""), ..cheap.clone() }),
        (1001, Row { symbol: word("NOPE"), ..cheap.clone() }),
        (1008, Row { symbol: word("EURGBP"), risk_per_trade: None, ..cheap.clone() }),
        (1001, Row { size: Some(0.0), ..cheap.clone() }),
        (1001, Row { price: Some(f64::NAN), ..cheap.clone() }),
        (1001, Row { price: Some(-1.0), ..cheap.clone() }),
        (1008, Row { stop_loss: None, ..cheap.clone() }),
        (1001, Row { fee: Some(f64::INFINITY), ..cheap.clone() }),
        (1003, Row { order_time: Some(NOON + 11), ..cheap.clone() }),
        (1003, Row { time: Some(i64::MAX), ..cheap.clone() }),
        (1007, Row { position_id: Some(1), ..cheap.clone() }),
        (1007, Row { position_id: Some(2), ..cheap.clone() }),
        (1001, Row { position_id: Some(0), ..cheap.clone() }),
        (1001, Row { position_id: Some(u64::MAX), ..cheap.clone() }),
        (2005, Row { size: Some(1e308), ..cheap }),
        (1007, leave(2, 1.1, NOON + 10, 0.0)),
        (1008, Row { position_id: None, ..leave(1, 1.1, NOON + 10, 0.0) }),
        (1003, leave(1, 1.1, NOON - 1, 0.0)),
        (1001, Row { reason: word("boredom"), ..leave(1, 1.1, NOON + 10, 0.0) }),
        (2005, leave(1, 1e308, NOON + 10, 0.0)),
        (1003, with(0.0)),
        (1003, with(1.0)),
        (1003, with(f64::NAN)),
        (1007, of("register_fill", 1, 1.1, NOON + 10)),
        (1003, of("register_fill", 2, 1.1, NOON - 1)),
        (1007, of("limit_expired", 1, 1.1, NOON + 10)),
        (1001, Row { reason: word("stop_loss"), ..of("limit_expired", 2, 1.1, NOON + 10) }),
        (1001, of("modify_position", 1, 1.1, NOON)),
        (1001, Row { stop_loss: Some(1.05), take_profit: Some(0.0), ..of("modify_position", 1, 1.1, NOON) }),
        (1001, Row { stop_kind: word("trailing"), ..of("modify_position", 2, 1.1, NOON) }),
        (1007, Row { stop_loss: Some(1.05), ..of("modify_position", 3, 1.1, NOON) }),
        (1001, Row { buffer_pips: Some(-1e9), ..of("set_break_even", 1, 1.1, NOON) }),
        (1007, of("set_break_even", 2, 1.1, NOON)),
        (1001, paid(f64::NAN, "other", None)),
        (1007, paid(1.0, "other", Some(3))),
        (1007, paid(1.0, "entry", Some(2))),
        (1003, update(NOON + 8)),
        (1008, Row { time: None, ..update(0) }),
        (1001, quoted(NOON + 10, "EURUSD", 1.1, 0.0)),
        (1001, quoted(NOON + 10, "NOPE", 1.1, 1.1)),
        (2005, quoted(NOON + 10, "EURUSD", 1e308, 1e308)),
    ];
    for (i, (code, row)) in refused.into_iter().enumerate() {
        assert_eq!(p.apply(&row).unwrap_err().code, code, "row {i}: {row:?}");
        assert_eq!(traces(&p), before, "row {i}: {row:?}");
    }
}

#[test]
fn a_part_takes_its_share() {
    let mut p = in_r(10_000.0);
    let part = Row { size: Some(0.25), fee: Some(1.0), ..of("partial_exit", 1, 1.12, NOON + 1) };
    let report = done(&mut p, vec![entry(1.1, 1.09, NOON, 4.0), part]);
    assert_eq!((report.ids, report.partial_exits, report.fees), (vec![1, 2], 1, 2));
    let parent = &p.book.open[&1];
    assert_eq!((parent.size, parent.risk_per_trade, parent.entry_fee), (0.75, 75.0, 3.0));
    let part = &p.book.partials[0];
    assert_eq!((part.parent_id, part.size, part.risk_per_trade), (Some(1), 0.25, 25.0));
    assert_eq!((part.entry_fee, part.exit_fee), (1.0, 1.0));
    // 2 R of 25, fees of 4 and 1.
    close_to(p.cash(), 10_045.0);
    close_to(p.state().unwrap().margin_used, 0.75 * 1.1 * 100_000.0 / 100.0);
}

#[test]
fn fees_join_the_position_that_paid_them() {
    let mut p = in_r(1000.0);
    let rows = vec![entry(1.1, 1.09, NOON, 1.0), paid(2.0, "entry", Some(1)), paid(4.0, "exit", Some(1))];
    done(&mut p, rows);
    done(&mut p, vec![paid(8.0, "swap", Some(1)), paid(0.0, "other", None), leave(1, 1.1, NOON + 60, 16.0)]);
    done(&mut p, vec![paid(-32.0, "exit", Some(1))]);
    let closed = &p.book.closed[0];
    assert_eq!((closed.entry_fee, closed.exit_fee), (3.0, -12.0));
    assert_eq!((p.cash(), p.total_fees()), (1001.0, -1.0));
    assert_eq!(p.fees().iter().map(|f| f.amount).collect::<Vec<_>>(), [1.0, 2.0, 4.0, 8.0, 16.0, -32.0]);
}

#[test]
fn samples_of_one_time_share_a_row_and_count_for_drawdowns() {
    let mut p = in_r(1000.0);
    let fee = |amount| Row { time: Some(NOON), ..paid(amount, "other", None) };
    let rows = vec![fee(100.0), update(NOON), fee(-200.0), update(NOON), fee(150.0), update(NOON)];
    done(&mut p, rows);
    let curve = p.sampled();
    assert_eq!((curve.time, curve.equity), (vec![NOON, NOON], vec![1000.0, 950.0]));
    assert_eq!((curve.high_water, curve.drawdown), (vec![1000.0, 1100.0], vec![0.0, -150.0]));
    assert_eq!(figure(&p, "Max Drawdown"), 150.0);
    assert_eq!(figure(&p, "Drawdown Initial Balance"), 100.0);
}

#[test]
fn marks_are_the_exit_side_of_the_last_quote() {
    let mut p = portfolio(10_000.0, "lots", "mark_to_market");
    done(&mut p, vec![entry(1.1, 1.09, NOON, 0.0), entry(1.1, 1.11, NOON, 0.0), update(NOON)]);
    close_to(p.equity().unwrap(), 10_000.0);
    done(&mut p, vec![quoted(NOON + 1, "EURUSD", 1.101, 1.102)]);
    close_to(p.equity().unwrap(), 9_900.0);
    done(&mut p, vec![leave(1, 1.101, NOON + 2, 0.0)]);
    close_to(p.cash(), 10_100.0);
    close_to(p.equity().unwrap(), 9_900.0);
}

#[test]
fn what_needs_bars_or_signals_is_undefined() {
    let mut p = in_r(1000.0);
    done(
        &mut p,
        vec![entry(1.1, 1.09, NOON, 0.0), update(NOON), leave(1, 1.11, NOON + 1, 0.0), update(NOON + 1)],
    );
    for name in ["exposure_pct", "rejected_signals", "net_profit_pessimistic", "net_profit_optimistic"] {
        assert_eq!(metric(&p, name), None, "{name}");
    }
    assert_eq!(metric(&p, "total_trades"), Some(1.0));
    close_to(metric(&p, "net_profit").unwrap(), 100.0);
}

#[test]
fn the_curve_of_trades_is_in_order_of_the_exits() {
    let mut p = in_r(1000.0);
    let half = Row { size: Some(0.5), ..of("partial_exit", 1, 1.11, NOON + 9) };
    let rows = vec![entry(1.1, 1.09, NOON, 0.0), entry(1.1, 1.09, NOON, 2.0)];
    done(&mut p, rows);
    done(&mut p, vec![leave(2, 1.11, NOON + 9, 0.0), half, leave(1, 1.09, NOON + 5, 0.0)]);
    let curve = p.per_trade();
    assert_eq!(curve.time, [NOON, NOON + 5, NOON + 9, NOON + 9]);
    for (found, wanted) in curve.equity.into_iter().zip([1000.0, 950.0, 1048.0, 1098.0]) {
        close_to(found, wanted);
    }
}

#[test]
fn records_of_every_status_are_in_id_order() {
    let mut p = in_r(1000.0);
    let order = || Row { status: word("pending"), ..entry(1.1, 1.09, NOON, 0.0) };
    let rows = vec![order(), entry(1.1, 1.09, NOON, 0.0), order(), entry(1.1, 1.09, NOON, 0.0), order()];
    done(&mut p, rows);
    let fill = Row { size: Some(0.2), ..of("register_fill", 5, 1.1, NOON + 1) };
    done(&mut p, vec![leave(4, 1.1, NOON + 1, 0.0), of("limit_expired", 1, 1.0, NOON + 1), fill]);
    let found: Vec<(u64, &str)> = p.records().iter().map(|r| (r.id(), r.status())).collect();
    assert_eq!(found, [(1, "closed"), (2, "open"), (3, "pending"), (4, "closed"), (5, "open")]);
    let state = p.state().unwrap();
    assert_eq!((state.position_count, state.pending_count), (2, 1));
    assert_eq!(figure(&p, "Expired Orders"), 1.0);
}
