#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Reports the share that each room of the module has of all code but the tests,
# and fails if a room has more than a fifth.  Blank lines and comments do not count.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Check qw(code module_files room_of run);

# The most that a room may have, per cent.
my $LIMIT = 20;

sub check {
	my ($files, $quiet) = @_;
	my ($all, %lines) = (0);
	for my $path (grep { m{^(?:bench|include|qemu|samples|scripts)/.*\.(?:c|h|rs|sh|pl)$} }
		keys %$files) {
		$all += grep { /\S/ } split /\n/, code($files->{$path});
	}
	for my $path (module_files($files)) {
		my $count = grep { /\S/ } split /\n/, code($files->{$path});
		$lines{room_of($path)} += $count;
		$all += $count;
	}
	my @complaints;
	for my $room (sort { $lines{$b} <=> $lines{$a} || $a cmp $b } keys %lines) {
		my $share = 100 * $lines{$room} / $all;
		printf "%-16s %6d lines %5.1f %%\n", $room, $lines{$room}, $share unless $quiet;
		push @complaints, sprintf('%s has %.1f %% of the code, at most %d %% is the aim',
			$room, $share, $LIMIT) if $share > $LIMIT;
	}
	return @complaints;
}

my $small = "fn f() {}\n" x 10;
my $large = "fn f() {}\n" x 100;
run(\&check,
	['four rooms, and as much of samples', {
		'rust_eventfs.rs' => $small, 'vfs/mod.rs' => $small, 'samples/x.c' => $small,
		'event_inode.rs' => "fn f() {}\n" x 5, 'event_inode/tree.rs' => "fn f() {}\n" x 5,
		'nodes/mod.rs' => $small . "// A comment.\n\n" x 50 . "/*\n" . "x\n" x 50 . "*/\n",
		'tests/lib/src/main.rs' => $large,
	}],
	['a folder and the file beside it', {
		'rust_eventfs.rs' => $small, 'vfs/mod.rs' => $small, 'nodes/mod.rs' => $small,
		'event_inode.rs' => $small, 'event_inode/tree.rs' => $small,
	}, qr{^event_inode has 40\.0 %}],
	['one room', {
		'rust_eventfs.rs' => $small, 'vfs/dir.rs' => $large, 'trace/mod.rs' => $small,
	}, qr{^vfs has 83\.3 %}]);
