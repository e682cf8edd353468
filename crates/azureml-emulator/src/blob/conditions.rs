use super::{
    refusal::{Answer, Refusal},
    rows::Blob,
    target::Target,
};
use crate::moment::Moment;

fn names(tags: &str, blob: &Blob) -> bool {
    tags.split(',').any(|tag| tag.trim() == "*" || tag.trim() == blob.etag)
}

/// Dates in headers have no fractions of seconds.
fn whole(moment: Moment) -> i64 {
    moment.seconds()
}

fn date(target: &Target, name: &str) -> Answer<Option<i64>> {
    let Some(text) = target.header(name) else { return Ok(None) };
    match Moment::parse_http(text) {
        Some(moment) => Ok(Some(whole(moment))),
        None => Err(Refusal::invalid_header(name)),
    }
}

/// Holds a request against what its client believes to be there. A blob that must not be there, and is, has an error of its own.
pub(super) fn check(target: &Target, existing: Option<&Blob>, is_read: bool) -> Answer<()> {
    let failed = || {
        let message = "The condition specified using HTTP conditional header(s) is not met.";
        Refusal::new(412, "ConditionNotMet", message)
    };
    let unchanged = || {
        if is_read {
            let message = "The condition specified using HTTP conditional header(s) is not met.";
            return Refusal::new(304, "ConditionNotMet", message);
        }
        failed()
    };
    let (matches, none_matches) = (target.header("if-match"), target.header("if-none-match"));
    let Some(blob) = existing else {
        return if matches.is_some() { Err(failed()) } else { Ok(()) };
    };
    if matches.is_some_and(|tags| !names(tags, blob)) {
        return Err(failed());
    }
    if let Some(tags) = none_matches.filter(|tags| names(tags, blob)) {
        if tags.trim() == "*" && !is_read {
            let message = "The specified blob already exists.";
            return Err(Refusal::new(409, "BlobAlreadyExists", message));
        }
        return Err(unchanged());
    }
    if date(target, "if-modified-since")?.is_some_and(|date| whole(blob.modified) <= date) {
        return Err(unchanged());
    }
    if date(target, "if-unmodified-since")?.is_some_and(|date| whole(blob.modified) > date) {
        return Err(failed());
    }
    Ok(())
}
