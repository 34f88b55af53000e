import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  parseWireguardDump,
  renderWireguardConfig,
  secretKeysOf,
  withoutSecretKeys,
} from "../../../modules/formats/wireguard";

const CONFIG = {
  privateKey: "PRIVATE=",
  port: 51820,
  peers: [
    { publicKey: "ONE=", presharedKey: "SHARED=", endpoint: "192.168.50.12:51820", allowedIps: ["fe80::1/128"] },
    { publicKey: "TWO=", presharedKey: null, endpoint: null, allowedIps: ["fe80::2/128", "fe80::3/128"] },
  ],
};

test("a file for wg setconf", () => {
  assert.is(
    renderWireguardConfig("Managed.", CONFIG),
    "# Managed.\n\n[Interface]\nListenPort = 51820\nPrivateKey = PRIVATE=\n\n" +
      "[Peer]\nPublicKey = ONE=\nPresharedKey = SHARED=\nEndpoint = 192.168.50.12:51820\nAllowedIPs = fe80::1/128\n\n" +
      "[Peer]\nPublicKey = TWO=\nAllowedIPs = fe80::2/128, fe80::3/128\n",
  );
});

test("a file's secret keys are found and left out however they are written", () => {
  const text = `${renderWireguardConfig("Managed.", CONFIG)}\tprivatekey=x\nPRESHAREDKEY  =  y\n`;
  assert.equal(secretKeysOf(text), ["PRIVATE=", "SHARED=", "x", "y"]);
  const shown = withoutSecretKeys(text);
  assert.equal(secretKeysOf(shown), Array(4).fill("********"));
  assert.match(shown, "PublicKey = ONE=");
});

// As wg 1.0.20210914 prints it for wireguard-go 0.0.20230223 (Debian 12).
const DUMP =
  "PRIVATE=\tPUBLIC=\t51820\toff\n" +
  "ONE=\tSHARED=\t192.168.50.12:51820\tfe80::1/128\t1795948999\t4900\t5536\toff\n" +
  "TWO=\t(none)\t(none)\tfe80::2/128,fe80::3/128\t0\t0\t0\toff\n" +
  "THREE=\t(none)\t(none)\t(none)\t0\t0\t0\toff\n";

test("what wg show DEVICE dump prints", () => {
  const none = { handshake: 0, received: 0, sent: 0 };
  assert.equal(parseWireguardDump(DUMP), {
    privateKey: "PRIVATE=",
    publicKey: "PUBLIC=",
    port: 51820,
    peers: [
      { ...CONFIG.peers[0], handshake: 1795948999, received: 4900, sent: 5536 },
      { ...CONFIG.peers[1], ...none },
      { publicKey: "THREE=", presharedKey: null, endpoint: null, allowedIps: [], ...none },
    ],
  });
  assert.equal(parseWireguardDump("(none)\t(none)\t0\toff\n"), { privateKey: "", publicKey: "", port: 0, peers: [] });
  assert.is(parseWireguardDump(""), null);
});

test.run();
