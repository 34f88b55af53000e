import { PassThrough } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { delayed } from "../../bench/delayed";

const test = suite("a delayed line");

const HELD = 30;

test("all arrives, in order, and the end after it", async () => {
  const [from, to] = [new PassThrough(), new PassThrough()];
  delayed(from, to, HELD);
  const sent = Array.from({ length: 200 }, (_, number) => `${number}\n`);
  for (const [number, chunk] of sent.entries()) {
    from.write(chunk);
    if (number % 20 === 0) await new Promise((resolve) => setTimeout(resolve, number % 3));
  }
  from.end();
  let arrived = "";
  for await (const chunk of to) arrived += chunk;
  assert.is(arrived, sent.join(""));
});

test("nothing arrives before its time, however much is on the way", async () => {
  const [from, to] = [new PassThrough(), new PassThrough()];
  delayed(from, to, HELD);
  const early: number[] = [];
  let arrived = 0;
  to.on("data", (chunk: Buffer) => {
    arrived++;
    // A timer counts whole milliseconds, from when its turn of the event loop began.
    const held = performance.now() - Number(chunk.toString());
    if (held < HELD - 2) early.push(held);
  });
  const ended = new Promise((resolve) => to.on("end", resolve));
  for (let number = 0; number < 20; number++) {
    from.write(String(performance.now()));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  from.end();
  await ended;
  assert.equal(early, []);
  assert.ok(arrived > 1, `${arrived} chunks`);
});

test.run();
