// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::collections::HashMap;
use std::str::FromStr;

/// Arguments, and options with a value.
#[derive(Default)]
pub struct Options {
    /// Arguments that are no options.
    pub arguments: Vec<String>,
    options: HashMap<String, String>,
}

impl Options {
    /// Splits `args` into arguments and options.
    pub fn new(args: &[String]) -> Result<Self, String> {
        let mut own = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if let Some(name) = arg.strip_prefix("--") {
                let value = args.next().ok_or(format!("--{name} needs a value"))?;
                own.options.insert(name.to_string(), value.clone());
            } else {
                own.arguments.push(arg.clone());
            }
        }
        Ok(own)
    }

    /// Takes the value of an option, or `default` if the option is not given.
    pub fn value<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, String> {
        match self.options.remove(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| format!("--{name}: not a valid value: {text}")),
        }
    }

    /// Refuses an option that was given and not taken.
    pub fn done(self) -> Result<(), String> {
        match self.options.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("no such option: --{name}")),
        }
    }
}
