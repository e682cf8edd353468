use std::{collections::BTreeMap, fmt::Write, time::Duration};

use super::{
    refusal::{Answer, Refusal},
    target::Target,
};
use crate::moment::Moment;

/// How old a request may be that the account's key has signed, so that who overhears it cannot repeat it for ever.
const MAX_AGE: Duration = Duration::from_secs(15 * 60);

pub(super) fn check_date(target: &Target, now: Moment) -> Answer<()> {
    let date = target.header("x-ms-date").or_else(|| target.header("date"));
    let date = date.and_then(Moment::parse_http);
    match date {
        Some(date) if now.since(date) <= MAX_AGE && date.since(now) <= MAX_AGE => Ok(()),
        Some(date) => {
            Err(Refusal::unauthenticated(format!("The date is {date}, and it is {now}.")))
        }
        None => Err(Refusal::unauthenticated("The request has no date.")),
    }
}

/// What a client signs with the account's key.
pub(super) fn text_to_sign(target: &Target, account: &str) -> String {
    let header = |name: &str| target.header(name).unwrap_or_default();
    let length = match header("content-length") {
        "0" => "",
        length => length,
    };
    let date = if target.headers.contains_key("x-ms-date") { "" } else { header("date") };
    let mut text = target.method.as_str().to_owned();
    for value in [
        header("content-encoding"),
        header("content-language"),
        length,
        header("content-md5"),
        header("content-type"),
        date,
        header("if-modified-since"),
        header("if-match"),
        header("if-none-match"),
        header("if-unmodified-since"),
        header("range"),
    ] {
        text.push('\n');
        text.push_str(value);
    }
    text.push('\n');
    let ours: BTreeMap<&str, &str> = target
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ms-"))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?.trim())))
        .collect();
    for (name, value) in ours {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}:{value}");
    }
    let _ = write!(text, "/{account}{}", target.uri.path());
    let mut parameters: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in &target.query {
        parameters.entry(name).or_default().push(value);
    }
    for (name, mut values) in parameters {
        values.sort_unstable();
        let _ = write!(text, "\n{name}:{}", values.join(","));
    }
    text
}
