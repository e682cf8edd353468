//! Scorers that answer without a model.
#![allow(dead_code, reason = "each test binary uses its share")]

use std::{path::Path, thread, time::Duration};

use spinney_scoring::{
    ErrorCode, InitError, ModelIdentity, ScoreError, ScoreRequest, ScoreResponse, Scorer,
};

/// Answers every row with the same number, perhaps after a time.
pub(crate) struct Constant {
    pub(crate) number: f64,
    pub(crate) delay: Duration,
    pub(crate) identity: ModelIdentity,
    pub(crate) works: bool,
}

impl Constant {
    pub(crate) fn new(number: f64) -> Self {
        let identity = ModelIdentity {
            name: "constant".to_owned(),
            version: number.to_string(),
            fingerprint: "none".to_owned(),
        };
        Self { number, delay: Duration::ZERO, identity, works: true }
    }

    pub(crate) fn slow(number: f64, delay: Duration) -> Self {
        Self { delay, ..Self::new(number) }
    }

    pub(crate) fn broken() -> Self {
        Self { works: false, ..Self::new(f64::NAN) }
    }
}

impl Scorer for Constant {
    /// Reads the number from the file `number` in the folder.
    fn init(model_dir: &Path) -> Result<Self, InitError> {
        Ok(Self::new(std::fs::read_to_string(model_dir.join("number"))?.trim().parse()?))
    }

    fn run(&self, request: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        thread::sleep(self.delay);
        Ok(ScoreResponse::new(vec![self.number; request.records()?.len()]))
    }

    fn self_test(&self) -> Result<(), ScoreError> {
        let broken = || ScoreError::new(ErrorCode::Internal, "it predicts no number");
        self.works.then_some(()).ok_or_else(broken)
    }

    fn model(&self) -> Option<&ModelIdentity> {
        Some(&self.identity)
    }
}
