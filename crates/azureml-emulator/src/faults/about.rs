use std::fmt;

use axum::http::{Method, Uri};

use crate::{door::LOCAL_ACCOUNT, front::segments};

/// Which of Azure's services a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Arm,
    Blob,
    Token,
    Scoring,
    History,
}

/// What a fault can be about of a request.
#[derive(Debug)]
pub(crate) struct About {
    pub(super) service: Service,
    /// The kind of the resource, by its place in [`KINDS`].
    kind: Option<&'static str>,
    /// In capitals.
    pub(super) method: String,
    /// In lower case.
    path: String,
}

/// Kinds of resources as Azure Resource Manager writes them, and the operations that clients poll.
const KINDS: [&str; 15] = [
    "resourceGroups",
    "workspaces",
    "computes",
    "datastores",
    "data",
    "models",
    "environments",
    "components",
    "codes",
    "jobs",
    "onlineEndpoints",
    "batchEndpoints",
    "deployments",
    "userAssignedIdentities",
    "roleAssignments",
];

const OPERATIONS: &str = "operations";

const SERVICES: [(&str, Service); 5] = [
    ("arm", Service::Arm),
    ("blob", Service::Blob),
    ("token", Service::Token),
    ("scoring", Service::Scoring),
    ("history", Service::History),
];

/// The requests that a fault is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Any,
    Service(Service),
    Kind(&'static str),
    /// In lower case.
    Path(String),
}

impl Service {
    /// By the host, in lower case and without a port, and the path of a request over TLS. Nothing for what is the emulator's own.
    pub(crate) fn of(host: &str, path: &str) -> Option<Self> {
        let path = path.trim_start_matches('/');
        let first = path.split('/').next().unwrap_or_default().to_lowercase();
        Some(if matches!(host, "localhost" | "127.0.0.1") {
            match first.as_str() {
                "subscriptions" => Self::Arm,
                "inference" => Self::Scoring,
                "history" | "discovery" | "data" | "modelregistry" | "mferp" => Self::History,
                account if account.starts_with(LOCAL_ACCOUNT) => Self::Blob,
                _ if is_sign_in(path) => Self::Token,
                _ => return None,
            }
        } else if host.ends_with(".blob.core.windows.net") {
            Self::Blob
        } else if host.ends_with(".inference.ml.azure.com") {
            Self::Scoring
        } else if host.ends_with(".api.azureml.ms") {
            Self::History
        } else if host == "management.azure.com" {
            Self::Arm
        } else {
            Self::Token
        })
    }
}

fn is_sign_in(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "oauth2" | ".well-known" | "discovery"))
}

impl About {
    pub(crate) fn new(service: Service, method: &Method, uri: &Uri) -> Self {
        let words = match service {
            Service::Arm => segments(uri).unwrap_or_default(),
            _ => Vec::new(),
        };
        let path = uri.path().to_lowercase();
        Self { service, kind: kind(&words), method: method.as_str().to_owned(), path }
    }
}

/// The last part of a path that is a kind, which is where kinds are: each is followed by a name.
fn kind(words: &[String]) -> Option<&'static str> {
    let is_operation = |word: &str| {
        let word = word.to_lowercase();
        word == "operationresults"
            || word.ends_with("operationsstatus")
            || word.ends_with("operationresults")
    };
    if words.iter().step_by(2).any(|word| is_operation(word)) {
        return Some(OPERATIONS);
    }
    let known = |word: &str| KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(word)).copied();
    words.iter().step_by(2).rev().find_map(|word| known(word))
}

impl What {
    pub(super) const RULE: &'static str = "about any, arm, blob, token, scoring, history, operations, resourceGroups, workspaces, computes, \
        datastores, data, models, environments, components, codes, jobs, onlineEndpoints, batchEndpoints, deployments, userAssignedIdentities, \
        roleAssignments, or a path with * and ** behind its first colon";

    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.starts_with(['/', '*']) {
            return Some(Self::Path(text.to_lowercase()));
        }
        if text == "any" {
            return Some(Self::Any);
        }
        if let Some((_, service)) = SERVICES.iter().find(|(name, _)| *name == text) {
            return Some(Self::Service(*service));
        }
        let mut kinds = KINDS.iter().chain([&OPERATIONS]);
        kinds.find(|kind| kind.eq_ignore_ascii_case(text)).map(|kind| Self::Kind(kind))
    }

    pub(super) fn includes(&self, request: &About) -> bool {
        match self {
            Self::Any => true,
            Self::Service(service) => *service == request.service,
            Self::Kind(kind) => request.kind == Some(kind),
            Self::Path(pattern) => matches(pattern.as_bytes(), request.path.as_bytes()),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::Service(service) => {
                SERVICES.iter().find(|(_, own)| own == service).map_or("", |(name, _)| name)
            }
            Self::Kind(kind) => kind,
            Self::Path(path) => path,
        })
    }
}

/// Whether a path is of a pattern, in which `*` stands for anything but a slash and `**` for anything.
///
/// Which stars could stand for what is kept as a set of places, so that no pattern takes longer than its length times the path's.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    // reached[p]: the path so far is of the pattern's first p bytes.
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    let pass_stars = |reached: &mut Vec<bool>| {
        for place in 0..pattern.len() {
            if reached[place] && pattern[place] == b'*' {
                reached[place + 1] = true;
            }
        }
    };
    pass_stars(&mut reached);
    for byte in path {
        let mut next = vec![false; pattern.len() + 1];
        for place in (0..pattern.len()).filter(|place| reached[*place]) {
            let is_star = pattern[place] == b'*';
            let is_double = is_star
                && (pattern.get(place + 1) == Some(&b'*')
                    || place.checked_sub(1).is_some_and(|before| pattern[before] == b'*'));
            if is_double || (is_star && *byte != b'/') {
                next[place] = true;
            } else if pattern[place] == *byte {
                next[place + 1] = true;
            }
        }
        pass_stars(&mut next);
        reached = next;
    }
    reached[pattern.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_what_is_within_slashes_or_for_anything() {
        for (pattern, path, expected) in [
            ("/a/*/c", "/a/b/c", true),
            ("/a/*/c", "/a/b/b/c", false),
            ("/a/**/c", "/a/b/b/c", true),
            ("/a/**", "/a/", true),
            ("/a/**", "/a", false),
            ("**/models/*", "/x/models/m", true),
            ("**/models/*", "/x/models/m/versions/1", false),
            ("/a*", "/abc", true),
            ("/a*c*e", "/abcde", true),
            ("/a*c*e", "/abcd", false),
            ("*", "/a", false),
            ("**", "", true),
            ("/a", "/ab", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), path.as_bytes()), expected, "{pattern} {path}");
        }
        // Would take for ever if each star were tried with each length.
        let pattern = "*a".repeat(500) + "b";
        assert!(!matches(pattern.as_bytes(), "a".repeat(2000).as_bytes()));
    }

    #[test]
    fn a_request_is_of_the_last_kind_in_its_path() {
        let workspace = "/subscriptions/s/resourceGroups/models/providers/Microsoft.MachineLearningServices/workspaces/data";
        let kind_of = |path: &str| {
            let path: Vec<String> =
                path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            kind(&path)
        };
        for (path, expected) in [
            ("", Some("workspaces")),
            ("/models/jobs/versions/1", Some("models")),
            ("/Models", Some("models")),
            ("/onlineendpoints/e/deployments/d", Some("deployments")),
            ("/onlineEndpoints/e/listKeys", Some("onlineEndpoints")),
            ("/onlineEndpoints/deployments", Some("onlineEndpoints")),
        ] {
            assert_eq!(kind_of(&format!("{workspace}{path}")), expected, "{path}");
        }
        assert_eq!(kind_of("/subscriptions/s/resourcegroups/rg"), Some("resourceGroups"));
        assert_eq!(kind_of("/subscriptions/s"), None);
        let status = "/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/l/computeOperationsStatus/1";
        assert_eq!(kind_of(status), Some("operations"));
    }
}
