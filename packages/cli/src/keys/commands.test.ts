// `sealane keys` as people start it, on key files and a copy of the key log, with no ledger at all.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hk, makeLog, policyText, testKeys, type TestKey } from "@sealane/rules/testing";
import { toBase64 } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "..", "..", "bin", "sealane.js");
let folder: string;

const writeKey = (file: string, { name, seed, key }: TestKey): void => {
  const id = key.keyId.toString(16).padStart(8, "0");
  const secret = toBase64(Uint8Array.of(1, ...seed));
  writeFileSync(join(folder, file), `PRIVATE+KEY+${name}+${id}+${secret}\n`, { mode: 0o600 });
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sealane-keys-"));
  const world = makeLog();
  const keylog = { checkpoint: world.keyCheckpoint(), entries: world.keyLog.entries, sheets: [] };
  writeFileSync(join(folder, "trust.policy"), policyText);
  writeFileSync(join(folder, "keylog"), JSON.stringify(keylog));
  writeFileSync(
    join(folder, "cli.json"),
    JSON.stringify({ policy: "trust.policy", keylog: "keylog" }),
  );
  writeKey("alice.key", testKeys.alice);
  writeKey("bob.key", testKeys.bob);
  writeKey("root.key", testKeys.hkRoot);
});
afterAll(() => rmSync(folder, { recursive: true }));

const keys = (...args: string[]) => {
  const env = { ...process.env, SEALANE_HOME: folder };
  const options = { cwd: folder, env, encoding: "utf8", timeout: 60_000 } as const;
  const all = [program, "keys", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, options);
  return { status, stdout, stderr };
};

describe("sealane keys, offline", () => {
  it("lists who has which keys in force, and shows one of them", () => {
    const { status, stdout, stderr } = keys("list");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/hk-wallet\.example \(wallet\)/);
    expect(stdout).toMatch(/hk-wallet\.example\/k1 +transfer +in force since entry \d+/);
    expect(stdout).toMatch(/hkd-php +HKD\/PHP +20 bp, at least 1\.00 HKD/);
    const json = JSON.parse(keys("list", "--json").stdout) as Record<string, unknown>;
    expect(json).toMatchObject({ participants: [{ participant: hk, suspended: false }, {}, {}] });
    expect(keys("show", `${hk}/k1`).stdout).toMatch(/key +signed by hk-wallet.example\/root/);
    expect(keys("show", "nobody").stderr).toContain("says nothing of nobody");
  });

  it("makes a key that nobody else can read, and never over another", () => {
    const made = keys("generate", "k3.key", "--name", `${hk}/k3`, "--json");
    expect(JSON.parse(made.stdout)).toMatchObject({
      ok: true,
      vkey: expect.stringMatching(/k3\+/),
    });
    expect(statSync(join(folder, "k3.key")).mode & 0o777).toBe(0o600);
    const again = keys("generate", "k3.key", "--name", `${hk}/k3`);
    expect(again).toMatchObject({ status: 1, stdout: "" });
    expect(again.stderr).toContain("keys are never overwritten");
  });

  it("writes both statements of a rotation, signed on a machine without network", () => {
    keys("generate", "next.key", "--name", `${hk}/next`);
    const which = ["--new", "next.key", "--old", `${hk}/k1`];
    const rotation = keys("rotate", hk, ...which, "--root", "root.key", "--out", "rotation");
    expect(rotation).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(join(folder, "rotation-begin"), "utf8")).toMatch(
      /^sealane\.example\/keys\/key\/v1\n.*\n\n— hk-wallet\.example\/root .*\n— hk-wallet\.example\/next .*\n$/,
    );
    expect(readFileSync(join(folder, "rotation-end"), "utf8")).toContain('"reason":"rotated"');
  });

  it("takes two operators' lines one after the other, and says whose is missing", () => {
    const alone = keys("resume", hk, "--operator", "alice.key");
    expect(alone.status).toBe(1);
    expect(alone.stderr).toContain("needs 2 operators' signatures, has 1");
    expect(alone.stderr).toContain("cosign FILE --key KEY --send");
    const first = keys("resume", hk, "--operator", "alice.key", "--out", "resume");
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(keys("submit", "resume").stderr).toContain("has 1");
    const second = keys("cosign", "resume", "--key", "bob.key", "--json");
    expect(JSON.parse(second.stdout)).toMatchObject({
      kind: "suspension",
      body: { participant: hk, suspended: false },
      signers: ["operator.example/alice", "operator.example/bob"],
    });
    // Complete now; and offline there is nobody to send it to.
    expect(keys("submit", "resume").stderr).toContain("Give the URL of its log: --url URL.");
  });

  it("refuses a key file that others can read, and what the key log would refuse", () => {
    chmodSync(join(folder, "bob.key"), 0o640);
    const exposed = keys("suspend", hk, "--operator", "bob.key", "--out", "suspend");
    chmodSync(join(folder, "bob.key"), 0o600);
    expect(exposed).toMatchObject({ status: 1, stdout: "" });
    expect(exposed.stderr).toContain("is open to others (mode 0640)");
    const unknown = keys("suspend", "no.example", "--operator", "bob.key", "--out", "suspend");
    expect(unknown.stderr).toContain("(participant-unknown)");
    const three = ["--operators-from", "HKD 1.00 3"];
    const never = keys("policy", "huge", ...three, "--operator", "bob.key");
    expect(never.stderr).toContain("3 operators can never sign: there are 2");
  });
});
