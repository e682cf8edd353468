//! The folders that are uploaded: the program, which is all the code there is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// The program's name on the machines.
pub(super) const PROGRAM: &str = "ames-pipeline";

/// The image needs nothing else, as the program loads no library.
const DOCKERFILE: &str = "\
FROM scratch
COPY --chmod=755 ames-pipeline /ames-pipeline
ENV SPINNEY_HOST=0.0.0.0 SPINNEY_PORT=5001
ENTRYPOINT [\"/ames-pipeline\", \"serve\"]
";

pub(super) struct Materials {
    folder: TempDir,
}

impl Materials {
    pub(super) fn new(binary: &Path) -> Result<Self> {
        let made = || -> std::io::Result<Self> {
            let folder = tempfile::tempdir()?;
            for name in ["code", "image"] {
                let folder = folder.path().join(name);
                fs::create_dir(&folder)?;
                let program = folder.join(PROGRAM);
                // Next to free, if it is on the same disk.
                fs::hard_link(binary, &program)
                    .or_else(|_| fs::copy(binary, &program).map(|_| ()))?;
            }
            fs::write(folder.path().join("image/Dockerfile"), DOCKERFILE)?;
            Ok(Self { folder })
        };
        made().with_context(|| format!("could not take {}", binary.display()))
    }

    /// The code of the pipeline's steps.
    pub(super) fn code(&self) -> PathBuf {
        self.folder.path().join("code")
    }

    /// What the endpoint's image is built of.
    pub(super) fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    /// Where what comes back goes.
    pub(super) fn outputs(&self) -> PathBuf {
        self.folder.path().join("outputs")
    }
}

/// Machines of Azure ML run Linux on x86-64, and have other libraries than the machine that a program was linked on.
pub(super) fn check_for_azure(binary: &Path) -> Result<()> {
    let program =
        fs::read(binary).with_context(|| format!("could not read {}", binary.display()))?;
    ensure!(
        is_static_linux(&program),
        "{} would not run on Azure's machines: it must be a program for Linux on x86-64 that loads no library. The README says how to build one for --binary",
        binary.display()
    );
    Ok(())
}

/// Whether a program is for Linux on x86-64 and asks for no loader: see `elf.h`.
fn is_static_linux(program: &[u8]) -> bool {
    const X86_64: u64 = 62;
    const PT_INTERP: u64 = 3;
    let number = |at: usize, size: usize| {
        let bytes = program.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let loads_nothing = || {
        let start = usize::try_from(number(0x20, 8)?).ok()?;
        let (size, count) = (usize::try_from(number(0x36, 2)?).ok()?, number(0x38, 2)?);
        let mut segments = (0..usize::try_from(count).ok()?)
            .map(|at| number(start.checked_add(at.checked_mul(size)?)?, 4));
        Some(count > 0 && segments.all(|kind| kind.is_some_and(|kind| kind != PT_INTERP)))
    };
    // 64 bits, the lowest byte first.
    program.starts_with(b"\x7fELF\x02\x01")
        && number(0x12, 2) == Some(X86_64)
        && loads_nothing().unwrap_or(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// A header and the types of its segments.
    fn elf(machine: u8, segments: &[u8]) -> Vec<u8> {
        let mut program = b"\x7fELF\x02\x01".to_vec();
        program.resize(64, 0);
        (program[0x12], program[0x20], program[0x36]) = (machine, 64, 56);
        program[0x38] = u8::try_from(segments.len()).unwrap();
        for segment in segments {
            program.push(*segment);
            program.resize(program.len() + 55, 0);
        }
        program
    }

    #[test]
    fn a_program_for_azure_is_known_by_its_head() {
        assert!(is_static_linux(&elf(62, &[1, 1, 2])));
        // With a loader, for another machine, without segments, cut off, and no program at all.
        for other in [elf(62, &[1, 3]), elf(183, &[1]), elf(62, &[]), elf(62, &[1])[..60].to_vec()]
        {
            assert!(!is_static_linux(&other));
        }
        let mut broken = elf(62, &[1]);
        broken[0x20..0x28].fill(0xff);
        assert!(!is_static_linux(&broken) && !is_static_linux(b"#!/bin/sh\n"));
    }
}
