#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Counts turns of phrase that make a reader stop, in comments, documents and
# messages alike, and fails if there are more than the table allows.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Check qw(grep_lines own_lines prose_files run);

# What a comment or a line of a document begins with.
my $BEGIN = qr{^\+?\s*(?:///?|//!|/?\*+|\#|")?\s*(?:description:|Subject:)?\s*"?};

my $DOES = qr{(?:opens|closes|reads|writes|looks|comes|has|is|waits|sleeps|adds|removes|asks
	|gives|mounts|seeks|polls)\b}x;

# Each with how many lines there may be.  An allowed number goes down only.
my @TICS = (
	# The subject of a comment is the thing that it is about.
	['a comment or a description that begins with "What"', 0,
		qr{^\+?\s*(?:///?|//!|/\*\*?|\*|\#)\s?What\s|\b(?:description|Subject):\s*"?What\s}],
	# A comment says what is; what was is in git.
	['any more', 0, qr{\bany more\b}],
	# A function returns, reports, notifies.
	['told', 0, qr{\btold\b}i],
	# A task, a caller, a module: who is a noun.
	['who without a noun', 0,
		qr{(?:${BEGIN}Who|(?:description|Subject):\s*"?who|[.:;]\s+[Ww]ho|\b(?:by|for|to|from|of|with|and|what)\s+who)\s+$DOES}],
	# A proof argues from an invariant, in full.
	['SAFETY: As', 0, qr{SAFETY: As }],
);

# A section that says nothing itself: the line of its text.
my $SAFETY_TIC = 'a section Safety that only refers to another';
my $SAFETY_ALLOWED = 0;

sub safety_sections {
	my ($path, $text) = @_;
	my @found;
	return () unless $path =~ /\.rs$/;
	while ($text =~ m{^[ \t]*///[ ]\#[ ]Safety\n(?:[ \t]*///[ \t]*\n)*
			((?:[ \t]*///[ ](?!\#).*\n)+)}mgx) {
		my ($section, $at) = ($1, $-[1]);
		my $line = 1 + (substr($text, 0, $at) =~ tr/\n//);
		$section =~ s{^[ \t]*///}{}mg;
		$section =~ s{\s+}{ }g;
		push @found, "$path:$line:$section"
			if $section =~ /^ (?:As|The same as)\b[^.;]*\.? ?$/;
	}
	return @found;
}

sub check {
	my ($files, $quiet) = @_;
	my %found;
	for my $path (prose_files($files)) {
		my $text = own_lines($path, $files->{$path});
		# A heading may ask a question.
		$text =~ s{^\#.*}{}mg if $path =~ /\.md$/;
		push @{$found{$_->[0]}}, grep_lines($path, $text, $_->[2]) for @TICS;
		push @{$found{$SAFETY_TIC}}, safety_sections($path, $text);
	}
	my @complaints;
	for (@TICS, [$SAFETY_TIC, $SAFETY_ALLOWED]) {
		my ($name, $allowed) = @$_;
		my @lines = @{$found{$name} // []};
		my $count = @lines;
		$allowed = 0 if $quiet;
		printf "%4d of at most %4d: %s\n", $count, $allowed, $name unless $quiet;
		push @complaints, @lines if $quiet && $count > $allowed;
		next if $quiet;
		print "    $_\n" for @lines;
		push @complaints, "$count lines have a tic, $allowed are allowed: $name"
			if $count > $allowed;
	}
	return @complaints;
}

run(\&check,
	['none', {
		'a.rs' => "/// The node that a caller holds.\n///\n/// # Safety\n///\n" .
			"/// As for `f`; and `p` is valid.\n// SAFETY: `p` is valid.\n" .
			"// Somewhat. What has gone is not here. A task\n// who opens it, and a task who reads.\n",
		'a.sh' => "echo 'anymore, untold'\n",
		'LICENSE' => "What told any more\n",
		'a.md' => "## What it does\n",
		'a.patch' => "Subject: a\n--- a/x\n // What is told\n-// any more\n+fn f() {}\n",
	}],
	['each', {
		'a.rs' => "/// What is known.\n//! What is.\n// What goes\n    /// # Safety\n    ///\n" .
			"    /// As for [`f`], but\n    /// with `x`.\n    // SAFETY: As above.\n",
		'b.c' => "/*\n * What is known.\n */\n/* Who opens it. */\n",
		'c.md' => "It is not any more.\nThe caller is told.\nFreed by who closes it.\n" .
			"It waits: who polls it\n",
		'd.sh' => "# What is left\n",
		'e.patch' => "Subject: who polls it\n\n--- a/x\n // any more\n+// SAFETY: As above.\n",
	}, qr{^a\.rs:1:}, qr{^a\.rs:2:}, qr{^a\.rs:3:}, qr{^b\.c:2:}, qr{^d\.sh:1:},
		qr{^c\.md:1:}, qr{^c\.md:2:}, qr{^b\.c:4:}, qr{^c\.md:3:}, qr{^c\.md:4:},
		qr{^e\.patch:1:}, qr{^a\.rs:8:}, qr{^e\.patch:5:}, qr{^a\.rs:6:}]);
