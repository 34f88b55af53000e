/**
 * The exit statuses of the command. That something would change is one of its own, as of `terraform fmt -check`: what asks
 * whether a host is as it should be must not take that for a failure (1, as `diff` has it), nor a failure for that.
 */
export const EXIT = { done: 0, failed: 1, usage: 2, wouldChange: 3 } as const;

export const EXIT_STATUSES = `Exit status:
  ${EXIT.done}  done, or nothing to do
  ${EXIT.failed}  failed: the message says what to do next
  ${EXIT.usage}  the command was not understood; nothing was looked at or changed
  ${EXIT.wouldChange}  under --check: something would change`;
