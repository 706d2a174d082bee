#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Checks that what documents quote is still in the sources: every block of C or
# Rust in the documents named must be, word for word, in one of the samples or
# headers.
#
# usage: quotes.pl DOCUMENT...

use strict;
use warnings;

my $sources = '';
for my $file (grep { -f } glob('samples/*.c samples/*.rs include/* include/*/*')) {
	open(my $in, '<', $file) or die "$file: $!\n";
	$sources .= join('', <$in>);
}

my ($blocks, $bad) = (0, 0);
for my $document (@ARGV) {
	open(my $in, '<', $document) or die "$document: $!\n";
	my ($block, $line);
	while (<$in>) {
		if (/^```(c|rust)$/) {
			($block, $line) = ('', $.);
		} elsif (/^```$/ && defined $block) {
			$blocks++;
			if (index($sources, $block) < 0) {
				print "$document:$line: this is not in the samples any more\n";
				$bad++;
			}
			undef $block;
		} elsif (defined $block) {
			$block .= $_;
		}
	}
}
die "there is nothing quoted at all\n" unless $blocks;
print "$blocks blocks, $bad of them wrong\n";
exit($bad ? 1 : 0);
