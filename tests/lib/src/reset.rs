// SPDX-License-Identifier: GPL-2.0

//! Resets the kernel's tracing to a known state.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use rustix::fs::OFlags;

use crate::files::put;
use crate::value::render;

/// Files with a setting, which is saved and restored.
const SETTINGS: &[&str] = &[
    "buffer_size_kb",
    "buffer_subbuf_size_kb",
    "buffer_percent",
    "current_tracer",
    "max_graph_depth",
    "saved_cmdlines_size",
    "syscall_user_buf_size",
    "tracing_cpumask",
    "tracing_thresh",
];

/// Files with a list, which an open with `O_TRUNC` empties.
const LISTS: &[&str] = &[
    "set_event",
    "set_event_pid",
    "set_event_notrace_pid",
    "set_ftrace_filter",
    "set_ftrace_notrace",
    "set_ftrace_pid",
    "set_ftrace_notrace_pid",
    "set_graph_function",
    "set_graph_notrace",
    "error_log",
    "trace",
];

/// The value in the contents of a setting's file.
fn value(text: &str) -> &str {
    // A buffer that is not expanded yet reads "7 (expanded: 1408)".
    let value = text
        .split_once("(expanded: ")
        .map_or(text, |(_, value)| value);
    value.trim_end().trim_end_matches(')')
}

/// A tracing directory, and whether everything has succeeded so far.
struct Tracing<'a> {
    root: &'a Path,
    good: bool,
}

impl Tracing<'_> {
    /// The contents of a file, if it exists.
    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.root.join(name)).ok()
    }

    /// Writes to a file if it exists, and prints an error.
    fn write(&mut self, name: &str, flags: OFlags, text: &str) {
        let path = self.root.join(name);
        if !path.exists() {
            return;
        }
        let result = put(&path, flags, text.as_bytes());
        if result.is_err() {
            eprintln!("{name}: {text:?}: {}", render(&result));
            self.good = false;
        }
    }

    /// Empties a list.
    fn truncate(&mut self, name: &str) {
        let path = self.root.join(name);
        let truncated = rustix::fs::open(
            &path,
            OFlags::WRONLY | OFlags::TRUNC | OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        );
        if path.exists() {
            if let Err(error) = truncated {
                eprintln!("{name}: {error}");
                self.good = false;
            }
        }
    }

    /// Removes each entry of `list`, a line `SYSTEM:EVENT TEXT`, through the file
    /// `name` of its event.
    fn undo(&mut self, list: &str, name: &str, undo: impl Fn(&str) -> String) {
        // A trigger may depend on an earlier one: the last one goes first, and
        // the rest is tried again.
        for _ in 0..3 {
            let shown = self.read(list).unwrap_or_default();
            if shown.is_empty() {
                return;
            }
            for line in shown.lines().rev() {
                let Some((event, text)) = line.split_once(char::is_whitespace) else {
                    continue;
                };
                let path = format!("events/{}/{name}", event.replacen(':', "/", 1));
                let _ = put(
                    self.root.join(path),
                    OFlags::empty(),
                    undo(text.trim()).as_bytes(),
                );
            }
        }
        if let Some(left) = self.read(list).filter(|left| !left.is_empty()) {
            eprintln!("{list} still has: {left}");
            self.good = false;
        }
    }

    /// Selects the word of `name` that is in brackets in `wanted`.
    fn choose(&mut self, name: &str, wanted: &str) {
        let chosen = |text: &str| {
            let (_, rest) = text.split_once('[')?;
            Some(rest.split_once(']')?.0.to_string())
        };
        let now = self.read(name).as_deref().and_then(chosen);
        if let Some(word) = chosen(wanted).filter(|word| now.as_ref() != Some(word)) {
            self.write(name, OFlags::empty(), &word);
        }
    }

    /// Restores the settings in `saved`, and clears everything else.
    fn reset(&mut self, saved: &Path) {
        self.write("tracing_on", OFlags::empty(), "0");
        self.write("current_tracer", OFlags::empty(), "nop");
        self.undo("show_event_triggers", "trigger", |text| {
            let text = text.split(" [").next().unwrap_or(text);
            format!("!{text}")
        });
        self.undo("show_event_filters", "filter", |_| "0".to_string());
        for list in LISTS {
            self.truncate(list);
        }
        if self
            .read("dynamic_events")
            .is_some_and(|events| !events.is_empty())
        {
            self.truncate("dynamic_events");
        }
        let snapshot = self.read("snapshot").unwrap_or_default();
        if snapshot.contains("is allocated") {
            self.write("snapshot", OFlags::empty(), "0");
        }
        for name in SETTINGS {
            let was = fs::read_to_string(saved.join(name)).ok();
            if let (Some(was), Some(now)) = (was, self.read(name)) {
                let (now, setting) = (value(&now), value(&was));
                if now != setting {
                    self.write(name, OFlags::empty(), setting);
                }
            }
        }
        let options = fs::read_to_string(saved.join("trace_options")).unwrap_or_default();
        let now = self.read("trace_options").unwrap_or_default();
        for option in options
            .lines()
            .filter(|option| !now.lines().any(|line| line == *option))
        {
            self.write("trace_options", OFlags::empty(), option);
        }
        if let Ok(clock) = fs::read_to_string(saved.join("trace_clock")) {
            self.choose("trace_clock", &clock);
        }
        self.truncate("trace");
        self.write("tracing_on", OFlags::empty(), "1");
    }
}

/// `evt reset -s ROOT DIR` saves the settings of the tracing directory ROOT in DIR.
/// `evt reset ROOT DIR` restores them, disables all events, and removes all
/// triggers, filters and dynamic events.
pub fn main(args: &[String]) -> ExitCode {
    let (save, args) = match args {
        [flag, rest @ ..] if flag == "-s" => (true, rest),
        rest => (false, rest),
    };
    let [root, saved] = args else {
        eprintln!("usage: evt reset [-s] ROOT DIR");
        return ExitCode::from(2);
    };
    let saved = Path::new(saved);
    let mut tracing = Tracing {
        root: Path::new(root),
        good: true,
    };
    if !save {
        tracing.reset(saved);
    } else if let Err(error) = fs::create_dir_all(saved) {
        eprintln!("{}: {error}", saved.display());
        tracing.good = false;
    } else {
        for name in SETTINGS.iter().chain(&["trace_options", "trace_clock"]) {
            if let Some(text) = tracing.read(name) {
                tracing.good &= fs::write(saved.join(name), text).is_ok();
            }
        }
    }
    if tracing.good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
