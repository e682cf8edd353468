//! What jobs do: pipelines go on step by step, commands wait for nodes and run.

mod plan;

pub(crate) use self::plan::{
    Asset, Code, CommandPlan, DataPort, Output, PipelinePlan, Plan, Source, StepOutput,
};
