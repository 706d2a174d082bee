// SPDX-License-Identifier: GPL-2.0

//! Scripts of system calls.
//!
//! A line is a call (see [`crate::calls`]), followed by its expected outcome:
//!
//! ```text
//! open f events/sched/enable rw
//! write f "2\n" => EINVAL
//! seek f 0 set => 0
//! read f 10 => "0\n"
//! ```
//!
//! * `=> X`: the outcome equals X, which is an errno's name, a number, `ok`, `EOF`,
//!   `timeout`, words, or text. An unquoted X is compared without the last newline;
//! * `=~ X...`: the outcome contains every X;
//! * `!~ X...`: the call succeeds, and its outcome contains no X;
//! * `=| X...`: the outcome equals one of the X;
//! * `??`: any outcome;
//! * nothing: the call succeeds.
//!
//! `evt same` accepts any outcome of a call without an expectation.
//!
//! `let NAME CALL...` stores the outcome of a call, and `%{NAME}` expands to it.
//! `repeat N` ... `end` is a loop with its round in `%{i}`, or in `%{j}` for a
//! loop inside it. `#` begins a comment.

use std::collections::HashMap;
use std::io::Read as _;
use std::process::ExitCode;
use std::thread;

use crate::machine::Machine;
use crate::value::{render, Misuse, Outcome, Value};

/// One word of a line.
#[derive(Clone, Debug)]
struct Word {
    text: String,
    quoted: bool,
}

/// One line of a script.
#[derive(Clone, Debug)]
struct Line {
    number: usize,
    source: String,
    words: Vec<Word>,
}

/// How a script fails.
enum Failure {
    /// A call had an outcome that is not the expected one.
    Unexpected(String),
    /// The script has a defect.
    Misuse(String),
}

/// Splits a line into words.
fn split(source: &str) -> Result<Vec<Word>, Misuse> {
    let mut words = Vec::new();
    let mut letters = source.chars().peekable();
    while let Some(&letter) = letters.peek() {
        if letter.is_whitespace() {
            letters.next();
            continue;
        }
        if letter == '#' {
            break;
        }
        let mut word = Word {
            text: String::new(),
            quoted: false,
        };
        if letter == '"' {
            letters.next();
            word.quoted = true;
            loop {
                match letters.next() {
                    None => return Err(Misuse("unclosed quote".to_string())),
                    Some('"') => break,
                    Some('\\') => word.text.push(match letters.next() {
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some('0') => '\0',
                        Some(other) => other,
                        None => return Err(Misuse("unclosed quote".to_string())),
                    }),
                    Some(other) => word.text.push(other),
                }
            }
        } else {
            while let Some(&letter) = letters.peek() {
                if letter.is_whitespace() {
                    break;
                }
                word.text.push(letter);
                letters.next();
            }
        }
        words.push(word);
    }
    Ok(words)
}

/// Splits a script into lines. Lines without words are left out.
fn parse(source: &str) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for (index, text) in source.lines().enumerate() {
        let words = split(text)
            .map_err(|Misuse(what)| Failure::Misuse(format!("line {}: {what}", index + 1)))?;
        if !words.is_empty() {
            lines.push(Line {
                number: index + 1,
                source: text.trim().to_string(),
                words,
            });
        }
    }
    Ok(lines)
}

/// Whether `outcome` equals the expected `word`.
fn equals(outcome: &Outcome, word: &Word) -> bool {
    match outcome {
        Ok(Value::Text(text)) if word.quoted => text == word.text.as_bytes(),
        Ok(Value::Text(text)) => text.strip_suffix(b"\n").unwrap_or(text) == word.text.as_bytes(),
        _ => render(outcome) == word.text,
    }
}

/// Whether the text or the words of `outcome` contain `part`.
fn contains(outcome: &Outcome, part: &str) -> bool {
    match outcome {
        Ok(Value::Text(text)) => String::from_utf8_lossy(text).contains(part),
        Ok(Value::Words(words)) => words.iter().any(|word| word == part),
        _ => false,
    }
}

/// Whether `outcome` satisfies the expectation in the words behind the call.
fn satisfies(outcome: &Outcome, expected: &[Word]) -> Result<bool, Misuse> {
    let Some((relation, operands)) = expected.split_first() else {
        return Ok(!matches!(outcome, Err(_) | Ok(Value::Timeout)));
    };
    match (relation.text.as_str(), operands) {
        ("=>", [word]) => Ok(equals(outcome, word)),
        ("=>", [_, _, ..]) => {
            let words: Vec<&str> = operands.iter().map(|word| word.text.as_str()).collect();
            Ok(render(outcome) == words.join(" "))
        }
        ("=~", [_, ..]) => Ok(operands.iter().all(|word| contains(outcome, &word.text))),
        ("!~", [_, ..]) => {
            Ok(outcome.is_ok() && operands.iter().all(|word| !contains(outcome, &word.text)))
        }
        ("=|", [_, ..]) => Ok(operands.iter().any(|word| equals(outcome, word))),
        ("??", []) => Ok(true),
        _ => Err(Misuse("an expectation without operands".to_string())),
    }
}

/// Runs a script and passes the outcome of each line to `observe`.
struct Runner<'a> {
    machine: Machine,
    values: HashMap<String, String>,
    /// Whether a call without an expectation has to succeed.
    strict: bool,
    observe: &'a mut dyn FnMut(&str, &Outcome),
}

impl Runner<'_> {
    /// Expands the values in `word`.
    fn substitute(&self, word: &Word) -> Result<Word, Misuse> {
        let mut text = String::new();
        let mut rest = word.text.as_str();
        while let Some((before, behind)) = rest.split_once("%{") {
            let Some((name, after)) = behind.split_once('}') else {
                return Err(Misuse("%{ without }".to_string()));
            };
            let Some(value) = self.values.get(name) else {
                return Err(Misuse(format!("%{{{name}}} has no value")));
            };
            text.push_str(before);
            text.push_str(value);
            rest = after;
        }
        text.push_str(rest);
        Ok(Word {
            text,
            quoted: word.quoted,
        })
    }

    /// Runs one line, which is a call and not a loop.
    fn step(&mut self, line: &Line) -> Result<(), Failure> {
        let wrong = |Misuse(what): Misuse| {
            Failure::Misuse(format!("line {}: {}: {what}", line.number, line.source))
        };
        let mut words = Vec::new();
        for word in &line.words {
            words.push(self.substitute(word).map_err(wrong)?);
        }
        let keep = if words[0].text == "let" && words.len() > 2 {
            let name = words[1].text.clone();
            words.drain(..2);
            Some(name)
        } else {
            None
        };
        let behind = words
            .iter()
            .position(|word| {
                !word.quoted && matches!(word.text.as_str(), "=>" | "=~" | "!~" | "=|" | "??")
            })
            .unwrap_or(words.len());
        let call: Vec<&str> = words[..behind]
            .iter()
            .map(|word| word.text.as_str())
            .collect();
        let outcome = self.machine.call(&call).map_err(wrong)?;
        (self.observe)(&line.source, &outcome);
        let expected = &words[behind..];
        if (self.strict || !expected.is_empty()) && !satisfies(&outcome, expected).map_err(wrong)? {
            let round = self
                .values
                .get("i")
                .map_or(String::new(), |round| format!(" (round {round})"));
            return Err(Failure::Unexpected(format!(
                "line {}{round}: {}: got {}",
                line.number,
                line.source,
                shorten(&render(&outcome))
            )));
        }
        if let Some(name) = keep {
            self.values.insert(name, render(&outcome));
        }
        Ok(())
    }

    /// Runs lines, loops included, inside of `depth` loops.
    fn run(&mut self, lines: &[Line], depth: usize) -> Result<(), Failure> {
        let mut at = 0;
        while at < lines.len() {
            let line = &lines[at];
            at += 1;
            let first = line.words[0].text.as_str();
            if first != "repeat" {
                self.step(line)?;
                continue;
            }
            let mut open = 1;
            let start = at;
            while open > 0 {
                match lines.get(at).map(|line| line.words[0].text.as_str()) {
                    Some("repeat") => open += 1,
                    Some("end") => open -= 1,
                    Some(_) => {}
                    None => return Err(Failure::Misuse("repeat without end".to_string())),
                }
                at += 1;
            }
            let count = match line.words.get(1) {
                Some(word) => self
                    .substitute(word)
                    .ok()
                    .and_then(|word| word.text.parse().ok()),
                None => None,
            };
            let Some(count) = count else {
                return Err(Failure::Misuse("repeat without a number".to_string()));
            };
            let variable = ["i", "j", "k"].get(depth).copied().unwrap_or("deep");
            for round in 0..count {
                let round: usize = round;
                self.values.insert(variable.to_string(), round.to_string());
                self.run(&lines[start..at - 1], depth + 1)?;
            }
            self.values.remove(variable);
        }
        Ok(())
    }
}

/// Reads the script from standard input.
fn read_source() -> Result<String, Failure> {
    let mut source = String::new();
    std::io::stdin()
        .read_to_string(&mut source)
        .map_err(|error| Failure::Misuse(format!("no script: {error}")))?;
    Ok(source)
}

/// Reads lines from standard input and splits them into words.
pub fn lines_of_stdin() -> Result<Vec<Vec<String>>, Misuse> {
    let lines = read_source().and_then(|source| parse(&source));
    match lines {
        Ok(lines) => Ok(lines
            .into_iter()
            .map(|line| line.words.into_iter().map(|word| word.text).collect())
            .collect()),
        Err(Failure::Unexpected(what) | Failure::Misuse(what)) => Err(Misuse(what)),
    }
}

/// Runs `lines` in the directory `root`.
fn run_in(
    lines: &[Line],
    root: Option<&str>,
    strict: bool,
    observe: &mut dyn FnMut(&str, &Outcome),
) -> Result<(), Failure> {
    if let Some(root) = root {
        rustix::process::chdir(root)
            .map_err(|error| Failure::Misuse(format!("{root}: {error}")))?;
    }
    let mut runner = Runner {
        machine: Machine::default(),
        values: HashMap::new(),
        strict,
        observe,
    };
    runner.run(lines, 0)
}

/// Cuts `text` off at a length that fits into a report.
fn shorten(text: &str) -> String {
    const LENGTH: usize = 600;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
        None => text.to_string(),
    }
}

/// Prints a failure. Returns the exit status for it.
fn report(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Unexpected(what)) => {
            eprintln!("unexpected: {what}");
            ExitCode::FAILURE
        }
        Err(Failure::Misuse(what)) => {
            eprintln!("defect of the script: {what}");
            ExitCode::from(2)
        }
    }
}

/// `evt run [-v] [-C DIR]`: runs the script on standard input.
pub fn run(args: &[String]) -> ExitCode {
    let mut verbose = false;
    let mut root = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-v" => verbose = true,
            "-C" => root = args.next().map(String::as_str),
            other => {
                eprintln!("usage: evt run [-v] [-C DIR] <SCRIPT\nunknown argument: {other}");
                return ExitCode::from(2);
            }
        }
    }
    let mut observe = |line: &str, outcome: &Outcome| {
        if verbose {
            println!("{line} -> {}", render(outcome));
        }
    };
    report(
        read_source()
            .and_then(|source| parse(&source))
            .and_then(|lines| run_in(&lines, root, true, &mut observe)),
    )
}

/// `evt same A B`: runs the script on standard input in two directories, one
/// after the other, and compares the outcomes of each call.
pub fn same(args: &[String]) -> ExitCode {
    let [first, second] = args else {
        eprintln!("usage: evt same DIR DIR <SCRIPT");
        return ExitCode::from(2);
    };
    let lines = match read_source().and_then(|source| parse(&source)) {
        Ok(lines) => lines,
        Err(failure) => return report(Err(failure)),
    };
    let mut outcomes = [Vec::new(), Vec::new()];
    for (root, outcomes) in [first, second].into_iter().zip(&mut outcomes) {
        let mut observe = |line: &str, outcome: &Outcome| {
            outcomes.push((line.to_string(), render(outcome)));
        };
        // In a thread, so that a change of credentials (`user`) ends with it.
        let result = thread::scope(|scope| {
            let side = scope.spawn(|| run_in(&lines, Some(root), false, &mut observe));
            side.join()
                .unwrap_or_else(|_| Err(Failure::Misuse("the thread panicked".to_string())))
        });
        if result.is_err() {
            eprintln!("in {root}:");
            return report(result);
        }
    }
    let [one, other] = outcomes;
    let mut differences = 0;
    for ((line, expected), (_, got)) in one.iter().zip(&other) {
        if expected != got {
            differences += 1;
            eprintln!("{line}");
            for (root, outcome) in [(first, expected), (second, got)] {
                eprintln!("  {root}: {}", shorten(outcome));
            }
        }
    }
    println!("{} calls, {differences} differences", one.len());
    if differences == 0 && one.len() == other.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script. Returns the outcomes of its calls, or its failure.
    fn outcome(source: &str) -> Result<Vec<String>, String> {
        let mut outcomes = Vec::new();
        let lines = parse(source);
        let result = lines.and_then(|lines| {
            run_in(&lines, None, true, &mut |_, outcome| {
                outcomes.push(render(outcome));
            })
        });
        match result {
            Ok(()) => Ok(outcomes),
            Err(Failure::Unexpected(what) | Failure::Misuse(what)) => Err(what),
        }
    }

    #[test]
    fn words_are_split_and_unescaped() {
        let Ok(words) = split(r#"write f "a \"b\"\n# c" # comment"#) else {
            panic!("refused");
        };
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["write", "f", "a \"b\"\n# c"]);
        assert!(split("write \"unclosed").is_err());
    }

    #[test]
    fn expectations_are_checked() {
        assert!(outcome("access /").is_ok());
        assert!(outcome("access / => ok").is_ok());
        assert!(outcome("access / => ENOENT").is_err());
        assert!(outcome("access /no/such/file").is_err());
        assert!(outcome("access /no/such/file => ENOENT").is_ok());
        assert!(outcome("access /no/such/file => EACCES").is_err());
        assert!(outcome("access /no/such/file =| EACCES ENOENT").is_ok());
        assert!(outcome("access /no/such/file =| EACCES EIO").is_err());
        assert!(outcome("access /no/such/file ??").is_ok());
        assert!(outcome("ls / =~ proc").is_ok());
        assert!(outcome("ls / =~ proc nothing_like_it").is_err());
        assert!(outcome("ls / !~ proc").is_err());
        assert!(outcome("ls /no/such/file !~ proc").is_err());
        assert!(outcome("open f /proc/self/comm r\nread f 0 => EOF").is_ok());
        assert!(outcome("until 20 ok access /no/such/file").is_err());
    }

    #[test]
    fn values_are_stored_and_loops_run() {
        let script = "let type stat / type\nrepeat 3\nstat / type => %{type}\nend";
        assert_eq!(outcome(script).map(|outcomes| outcomes.len()), Ok(4));
        assert!(outcome("stat / type => %{nothing}").is_err());
        assert!(outcome("repeat 2\naccess /").is_err());
        assert!(outcome("repeat 2\naccess /%{i} => ENOENT\nend").is_ok());
    }

    #[test]
    fn defects_of_scripts_are_reported() {
        assert!(outcome("no_such_call").is_err());
        assert!(outcome("read f 10").is_err());
        assert!(outcome("access / =>").is_err());
        assert!(outcome("stat / nonsense").is_err());
    }
}
