#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Checks that relative links in documents lead to files, and their anchors to
# headings.
#
# usage: links.pl DOCUMENT...

use strict;
use warnings;
use File::Basename;

# lines FILE: its lines, without blocks of code.
sub lines {
	my ($file) = @_;
	my ($code, @lines) = (0);
	open(my $in, '<', $file) or die "$file: $!\n";
	while (<$in>) {
		$code = !$code, next if /^```/;
		push @lines, [$., $_] unless $code || /^    /;
	}
	return @lines;
}

# anchors FILE: those that GitHub gives to its headings.
sub anchors {
	my %anchors;
	for my $line (lines($_[0])) {
		my ($heading) = $line->[1] =~ /^#+ +(.*)$/ or next;
		$heading = lc $heading;
		$heading =~ s/[^\w\- ]//g;
		$heading =~ tr/ /-/;
		$anchors{$heading} = 1;
	}
	return %anchors;
}

my ($links, $bad) = (0, 0);
for my $document (@ARGV) {
	for my $line (lines($document)) {
		my ($number, $text) = @$line;
		$text =~ s/`[^`]*`//g;
		while ($text =~ /\]\(([^)\s]+)\)/g) {
			my $link = $1;
			next if $link =~ /^[a-z]+:/;
			$links++;
			my ($path, $anchor) = split /#/, $link, 2;
			my $file = length $path ? dirname($document) . "/$path" : $document;
			my $fault = !-e $file ? 'no such file' : '';
			if (!$fault && defined $anchor) {
				my %anchors = anchors($file);
				$fault = 'no such heading' unless $anchors{$anchor};
			}
			next unless $fault;
			print "$document:$number: $link: $fault\n";
			$bad++;
		}
	}
}
die "there are no links at all\n" unless $links;
print "$links links, $bad of them wrong\n";
exit($bad ? 1 : 0);
