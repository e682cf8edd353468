//! What will be done, before anything is.

use std::{fmt, path::PathBuf};

use anyhow::Result;

use super::args::{RoadArgs, Where};
use crate::workshop;

pub(super) const DATA: &str = "ames-housing-raw";
pub(super) const ENVIRONMENT: &str = "ames-pipeline-serving";
pub(super) const IDENTITY: &str = "ames-pipeline";
pub(super) const EXPERIMENT: &str = "ames-pipeline";
/// What the pipeline's steps run in: it has a shell, which is all they need.
pub(super) const JOB_ENVIRONMENT: &str =
    "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";

pub(super) struct Plan<'a> {
    pub(super) args: &'a RoadArgs,
    pub(super) endpoint: String,
    pub(super) binary: PathBuf,
}

impl<'a> Plan<'a> {
    pub(super) fn new(args: &'a RoadArgs) -> Result<Self> {
        let endpoint = match &args.endpoint {
            Some(name) => name.clone(),
            None => {
                let mut bytes = [0; 3];
                getrandom::fill(&mut bytes)?;
                let [a, b, c] = bytes;
                format!("ames-{a:02x}{b:02x}{c:02x}")
            }
        };
        let binary = match &args.binary {
            Some(path) => path.clone(),
            None => std::env::current_exe()?,
        };
        Ok(Self { args, endpoint, binary })
    }
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { args, endpoint, binary } = self;
        let RoadArgs { cluster, cluster_machine, .. } = args;
        let place = match args.target {
            Where::Emulator => {
                "an emulator in this process, with its state in a temporary folder: nothing costs"
                    .to_owned()
            }
            Where::Azure => {
                let config = args.config.clone().unwrap_or_else(|| ".".into());
                format!("the workspace of {}: machines cost money", config.display())
            }
        };
        let image = match &args.image {
            Some(image) => format!("the image {image}"),
            None => "an image built of the program alone".to_owned(),
        };
        let (model, deployment) = (workshop::MODEL_NAME, workshop::DEPLOYMENT);
        let (machine, data) = (workshop::SERVING_MACHINE, args.data.display());
        writeln!(f, " 1. workspace  {place}")?;
        writeln!(f, " 2. data       register {data} as {DATA}")?;
        writeln!(
            f,
            " 3. compute    identity {IDENTITY} with the role AzureML Data Scientist; cluster {cluster}: 0 to 1 x {cluster_machine}"
        )?;
        writeln!(
            f,
            " 4. assets     code: {}; environment {ENVIRONMENT}: {image}",
            binary.display()
        )?;
        writeln!(
            f,
            " 5. pipeline   split ({}, seed {}), prep_train, prep_test, train ({} trees, seed {}), evaluate, tag, deploy, test",
            args.test_size, args.random_state, args.n_estimators, args.seed
        )?;
        writeln!(f, " 6. model      {model}, registered by train, its metrics as tags")?;
        writeln!(
            f,
            " 7. endpoint   {endpoint}, made by deploy: {deployment} with all the traffic on 1 x {machine}"
        )?;
        writeln!(
            f,
            " 8. request    the workshop's two houses, the answer compared with the model's"
        )?;
        match args.keep {
            true => write!(f, " 9. clean-up   none: what was made stays and costs (--keep)"),
            false => write!(
                f,
                " 9. clean-up   delete the endpoint, the cluster and the identity if this made them, and look what costs still"
            ),
        }
    }
}
