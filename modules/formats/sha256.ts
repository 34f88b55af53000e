/**
 * SHA-256 (FIPS 180-4) of some bytes; returns its 32. Node's own is in node:crypto, which takes a seventh of the time of a
 * whole `node` to be loaded, and the libraries that do without that seven kilobytes in a file that is sent for each task.
 */
export function sha256(bytes: Uint8Array): Buffer {
  const padded = Buffer.alloc(Math.ceil((bytes.length + 9) / BLOCK) * BLOCK);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  padded.writeBigUInt64BE(BigInt(bytes.length) * 8n, padded.length - 8);
  const state = Uint32Array.from(INITIAL);
  for (let at = 0; at < padded.length; at += BLOCK) compress(state, padded.subarray(at, at + BLOCK));
  const digest = Buffer.alloc(32);
  for (const [index, word] of state.entries()) digest.writeUInt32BE(word, index * 4);
  return digest;
}

const BLOCK = 64;

function compress(state: Uint32Array, block: Buffer): void {
  const w = new Uint32Array(64);
  const word = (index: number): number => w[index] ?? 0;
  for (let t = 0; t < 64; t++) {
    const [x, y] = [word(t - 15), word(t - 2)];
    w[t] =
      t < 16
        ? block.readUInt32BE(t * 4)
        : word(t - 16) +
          word(t - 7) +
          (rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3)) +
          (rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10));
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  ROUNDS.forEach((k, t) => {
    const first = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + k + word(t)) | 0;
    const second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [a, b, c, d, e, f, g, h] = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g];
  });
  state.forEach((word, index) => {
    state[index] = word + ([a, b, c, d, e, f, g, h][index] ?? 0);
  });
}

function rotated(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of the first 8. */
const PRIMES: number[] = [];
for (let n = 2; PRIMES.length < 64; n++) if (!PRIMES.some((prime) => n % prime === 0)) PRIMES.push(n);
const ROUNDS = PRIMES.map((prime) => fraction(Math.cbrt(prime)));
const INITIAL = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

function fraction(root: number): number {
  return ((root % 1) * 2 ** 32) | 0;
}
