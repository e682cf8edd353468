//! Dockerfiles that need no engine: files are copied into a folder, and a program in it is run.
//!
//! What a base image would bring is not there, so what needs one is refused with its line.

mod command;
mod lines;
mod recipe;
mod refused;
mod root;
mod words;

pub(crate) use self::{
    command::Command,
    recipe::{Copy, Recipe},
    refused::Refused,
    root::{Root, absolute, make_executable},
};
