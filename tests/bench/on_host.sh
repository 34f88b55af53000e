#!/bin/bash
# In place of sudo on hosts with a local connection (ansible_become_exe), as raw does not use ansible_shell_executable: runs
# Ansible's command on the test host that ENTER enters, and appends the output of the builtin `times` to TIMES.
shift 2 # -u root
$ENTER "$@"
status=$?
# Without a pipe, because a subshell lacks the children's times. Others append at the same time, so each line is one write.
times >>"$TIMES"
exit $status
