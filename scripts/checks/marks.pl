#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Checks that marks such as (L3) and (U14) can be followed: the document that
# defines them has each of them, and is named in the head comment of the room
# (of its mod.rs, or of the file beside the folder) or in the file itself.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Check qw(module_files own_lines prose_files room_of run);

my %DEFINED_IN = (
	L => 'Documentation/design.md',
	U => 'Documentation/upstream-defects.md',
);

# The marks that a document defines: each begins a line, which may be a row of a
# table, an item or a heading.
sub defined_in {
	my ($text) = @_;
	return map { $_ => 1 } $text =~ /^[#|*\-\s]*\b([LU][0-9]+)\b/mg;
}

# [LINE, MARK] of each mark: in comments of Rust code anywhere, in other files in parentheses,
# and on the lines by which tests and mutants name defects.
sub marks {
	my ($path, $text) = @_;
	my ($line, @found) = (0);
	for (split /\n/, $text) {
		$line++;
		my @parts;
		if ($path =~ /\.rs$/) {
			push @parts, $1 if m{//(.*)};
		} elsif (/^(?:# upstream|Rows):(.*)/) {
			push @parts, $1;
		} else {
			push @parts, /\(((?:[LU][0-9]+(?:, | and |\)))+)/g;
		}
		push @found, map { [$line, $_] } map { /\b([LU][0-9]{1,2})\b/g } @parts;
	}
	return @found;
}

# The comment that a Rust file begins with.
sub head {
	my ($text) = @_;
	return join "\n", $text =~ m{^//!(.*)}mg;
}

sub check {
	my ($files) = @_;
	my (%defined, %heads, @complaints);
	for my $letter (sort keys %DEFINED_IN) {
		my $document = $DEFINED_IN{$letter};
		if (defined $files->{$document}) {
			%defined = (%defined, defined_in($files->{$document}));
		} else {
			push @complaints, "$document: is missing: it defines the marks ${letter}1, ...";
		}
	}
	my %of_module = map { $_ => 1 } module_files($files);
	for my $path (prose_files($files)) {
		my $text = $files->{$path};
		my $document_of = $path =~ m{^tests/(?:test\.d|mutants)/} ? 'tests/README.md' : $path;
		my $named = $files->{$document_of} // '';
		if ($of_module{$path}) {
			my $room = room_of($path);
			$named .= head($files->{$_} // '') for $room, "$room.rs", "$room/mod.rs";
		}
		my %unnamed;
		for (marks($path, own_lines($path, $text))) {
			my ($line, $mark) = @$_;
			my $document = $DEFINED_IN{substr $mark, 0, 1};
			my ($name) = $document =~ m{([^/]+)$};
			next unless defined $files->{$document};
			push @complaints, "$path:$line: $mark is not in $document" unless $defined{$mark};
			next if $path eq $document || index($named, $name) >= 0;
			push @complaints, "$path:$line: $mark is in $document, which neither this file " .
				'nor the head of its room names' unless $unnamed{$document}++;
		}
	}
	return @complaints;
}

my $design = "# Rules\n\n| L1 readers | x |\n* **L2** nodes\n";
my $defects = "| U01 | x |\n### U14 y\n";
my %documents = (
	'Documentation/design.md' => $design,
	'Documentation/upstream-defects.md' => $defects,
);
my $heads = "//! Marks: Documentation/design.md, Documentation/upstream-defects.md.\n";
run(\&check,
	['all can be followed', {
		%documents,
		'vfs/mod.rs' => $heads,
		'vfs/node.rs' => "/// Read under SRCU (L1, L2).\nlet x = [L9, U99];\n",
		'event_inode.rs' => $heads,
		'event_inode/tree.rs' => "// See L2.\n",
		'README.md' => "The L9 cache.\n",
		'tests/README.md' => "`# upstream:` is of `Documentation/upstream-defects.md`\n",
		'tests/test.d/a/b.sh' => "# upstream: U01 U14\n",
		'tests/mutants/a.patch' => "Rows: U01\n\n--- a/x\n // (L9)\n",
	}],
	['no such mark', {
		%documents,
		'vfs/mod.rs' => $heads . "// (L3)\n",
		'tests/README.md' => "`Documentation/upstream-defects.md`\n",
		'tests/test.d/a/b.sh' => "# upstream: U02\n",
	}, qr{^tests/test\.d/a/b\.sh:1: U02 is not in Documentation/upstream-defects\.md$},
		qr{^vfs/mod\.rs:2: L3 is not in Documentation/design\.md$}],
	['no document named', {
		%documents,
		'vfs/mod.rs' => "//! Wrappers.\n",
		'vfs/node.rs' => "//! Nodes (L1).\n// (L2)\n// (U14)\n",
		'README.md' => "It is freed later (L2, U14).\n",
		'Documentation/a.md' => "As in [the design](design.md), (L1).\n",
		'tests/README.md' => "Rows are of `Documentation/upstream-defects.md`\n",
		'tests/mutants/a.patch' => "Subject: not freed (L2)\nRows: U01\n",
	}, qr{^README\.md:1: L2 is in Documentation/design\.md, which}, qr{^README\.md:1: U14 is in},
		qr{^tests/mutants/a\.patch:1: L2 is in},
		qr{^vfs/node\.rs:1: L1 is in}, qr{^vfs/node\.rs:3: U14 is in}],
	['no document', {'Documentation/upstream-defects.md' => $defects},
		qr{^Documentation/design\.md: is missing}]);
