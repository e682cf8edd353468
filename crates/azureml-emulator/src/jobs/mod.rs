//! What jobs do: pipelines go on step by step, commands wait for nodes and run.
//!
//! What should be is in the database: runs, what each is to do, the nodes of clusters. A loop looks at it whenever something was
//! written, a command has ended or a time has come, decides in one transaction what happens next, and does it afterwards. A start of the
//! emulator needs to know nothing else: a command that was running when the process died is run again from its beginning, and a step
//! that has completed stays completed.

mod command;
mod outputs;
mod pipeline;
mod plan;
mod queue;
mod reuse;
mod scheduler;
mod tick;

pub(crate) use self::{
    plan::{
        Asset, Code, CommandPlan, DataPort, Output, PipelinePlan, Plan, Reuse, Source, StepOutput,
    },
    scheduler::schedule,
};
