import { test } from "uvu";
import * as assert from "uvu/assert";
import { changingCalls, programStarts } from "../../faults/system_calls";

const LOG = `openat(AT_FDCWD</>, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>
write(6<pipe:[94867]>, ""..., 1)          = 1
clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f49e354dad0) = 288
openat(AT_FDCWD</>, "/etc/network", O_RDONLY|O_CLOEXEC|O_DIRECTORY) = 20</etc/network>
openat(AT_FDCWD</>, "/dev/null", O_RDWR) = 20</dev/null>
openat(AT_FDCWD</>, "/etc/network/.f.weave-new", O_WRONLY|O_CREAT|O_EXCL, 0644) = 20</etc/network/.f.weave-new>
write(20</etc/network/.f.weave-new>, ""..., 12) = 12
write(20</etc/network/.f.weave-new>, ""..., 5) = 5
rename("/etc/network/.f.weave-new", "/etc/network/f") = 0
openat(AT_FDCWD</>, "/etc/network", O_RDONLY|O_CLOEXEC) = 20</etc/network>
fsync(20</etc/network>)    = 0
mkdir("/etc/network/d", 0777) = 0
mkdir("/tmp/apollo-weave-bmUvkH", 0700) = 0
write(20</tmp/apollo-weave-bmUvkH/candidate>, ""..., 2) = 2
unlink("/etc/network/g") = -1 ENOENT (No such file or directory)
+++ exited with 0 +++
`;

test("the calls that change a host are found, with their numbers among all of their name and path", () => {
  assert.equal(
    changingCalls(LOG).map(({ name, path, ordinal }) => `${name} ${path} ${ordinal}`),
    [
      "openat /etc/network/.f.weave-new 1",
      "write /etc/network/.f.weave-new 1",
      "write /etc/network/.f.weave-new 2",
      "rename /etc/network/.f.weave-new 1",
      "openat /etc/network 2",
      "fsync /etc/network 1",
      "mkdir /etc/network/d 1",
      "mkdir /tmp/apollo-weave-bmUvkH 2",
      "unlink /etc/network/g 1",
    ],
  );
});

test("starts of programs are counted", () => {
  assert.is(programStarts(LOG), 1);
  assert.is(programStarts(`${LOG}vfork()                                 = 289\n`), 2);
});

test.run();
