//! The parameters of scenario 6.

use super::PRIMARY;
use crate::timeframes::{TIMEFRAMES, minutes_of};
use sweep_engine::Value;
use sweep_engine::declare::{Constraint, Derived, Draft, Family, Parameter, categorical, map, set};

/// Parameters of the strategy that every timeframe and direction of the overlay has as well.
pub const KEYS: [&str; 5] = ["window_length", "b_b_length", "std_factor", "kalman_r", "kalman_q"];
/// The directions and their thresholds.
pub const DIRECTIONS: [(&str, &str); 2] = [("long", "z_score_long"), ("short", "z_score_short")];

/// Names of timeframes in the overlay.
pub fn timeframes() -> Vec<&'static str> {
    std::iter::once(PRIMARY).chain(TIMEFRAMES).collect()
}

/// The timeframes, how they go together, and their settings.
pub fn parameters() -> Vec<Parameter> {
    let overlay = |parameter: Parameter| parameter.when("s6").group("filter");
    vec![
        overlay(set("scenario6_timeframes", &timeframes(), "").or_empty().any_case())
            .doc("timeframes that have to be stretched as well, PRIMARY = the own one; none: never a signal"),
        overlay(categorical("scenario6_mode", &["all", "any"], "all"))
            .doc("whether all of these timeframes have to be stretched or any; any trades more often"),
        overlay(map("scenario6_params")).doc(
            "timeframe → key → value or timeframe → long or short → key → value; keys: window_length, b_b_length, \
             std_factor, kalman_r, kalman_q, z_score_long, z_score_short, by default the strategy's own; z_score in a \
             direction is its threshold",
        ),
    ]
}

/// The flat names of what `scenario6_params` holds, each declared as the strategy's own parameter of that key.
pub fn families(own: &[Parameter]) -> Vec<Family> {
    let timeframes = timeframes();
    let own = |key: &str| own.iter().find(|parameter| parameter.name == key);
    let family = |key: &str, stored: &str, of: &str, directions: &[&str], doc: &str| {
        let own = own(of)?;
        let direction = if let [one] = directions { (*one).to_owned() } else { "{side}".to_owned() };
        let member = Parameter {
            name: format!("scenario6_{{tf}}_{direction}_{key}"),
            default: Value::None,
            ranges: Vec::new(),
            doc: doc.to_owned(),
            ..own.clone()
        };
        let inside = ["scenario6_params", "{tf}", &direction, stored];
        let mut parts: Vec<(&str, &[&str])> = vec![("tf", &timeframes)];
        if directions.len() > 1 {
            parts.push(("side", directions));
        }
        Some(Family::new(member.when("s6"), &parts, &inside))
    };
    let both = ["long", "short"];
    let shared = KEYS.iter().map(|key| {
        let doc = format!("{key} of that timeframe and direction; wins over scenario6_params");
        family(key, key, key, &both, &doc)
    });
    let thresholds = DIRECTIONS.iter().flat_map(|(direction, name)| {
        let doc = format!("threshold of {direction}s on that timeframe; wins over scenario6_params");
        let read = family("z_score", "z_score", name, &[direction], &doc);
        let same = family(name, "z_score", name, &[direction], &format!("the same as z_score: {doc}"));
        [read, same]
    });
    let unread = DIRECTIONS.iter().zip(DIRECTIONS.iter().rev()).map(|((direction, _), (_, name))| {
        family(name, name, name, &[direction], &format!("accepted; {direction}s do not read it"))
    });
    shared.chain(thresholds).chain(unread).flatten().collect()
}

/// How many timeframes there are, and the length of the shortest.
pub fn derived() -> Vec<Derived> {
    let reads = &["scenario6_timeframes"];
    vec![
        Derived::new("overlay_count", "number of timeframes of the overlay", reads, |draft| {
            Value::Int(i64::try_from(chosen(draft).len()).unwrap_or(i64::MAX))
        }),
        Derived::new(
            "overlay_minutes",
            "length of the shortest timeframe of the overlay in minutes, 0 without any",
            reads,
            |draft| {
                let minutes = |name: &String| match name.as_str() {
                    PRIMARY => draft.context().timeframe_minutes,
                    name => minutes_of(&Value::Text(name.to_owned())),
                };
                Value::Int(chosen(draft).iter().map(minutes).min().unwrap_or(0))
            },
        ),
    ]
}

/// Rules on the overlay.
pub fn constraints() -> Vec<Constraint> {
    vec![
        Constraint::error(
            "overlay_minutes == 0 or overlay_minutes >= primary_minutes",
            "a timeframe of the overlay is shorter than the primary one",
        ),
        Constraint::error(
            "s1 or s2 or s3 or s4 or s5 or overlay_count > 0",
            "scenario 6 alone without timeframes would never give a signal",
        ),
        Constraint::warning(
            "not (s2 and s6)",
            "scenario 6 can never fire: scenario 2 is tried first, and whatever fires 6 fires 2",
        ),
    ]
}

/// The timeframes of a set, in the order of the domain, with the own one by its name where it has one there.
pub fn chosen(draft: &Draft<'_>) -> Vec<String> {
    let Value::Text(text) = draft.value("scenario6_timeframes") else { return Vec::new() };
    let given: Vec<&str> = text.split('+').map(|name| named(draft, name)).collect();
    timeframes().into_iter().filter(|name| given.contains(name)).map(str::to_owned).collect()
}

/// A timeframe's name, PRIMARY resolved if the own one is in the list.
pub fn named<'a>(draft: &'a Draft<'_>, name: &'a str) -> &'a str {
    let own = draft.context().timeframe.as_str();
    if name == PRIMARY && TIMEFRAMES.contains(&own) { own } else { name }
}
