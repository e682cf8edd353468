use std::path::PathBuf;

use crate::{EnvironmentProperties, Error, InferenceConfig, Result, assets::Details};

const DOCKERFILE: &str = "Dockerfile";

/// An environment to be made.
///
/// # Examples
///
/// ```
/// use spinney_azureml::{EnvironmentSpec, InferenceConfig, Route};
///
/// let python = EnvironmentSpec::from_image("sklearn", "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
///     .conda_file("dependencies:\n- python=3.10\n- scikit-learn\nname: sklearn\n");
/// let route = |path| Route::new(path, 5001);
/// let server = EnvironmentSpec::from_build_context("serve-bundle", "docker/")
///     .inference_config(InferenceConfig::new(route("/"), route("/"), route("/score")));
/// # let _ = (python, server);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct EnvironmentSpec {
    pub(crate) details: Details,
    pub(crate) image: Option<String>,
    pub(crate) conda_file: Option<String>,
    pub(crate) context: Option<PathBuf>,
    pub(crate) dockerfile_path: Option<String>,
    pub(crate) inference_config: Option<InferenceConfig>,
    pub(crate) os_type: Option<String>,
    pub(crate) datastore: Option<String>,
}

impl EnvironmentSpec {
    /// An image of a registry of containers.
    pub fn from_image(name: impl Into<String>, image: impl Into<String>) -> Self {
        Self { image: Some(image.into()), ..Self::of(name) }
    }

    /// An image that Docker builds from a folder here, which is uploaded.
    pub fn from_build_context(name: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        Self { context: Some(folder.into()), ..Self::of(name) }
    }

    fn of(name: impl Into<String>) -> Self {
        Self {
            details: Details::of(name),
            image: None,
            conda_file: None,
            context: None,
            dockerfile_path: None,
            inference_config: None,
            os_type: None,
            datastore: None,
        }
    }

    /// The packages that Conda adds to the image: YAML, as text.
    pub fn conda_file(self, yaml: impl Into<String>) -> Self {
        Self { conda_file: Some(yaml.into()), ..self }
    }

    /// The path of the Dockerfile in the folder, where it is not `Dockerfile`.
    pub fn dockerfile_path(self, path: impl Into<String>) -> Self {
        Self { dockerfile_path: Some(path.into()), ..self }
    }

    /// Where the server in the image listens: for images that bring a server of their own.
    pub fn inference_config(self, config: InferenceConfig) -> Self {
        Self { inference_config: Some(config), ..self }
    }

    /// `Linux` or `Windows`; Azure takes the first, unless said otherwise.
    pub fn os_type(self, os_type: impl Into<String>) -> Self {
        Self { os_type: Some(os_type.into()), ..self }
    }

    /// The version. Without it, the next one, or the newest one again if it is the same.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.details.version = Some(version.into());
        self
    }

    /// What it is.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.details.description = Some(description.into());
        self
    }

    /// A tag.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.details.tags.insert(name.into(), value.into());
        self
    }

    /// Where to upload the folder: `workspaceblobstore`, unless said otherwise.
    pub fn datastore(self, name: impl Into<String>) -> Self {
        Self { datastore: Some(name.into()), ..self }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.context.is_some() && self.conda_file.is_some() {
            return Err(Error::InvalidArgument {
                what: "the conda file of an environment with a build context",
                value: self.details.name.clone(),
                rule: "packages are the Dockerfile's business there",
            });
        }
        if self.context.is_none() && self.dockerfile_path.is_some() {
            return Err(Error::InvalidArgument {
                what: "the path of the Dockerfile",
                value: self.dockerfile_path.clone().unwrap_or_default(),
                rule: "only an environment with a build context has one",
            });
        }
        let os_type = self.os_type.as_deref().unwrap_or("Linux");
        if !matches!(os_type, "Linux" | "Windows") {
            return Err(Error::InvalidArgument {
                what: "the operating system of an environment",
                value: os_type.to_owned(),
                rule: "Linux or Windows",
            });
        }
        Ok(())
    }

    /// `context` is the path of the build context; the address before it is not known until its datastore is asked for.
    pub(crate) fn is_same(&self, newest: &EnvironmentProperties, context: Option<&str>) -> bool {
        let is_same_build = match (&newest.build, context) {
            (None, None) => true,
            (Some(there), Some(context)) => {
                let dockerfile = there.dockerfile_path.as_deref().unwrap_or(DOCKERFILE);
                there.context_uri.trim_end_matches('/').ends_with(context)
                    && Some(dockerfile) == self.dockerfile()
            }
            _ => false,
        };
        is_same_build
            && newest.image == self.image
            && newest.conda_file == self.conda_file
            && newest.inference_config == self.inference_config
            && self.os_type.as_ref().is_none_or(|os_type| newest.os_type.as_ref() == Some(os_type))
    }

    pub(crate) fn dockerfile(&self) -> Option<&str> {
        self.context.as_ref()?;
        Some(self.dockerfile_path.as_deref().unwrap_or(DOCKERFILE))
    }
}
