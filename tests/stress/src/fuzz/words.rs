// SPDX-License-Identifier: GPL-2.0

//! Random contents of files, names, and options of mounts.

use std::path::Path;

use crate::rng::Rng;

/// Sizes at and next to the limits of buffers.
pub const SIZES: &[usize] = &[
    0, 1, 2, 7, 63, 64, 127, 128, 255, 256, 4095, 4096, 4097, 8191, 65_536, 1_048_576,
];

/// The name of the files through which sample modules take commands to publish.
const CONTROL: &str = "control";

/// Commands for [`CONTROL`], which are written without mutation: one digit can make a
/// tree of a million directories, and a changed name makes a tree that no command
/// removes. So only a few trees exist at a time. None is in debugfs or sysfs, which
/// are not under test.
const COMMANDS: &[&str] = &[
    "add queue_one",
    "add queue_one",
    "add queue_two",
    "remove queue_one",
    "remove queue_two",
    "remove queue_three",
    "add",
    "add ",
    "add .",
    "add ..",
    "add queue/one",
    "add queue\none",
    " add  queue_one ",
    "remove queue_one queue_two",
    "add queue_one\0queue_two",
    "create eventfs queue_tree 2 9 3",
    "create eventfs queue_tree 2 9 3",
    "create eventfs queue_flat 0 20 8",
    "create eventfs queue_flat 0 0 65",
    "create eventfs queue_none 0 -1 1",
    "create eventfs queue/none 0 1 1",
    "create nothing queue_none 0 1 1",
    "remove eventfs queue_tree",
    "remove eventfs queue_flat",
    "remove eventfs",
];

/// Texts that a file parses, by the name of the file.
const TEXTS: &[(&str, &[&str])] = &[
    (
        "trigger",
        &[
            "traceon:3",
            "traceoff:0",
            "stacktrace:1 if common_pid == 1",
            "snapshot:1",
            "hist:keys=common_pid",
            "hist:keys=common_pid:vals=hitcount:sort=hitcount:size=128",
            "hist:keys=common_pid.execname,stacktrace:pause",
            "hist:name=fuzz:keys=no_such_field",
            "enable_event:sched:sched_switch:2",
            "!stacktrace:1 if common_pid == 1",
            "!hist:keys=common_pid",
            "!traceon:3",
        ],
    ),
    (
        "filter",
        &[
            "common_pid == 1",
            "common_pid != 0 && (common_flags & 1 || common_type < 99999)",
            "((((((common_pid == 1",
            "comm ~ \"*[a-z\"",
            "0",
        ],
    ),
    ("enable", &["0", "1", "2", "-1", "yes"]),
    (
        "kprobe_events",
        &[
            "p:fuzz/one __x64_sys_umask",
            "p:fuzz/two __x64_sys_umask+0 a=%di:u8 b=+0(%si):string c=$stack0:x64",
            "r8:fuzz/three __x64_sys_umask $retval $comm",
            "p:fuzz/a:b/c __x64_sys_umask",
            "p __x64_sys_umask",
            "-:fuzz/one",
            "-:fuzz/",
            "-:fuzz/two\n-:fuzz/nothing",
        ],
    ),
    (
        "dynamic_events",
        &[
            "p:fuzz/one __x64_sys_umask",
            "e:fuzz/probe sched/sched_switch pid=$next_pid:u32",
            "s:fuzz_synthetic int a; char b[16]",
            "t:fuzz/tracepoint sched_switch",
            "f:fuzz/function vfs_read",
            "u:fuzz/user /bin/busybox:0x100",
            "-:fuzz/one",
            "-:fuzz/",
        ],
    ),
    (
        "synthetic_events",
        &[
            "fuzz_one int a",
            "fuzz_two u64 a; char b[]; unsigned long c",
            "fuzz_three nothing a",
            "!fuzz_one",
        ],
    ),
    (
        "uprobe_events",
        &[
            "p:fuzz/user /bin/busybox:0x100",
            "p:fuzz/user /nothing:0x0",
            "-:fuzz/user",
        ],
    ),
    (
        "set_event",
        &["sched:sched_switch", "!sched:", "irq:", ":mod:nothing"],
    ),
    ("trace_clock", &["global", "local", "counter", "nothing"]),
    (
        "trace_options",
        &["noraw", "raw", "hex", "nobin", "sym-addr", "nothing"],
    ),
    (
        "tracing_cpumask",
        &["1", "3", "0", "ffffffff,ffffffff", ","],
    ),
    ("tracing_on", &["0", "1"]),
    (CONTROL, COMMANDS),
    ("snapshot", &["0", "1", "2"]),
];

/// Files that take the size of an allocation.
const SIZED: &[&str] = &[
    "buffer_size_kb",
    "buffer_subbuf_size_kb",
    "buffer_subbuf_order",
    "saved_cmdlines_size",
    "syscall_user_buf_size",
];

/// Changes, removes or inserts a few bytes.
fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..=rng.below(3) {
        let at = rng.below(bytes.len());
        match (rng.below(4), bytes.get_mut(at)) {
            (0, Some(byte)) => *byte = rng.below(256) as u8,
            (1, Some(byte)) => *byte = rng.pick(b" :/=,.!\n\0%$@+-*"),
            (2, Some(_)) => {
                bytes.remove(at);
            }
            _ => bytes.insert(at, rng.pick(b"019 az:/\n\0\xff")),
        }
    }
}

/// A random number, often a limit of an integer type.
pub fn number(rng: &mut Rng) -> u64 {
    match rng.below(4) {
        0 => rng.pick(&[
            0,
            1,
            u64::MAX,
            u64::MAX - 1,
            1 << 31,
            (1 << 31) - 1,
            1 << 32,
            1 << 62,
            (1 << 63) - 1,
            1 << 63,
            4096,
        ]),
        1 => rng.next(),
        2 => rng.next() >> 40,
        _ => rng.below(16) as u64,
    }
}

/// Random contents for a file. A file of [`SIZED`] gets no large number.
pub fn payload(rng: &mut Rng, path: &Path) -> Vec<u8> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let texts = TEXTS.iter().find(|(known, _)| *known == name);
    let sized = SIZED.contains(&name.as_ref());
    match (rng.below(10), texts) {
        (0..5, Some((known, texts))) => {
            let mut bytes = rng.pick(texts).as_bytes().to_vec();
            if *known != CONTROL && rng.chance(40) {
                mutate(rng, &mut bytes);
            }
            if rng.chance(50) {
                bytes.push(b'\n');
            }
            bytes
        }
        (5, _) if sized => rng.below(300).to_string().into_bytes(),
        (5, _) => number(rng).to_string().into_bytes(),
        (6, _) => {
            let size = rng.pick(SIZES);
            vec![rng.pick(b"a \n\0:/("); size]
        }
        _ => {
            let size = rng.pick(SIZES);
            let mut bytes = rng.bytes(size);
            if sized {
                // Digits at the beginning would parse as a size.
                bytes.insert(0, b'x');
            }
            bytes
        }
    }
}

/// A random name that no file has.
pub fn name(rng: &mut Rng) -> Vec<u8> {
    let mut name = match rng.below(10) {
        0 => vec![b'a'; 255],
        1 => vec![b'a'; 256],
        2 => vec![b'a'; rng.pick(&[1000, 4095, 4096, 5000])],
        3 => b"new\nline".to_vec(),
        4 => b"\xff\xfe\xc0\xaf\xed\xa0\x80".to_vec(),
        5 => b"a/".repeat(rng.pick(&[1, 50, 2000])),
        6 => b" ".to_vec(),
        _ => {
            let length = 1 + rng.below(255);
            rng.bytes(length)
        }
    };
    name.retain(|byte| *byte != 0);
    // No name may lead above the mount, or to the directory itself.
    let nothing = name.iter().all(|byte| b"./".contains(byte));
    if nothing || name.windows(2).any(|pair| pair == b"..") {
        name = b"fuzz".to_vec();
    }
    name
}

/// A random string of mount options, valid or not.
pub fn mount_options(rng: &mut Rng) -> Vec<u8> {
    let mut all = Vec::new();
    for _ in 0..rng.pick(&[0, 1, 1, 2, 3, 100]) {
        all.extend(mount_option(rng));
        all.push(b',');
    }
    if rng.chance(50) {
        all.pop();
    }
    all.retain(|byte| *byte != 0);
    all
}

/// One mount option.
fn mount_option(rng: &mut Rng) -> Vec<u8> {
    let (key, value) = key_and_value(rng);
    match rng.below(5) {
        0 => key,
        1 => [key, b"=".to_vec()].concat(),
        _ => [key, b"=".to_vec(), value].concat(),
    }
}

/// A random key and value for `fsconfig`.
pub fn key_and_value(rng: &mut Rng) -> (Vec<u8>, Vec<u8>) {
    if rng.chance(20) {
        // The option whose values are words.
        let key = rng.pick(&["readdir", "readdir", "readdir", "readdir ", "READDIR"]);
        let values = [
            "metadata",
            "dentries",
            "",
            "meta",
            "metadata ",
            "Dentries",
            "0",
            "1",
        ];
        return (key.into(), rng.pick(&values).into());
    }
    let key = match rng.below(6) {
        0 => rng.bytes(8),
        1 => vec![b'k'; rng.pick(&[255, 256, 300, 4000])],
        2 => {
            let keys = ["source", "ro", "rw", "", "UID", "uid ", "mode\n"];
            rng.pick(&keys).into()
        }
        _ => rng.pick(&["uid", "gid", "mode", "readdir"]).into(),
    };
    let value = match rng.below(6) {
        0 => rng.bytes(16),
        1 => vec![b'7'; rng.pick(&[10, 11, 30, 255, 256, 4000])],
        2 => format!("-{}", rng.below(10)).into_bytes(),
        3 => format!("{:o}", rng.next() >> 44).into_bytes(),
        _ => number(rng).to_string().into_bytes(),
    };
    (key, value)
}
