import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Managers } from "../../../modules/weave_bridge/observed";
import { chooseProvider, observeManagers } from "../../../modules/weave_bridge/providers/detect";
import type { Contents } from "../support/fake_host/contents";
import { fakeHost } from "../support/fake_host/fake_host";
import { userErrorOf } from "../support/user_error";
import { FRESH, router, vxlan } from "./fixtures";

const SHOW =
  "systemctl show systemd-networkd.service NetworkManager.service networking.service weave-bridge.service weave-wg.service weave-wg-go.service firewalld.service -p ActiveState,UnitFileState,ExitType";
const LIST = "networkctl list --no-legend --no-pager";
const NONE: Managers = {
  systemd: false,
  ownUnitState: "inactive",
  tunnelUnitState: "inactive",
  wireguardGoState: "inactive",
  ifupdown: false,
  otherIfupdown: null,
  whyIfupdownIsOff: null,
  networkd: "off",
  networkdAtBoot: false,
  oldNetworkd: false,
  networkManager: false,
  networkManagerAtBoot: false,
  firewalld: false,
};
/** A host that systemd has booted, without any of the other programs. */
const SYSTEMD: Managers = { ...NONE, systemd: true };

const observed = (contents: Contents, ...programs: string[]): Managers =>
  observeManagers("weave", new Set(programs), fakeHost(contents));

/** A host that systemd has booted, with these states of the units. */
const booted = (
  networkd: string,
  networkManager: string,
  links: string[] = [],
  atBoot = "disabled",
  networking = "enabled",
  since250 = "ExitType=main\n",
): Contents => ({
  names: { "/run/systemd": ["system"] },
  programs: {
    [SHOW]:
      `ActiveState=${networkd}\nUnitFileState=${atBoot}\n${since250}\nActiveState=${networkManager}\nUnitFileState=${atBoot}\n\n` +
      `ActiveState=active\nUnitFileState=${networking}\n\n` +
      "ActiveState=inactive\nUnitFileState=\n\n".repeat(3),
    [LIST]: links.map((link, index) => `${String(index + 1).padStart(3)} ${link}\n`).join(""),
  },
});

test("a host that systemd has not booted, or that has no systemctl, is not asked", () => {
  assert.equal(observed({}), NONE);
  assert.equal(observed({}, "systemctl"), NONE);
  assert.equal(observed({ names: { "/run/systemd": ["system"] } }), NONE);
});

test("Debian's ifupdown counts, with its file", () => {
  const names = { "/etc/network": ["interfaces"] };
  assert.equal(observed({ names }, "ifup"), { ...NONE, ifupdown: true });
  assert.equal(observed({ names: { "/etc/network": [] } }, "ifup"), NONE);
  assert.equal(observed({ names }), NONE);
});

test("another ifup is identified by where its link leads", () => {
  const names = { "/etc/network": ["interfaces"] };
  for (const [target, other] of [
    ["/usr/share/ifupdown2/ifupdown2", "ifupdown2"],
    ["ifupdown", "ifupdown-ng"],
    ["/bin/busybox", "busybox"],
  ] as const) {
    for (const path of ["/sbin/ifup", "/usr/sbin/ifup"]) {
      assert.equal(observed({ names, links: { [path]: target } }, "ifup"), { ...NONE, otherIfupdown: other });
    }
  }
});

test("systemd tells which of its network managers run", () => {
  const managers = (...states: [string, string]) => observed(booted(...states), "systemctl");
  assert.equal(managers("inactive", "active"), { ...SYSTEMD, networkManager: true, networkManagerAtBoot: true });
  assert.equal(managers("inactive", "failed"), SYSTEMD);
  const enabled = observed(booted("inactive", "inactive", [], "enabled"), "systemctl");
  assert.equal(enabled, { ...SYSTEMD, networkdAtBoot: true, networkManagerAtBoot: true });
  for (const state of ["active", "activating", "reloading"]) assert.is(managers(state, "inactive").networkd, "runs");
});

test("ifupdown counts only if it is to configure the bridge at boot", () => {
  const names = { "/run/systemd": ["system"], "/etc/network": ["interfaces"] };
  const why = (networking: string, settings = "") => {
    const files = { "/etc/default/networking": settings };
    const contents = { ...booted("inactive", "active", [], "enabled", networking), names, files };
    return observed(contents, "systemctl", "ifup").whyIfupdownIsOff;
  };
  for (const started of ["enabled", "generated"]) assert.is(why(started), null);
  const masked = {
    found: "networking.service, which is masked",
    remedy: "Run systemctl unmask networking && systemctl enable networking",
  };
  assert.equal(why("masked"), masked);
  assert.equal(why("disabled"), {
    found: "networking.service, which is disabled",
    remedy: "Run systemctl enable networking",
  });
  assert.equal(why(""), {
    found: "networking.service, which is not there",
    remedy: "Reinstall it (apt install --reinstall ifupdown)",
  });
  const remedy = "Remove it there";
  assert.equal(why("enabled", "CONFIGURE_INTERFACES=no\n"), {
    found: "CONFIGURE_INTERFACES=no in /etc/default/networking",
    remedy,
  });
  assert.is(why("enabled", "#CONFIGURE_INTERFACES=no\nEXCLUDE_INTERFACES=eth1\n"), null);
  assert.equal(why("enabled", 'EXCLUDE_INTERFACES="eth1 we*"\n'), {
    found: "EXCLUDE_INTERFACES with we* in /etc/default/networking",
    remedy,
  });
  const off = { systemd: true, ifupdown: true, whyIfupdownIsOff: masked };
  assert.is(choose(off), "systemd");
  assert.is(
    userErrorOf(() => choose(off, "ifupdown")),
    "provider: ifupdown must create the bridge at boot (found networking.service, which is masked). " +
      "Run systemctl unmask networking && systemctl enable networking, or set provider: systemd.",
  );
});

// Ubuntu 22.04 has systemd 249 and netplan, which has systemd-networkd manage the host.
test("a systemd-networkd before 250 removes the bridge's address for a changed file, so the unit creates the bridge", () => {
  const old = (since250?: string) =>
    observed(booted("active", "inactive", [], "enabled", "enabled", since250), "systemctl").oldNetworkd;
  assert.equal([old(), old("")], [false, true]);
  const on = { systemd: true, networkd: "manages", networkdAtBoot: true, oldNetworkd: true } as const;
  const observedOld = { ...FRESH, managers: { ...NONE, ...on } };
  for (const options of [vxlan(), router(), vxlan({ password: "correct horse battery" })])
    assert.is(chooseProvider(options, observedOld), "systemd");
  assert.is(
    userErrorOf(() => chooseProvider(router({ provider: "networkd" }), observedOld)),
    "provider: systemd-networkd must be of version 250 or newer (found an older one, which removes the bridge's address while it applies " +
      "a changed file). Set provider: systemd or auto.",
  );
});

// systemd 252.
test("networkctl tells whether systemd-networkd manages more than the bridge", () => {
  const networkd = (...links: string[]) => observed(booted("active", "inactive", links), "systemctl").networkd;
  const lo = "lo       loopback carrier    unmanaged";
  assert.is(networkd(lo, "eth0     ether    routable   unmanaged"), "runs");
  assert.is(networkd(lo, "weave    bridge   no-carrier configured", "weave-vx vxlan   carrier  configured"), "runs");
  assert.is(networkd(lo, "eth0     ether    routable   configured"), "manages");
  assert.is(networkd(lo, "eth0     ether    carrier    configuring"), "manages");
  assert.is(networkd(lo, "eth0     ether    carrier    pending"), "runs");
});

test("a systemd that does not answer is an error with what to do", () => {
  const host = fakeHost({ names: { "/run/systemd": ["system"] } }).with({
    run: () => ({ status: 1, stdout: "", stderr: "Failed to connect to bus: No such file or directory" }),
  });
  assert.match(
    userErrorOf(() => observeManagers("weave", new Set(["systemctl"]), host)),
    /^systemctl show .* Failed to connect to bus: No such file or directory\)\. Check that systemd answers on this host/,
  );
});

const choose = (managers: Partial<Managers>, provider = "auto", danglingInterfaces: string | null = null) =>
  chooseProvider(router({ provider }), { ...FRESH, managers: { ...NONE, ...managers }, danglingInterfaces });

test("the provider is the one that manages the host", () => {
  assert.is(choose({ ifupdown: true }), "ifupdown");
  assert.is(choose({ ifupdown: true, networkd: "runs" }), "ifupdown");
  assert.is(choose({ ifupdown: true, networkd: "manages" }), "networkd");
  assert.is(choose({ systemd: true, networkd: "runs" }), "systemd");
  assert.is(choose({ systemd: true, networkManager: true }), "systemd");
  assert.is(choose({ systemd: true, ifupdown: true, networkManager: true }), "ifupdown");
  assert.is(choose({ systemd: true, ifupdown: true, networkd: "manages" }, "systemd"), "systemd");
  assert.is(choose({ ifupdown: true, networkd: "runs" }, "networkd"), "networkd");
  assert.is(choose({ ifupdown: true, networkd: "manages" }, "ifupdown"), "ifupdown");
  assert.match(
    userErrorOf(() => choose({})),
    /^provider: needs systemd or ifupdown on this host/,
  );
  assert.match(
    userErrorOf(() => choose({ ifupdown: true }, "systemd")),
    /^provider: systemd must have booted this host/,
  );
  assert.match(
    userErrorOf(() => choose({ ifupdown: true }, "networkd")),
    /^provider: systemd-networkd must run on this host/,
  );
  assert.match(
    userErrorOf(() => choose({ networkd: "runs" }, "ifupdown")),
    /^provider: ifupdown must be installed/,
  );
});

test("another ifupdown than Debian's is not used: by name where there is nothing else, or it is set", () => {
  for (const otherIfupdown of ["ifupdown2", "ifupdown-ng", "busybox"]) {
    for (const [managers, provider] of [
      [{ otherIfupdown }, "auto"],
      [{ otherIfupdown, systemd: true }, "ifupdown"],
    ] as const) {
      assert.is(
        userErrorOf(() => choose(managers, provider)),
        `provider: ifupdown must be Debian's own (found ${otherIfupdown} as this host's ifup, which reads the files in another way). ` +
          "Install Debian's (apt install ifupdown), or set provider: systemd.",
      );
    }
    assert.is(choose({ otherIfupdown, systemd: true }), "systemd");
    assert.is(choose({ otherIfupdown, systemd: true, networkd: "manages" }), "networkd");
  }
});

test("/etc/network/interfaces as a link to nowhere is rejected where ifupdown needs it", () => {
  assert.is(
    userErrorOf(() => choose({ ifupdown: true }, "auto", "/srv/interfaces")),
    "provider: ifupdown needs /etc/network/interfaces (found a link to /srv/interfaces, which does not exist). Create that file, " +
      "or replace the link with one.",
  );
  assert.is(choose({ ifupdown: true, networkd: "manages" }, "auto", "/srv/interfaces"), "networkd");
});

test.run();
