import { test } from "uvu";
import * as assert from "uvu/assert";
import { hideRememberedSecrets } from "../../../modules/core/secrets";
import {
  presharedKeyOf,
  privateKeyOf,
  publicKeyOf,
  rootKey,
  tunnelAddressOf,
} from "../../../modules/weave_bridge/wireguard/keys";

// The expected values were computed by Python's hashlib.scrypt and hmac (RFC 5869), not by Node.
const PASSWORD = "correct horse battery staple";
const CLUSTER = { network: "10.2.0.0/16", vxlanId: 6783 };
const ROOT = rootKey(PASSWORD, CLUSTER);
const base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");

test("a password gives the root key of one cluster", () => {
  assert.is(ROOT.toString("hex"), "ed21dae5df61493989d217673a1c187e27ff5e12cee408fc1aab7348e66ecf87");
  assert.not.equal(rootKey(PASSWORD, { ...CLUSTER, vxlanId: 6784 }), ROOT);
  assert.not.equal(rootKey(PASSWORD, { ...CLUSTER, network: "10.3.0.0/16" }), ROOT);
  assert.not.equal(rootKey(`${PASSWORD} `, CLUSTER), ROOT);
  assert.equal(rootKey(PASSWORD, CLUSTER), ROOT);
});

test("each host has its own private key, and each pair one preshared key from either side", () => {
  assert.is(privateKeyOf(ROOT, "192.168.50.11"), "aBJZLv9/zqBRDM12rprj/YMTTdcNmWDtgab7bi9JemI=");
  assert.not.equal(privateKeyOf(ROOT, "192.168.50.12"), privateKeyOf(ROOT, "192.168.50.11"));
  assert.is(presharedKeyOf(ROOT, "192.168.50.11", "192.168.50.12"), "5Plu8IEbk8VXtLw3/OScJEhQp3Bp+DWrsgNgocfe9v4=");
  assert.is(presharedKeyOf(ROOT, "192.168.50.12", "192.168.50.11"), "5Plu8IEbk8VXtLw3/OScJEhQp3Bp+DWrsgNgocfe9v4=");
  assert.not.equal(
    presharedKeyOf(ROOT, "192.168.50.11", "192.168.50.13"),
    presharedKeyOf(ROOT, "192.168.50.11", "192.168.50.12"),
  );
});

test("no message shows a derived key", () => {
  const key = privateKeyOf(ROOT, "192.168.50.21");
  assert.is(hideRememberedSecrets(`Key is not the correct length or format: ${key}`).includes(key), false);
});

test("the public key is X25519's (RFC 7748, sections 5.2 and 6.1)", () => {
  assert.is(
    publicKeyOf(base64("0900000000000000000000000000000000000000000000000000000000000000")),
    base64("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
  );
  assert.is(
    publicKeyOf(base64("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")),
    base64("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
  );
});

test("a host's address in the tunnel is link-local, has one spelling, and does not depend on the password", () => {
  assert.is(tunnelAddressOf(CLUSTER, "192.168.50.11"), "fe80::b074:9146:5f20:3318");
  for (let number = 1; number < 255; number++) {
    assert.match(
      tunnelAddressOf(CLUSTER, `192.168.50.${number}`),
      /^fe80::[1-9a-f][0-9a-f]{3}(?::[1-9a-f][0-9a-f]{3}){3}$/,
    );
  }
});

test.run();
