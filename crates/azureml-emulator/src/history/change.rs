use serde_json::{Value, json};

use super::run::Known;
use crate::arm::{Answer, Refusal};

/// Changes what may be changed of a run, and says what it is then. Tags and properties come to those that there are.
pub(super) fn change(mut known: Known<'_>) -> Answer<Value> {
    let Some(wanted) = known.call.body.as_object() else {
        return Err(Refusal::user_error("the body must be an object").into());
    };
    let mut job = known.job.body.clone();
    let properties = &mut job["properties"];
    for (name, value) in wanted.iter().filter(|(_, value)| !value.is_null()) {
        let wrong = |form: &str| Refusal::user_error(format!("{name} must be {form}"));
        match name.as_str() {
            "displayName" | "description" => {
                let text = value.as_str().ok_or_else(|| wrong("a text"))?;
                properties[name] = json!(text);
            }
            "hidden" => {
                let is_hidden = value.as_bool().ok_or_else(|| wrong("true or false"))?;
                properties["isArchived"] = json!(is_hidden);
            }
            "tags" | "properties" => {
                let texts = value.as_object().ok_or_else(|| wrong("an object of texts"))?;
                if !properties[name].is_object() {
                    properties[name] = json!({});
                }
                for (key, text) in texts {
                    let text = text.as_str().ok_or_else(|| wrong("an object of texts"))?;
                    properties[name][key] = json!(text);
                }
            }
            // Which run it is, as the path says.
            "runId" if value.as_str() == Some(&known.run.name) => {}
            _ => return Err(Refusal::not_implemented(format!("changing {name} of a run")).into()),
        }
    }
    known.update(&job)?;
    known.job.body = job;
    Ok(known.shown())
}
