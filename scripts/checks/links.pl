#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Checks that relative links in documents lead to files, and their anchors to
# headings.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Basename;
use Check qw(run);

# The lines of a document without blocks of code: [NUMBER, TEXT] each.
sub prose {
	my ($text) = @_;
	my ($number, $code, @lines) = (0, 0);
	for (split /^/, $text) {
		$number++;
		$code = !$code, next if /^```/;
		push @lines, [$number, $_] unless $code || /^    /;
	}
	return @lines;
}

# The anchors that GitHub gives to the headings of a document.
sub anchors {
	my ($text) = @_;
	my %anchors;
	for (prose($text)) {
		my ($heading) = $_->[1] =~ /^#+ +(.*)$/ or next;
		$heading = lc $heading;
		$heading =~ s/[^\w\- ]//g;
		$heading =~ tr/ /-/;
		$anchors{$heading} = 1;
	}
	return %anchors;
}

# The path of a link, from the project's folder.
sub target {
	my ($document, $path) = @_;
	return $document unless length $path;
	my @parts;
	for (split m{/}, dirname($document) . "/$path") {
		next if $_ eq '.' || $_ eq '';
		$_ eq '..' ? pop @parts : push @parts, $_;
	}
	return join '/', @parts;
}

sub check {
	my ($files, $quiet) = @_;
	my ($links, @complaints) = (0);
	my %exists = map { $_ => 1 } keys %$files;
	for my $folder (keys %$files) {
		$exists{$folder} = 1 while $folder =~ s{/[^/]*$}{};
	}
	for my $document (grep { /\.md$/ } sort keys %$files) {
		for (prose($files->{$document})) {
			my ($number, $text) = @$_;
			$text =~ s/`[^`]*`//g;
			while ($text =~ /\]\(([^)\s]+)\)/g) {
				my $link = $1;
				next if $link =~ /^[a-z]+:/;
				$links++;
				my ($path, $anchor) = split /#/, $link, 2;
				my $file = target($document, $path);
				# Files that are no text are on the disk only.
				if (!$exists{$file} && ($quiet || !-e $file)) {
					push @complaints, "$document:$number: $link: no such file";
				} elsif (defined $anchor && !{anchors($files->{$file} // '')}->{$anchor}) {
					push @complaints, "$document:$number: $link: no such heading";
				}
			}
		}
	}
	push @complaints, 'there are no links at all' unless $links;
	return @complaints;
}

run(\&check,
	['all lead somewhere', {
		'README.md' => "# The Top: it's `here`\n[a](docs/a.md) [b](docs/a.md#one-two) [c](docs)\n" .
			"[d](#the-top-its-here) [e](https://example.org/x) `[f](no.md)`\n" .
			"```\n[g](no.md)\n```\n    [h](no.md)\n",
		'docs/a.md' => "## One, two\n[up](../README.md)\n",
	}],
	['no such file or heading', {
		'README.md' => "[a](a.md) [b](docs/a.md#three)\n",
		'docs/a.md' => "## One\n\n[x](docs/a.md)\n[y](#two)\n",
	}, qr{^README\.md:1: a\.md: no such file}, qr{^README\.md:1: .*#three: no such heading},
		qr{^docs/a\.md:3: .* no such file}, qr{^docs/a\.md:4: #two: no such heading}],
	['no links', {'README.md' => "None.\n"}, qr{^there are no links}]);
