//! Parameters whose names are made of parts.

use super::parameter::Parameter;

/// Parameters that are declared alike and differ in parts of their names: one for each combination of the parts.
///
/// The strategy's `normalise` folds them into a map, which is what the canonical set holds: they may be searched, the
/// map may not.
///
/// ```
/// use sweep_engine::declare::{Family, int};
///
/// let member = int("window_{timeframe}", 0).group("entry").doc("window of one timeframe");
/// let family = Family::new(member, &[("timeframe", &["H1", "H4"])], &["windows", "{timeframe}"]);
/// assert_eq!(family.names(), ["window_H1", "window_H4"]);
/// ```
#[derive(Debug, Clone)]
pub struct Family {
    /// What the members have in common; parts of its name stand in braces. It has no default: a member that is not given
    /// says nothing.
    pub member: Parameter,
    /// Each part's name and its texts.
    pub parts: Vec<(String, Vec<String>)>,
    /// Where the canonical set holds a member's value: the map, then its keys, parts in braces.
    pub inside: Vec<String>,
}

impl Family {
    /// A family.
    pub fn new(member: Parameter, parts: &[(&str, &[&str])], inside: &[&str]) -> Self {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Self {
            member,
            parts: parts.iter().map(|(name, choices)| ((*name).to_owned(), texts(choices))).collect(),
            inside: texts(inside),
        }
    }

    /// The names of all members, the first part varying slowest.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![self.member.name.clone()];
        for (part, texts) in &self.parts {
            let part = format!("{{{part}}}");
            names =
                names.iter().flat_map(|name| texts.iter().map(|text| name.replace(&part, text))).collect();
        }
        names
    }

    /// The member of that name.
    pub(super) fn called(&self, name: &str) -> Parameter {
        Parameter { name: name.to_owned(), ..self.member.clone() }
    }
}
