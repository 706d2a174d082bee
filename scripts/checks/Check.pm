# SPDX-License-Identifier: GPL-2.0
#
# The frame of the checks in this folder.  A check is a function that gets the
# files of the project (path => text) and returns its complaints, one a line.
#
#   CHECK.pl               checks the project; fails if there is a complaint
#   CHECK.pl --self-test   shows that the check can fail: it runs on small
#                          samples, each with the complaints that it must get

package Check;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(code grep_lines module_files module_path own_lines prose_files room_of run);

# Folders with Rust code that is not the module's.
my $NOT_THE_MODULE = qr{^(?:bench|include|samples|scripts|tests)/};

# The project's text files, those not yet added to git among them.
sub project {
	my %files;
	open(my $list, '-|', qw(git ls-files -z --cached --others --exclude-standard))
		or die "git: $!\n";
	local $/ = "\0";
	while (my $path = <$list>) {
		chomp $path;
		next unless -f $path && -T $path;
		open(my $in, '<', $path) or die "$path: $!\n";
		local $/;
		$files{$path} = <$in>;
	}
	return \%files;
}

# Files whose sentences are the project's own, but for the checks and their samples.
sub prose_files {
	my ($files) = @_;
	return grep { !m{^LICENSE$|(?:^|/)Cargo\.lock$|^scripts/checks/} } sort keys %$files;
}

# The Rust files of the module.
sub module_files {
	my ($files) = @_;
	return grep { m{\.rs$} && $_ !~ $NOT_THE_MODULE } sort keys %$files;
}

# The module that a file holds, as a list: () is the crate's root.
sub module_path {
	my ($path) = @_;
	return () if $path eq 'rust_eventfs.rs';
	$path =~ s{(?:/mod)?\.rs$}{};
	return split m{/}, $path;
}

# The room of a file of the module: a folder, with the file beside it of the same name.
sub room_of {
	my ($path) = @_;
	return (module_path($path))[0] // 'rust_eventfs.rs';
}

# Rust code without comments and without what is in strings, line by line as before.
sub code {
	my ($text) = @_;
	$text =~ s{
		(?<comment> //[^\n]* | (?<block> /\* (?: (?!/\*|\*/). | (?&block) )* \*/ ) )
		| \b[bc]?r(?<hashes>\#*)" .*? "\k<hashes>
		| [bc]?" (?: [^"\\] | \\. )* "
		| b?' (?: [^'\\\n] | \\u\{[^\}]*\} | \\x.. | \\. ) '
	}{
		my $lines = $& =~ tr/\n//;
		(defined $+{comment} ? '' : '""') . "\n" x $lines
	}gsex;
	return $text;
}

# The text of a file without the lines that a patch quotes.
sub own_lines {
	my ($path, $text) = @_;
	return $text unless $path =~ /\.patch$/;
	my ($header, $rest) = split /^(?=diff |--- )/m, $text, 2;
	$rest //= '';
	$rest =~ s{^(?:-|[ ]).*}{}mg;
	return $header . $rest;
}

# FILE:LINE: TEXT for each line of a file that matches.
sub grep_lines {
	my ($path, $text, $pattern) = @_;
	my ($line, @found) = (0);
	for (split /\n/, $text) {
		$line++;
		push @found, "$path:$line: $_" if $_ =~ $pattern;
	}
	return @found;
}

# Runs a check, on the project or on its samples: [NAME, FILES, PATTERN...], with a pattern for
# each complaint, in their order.
sub run {
	my ($check, @samples) = @_;
	if (@ARGV && $ARGV[0] eq '--self-test') {
		my $wrong = 0;
		for (@samples) {
			my ($name, $files, @expected) = @$_;
			my @complaints = $check->($files, 1);
			my $right = @complaints == @expected;
			$right &&= $complaints[$_] =~ $expected[$_] for 0 .. $#expected;
			next if $right;
			$wrong++;
			print "self-test: $name: expected these complaints:\n";
			print "    $_\n" for @expected;
			print "  got:\n";
			print "    $_\n" for @complaints;
		}
		die "self-test: there are no samples that must fail\n" unless grep { @$_ > 2 } @samples;
		print scalar(@samples), " samples, $wrong of them wrong\n";
		exit($wrong ? 1 : 0);
	}
	my @complaints = $check->(project(), 0);
	print "$_\n" for @complaints;
	print "complaints: ", scalar(@complaints), "\n";
	exit(@complaints ? 1 : 0);
}

1;
