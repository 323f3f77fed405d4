//! "Did you mean": the known names nearest to an unknown one.

/// Edit distance with adjacent transpositions (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let substituted = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substituted.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

/// "did you mean …?" with up to three of `known`, or the whole list if none is near.
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let wanted = name.to_ascii_lowercase();
    let mut near: Vec<(usize, &str)> =
        known.into_iter().map(|k| (distance(&wanted, &k.to_ascii_lowercase()), k)).collect();
    near.sort();
    let limit = 1 + wanted.len() / 3;
    let close: Vec<&str> = near.iter().filter(|(d, _)| *d <= limit).take(3).map(|(_, k)| *k).collect();
    if close.is_empty() {
        let mut all: Vec<&str> = near.iter().map(|(_, k)| *k).collect();
        all.sort_unstable();
        return format!("known are {}", all.join(", "));
    }
    format!("did you mean {}?", close.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first() {
        assert_eq!(suggestion("gap_fill", ["gap_fills", "seed"]), "did you mean gap_fills?");
        assert_eq!(suggestion("zzzzzz", ["b", "a"]), "known are a, b");
    }
}
