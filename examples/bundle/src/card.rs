use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};
use spinney_artifact::{BundleInfo, FORMAT_VERSION};
use spinney_forest::RandomForest;

/// What a person wants to know of a model.
pub(crate) struct Card<'a> {
    info: &'a BundleInfo,
    forest: Option<ForestFacts>,
}

/// What only the forest knows.
struct ForestFacts {
    n_trees: usize,
    n_nodes: usize,
    depth: usize,
    /// Features and their importances, the most important first.
    importances: Vec<(String, f64)>,
}

impl<'a> Card<'a> {
    pub(crate) fn new(info: &'a BundleInfo, forest: Option<&RandomForest>, top: usize) -> Self {
        let facts = |forest: &RandomForest| {
            let names = info.feature_schema().names().iter().map(ToString::to_string);
            let mut importances: Vec<(String, f64)> =
                names.zip(forest.feature_importances()).collect();
            // Equally important ones stay in the order of the features.
            importances.sort_by(|a, b| b.1.total_cmp(&a.1));
            importances.truncate(top);
            ForestFacts {
                n_trees: forest.trees().len(),
                n_nodes: forest.trees().iter().map(|tree| tree.nodes().len()).sum(),
                depth: forest.trees().iter().map(|tree| tree.depth()).max().unwrap_or(0),
                importances,
            }
        };
        Self { info, forest: forest.map(facts) }
    }

    pub(crate) fn to_json(&self) -> Value {
        let (info, metadata) = (self.info, self.info.metadata());
        let provenance = metadata.provenance();
        let columns = info.input_schema().columns();
        let columns: Vec<Value> =
            columns.map(|(name, kind)| json!({"name": name, "kind": kind.to_string()})).collect();
        let sections: Vec<Value> = info
            .sections()
            .iter()
            .map(|section| {
                let sha256 = section.sha256().to_string();
                json!({"name": section.name(), "bytes": section.len(), "sha256": sha256})
            })
            .collect();
        let forest = self.forest.as_ref().map(|forest| {
            let importances: Vec<Value> = forest
                .importances
                .iter()
                .map(|(feature, importance)| json!({"feature": feature, "importance": importance}))
                .collect();
            json!({
                "trees": forest.n_trees,
                "nodes": forest.n_nodes,
                "depth": forest.depth,
                "importances": importances,
            })
        });
        json!({
            "name": metadata.name(),
            "version": metadata.version(),
            "created": metadata.created_at(),
            "format_version": FORMAT_VERSION,
            "fingerprint": info.fingerprint().to_string(),
            "bytes": info.file_len(),
            "sections": sections,
            "input": columns,
            "training_ranges": metadata.ranges(),
            "target": info.input_schema().target(),
            "features": info.feature_schema().names(),
            "metrics": metadata.metrics(),
            "data": provenance.data().map(|data| {
                json!({"fingerprint": data.fingerprint(), "rows": data.rows()})
            }),
            "parameters": provenance.parameters(),
            "libraries": provenance.libraries(),
            "facts": provenance.facts(),
            "forest": forest,
        })
    }
}

impl fmt::Display for Card<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (info, metadata) = (self.info, self.info.metadata());
        let provenance = metadata.provenance();
        writeln!(f, "{} {}", metadata.name(), metadata.version())?;
        writeln!(f, "  fingerprint   {}", info.fingerprint())?;
        writeln!(f, "  format        version {FORMAT_VERSION}, {} bytes", info.file_len())?;
        if let Some(created) = metadata.created_at() {
            writeln!(f, "  created       {created}")?;
        }
        if let Some(data) = provenance.data() {
            writeln!(f, "  data          {} rows, {}", data.rows(), data.fingerprint())?;
        }
        write!(f, "\ninput")?;
        if let Some(target) = info.input_schema().target() {
            write!(f, ", for {target}")?;
        }
        writeln!(f)?;
        for (name, kind) in info.input_schema().columns() {
            match metadata.ranges().and_then(|ranges| ranges.get(name)) {
                Some((least, greatest)) => {
                    writeln!(f, "  {name:<24} {kind}, {least} to {greatest} in training")?;
                }
                None => writeln!(f, "  {name:<24} {kind}")?,
            }
        }
        writeln!(f, "\nfeatures: {}", info.feature_schema().len())?;
        let metrics = metadata.metrics();
        section(f, "metrics", metrics)?;
        section(f, "parameters", provenance.parameters())?;
        section(f, "libraries", provenance.libraries())?;
        section(f, "facts", provenance.facts())?;
        if let Some(forest) = &self.forest {
            let ForestFacts { n_trees, n_nodes, depth, importances } = forest;
            writeln!(f, "\nforest: {n_trees} trees, {n_nodes} nodes, at most {depth} splits deep")?;
            for (feature, importance) in importances {
                writeln!(f, "  {feature:<24} {importance:.4}")?;
            }
        }
        Ok(())
    }
}

fn section<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    entries: &BTreeMap<String, T>,
) -> fmt::Result {
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    entries.iter().try_for_each(|(name, value)| writeln!(f, "  {name:<24} {value}"))
}
