#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Checks that the code in README.md and Documentation/publish*.md is still in the sources:
# each block of C or Rust must be, word for word, in a sample or in a header.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Check qw(run);

sub check {
	my ($files) = @_;
	my $sources = join '', map { $files->{$_} }
		grep { m{^samples/.*\.(?:c|rs)$|^include/} } sort keys %$files;
	my ($blocks, @complaints) = (0);
	for my $path (grep { m{^(?:README|Documentation/publish.*)\.md$} } sort keys %$files) {
		my ($line, $block, $begin) = (0);
		for (split /^/, $files->{$path}) {
			$line++;
			if (/^```(?:c|rust)$/) {
				($block, $begin) = ('', $line);
			} elsif (/^```$/ && defined $block) {
				$blocks++;
				push @complaints, "$path:$begin: this is in no sample and no header"
					if index($sources, $block) < 0;
				undef $block;
			} elsif (defined $block) {
				$block .= $_;
			}
		}
	}
	push @complaints, 'nothing is quoted at all' unless $blocks;
	return @complaints;
}

my $block = "int f(void)\n{\n}\n";
run(\&check,
	['quoted as it is', {
		'samples/a.c' => "/* A sample. */\n$block",
		'Documentation/publish.md' => "Text.\n```c\n$block```\n```\nls\n```\n",
	}],
	['quoted as it was', {
		'samples/a.c' => "int f(int x)\n{\n}\n",
		'other.c' => $block,
		'Documentation/publish.md' => "Text.\n```c\n$block```\n",
	}, qr{^Documentation/publish\.md:2: }],
	['nothing is quoted', {'Documentation/publish.md' => "Text.\n"}, qr{^nothing is quoted}]);
