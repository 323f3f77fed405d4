//! Sums over the kernels of mixtures, with the same bits on every processor.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sweep_engine::{Error, Result};

use crate::guard::detached;

/// Kernels at a time.
const LANES: usize = 8;
const PLACE: &str = "densities";

/// Of every mixture and point the sum over its kernels of exp(Σ feature × factor + Σ table entry), as bytes of float64
/// (mixtures × points). Kernels whose exponent is more than `negligible` below that of the mixture's last one are left
/// out.
///
/// Args: features (points × terms), factors (terms × kernels), tables of (entries (rows × kernels), the row of every
/// point, intp), stops (where the kernels of each mixture end), all contiguous.
///
/// # Errors
/// [5004] for shapes that do not fit.
#[pyfunction]
pub fn mixture_sums<'py>(
    py: Python<'py>,
    features: PyBuffer<f64>,
    factors: PyBuffer<f64>,
    tables: Vec<(PyBuffer<f64>, PyBuffer<isize>)>,
    stops: Vec<usize>,
    negligible: f64,
) -> PyResult<Bound<'py, PyBytes>> {
    let (points, kernels) = (rows(&features), columns(&factors));
    let mut sums = Sums {
        terms: columns(&features),
        kernels,
        features: features.to_vec(py)?,
        factors: factors.to_vec(py)?,
        tables: Vec::with_capacity(tables.len()),
        stops,
        negligible,
    };
    for (entries, index) in &tables {
        sums.tables.push((entries.to_vec(py)?, index.to_vec(py)?));
    }
    let made = detached(py, || sums.all(points))?;
    Ok(PyBytes::new(py, bytemuck::cast_slice(&made)))
}

fn rows<T>(buffer: &PyBuffer<T>) -> usize {
    buffer.shape().first().copied().unwrap_or(0)
}

fn columns<T>(buffer: &PyBuffer<T>) -> usize {
    buffer.shape().get(1).copied().unwrap_or(0)
}

struct Sums {
    terms: usize,
    kernels: usize,
    features: Vec<f64>,
    factors: Vec<f64>,
    tables: Vec<(Vec<f64>, Vec<isize>)>,
    stops: Vec<usize>,
    negligible: f64,
}

impl Sums {
    fn all(&self, points: usize) -> Result<Vec<f64>> {
        self.check(points)?;
        let mut made = vec![0.0; self.stops.len() * points];
        let mut exponents = vec![0.0; self.kernels];
        for point in 0..points {
            self.exponents(point, &mut exponents);
            let mut begin = 0;
            for (mixture, &stop) in self.stops.iter().enumerate() {
                made[mixture * points + point] = sum(&exponents[begin..stop], self.negligible);
                begin = stop;
            }
        }
        Ok(made)
    }

    // By itself: what it is compiled to, twice as fast or not, must not depend on what is around.
    #[inline(never)]
    fn exponents(&self, point: usize, exponents: &mut [f64]) {
        let features = &self.features[point * self.terms..][..self.terms];
        let entries: Vec<&[f64]> =
            self.tables.iter().map(|(entries, index)| self.row(entries, index[point])).collect();
        let mut begin = 0;
        for block in exponents.chunks_mut(LANES) {
            // Of fixed length, so that it stays in registers.
            let mut held = [0.0; LANES];
            let count = block.len();
            for (term, feature) in features.iter().enumerate() {
                add(&mut held, &self.factors[term * self.kernels + begin..][..count], *feature);
            }
            for row in &entries {
                add(&mut held, &row[begin..][..count], 1.0);
            }
            block.copy_from_slice(&held[..count]);
            begin += count;
        }
    }

    fn row<'a>(&self, entries: &'a [f64], row: isize) -> &'a [f64] {
        &entries[row as usize * self.kernels..][..self.kernels]
    }

    fn check(&self, points: usize) -> Result<()> {
        let ascending = self.stops.is_sorted_by(|a, b| a < b) && self.stops.first() != Some(&0);
        let whole = ascending && self.stops.last() == Some(&self.kernels);
        let product = self.features.len() == points * self.terms
            && self.factors.len() == self.terms * self.kernels
            && self.kernels > 0;
        let fits = |(entries, index): &(Vec<f64>, Vec<isize>)| {
            let rows = (entries.len() / self.kernels.max(1)) as isize;
            index.len() == points && index.iter().all(|row| (0..rows).contains(row))
        };
        if whole && product && self.tables.iter().all(fits) {
            Ok(())
        } else {
            Err(Error::engine(5004, "the shapes of features, factors, tables and stops do not fit").at(PLACE))
        }
    }
}

#[inline(always)]
fn add(held: &mut [f64; LANES], values: &[f64], factor: f64) {
    if let Ok(values) = <&[f64; LANES]>::try_from(values) {
        for (sum, value) in held.iter_mut().zip(values) {
            *sum += factor * value;
        }
    } else {
        for (sum, value) in held.iter_mut().zip(values) {
            *sum += factor * value;
        }
    }
}

/// Of one mixture, whose last kernel is the widest.
#[inline(never)] // as `Sums::exponents`
fn sum(exponents: &[f64], negligible: f64) -> f64 {
    let least = exponents.last().map_or(0.0, |last| last - negligible);
    let mut sum = 0.0;
    for block in exponents.chunks(LANES) {
        // Without a branch per kernel: most blocks have none that counts.
        if block.iter().fold(false, |any, &exponent| any | (exponent > least)) {
            sum += block
                .iter()
                .filter(|&&exponent| exponent > least)
                .map(|&exponent| libm::exp(exponent))
                .sum::<f64>();
        }
    }
    sum
}
