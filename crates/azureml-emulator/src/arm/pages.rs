use serde_json::{Value, json};

use super::{
    call::Call,
    reply::{Answer, Refusal, Reply},
};
use crate::store::{Order, Resource};

/// How many things a page has unless the client wants fewer.
const PAGE: usize = 100;

/// Resources read at once, at least, while looking for those that are wanted.
const LEAST_BATCH: usize = 50;

/// A page of a collection, with a link to the next.
///
/// It begins behind the last resource of the page before, so that what is created or removed meanwhile neither repeats nor hides
/// others.
pub(crate) fn list(
    call: &Call<'_>,
    collection: &str,
    order: Order,
    is_wanted: impl Fn(&Resource) -> bool,
    shown: impl Fn(&Resource) -> Answer<Value>,
) -> Answer {
    let size = match number(call, "$top")?.or(number(call, "count")?) {
        Some(0) => return Err(Refusal::user_error("a page has at least one element").into()),
        Some(size) => usize::try_from(size).unwrap_or(PAGE).min(PAGE),
        None => PAGE,
    };
    let mut after = number(call, "$skip")?.map(u64::cast_signed);
    let place = |resource: &Resource| match order {
        Order::Created { .. } => resource.sequence,
        Order::Changed { .. } => resource.change,
    };
    // If all are wanted, one reading has the page and tells whether there is another.
    let batch_size = (size + 1).max(LEAST_BATCH);
    let mut page = Vec::new();
    let mut last = None;
    loop {
        let batch = call.resources().list(collection, order, after, batch_size)?;
        for resource in batch.iter().filter(|resource| is_wanted(resource)) {
            if page.len() == size {
                // There is one more, so there is one more page.
                let body = json!({"value": page, "nextLink": link(call, last.unwrap_or_default())});
                return Ok(Reply::ok(body));
            }
            page.push(shown(resource)?);
            last = Some(place(resource));
        }
        match batch.last() {
            Some(resource) if batch.len() == batch_size => after = Some(place(resource)),
            _ => return Ok(Reply::ok(json!({"value": page}))),
        }
    }
}

fn number(call: &Call<'_>, name: &str) -> Answer<Option<u64>> {
    let Some(text) = call.parameter(name) else { return Ok(None) };
    match text.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => {
            let message = format!("the parameter {name} is {text:?}, and must be a number");
            Err(Refusal::user_error(message).into())
        }
    }
}

/// The address of this request, for what comes behind a place.
fn link(call: &Call<'_>, after: i64) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.query.iter().filter(|(name, _)| name != "$skip") {
        query.append_pair(name, value);
    }
    query.append_pair("$skip", &after.to_string());
    format!("{}?{}", call.address(), query.finish())
}
