//! What the emulator is asked and answers in tests, written down for the check against Azure's specification.

use std::{
    env,
    path::PathBuf,
    process,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use spinney_azureml_emulator::EmulatorBuilder;

/// Has an emulator record, if `SPINNEY_EMULATOR_TRAFFIC` says where: in a folder with the names of the program and the test.
pub(crate) fn recorded(builder: EmulatorBuilder) -> EmulatorBuilder {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let Some(folder) = env::var_os("SPINNEY_EMULATOR_TRAFFIC").map(PathBuf::from) else {
        return builder;
    };
    let program = env::current_exe().unwrap();
    let program = program.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    // Behind the last dash is cargo's hash.
    let program = program.rsplit_once('-').map_or(program, |(program, _)| program);
    let test = thread::current().name().unwrap_or("unnamed").replace("::", ".");
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    builder.record(folder.join(format!("{program}.{test}.{}-{number}", process::id())))
}
