use azure_core::time::{Duration, OffsetDateTime, parse_rfc3339};

/// When a token expires, in the forms that identity endpoints write: seconds since 1970, `06/20/2019 02:57:58 +00:00`,
/// `1/16/2020 5:24:12 AM +00:00`, or RFC 3339.
pub(super) fn parse_expiry(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return OffsetDateTime::from_unix_timestamp(seconds).ok();
    }
    if let Ok(time) = parse_rfc3339(text) {
        return Some(time);
    }
    let mut parts = text.split_whitespace();
    let (date, time) = (parts.next()?, parts.next()?);
    let [month, day, year] = numbers(date, '/')?;
    let [mut hour, minute, second] = numbers(time, ':')?;
    let mut part = parts.next();
    if let Some(half @ ("AM" | "PM")) = part {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if half == "PM" { 12 } else { 0 };
        part = parts.next();
    }
    let offset = part.unwrap_or("+00:00");
    if parts.next().is_some() || !is_offset(offset) {
        return None;
    }
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}");
    parse_rfc3339(&text).ok().filter(|time| *time > OffsetDateTime::UNIX_EPOCH - Duration::days(1))
}

/// `+hh:mm` or `-hh:mm`.
fn is_offset(offset: &str) -> bool {
    offset.len() == 6 && offset.starts_with(['+', '-'])
}

fn numbers(text: &str, separator: char) -> Option<[u32; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        parse_expiry(text).map(OffsetDateTime::unix_timestamp)
    }

    #[test]
    fn all_forms_are_read() {
        assert_eq!(seconds("1560999478"), Some(1_560_999_478));
        assert_eq!(seconds("06/20/2019 02:57:58 +00:00"), Some(1_560_999_478));
        assert_eq!(seconds("2019-06-20T02:57:58Z"), Some(1_560_999_478));
        assert_eq!(seconds("1/16/2020 5:24:12 AM +00:00"), Some(1_579_152_252));
        assert_eq!(seconds("1/16/2020 12:24:12 AM +00:00"), Some(1_579_134_252));
        assert_eq!(seconds("1/16/2020 12:24:12 PM +00:00"), Some(1_579_177_452));
    }

    #[test]
    fn nonsense_is_not() {
        for text in [
            "",
            "soon",
            "1/2",
            "1/2/3 4:5",
            "13/40/2020 1:2:3",
            "1/16/2020 13:24:12 PM",
            "1/16/2020 5:24:12 +1",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
