// Which of several key files signs, as the key log moves on.
import { chmodSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSignatureLine, parseVerifierKey, verifierFor } from "@sealane/tlog";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generateKeyFile, KEY_TYPE } from "./key-file.ts";
import { keyFamily } from "./key-family.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sealane-family-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const make = async (file: string, name: string, type?: 1 | 4): Promise<string> =>
  (await generateKeyFile(join(folder, file), name, type)).vkey;

const open = (inForce: () => readonly string[] | undefined) => {
  let nowMs = 0;
  const faults: string[] = [];
  const family = keyFamily({
    file: join(folder, "transfer.key"),
    inForce,
    clock: () => nowMs,
    onFault: (path) => faults.push(path.slice(folder.length + 1)),
  });
  return {
    family,
    faults,
    wait: (ms: number): void => {
      nowMs += ms;
    },
    signer: async (): Promise<string> => parseSignatureLine(await family.signLine("text\n")).name,
  };
};

describe("a family of keys", () => {
  it("signs with the newest key in force, and with the old one until then", async () => {
    const old = await make("transfer.key", "hk.example/k1");
    let inForce: readonly string[] | undefined;
    const { family, signer, wait } = open(() => inForce);
    expect(await signer()).toBe("hk.example/k1");
    inForce = [old];
    const next = await make("transfer-2.key", "hk.example/k2");
    expect(await signer()).toBe("hk.example/k1");
    inForce = [next, old];
    wait(1_000);
    expect(await signer()).toBe("hk.example/k2");
    expect(family.vkey).toBe(next);
    const line = parseSignatureLine(await family.signLine("text\n"));
    expect(verifierFor(parseVerifierKey(next)).verify("text\n", line.signature)).toBe(true);
  });

  it("goes on with the old one while the new one's file is missing, and looks again", async () => {
    const old = await make("transfer.key", "hk.example/k1");
    const next = await make("elsewhere.key", "hk.example/k2");
    const inForce = [next, old];
    const { signer, wait } = open(() => inForce);
    expect(await signer()).toBe("hk.example/k1");
    renameSync(join(folder, "elsewhere.key"), join(folder, "transfer-2.key"));
    expect(await signer()).toBe("hk.example/k1");
    wait(1_000);
    expect(await signer()).toBe("hk.example/k2");
  });

  it("signs nothing with a key that is no longer in force", async () => {
    const old = await make("transfer.key", "hk.example/k1");
    let inForce: readonly string[] = [old];
    const { family, signer } = open(() => inForce);
    expect(family.trouble()).toBeUndefined();
    inForce = [];
    expect(family.trouble()).toBe("no signing key is in force");
    await expect(signer()).rejects.toMatchObject({ code: "no-key-in-force" });
    expect(() => family.vkey).toThrow(/register one/);
  });

  it("starts without the first file when a sibling is there, and without any it does not", async () => {
    const next = await make("transfer-2.key", "hk.example/k2");
    expect(await open(() => [next]).signer()).toBe("hk.example/k2");
    rmSync(join(folder, "transfer-2.key"));
    expect(() => open(() => undefined)).toThrow(/transfer\.key cannot be read/);
  });

  it("passes over files that others can read, that cosign, or that are another's", async () => {
    const old = await make("transfer.key", "hk.example/k1");
    await make("transfer-open.key", "hk.example/k2");
    chmodSync(join(folder, "transfer-open.key"), 0o644);
    await make("transfer-witness.key", "hk.example/w", KEY_TYPE.cosignature);
    await make("rates.key", "hk.example/rates");
    const { signer, faults } = open(() => [old]);
    expect(await signer()).toBe("hk.example/k1");
    expect(faults).toEqual(["transfer-open.key", "transfer-witness.key"]);
  });
});
