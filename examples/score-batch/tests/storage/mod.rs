//! Bundle, inputs and outputs in a storage of objects.

use std::{fs, process::Command};

use object_store::{ObjectStore, ObjectStoreExt};

use crate::processes::{self, Cluster, PROGRAM, Work, succeeded};

/// What tells a process of Spinney where the storage is.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// Scores four files in one process and on a cluster, both twice, and compares the rows. `base` is the URL of the storage that
/// `store` reaches by another address.
pub(crate) async fn gives_the_same_rows(
    store: &impl ObjectStore,
    base: &str,
    environment: Environment,
) {
    let work = Work::new(4, processes::rows_of_a_file(), 10);
    let upload = async |from: &str, to: &str| {
        store.put(&to.into(), fs::read(work.path(from)).unwrap().into()).await.unwrap();
    };
    upload("houses.bundle", "models/houses.bundle").await;
    for number in 0..4 {
        let name = format!("part-{number}.parquet");
        upload(&format!("in/{name}"), &format!("in/{name}")).await;
    }

    let cluster = Cluster::start_with(environment.clone());
    for (output, cluster) in [("embedded", None), ("cluster", Some(cluster.url()))] {
        let run = |expected: &str| {
            let mut command = Command::new(PROGRAM);
            command.args([format!("{base}/models/houses.bundle"), format!("{base}/in/")]);
            command.args(["--in-flight", "2", "--output", &format!("{base}/{output}")]);
            command.args(cluster.iter().flat_map(|url| ["--cluster", url.as_str()]));
            let said = succeeded(command.envs(environment.clone()).output().unwrap());
            assert!(said.contains(expected), "{said}");
        };
        run("rows in 4 files, 0 of them done before");
        run("rows in 4 files, 4 of them done before");
        let folder = work.path("out");
        fs::create_dir_all(&folder).unwrap();
        for name in (0..4).map(|n| format!("part-{n}.parquet")).chain(["_manifest.json".into()]) {
            let object = store.get(&format!("{output}/{name}").as_str().into()).await.unwrap();
            fs::write(folder.join(name), object.bytes().await.unwrap()).unwrap();
        }
        work.check();
        fs::remove_dir_all(folder).unwrap();
    }
}
