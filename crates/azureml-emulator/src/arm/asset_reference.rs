use super::{
    call::Call,
    reply::{Answer, Refusal},
    workspaces::Workspace,
};
use crate::store::Resource;

/// How a body names a version of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reference<'a> {
    /// By an id of Azure Resource Manager.
    Id(&'a str),
    /// By name and version in the workspace at hand.
    Name(&'a str, &'a str),
    /// Something of a registry, of which there is none here.
    Registry,
}

fn read<'a>(kind: &str, text: &'a str) -> Option<Reference<'a>> {
    let rest = text.strip_prefix("azureml:").unwrap_or(text);
    let lower = rest.to_ascii_lowercase();
    if lower.starts_with("//registries/") {
        return Some(Reference::Registry);
    }
    if lower.starts_with("/subscriptions/") {
        return Some(Reference::Id(rest));
    }
    if lower.starts_with("//") {
        let parts: Vec<&str> = rest.split('/').collect();
        let [.., assets, name, versions, version] = parts.as_slice() else { return None };
        let is_version =
            assets.eq_ignore_ascii_case(kind) && versions.eq_ignore_ascii_case("versions");
        return is_version.then_some(Reference::Name(name, version));
    }
    let (name, version) = rest.split_once(':').filter(|_| text.starts_with("azureml:"))?;
    let is_word = |word: &str| !word.is_empty() && !word.contains(['/', ':', '@']);
    (is_word(name) && is_word(version)).then_some(Reference::Name(name, version))
}

/// Finds a version of an asset (`models`, `environments` or `codes`) by what a body says; nothing if it is a registry's.
pub(super) fn find(
    call: &Call<'_>,
    workspace: &Workspace,
    kind: &str,
    text: &str,
) -> Answer<Option<Resource>> {
    let id = match read(kind, text) {
        Some(Reference::Registry) => return Ok(None),
        Some(Reference::Id(id)) => id.to_owned(),
        Some(Reference::Name(name, version)) => {
            format!("{}/{kind}/{name}/versions/{version}", workspace.id)
        }
        None => {
            let message = format!(
                "{text:?} does not name a version of {kind}: write its id, or azureml:NAME:VERSION"
            );
            return Err(Refusal::user_error(message).into());
        }
    };
    let found = call.resources().get(&id)?;
    let word = format!("/{kind}/");
    match found.filter(|found| found.id().contains(&word) && found.id().contains("/versions/")) {
        Some(found) => Ok(Some(found)),
        None => Err(Refusal::user_error(format!("{kind}: {text} was not found")).into()),
    }
}

/// The name and the version that an id of a version ends with.
pub(super) fn name_and_version(version: &Resource) -> (&str, &str) {
    let mut parts = version.id().rsplit('/');
    let number = parts.next().unwrap_or_default();
    (parts.nth(1).unwrap_or_default(), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_reference_is_known() {
        let id = "/subscriptions/s/resourceGroups/rg/providers/P/workspaces/w/models/m/versions/1";
        let long = format!("azureml:{id}");
        for (text, wanted) in [
            (id, Some(Reference::Id(id))),
            (&long, Some(Reference::Id(id))),
            ("azureml:m:1", Some(Reference::Name("m", "1"))),
            (
                "azureml://locations/westeurope/workspaces/g/models/m/versions/1",
                Some(Reference::Name("m", "1")),
            ),
            ("azureml://registries/azureml/models/m/versions/1", Some(Reference::Registry)),
            ("azureml://registries/azureml/models/m/labels/latest", Some(Reference::Registry)),
            ("azureml://datastores/d/paths/m", None),
            ("azureml:m", None),
            ("azureml:m@latest", None),
            ("azureml:m:1:2", None),
            ("m:1", None),
            ("m", None),
            ("", None),
        ] {
            assert_eq!(read("models", text), wanted, "{text}");
        }
    }
}
