use std::time::Duration;

/// Reads a duration of ISO 8601 in days and smaller units, such as `PT60M` or `P1DT12H`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (days, times) = text.strip_prefix('P')?.split_once('T').map_or_else(
        || (text.get(1..).unwrap_or_default(), None),
        |(days, times)| (days, Some(times)),
    );
    // A T with nothing behind it says nothing, and so does P alone.
    if times.is_some_and(str::is_empty) || (days.is_empty() && times.is_none()) {
        return None;
    }
    let days = units(days, &[('D', 86_400.0)])?;
    let times = units(times.unwrap_or_default(), &[('H', 3600.0), ('M', 60.0), ('S', 1.0)])?;
    Duration::try_from_secs_f64(days + times).ok()
}

/// Seconds in numbers with units, each at most once and in order.
fn units(mut text: &str, mut allowed: &[(char, f64)]) -> Option<f64> {
    let mut seconds = 0.0;
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = text.get(..end)?.parse().ok()?;
        let unit = text.get(end..)?.chars().next()?;
        let place = allowed.iter().position(|(name, _)| *name == unit)?;
        seconds += number * allowed[place].1;
        allowed = &allowed[place + 1..];
        text = &text[end + unit.len_utf8()..];
    }
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_azure_writes_and_refuses_the_rest() {
        for (text, seconds) in [
            ("PT60M", 3600.0),
            ("PT2M", 120.0),
            ("PT0.5S", 0.5),
            ("P1DT12H", 129_600.0),
            ("PT1H30M", 5400.0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in [
            "", "P", "PT", "60M", "PT60", "PTM", "PT1M1H", "P1M", "PT-5M", "PT1.1.1M", "PT1é",
            "P1DT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
