//! What assets must say, and what may change of them.

use serde_json::Value;

use super::{field, reply::Refusal};

/// What every asset may say.
pub(super) fn check_common(body: &Value) -> Result<(), Refusal> {
    field::optional_words(body, "/properties/tags")?;
    field::optional_words(body, "/properties/properties")?;
    field::optional_text(body, "/properties/description")?;
    field::optional_bool(body, "/properties/isArchived")?;
    field::optional_bool(body, "/properties/isAnonymous")?;
    Ok(())
}

/// What a version of this kind must say.
pub(super) fn check_kind(kind: &str, body: &Value) -> Result<(), Refusal> {
    match kind {
        "data" => {
            field::text(body, "/properties/dataUri")?;
            field::one_of(body, "/properties/dataType", &["uri_file", "uri_folder", "mltable"])?;
        }
        "models" => {
            field::text(body, "/properties/modelUri")?;
            field::optional_text(body, "/properties/modelType")?;
            field::optional_text(body, "/properties/stage")?;
            if !body["properties"]["flavors"].is_null() {
                field::is_object(body, "/properties/flavors")?;
            }
        }
        "environments" => {
            let image = field::optional_text(body, "/properties/image")?;
            field::optional_text(body, "/properties/condaFile")?;
            if image.is_none() {
                field::is_object(body, "/properties/build").map_err(|_| {
                    Refusal::user_error("an environment has an image or a build context")
                })?;
                field::text(body, "/properties/build/contextUri")?;
            }
        }
        "components" => field::is_object(body, "/properties/componentSpec")?,
        "codes" => {
            field::text(body, "/properties/codeUri")?;
        }
        _ => {}
    }
    Ok(())
}

/// Where something is in a datastore, however the address begins: a client may write it long or short.
fn place(uri: &str) -> &str {
    let at = uri.find("/datastores/").or_else(|| uri.find("//datastores/").map(|at| at + 1));
    match at {
        Some(at) if uri.starts_with("azureml:") => uri.get(at..).unwrap_or(uri),
        _ => uri,
    }
}

/// A version is what it is for good; its tags and texts may change.
pub(super) fn check_unchanged(kind: &str, old: &Value, new: &Value) -> Result<(), Refusal> {
    let fields: &[&str] = match kind {
        "data" => &["dataUri", "dataType"],
        "models" => &["modelUri"],
        "codes" => &["codeUri"],
        "environments" => &["image", "condaFile", "build"],
        "components" => &["componentSpec"],
        _ => &[],
    };
    let is_changed = |field: &&str| {
        let [old, new] = [old, new].map(|body| &body["properties"][*field]);
        match (old.as_str(), new.as_str()) {
            (Some(old), Some(new)) => place(old) != place(new),
            _ => old != new,
        }
    };
    match fields.iter().find(|field| is_changed(field)) {
        None => Ok(()),
        Some(field) if field.ends_with("Uri") => {
            Err(Refusal::user_error("Asset paths cannot be updated."))
        }
        Some(field) => Err(Refusal::user_error(format!(
            "a version cannot be changed, and its {field} is another: register a new version"
        ))),
    }
}
