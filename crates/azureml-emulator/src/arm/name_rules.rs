//! Which names things may have.

use super::reply::Refusal;

fn is_alphanumeric(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// A letter or digit, then letters, digits, hyphens and underscores.
fn is_word(name: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&name.len())
        && name.starts_with(is_alphanumeric)
        && name.chars().all(|c| is_alphanumeric(c) || c == '-' || c == '_')
}

/// Whether a workspace may have a name.
pub(crate) fn is_workspace_name(name: &str) -> bool {
    is_word(name, 3..=33)
}

/// Assets may have dots, too: their versions have, and the SDK names environments so.
pub(crate) fn is_asset_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.starts_with(is_alphanumeric)
        && name.chars().all(|c| is_alphanumeric(c) || "-_.".contains(c))
}

fn ends_in_dash_and_digits(name: &str) -> bool {
    name.rsplit_once('-')
        .is_some_and(|(_, end)| !end.is_empty() && end.chars().all(|c| c.is_ascii_digit()))
}

fn is_compute_name(name: &str) -> bool {
    (3..=24).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| is_alphanumeric(c) || c == '-')
        && !ends_in_dash_and_digits(name)
}

fn is_endpoint_name(name: &str) -> bool {
    (3..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.ends_with(is_alphanumeric)
        && name.chars().all(|c| is_alphanumeric(c) || c == '-')
}

fn refuse(is_allowed: bool, what: &str, name: &str, rule: &str) -> Result<(), Refusal> {
    if is_allowed {
        return Ok(());
    }
    Err(Refusal::user_error(format!("{name:?} is no name of {what}: {rule}")))
}

pub(crate) fn check_workspace(name: &str) -> Result<(), Refusal> {
    let rule = "3 to 33 letters, digits, hyphens and underscores, a letter or digit first";
    refuse(is_workspace_name(name), "a workspace", name, rule)
}

pub(crate) fn check_compute(name: &str) -> Result<(), Refusal> {
    let rule =
        "3 to 24 letters, digits and hyphens, a letter first, and no hyphen and digits at the end";
    refuse(is_compute_name(name), "a compute", name, rule)
}

pub(crate) fn check_endpoint(name: &str) -> Result<(), Refusal> {
    let rule = "3 to 32 letters, digits and hyphens, a letter first, a letter or digit last";
    refuse(is_endpoint_name(name), "an endpoint", name, rule)
}

pub(crate) fn check_asset(name: &str) -> Result<(), Refusal> {
    let rule = "1 to 255 letters, digits, hyphens, underscores and dots, a letter or digit first";
    refuse(is_asset_name(name), "an asset or a version", name, rule)
}

pub(crate) fn check_job(name: &str) -> Result<(), Refusal> {
    let rule = "1 to 255 letters, digits, hyphens and underscores, a letter or digit first";
    refuse(is_word(name, 1..=255), "a job", name, rule)
}

pub(crate) fn check_identity(name: &str) -> Result<(), Refusal> {
    let rule = "3 to 128 letters, digits, hyphens and underscores, a letter or digit first";
    refuse(is_word(name, 3..=128), "a managed identity", name, rule)
}

pub(crate) fn check_resource_group(name: &str) -> Result<(), Refusal> {
    let rule = "1 to 90 letters, digits and any of -_.(), no dot at the end";
    let is_allowed = (1..=90).contains(&name.len())
        && !name.ends_with('.')
        && name.chars().all(|c| c.is_alphanumeric() || "-_.()".contains(c));
    refuse(is_allowed, "a resource group", name, rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_endpoints_and_assets_have_their_rules() {
        for name in ["ci1", "mlops-cluster", "a-1b", "a1-b-", "abcdefghijklmnopqrstuvwx"] {
            assert!(is_compute_name(name), "{name}");
        }
        for name in ["ci", "1ci", "ci-1", "a-b-22", "c_i", "abcdefghijklmnopqrstuvwxy", "cié"] {
            assert!(!is_compute_name(name), "{name}");
        }
        for name in ["sklearn-endpoint", "abc", "a-1"] {
            assert!(is_endpoint_name(name), "{name}");
        }
        for name in ["ab", "1ab", "ab-", "a_b", "abcdefghijklmnopqrstuvwxyzabcdefg", ""] {
            assert!(!is_endpoint_name(name), "{name}");
        }
        for name in ["1", "sklearn-1.5", "a_b", "0"] {
            assert!(is_asset_name(name), "{name}");
        }
        for name in ["", "-a", ".a", "a/b", "a b", &"a".repeat(256)] {
            assert!(!is_asset_name(name), "{name}");
        }
        assert!(is_workspace_name("a_b") && !is_workspace_name("ab") && !is_workspace_name("a.b"));
    }
}
