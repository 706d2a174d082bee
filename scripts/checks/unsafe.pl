#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Checks where the module has `unsafe`: the crate denies it, and allows it on
# the modules that are listed here and nowhere else.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Check qw(code module_files module_path run);

# The modules that call C, or share memory with it, each with what is below it.
my @ALLOWED = qw(
	vfs
	nodes
	publish::args
	publish::clients
	publish::entries
	publish::ffi
	publish::fops
	publish::owner
	publish::poll
	publish::proxy
	publish::publication
	publish::registry
	publish::request
	stats::debugfs
);

# Whether a module is one of these, or below one.
sub allowed {
	my ($module) = @_;
	return grep { $module eq $_ || index($module, "$_\::") == 0 } @ALLOWED;
}

sub check {
	my ($files) = @_;
	my @complaints;
	my $root = $files->{'rust_eventfs.rs'} // '';
	push @complaints, 'rust_eventfs.rs:1: the crate has no #![deny(unsafe_code)]'
		unless code($root) =~ /^#!\[(?:deny|forbid)\(unsafe_code\)\]/m;
	for my $path (module_files($files)) {
		my $module = join '::', module_path($path);
		my $code = code($files->{$path});
		my $line = sub { 1 + (substr($code, 0, $_[0]) =~ tr/\n//) };
		# On the file itself, or on an item of it, which should be a module.
		while ($code =~ /#(!?)\[(?:allow|expect)\([^)]*\bunsafe_code\b[^\]]*\]/g) {
			my ($inner, $at) = ($1, $-[0]);
			my $on = $module;
			if (!$inner) {
				$code =~ /\G\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?(?:mod\s+(\w+))?/gc;
				$on = defined $1 ? join('::', module_path($path), $1) : 'an item';
			}
			next if allowed($on);
			push @complaints, "$path:" . $line->($at) . ': allow(unsafe_code) stands on ' .
				($on || 'the crate') . ', which unsafe.pl does not list';
		}
		next if allowed($module);
		while ($code =~ /\bunsafe\b/g) {
			push @complaints, "$path:" . $line->($-[0]) . ': ' .
				($module || 'rust_eventfs.rs') . ' has unsafe, and unsafe.pl does not list it';
		}
	}
	return @complaints;
}

my $deny = "//! The module.\n\n#![deny(unsafe_code)]\n";
run(\&check,
	['allowed on listed modules', {
		'rust_eventfs.rs' => $deny . "#[allow(unsafe_code)] // C.\nmod vfs;\nmod trace;\n",
		'vfs/file.rs' => "fn f() {\n    // SAFETY: It is.\n    unsafe { g() }\n}\n",
		'publish/mod.rs' => "#[allow(unsafe_code)]\n#[path = \"x\"]\npub(crate) mod ffi;\n",
		'publish/ffi.rs' => "unsafe impl Send for X {}\n",
		'trace/mod.rs' => "//! No unsafe here: see `unsafe_code`.\nconst X: &str = \"unsafe\";\n",
		'tests/kmod/x.rs' => "unsafe {}\n",
	}],
	['a crate that allows it', {'rust_eventfs.rs' => "// #![deny(unsafe_code)]\nmod vfs;\n"},
		qr{^rust_eventfs\.rs:1: the crate has no}],
	['allowed elsewhere', {
		'rust_eventfs.rs' => $deny . "#[allow(unsafe_code)]\nmod trace;\n",
		'event_inode.rs' => "#![allow(dead_code, unsafe_code)]\n",
		'trace/mod.rs' => "\n#[expect(unsafe_code)]\nfn f() {}\n",
	}, qr{^event_inode\.rs:1: allow\(unsafe_code\) stands on event_inode,},
		qr{^rust_eventfs\.rs:4: .* on trace,}, qr{^trace/mod\.rs:2: .* on an item,}],
	['used elsewhere', {
		'rust_eventfs.rs' => $deny,
		'event_inode/tree.rs' => "fn f<'a>() {\n    unsafe { g() }\n}\n",
		'publish/mod.rs' => "\nunsafe impl Send for X {}\n",
	}, qr{^event_inode/tree\.rs:2: event_inode::tree has unsafe},
		qr{^publish/mod\.rs:2: publish has unsafe}]);
