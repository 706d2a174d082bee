# SPDX-License-Identifier: GPL-2.0
#
# The figures of `make bench`. The working folder is bench/out/, with what the
# report of eventfs-bench wrote: a block of lines for each curve, whose title
# stands first.

load "unit.gp"

set terminal svg size 780,440 font "sans-serif,13" background "white"
set logscale xy
set grid
set key outside right Left reverse samplen 2
set format xy "%.0f"

set style line 1 linecolor rgb "#c0392b" linewidth 2.5 pointtype 7 pointsize 0.6
set style line 2 linecolor rgb "#e59866" linewidth 2 pointtype 5 pointsize 0.6
set style line 3 linecolor rgb "#1f618d" linewidth 2 pointtype 9 pointsize 0.7
set style line 4 linecolor rgb "#239b56" linewidth 2 pointtype 11 pointsize 0.7
set style line 5 linecolor rgb "#7d3c98" linewidth 2 pointtype 13 pointsize 0.7

set xlabel "children of the directory"
set ylabel unit." for each"

set title "Look-up of a cold name"
set output "lookup-cold.svg"
stats "cold.dat" using 2 nooutput
plot for [i=0:STATS_blocks-1] "cold.dat" index i using 1:2:3:4 \
	with yerrorlines linestyle i+1 title columnheader(1)

set title "Look-up of a name that is not there"
set output "lookup-missing.svg"
stats "missing.dat" using 2 nooutput
plot for [i=0:STATS_blocks-1] "missing.dat" index i using 1:2:3:4 \
	with yerrorlines linestyle i+1 title columnheader(1)

set title "Metadata of event directories with 6 files each"
set xlabel "event directories"
set ylabel "KiB"
set output "memory.svg"
stats "memory.dat" using 2 nooutput
plot for [i=0:STATS_blocks-1] "memory.dat" index i using 1:2:3:4 \
	with yerrorlines linestyle i+1 title columnheader(1)
