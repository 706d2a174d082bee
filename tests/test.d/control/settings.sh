#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The settings of tracing are read and changed as on tracefs

# Files whose contents change all the time are only read.
run <<'SCRIPT'
put events/sched/sched_switch/enable 1
sleep 50
put events/sched/sched_switch/enable 0
cat saved_cmdlines =~ " "
cat saved_tgids
cat dyn_ftrace_total_info =~ "pages"
cat available_filter_functions_addrs =~ " vfs_read\n"
cat enabled_functions
cat stack_trace
SCRIPT

same <<'SCRIPT'
cat available_tracers
cat current_tracer => nop
put current_tracer blk
cat current_tracer => blk
put current_tracer nosuch => EINVAL
put current_tracer nop
cat trace_options
put trace_options nooverwrite
cat trace_options =~ nooverwrite
put trace_options overwrite
put trace_options nosuchoption => EINVAL
put trace_clock local
cat trace_clock =~ "[local]"
put trace_clock mono
cat trace_clock =~ "[mono]"
put trace_clock nosuch => EINVAL
put trace_clock global
cat trace_clock =~ "[global]"
cat tracing_cpumask
put tracing_cpumask 1
cat tracing_cpumask
put tracing_cpumask zz => EINVAL
put tracing_cpumask 3
put buffer_size_kb 64
cat buffer_size_kb
put buffer_size_kb 0 => EINVAL
put buffer_size_kb 1408
put buffer_percent 25
cat buffer_percent => 25
put buffer_percent 101 => EINVAL
put buffer_percent 50
put saved_cmdlines_size 256
cat saved_cmdlines_size
put saved_cmdlines_size 128
put tracing_thresh 100
cat tracing_thresh => 100
put tracing_thresh 0
put set_ftrace_filter "vfs_read\n"
cat set_ftrace_filter => vfs_read
put set_ftrace_filter "no_such_function\n"
truncate set_ftrace_filter
cat set_ftrace_filter
put set_ftrace_pid 4711
cat set_ftrace_pid
truncate set_ftrace_pid
put set_graph_function vfs_read
cat set_graph_function
truncate set_graph_function
put max_graph_depth 3
cat max_graph_depth
put max_graph_depth 0
cat timestamp_mode
put timestamp_mode x
put available_tracers x
put README x
cat printk_formats
put snapshot 1
cat snapshot =~ "is allocated"
put snapshot 0
cat snapshot =~ "is freed"
put snapshot x => EINVAL
SCRIPT
