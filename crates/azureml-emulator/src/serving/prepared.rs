use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use crate::process::Program;

/// A program that stands for a container, with all its files in place: it only lacks a port.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) program: PathBuf,
    pub(super) args: Vec<Argument>,
    pub(super) folder: PathBuf,
    pub(super) variables: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Argument {
    Text(OsString),
    /// The port to listen on.
    Port,
}

impl Prepared {
    /// The program, told to listen on a port of this machine.
    ///
    /// Which variable a program reads the port from is its own choice: those that are common are set, whatever they were.
    pub(super) fn program(&self, port: u16, output: PathBuf) -> Program {
        let port = port.to_string();
        let args = self.args.iter().map(|argument| match argument {
            Argument::Text(text) => text.clone(),
            Argument::Port => OsString::from(&port),
        });
        let mut environment: BTreeMap<OsString, OsString> =
            self.variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        for (name, value) in
            [("PORT", port.as_str()), ("SPINNEY_PORT", &port), ("SPINNEY_HOST", "127.0.0.1")]
        {
            environment.insert(name.into(), value.into());
        }
        Program {
            program: self.program.clone(),
            args: args.collect(),
            folder: self.folder.clone(),
            environment,
            output,
        }
    }
}
