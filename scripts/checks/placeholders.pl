#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Finds words that stand for a text that is yet to be written.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Check qw(grep_lines prose_files run);

my $PLACEHOLDER = qr{
	\b[A-Z]+_(?:SENTENCE|PARAGRAPH|TEXT_HERE|GOES_HERE|NUMBER_HERE)\b
	| \b(?:TODO|FIXME|XXX|TBD)\b		# mktemp has more of X.
	| PLACEHOLDER
	| (?i:lorem[ ]ipsum)
	| (?<!\{) \{\{ \s* [A-Za-z_][\w .-]* \s* \}\} (?!\})
	| <[A-Z]+(?:[ _][A-Z]+)+>
	| @@\w+@@
	| \[(?:citation|figure|number)[ ]needed\]
}x;

sub check {
	my ($files) = @_;
	return map { grep_lines($_, $files->{$_}, $PLACEHOLDER) } prose_files($files);
}

run(\&check,
	['no placeholder', {
		'a.sh' => "file=\$(mktemp /tmp/run.XXXXXX)\n# XXXX is no word either\n",
		'a.rs' => "format!(\"{{{}}} %{{{name}}} {{}} {{\", Vec::<A>::new()); // A_SENTENCE_ID\n",
		'a.c' => "#include <RUST.h>\n",
		'LICENSE' => "<NAME OF AUTHOR> TODO\n",
		'README.md' => "`<linux/fs.h>`, KERNEL_SRC, a sentence.\n",
	}],
	['all of them', {
		'README.md' => "One.\nBARS_SENTENCE\n{{ version }} and {{date}}\nLorem ipsum dolor\n" .
			"By <YOUR NAME>\n",
		'a.rs' => "// TODO: this\nfn f() {} // XXX\n// FIXME\n/// PLACEHOLDER_FOR_DOC\n",
		'a.sh' => "# TBD\necho \@\@VERSION\@\@\n",
	}, qr{^README\.md:2:}, qr{^README\.md:3:}, qr{^README\.md:4:}, qr{^README\.md:5:},
		qr{^a\.rs:1:}, qr{^a\.rs:2:}, qr{^a\.rs:3:}, qr{^a\.rs:4:}, qr{^a\.sh:1:}, qr{^a\.sh:2:}]);
