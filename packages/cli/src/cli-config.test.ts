import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { clientOf, findHome, firstAccount, participantOf, readCliConfig } from "./cli-config.ts";

const root = mkdtempSync(join(tmpdir(), "sealane-cli-"));
afterAll(() => rmSync(root, { recursive: true }));
const home = join(root, ".sealane");
const deep = join(root, "a", "b");
mkdirSync(home);
mkdirSync(deep, { recursive: true });
writeFileSync(
  join(home, "cli.json"),
  JSON.stringify({
    participants: {
      "hk-wallet": {
        id: "hk-wallet.example",
        url: "http://127.0.0.1:8081",
        tokenFile: "keys/hk-wallet/api.token",
        currency: "HKD",
        accountPrefix: "+8529",
      },
    },
    log: "http://127.0.0.1:8083/log",
    policy: "trust.policy",
    keylog: "keylog",
    receipts: "receipts",
  }),
);

describe("cli.json", () => {
  test("is found from the working directory upwards, and its paths are its own", () => {
    const config = readCliConfig(deep, {});
    expect(config.receipts).toBe(join(home, "receipts"));
    expect(participantOf(config, "hk-wallet").tokenFile).toBe(
      join(home, "keys/hk-wallet/api.token"),
    );
    expect(participantOf(config, "hk-wallet.example").name).toBe("hk-wallet");
    expect(firstAccount(participantOf(config, "hk-wallet"))).toBe("+85290000001");
  });

  test("is taken from SEALANE_HOME when that is set", () => {
    expect(findHome("/", { SEALANE_HOME: home })).toBe(home);
  });

  test.each([
    ["no folder at all", () => findHome(tmpdir(), {}), "no .sealane/cli.json"],
    [
      "a folder without the file",
      () => readCliConfig("/", { SEALANE_HOME: deep }),
      "cannot be read",
    ],
    [
      "an unknown participant",
      () => participantOf(readCliConfig(deep, {}), "sg"),
      "no participant sg",
    ],
    [
      "a token that is not there",
      () => clientOf(participantOf(readCliConfig(deep, {}), "hk-wallet")),
      "the token of hk-wallet",
    ],
  ])("tells of %s", (_what, act, told) => {
    expect(act).toThrow(told);
  });
});
