#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Checks which rooms of the module use which: a room uses only rooms to its
# left.  So there is no circle between rooms either.
#
#   vfs < nodes < event_inode < trace, publish < stats < rust_eventfs.rs
#
# trace and publish do not use each other.  A use is a path that begins with
# `crate`, `super` or `self`, in a `use` or elsewhere in the code.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Check qw(code module_files module_path room_of run);

# What each room may use besides itself.
my %MAY_USE = (
	vfs => [],
	nodes => [qw(vfs)],
	event_inode => [qw(vfs nodes)],
	trace => [qw(vfs nodes event_inode)],
	publish => [qw(vfs nodes event_inode)],
	stats => [qw(vfs nodes event_inode trace publish)],
	'rust_eventfs.rs' => [qw(vfs nodes event_inode trace publish stats)],
);

# Items of the crate's root that `module!` makes: they are nobody's.
my %OF_THE_MACRO = map { $_ => 1 } qw(LocalModule THIS_MODULE);

# The paths of a `use`, from the tokens after it up to the `;`: [LINE, SEGMENT...] each.
sub use_tree {
	my ($tokens, @prefix) = @_;
	my @paths;
	my @path = @prefix;
	my $line;
	while (@$tokens) {
		my ($token, $at) = @{shift @$tokens};
		if ($token eq '{') {
			push @paths, use_tree($tokens, @path);
			(@path, $line) = ();
		} elsif ($token =~ /^[,;}]$/) {
			push @paths, [$line, @path] if defined $line;
			return @paths if $token ne ',';
			@path = @prefix;
			undef $line;
		} elsif ($token eq 'as') {
			shift @$tokens;
		} elsif ($token =~ /^\w/) {
			# `a::{self}` is `a`.
			push @path, $token unless $token eq 'self' && @path;
			$line = $at;
		}
	}
	return @paths;
}

# All paths of a file that begin with crate, super or self: [LINE, SEGMENT...], absolute.
sub paths {
	my ($path, $text) = @_;
	my $code = code($text);
	my ($line, @tokens) = (1);
	while ($code =~ m{(\n)|(::|\w+|[^\w\s])}g) {
		defined $1 ? $line++ : push @tokens, [$2, $line];
	}
	my @module = module_path($path);
	my ($depth, @inner, @found) = (0);
	my $absolute = sub {
		my ($line, $first, @rest) = @_;
		my @at = (@module, map { $_->[0] } @inner);
		@at = () if $first eq 'crate';
		pop @at if $first eq 'super';
		while (@rest && $rest[0] eq 'super') {
			shift @rest;
			pop @at;
		}
		return [$line, @at, @rest];
	};
	my $before = '';
	while (@tokens) {
		my ($token, $at) = @{shift @tokens};
		my $next = @tokens ? $tokens[0][0] : '';
		if ($token eq '{') {
			$depth++;
		} elsif ($token eq '}') {
			$depth--;
			pop @inner if @inner && $inner[-1][1] == $depth;
		} elsif ($token eq 'mod' && @tokens > 1 && $tokens[1][0] eq '{') {
			push @inner, [$next, $depth];
		} elsif ($token eq 'use' && $next ne '<') {
			push @found, map { $absolute->(@$_) } grep { $_->[1] =~ /^(?:crate|super|self)$/ }
				use_tree(\@tokens);
		} elsif ($token eq 'pub' && $next eq '(') {
			# The path of `pub(in crate::...)` is no use.
			shift @tokens while @tokens && $tokens[0][0] ne ')';
		} elsif ($token =~ /^(?:crate|super|self)$/ && $next eq '::' && $before ne '::') {
			my @segments = ($token);
			while (@tokens > 1 && $tokens[0][0] eq '::' && $tokens[1][0] =~ /^\w/) {
				push @segments, $tokens[1][0];
				splice @tokens, 0, 2;
			}
			push @found, $absolute->($at, @segments);
		}
		$before = $token;
	}
	return @found;
}

sub check {
	my ($files) = @_;
	my @complaints;
	for my $path (module_files($files)) {
		my $room = room_of($path);
		if (!$MAY_USE{$room}) {
			push @complaints, "$path:1: $room is no room of the module: see layers.pl";
			next;
		}
		my %may = map { $_ => 1 } $room, @{$MAY_USE{$room}};
		for (paths($path, $files->{$path})) {
			my ($line, @segments) = @$_;
			my $used = $segments[0] // '';
			next if $OF_THE_MACRO{$used};
			$used = 'rust_eventfs.rs' unless $MAY_USE{$used};
			next if $may{$used};
			push @complaints, "$path:$line: $room uses crate::" . join('::', @segments) .
				", but may use only: " . (join(', ', @{$MAY_USE{$room}}) || 'itself');
		}
	}
	return @complaints;
}

run(\&check,
	['downwards, in all forms', {
		'rust_eventfs.rs' => "mod vfs;\nuse vfs::File;\nuse stats::Counts;\n",
		'event_inode.rs' => "use crate::{nodes::Tree, vfs::{self, dir as d}};\n",
		'event_inode/meta.rs' => "use super::tree::EventTree;\nuse super::super::nodes;\n",
		'trace/mod.rs' => "impl X { type M = crate::LocalModule; }\n",
		'stats/mod.rs' => "use crate::publish::clients;\n",
		'vfs/file.rs' => "pub(in crate::vfs) fn f() -> impl X + use<> { super::dir::g() }\n" .
			"mod tests { use super::*; use super::super::dir; }\n",
	}],
	['upwards by use', {
		'vfs/export.rs' => "use super::{\n    dir,\n    super::publish::Leftovers,\n};\n" .
			"use crate::{\n    vfs::dir,\n    event_inode::{\n        Kind,\n    },\n};\n",
	}, qr{^vfs/export\.rs:3: vfs uses crate::publish::Leftovers},
		qr{^vfs/export\.rs:8: vfs uses crate::event_inode::Kind}],
	['upwards by a path in code', {
		'nodes/mod.rs' => "fn f<'a>(c: char) {\n    c == '\"' || crate::trace::names::shown()\n}\n",
		'event_inode/tree.rs' => "mod tests {\n    use super::super::super::publish;\n}\n" .
			"fn g() { super::super::EventFsModule::new() }\n",
	}, qr{^event_inode/tree\.rs:2: event_inode uses crate::publish,},
		qr{^event_inode/tree\.rs:4: event_inode uses crate::EventFsModule},
		qr{^nodes/mod\.rs:2: nodes uses crate::trace::names::shown}],
	['sideways', {
		'trace/mirror.rs' => "use crate::publish::x;\n",
		'publish/mod.rs' => "use crate::{trace, stats};\n",
	}, qr{^publish/mod\.rs:1: publish uses crate::trace}, qr{^publish/mod\.rs:1: .*crate::stats},
		qr{^trace/mirror\.rs:1: trace uses crate::publish}],
	['not in comments and strings', {
		'vfs/mod.rs' => "// crate::publish\n/* use /* x */ crate::trace; */\n" .
			"const X: &str = \"crate::stats\";\nconst Y: &str = r#\"\"crate::stats\"#;\n",
	}],
	['an unknown room', {'other/mod.rs' => "\n"}, qr{^other/mod\.rs:1: other is no room}]);
