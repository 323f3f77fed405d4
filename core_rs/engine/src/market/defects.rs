//! What a series has against the data contract: counted by class, with the first rows of each.

use serde::Serialize;

use super::calendar::iso;
use crate::{Error, Result};

/// How many rows of a class are listed.
const SHOWN: usize = 5;

/// All rows of one class of defect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// Name of the class.
    pub defect: &'static str,
    /// Its code.
    pub code: u16,
    /// What the rows are, their number included.
    pub what: String,
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub rows: Vec<DefectRow>,
    /// What to do.
    pub remedy: String,
}

/// A row with a defect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefectRow {
    /// Counted from 0.
    pub row: usize,
    /// Its time in microseconds UTC.
    pub label: Option<i64>,
    /// The values at fault.
    pub detail: String,
}

impl Defect {
    /// Data without rows; `one` is what there should be at least one of.
    pub(super) fn no_rows(one: &str) -> Self {
        Self {
            defect: "no_rows",
            code: 1010,
            what: "there are no rows".to_owned(),
            count: 0,
            rows: Vec::new(),
            remedy: format!("give at least one {one}"),
        }
    }
}

/// A class of defects of one kind of series, in the order in which they are reported.
pub(super) trait Class: Copy + 'static {
    /// All classes, each at the place of its number.
    const ALL: &'static [Self];

    /// Place in [`Class::ALL`].
    fn place(self) -> usize;

    /// Name for machines.
    fn slug(self) -> &'static str;

    /// Code of the public table.
    fn code(self) -> u16;

    /// What is said of its rows.
    fn what(self) -> &'static str;
}

/// Number of rows of each class, and the first of them.
pub(super) struct Findings<C> {
    counts: Vec<usize>,
    rows: Vec<Vec<usize>>,
    class: std::marker::PhantomData<C>,
}

impl<C: Class> Findings<C> {
    pub fn new() -> Self {
        let classes = C::ALL.len();
        Self { counts: vec![0; classes], rows: vec![Vec::new(); classes], class: std::marker::PhantomData }
    }

    pub fn add(&mut self, class: C, row: usize) {
        let place = class.place();
        self.counts[place] += 1;
        if self.rows[place].len() < SHOWN {
            self.rows[place].push(row);
        }
    }

    /// The classes that occur; `time` are those of the rows, `detail` names the values at fault.
    pub fn into_defects(
        self,
        time: &[i64],
        detail: impl Fn(C, usize) -> String,
        remedy: impl Fn(C) -> String,
    ) -> Vec<Defect> {
        let described = |&class: &C| {
            let (count, rows) = (self.counts[class.place()], &self.rows[class.place()]);
            let row = |&row: &usize| DefectRow { row, label: Some(time[row]), detail: detail(class, row) };
            (count > 0).then(|| Defect {
                defect: class.slug(),
                code: class.code(),
                what: format!("{} {}", counted(count), class.what()),
                count,
                rows: rows.iter().map(row).collect(),
                remedy: remedy(class),
            })
        };
        C::ALL.iter().filter_map(described).collect()
    }
}

fn counted(rows: usize) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}

/// # Errors
/// The first defect, if there is one, with all of them in the context `defects`.
pub(super) fn refuse(defects: &[Defect], name: &str) -> Result<()> {
    let Some((first, others)) = defects.split_first() else { return Ok(()) };
    let mut what = first.what.clone();
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(|d| format!("{} [{}]", d.what, d.code)).collect();
        what = format!("{what} (also: {})", others.join(", "));
    }
    let place = if first.rows.is_empty() {
        name.to_owned()
    } else {
        let shown: Vec<String> = first.rows.iter().map(DefectRow::text).collect();
        format!("{name}, counted from 0: {}", shown.join(", "))
    };
    let context = serde_json::to_value(defects).unwrap_or_default();
    Err(Error::data(first.code, what).at(place).fix(first.remedy.clone()).with("defects", context))
}

impl DefectRow {
    fn text(&self) -> String {
        let time = self.label.map(|t| format!("{}: ", iso(t))).unwrap_or_default();
        format!("{} ({time}{})", self.row, self.detail)
    }
}
