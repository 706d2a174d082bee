// SPDX-License-Identifier: GPL-2.0

//! The contents of files.

use std::path::Path;

use rustix::fs::{self, Mode, OFlags, SeekFrom};
use rustix::io::{self, Errno};

use super::events::put;
use super::{Owner, Presence, Subject, Worker, READABLE};

/// A limit above the size of any file of an event.
const LIMIT: usize = 256 * 1024;

impl Worker<'_> {
    /// The contents of a file, read in pieces of an odd size.
    pub(super) fn content(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.doing("open", path);
        let flags = Self::flags(OFlags::RDONLY);
        let fd = fs::open(path, flags, Mode::empty())?;
        // Only the first read of a filter returns data.
        let size = if path.ends_with("filter") {
            4096
        } else {
            self.rng.pick(&[7, 64, 255, 512, 4095, 4096, 4097, 65_536])
        };
        let mut buffer = vec![0; size];
        let mut all = Vec::new();
        self.doing("read", path);
        while all.len() < LIMIT {
            match io::read(&fd, buffer.as_mut_slice())? {
                0 => break,
                length => all.extend_from_slice(&buffer[..length]),
            }
        }
        Ok(all)
    }

    /// Checks the contents of `enable` of an event of this thread.
    pub(super) fn check_enable(&self, slot: usize, path: &Path, content: &[u8]) {
        let expected: &[u8] = if self.slots[slot].enabled {
            b"1\n"
        } else {
            b"0\n"
        };
        if content != expected {
            self.fail(
                path,
                &format!("reads {:?}", String::from_utf8_lossy(content)),
            );
        }
    }

    /// Checks the contents of `filter` of an event of this thread.
    pub(super) fn check_filter(&self, slot: usize, path: &Path, content: &[u8]) {
        let expected = self.slots[slot].filter.as_deref().unwrap_or("none");
        let content = String::from_utf8_lossy(content);
        if content.trim_end() != expected {
            self.fail(path, &format!("reads {content:?}, not {expected:?}"));
        }
    }

    /// Checks the contents of a file of an event, as far as they are known.
    fn check_content(&mut self, subject: &Subject, content: &[u8]) {
        let path = &subject.path;
        let text = String::from_utf8_lossy(content).into_owned();
        let event = path.parent().and_then(Path::file_name);
        let event = event.unwrap_or_default().to_string_lossy().into_owned();
        let good = match (subject.owner, subject.file.as_str()) {
            (Owner::Mine(slot), "enable") => {
                self.check_enable(slot, path, content);
                true
            }
            (Owner::Mine(slot), "filter") => {
                self.check_filter(slot, path, content);
                true
            }
            (Owner::Mine(slot), "id") => {
                let event = super::events::path_of(self.thread, slot);
                let kernel = self.shared.settings.tracefs.join(event).join("id");
                let result = self.content(&kernel);
                let kernel_says = self.must("read tracefs", &kernel, result);
                kernel_says.is_none_or(|kernel_says| kernel_says == content)
            }
            (Owner::Fixed(index), "id") => text == self.shared.fixed.events[index].id,
            (Owner::Fixed(index), "format") => text == self.shared.fixed.events[index].format,
            // The other thread may remove the event during the read, which ends it early.
            (Owner::Others, "id") => content.is_empty() || text.trim_end().parse::<u32>().is_ok(),
            (_, "format") => {
                content.is_empty() || text.starts_with(&format!("name: {event}\nID: "))
            }
            _ => true,
        };
        if !good {
            self.fail(path, &format!("reads {text:?}"));
        }
    }

    /// Reads a file of any event.
    pub(super) fn read(&mut self) {
        let subject = self.any_subject(READABLE);
        let result = self.content(&subject.path);
        if let Some(content) = self.check("read", &subject.path, subject.presence, result) {
            self.check_content(&subject, &content);
        }
    }

    /// Reads parts of a file with constant contents.
    pub(super) fn pread_and_seek(&mut self) {
        let subject = self.any_subject(&["format", "id"]);
        let path = &subject.path;
        self.doing("open", path);
        let opened = fs::open(path, Self::flags(OFlags::RDONLY), Mode::empty());
        let Some(fd) = self.check("open", path, subject.presence, opened) else {
            return;
        };
        let mut all = vec![0; 64 * 1024];
        let result = io::pread(&fd, all.as_mut_slice(), 0);
        let Some(length) = self.check("pread", path, subject.presence, result) else {
            return;
        };
        // `format` is generated line by line in pages, so one read may return a part.
        let all = &all[..length];
        for _ in 0..4 {
            let at = self.rng.below(length + 8);
            let size = self.rng.pick(&[0, 1, 2, 100, 4096]);
            let mut part = vec![0; size];
            let result = if self.rng.chance(50) {
                io::pread(&fd, part.as_mut_slice(), at as u64)
            } else {
                fs::seek(&fd, SeekFrom::Start(at as u64))
                    .and_then(|_| io::read(&fd, part.as_mut_slice()))
            };
            let Some(got) = self.check("read at", path, subject.presence, result) else {
                continue;
            };
            let end = (at + got).min(length);
            // Another thread may remove the event in between, which reads as end of file.
            let known = all.get(at..end).unwrap_or_default();
            let same = part[..got].starts_with(known);
            if !same && subject.presence == Presence::Present {
                self.fail(path, &format!("{size} bytes at {at} are not the same"));
            }
        }
        for whence in [
            SeekFrom::Current(self.rng.below(50) as i64 - 25),
            SeekFrom::End(0),
        ] {
            let result = fs::seek(&fd, whence);
            // Some files do not support SEEK_END, and a position before 0 is not valid.
            self.allow("seek", path, result, &[Errno::INVAL, Errno::NODEV]);
        }
    }

    /// Reads the beginning of a file of the root.
    pub(super) fn root_file(&mut self) {
        let index = self.rng.below(self.shared.fixed.files.len());
        let root = self.root();
        let path = root.join(&self.shared.fixed.files[index]);
        self.doing("open", &path);
        let opened = fs::open(&path, Self::flags(OFlags::RDONLY), Mode::empty());
        // Some files are write-only, and trace_pipe has one reader at a time.
        let allowed = &[Errno::INVAL, Errno::BUSY, Errno::PERM, Errno::ACCESS];
        let Some(fd) = self.allow("open", &path, opened, allowed) else {
            return;
        };
        let size = self.rng.pick(&[1, 100, 4096]);
        let mut buffer = vec![0; size];
        self.doing("read", &path);
        let result = io::read(&fd, buffer.as_mut_slice());
        let allowed = &[
            Errno::AGAIN,
            Errno::INVAL,
            Errno::BADF,
            Errno::PERM,
            Errno::NODEV,
        ];
        self.allow("read", &path, result, allowed);
    }

    /// Writes to the trace.
    pub(super) fn marker(&mut self) {
        let path = self.root().join("trace_marker");
        let length = self.rng.pick(&[1, 10, 500]);
        let text = vec![b'x'; length];
        self.doing("write", &path);
        let result = put(&path, OFlags::empty(), &text);
        // The kernel returns EBADF while the ring buffer is disabled, because another
        // thread resizes it or has turned tracing off.
        self.allow("write", &path, result, &[Errno::BADF]);
    }
}
