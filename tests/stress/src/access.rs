// SPDX-License-Identifier: GPL-2.0

//! `stress access`: checks that no path permits more than on tracefs.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, Mode, OFlags};
use rustix::io::Errno;

use crate::credentials::{assume, Credentials};
use crate::errno;
use crate::options::Options;
use crate::walk::walk;

/// An attempt: its name and its function.
type Attempt = (&'static str, fn(&Path) -> Result<(), Errno>);

/// Opens a file and closes it.
fn open(path: &Path, flags: OFlags) -> Result<(), Errno> {
    let flags = flags | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map(drop)
}

/// The attempts on each path.
const ATTEMPTS: &[Attempt] = &[
    ("stat", |path| rustix::fs::stat(path).map(drop)),
    ("access r", |path| rustix::fs::access(path, Access::READ_OK)),
    ("access w", |path| {
        rustix::fs::access(path, Access::WRITE_OK)
    }),
    ("access x", |path| rustix::fs::access(path, Access::EXEC_OK)),
    ("open r", |path| open(path, OFlags::RDONLY)),
    // The release of `free_buffer` frees the ring buffer, so it is not opened.
    ("open w", |path| match path.ends_with("free_buffer") {
        true => rustix::fs::access(path, Access::WRITE_OK),
        false => open(path, OFlags::WRONLY),
    }),
    ("create below", |path| {
        let path = path.join("stress_never");
        rustix::fs::mkdir(path, Mode::RWXU)
    }),
    ("remove", |path| rustix::fs::unlink(path)),
];

/// `stress access ROOT TRACEFS [--as root|user|namespace] [--step N]`: makes each
/// attempt on each path of both trees, and compares the results.
pub fn main(args: &[String]) -> Result<(), String> {
    let mut options = Options::new(args)?;
    let [root, tracefs] = options.arguments.as_slice() else {
        return Err("ROOT TRACEFS [--as root|user|namespace] [--step N]".to_string());
    };
    let (root, tracefs) = (PathBuf::from(root), PathBuf::from(tracefs));
    let credentials = options.value("as", Credentials::User)?;
    let step = options.value("step", 1)?;
    options.done()?;
    let context = |error| format!("{}: {error}", root.display());
    let mut paths = vec![PathBuf::new()];
    // Only paths that both trees have are compared.
    walk(&root, Path::new(""), 0, step, &mut paths).map_err(context)?;
    paths.retain(|path| tracefs.join(path).exists());
    assume(credentials)?;
    let (mut more, mut less, mut equal) = (0, 0, 0);
    for path in &paths {
        for (name, attempt) in ATTEMPTS {
            let there = attempt(&tracefs.join(path));
            let here = attempt(&root.join(path));
            match (there, here) {
                (Err(error), Ok(())) => {
                    more += 1;
                    let error = errno::name(error);
                    eprintln!("FAILED: {path:?}: {name}: succeeds, on tracefs {error}");
                }
                (Ok(()), Err(error)) => {
                    less += 1;
                    let error = errno::name(error);
                    println!("{path:?}: {name}: {error}, succeeds on tracefs");
                }
                _ => equal += 1,
            }
        }
    }
    println!(
        "{} paths as {credentials:?}: {equal} attempts alike, {less} fail here only, \
         {more} succeed here only",
        paths.len()
    );
    match more {
        0 => Ok(()),
        _ => Err(format!("{more} attempts succeed that fail on tracefs")),
    }
}
