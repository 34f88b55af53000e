#!/bin/bash
# The shell of hosts in an inventory that are connected to locally (ansible_shell_executable): runs what Ansible gives it on
# the test host that ENTER leads into, and adds the time that this took, as the builtin `times` tells it, to TIMES.
$ENTER /bin/sh "$@"
status=$?
# Not by a pipe: a subshell has no children's times. Others add to it at the same time: each line is one write.
times >>"$TIMES"
exit $status
