//! Who may depend on whom: the rules of the workspace, checked on cargo's own dependency tree.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use crate::cargo;

/// What a crate may know of this workspace, and what it must not reach by any path.
struct Gate {
    package: &'static str,
    workspace: &'static [&'static str],
    forbidden: &'static [&'static str],
}

const NETWORK: &[&str] = &["axum", "hyper", "reqwest", "tokio"];

const GATES: &[Gate] = &[
    Gate { package: "spinney-numpy-random", workspace: &[], forbidden: &["serde", "tokio"] },
    Gate {
        package: "spinney-preprocess",
        workspace: &["spinney-numpy-random"],
        forbidden: NETWORK,
    },
    Gate {
        package: "spinney-forest",
        workspace: &["spinney-numpy-random"],
        forbidden: &["axum", "hyper", "reqwest", "serde_json", "tokio"],
    },
    Gate {
        package: "spinney-artifact",
        workspace: &["spinney-forest", "spinney-numpy-random", "spinney-preprocess"],
        forbidden: NETWORK,
    },
    Gate { package: "spinney-azureml", workspace: &[], forbidden: &[] },
    // Its program is the scoring runtime too.
    Gate {
        package: "spinney-azureml-emulator",
        workspace: &[
            "spinney-artifact",
            "spinney-forest",
            "spinney-numpy-random",
            "spinney-preprocess",
            "spinney-scoring",
        ],
        forbidden: &["reqwest"],
    },
    Gate {
        package: "spinney-scale",
        workspace: &[
            "spinney-artifact",
            "spinney-forest",
            "spinney-numpy-random",
            "spinney-preprocess",
        ],
        forbidden: &[],
    },
    Gate {
        package: "spinney-scoring",
        workspace: &[
            "spinney-artifact",
            "spinney-forest",
            "spinney-numpy-random",
            "spinney-preprocess",
        ],
        forbidden: &["reqwest"],
    },
];

/// TLS is rustls's, and bincode's own crates are unmaintained: nowhere in the tree.
const FORBIDDEN_EVERYWHERE: &[&str] = &["bincode", "native-tls", "openssl", "openssl-sys"];

pub(crate) fn check() -> Result<()> {
    let members = tree(&["--workspace", "--depth", "0"])?;
    let libraries: BTreeSet<_> =
        members.iter().filter(|member| member.starts_with("spinney-")).collect();
    let gated: BTreeSet<_> = GATES.iter().map(|gate| gate.package.to_owned()).collect();
    ensure!(
        libraries.into_iter().eq(&gated),
        "each library needs a gate in xtask/src/gates.rs: {members:?} against {gated:?}"
    );
    for gate in GATES {
        let tree = tree(&["--package", gate.package])?;
        for found in &tree {
            let known = found == gate.package || gate.workspace.contains(&found.as_str());
            ensure!(!members.contains(found) || known, "{} must not know {found}", gate.package);
            let forbidden = gate.forbidden.contains(&found.as_str());
            ensure!(!forbidden, "{} must not reach {found}", gate.package);
        }
    }
    let everything = tree(&["--workspace"])?;
    for crate_ in FORBIDDEN_EVERYWHERE {
        ensure!(!everything.contains(*crate_), "{crate_} must not be in the tree");
    }
    println!("gates: {} libraries, {} crates in the tree", GATES.len(), everything.len());
    Ok(())
}

/// Names of all crates in a dependency tree, without those that only tests need.
fn tree(args: &[&str]) -> Result<BTreeSet<String>> {
    let mut tree = cargo("tree");
    tree.args(["--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"]).args(args);
    let output = tree.output().context("could not start cargo tree")?;
    let message = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo tree failed: {message}");
    let text = String::from_utf8(output.stdout)?;
    let names = text.lines().filter_map(|line| line.split(' ').next());
    Ok(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
}
