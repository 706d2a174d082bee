// SPDX-License-Identifier: GPL-2.0

//! A function for uprobes.

use std::hint::black_box;
use std::process::ExitCode;

/// The probed function.
#[inline(never)]
fn target(number: u64) -> u64 {
    black_box(number).wrapping_mul(3)
}

/// The offset of [`target`] in this program's file.
fn offset() -> Option<u64> {
    let address = black_box(target as fn(u64) -> u64) as usize as u64;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        // start-end perms offset ...
        let mut fields = line.split_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let start = u64::from_str_radix(start, 16).ok()?;
        let end = u64::from_str_radix(end, 16).ok()?;
        let offset = u64::from_str_radix(fields.nth(1)?, 16).ok()?;
        (start..end)
            .contains(&address)
            .then(|| address - start + offset)
    })
}

/// `evt uprobe` prints the place for a probe as PATH:OFFSET. `evt uprobe N` calls
/// the function N times.
pub fn main(args: &[String]) -> ExitCode {
    if let Some(count) = args.first() {
        for number in 0..count.parse().unwrap_or(1) {
            black_box(target(number));
        }
        return ExitCode::SUCCESS;
    }
    match (std::env::current_exe(), offset()) {
        (Ok(path), Some(offset)) => {
            println!("{}:{offset:#x}", path.display());
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    }
}
