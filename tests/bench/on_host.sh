#!/bin/bash
# The shell of hosts in an inventory that are connected to locally (ansible_shell_executable): runs what Ansible gives it on
# the test host that ENTER leads into, and adds the time that this took, as the builtin `times` tells it, to TIMES.
$ENTER /bin/sh "$@"
status=$?
# In one write, as others add to it at the same time.
printf '%s\n' "$(times | tr '\n' ' ')" >>"$TIMES"
exit $status
