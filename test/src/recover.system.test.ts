// The ledger's database is put back to an old copy. The ledger must not sign a second history: it refuses,
// says so, and goes on with the same log only after `sealane recover` has rebuilt it from what was
// published. Afterwards everybody agrees: the log, the adapters, reconciliation, the cores.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Transfer } from "@sealane/client";
import { transferIdOf } from "@sealane/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditedLog } from "./audited-log.ts";
import { copySchema, restoreSchema, tamper } from "./database-copy.ts";
import { eventually } from "./eventually.ts";
import { runSealane, sealaneJson } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const hk = "hk-wallet.example";
const ph = "ph-wallet.example";

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(() => system.stop());

const logUrl = (): string => `${system.stack.urls["ledger"]}/log`;

const requestOf = (expiresInSeconds: number) => ({
  payer: { account: "+85290000001" },
  payee: { participant: ph, account: "+639170000001" },
  amount: { currency: "HKD", amount: "100.00" },
  expiresInSeconds,
});

const send = (key: string = randomUUID()): Promise<Transfer> =>
  eventually(`an outcome under ${key}`, async () => {
    const options = { idempotencyKey: key, waitSeconds: 5 };
    const answer = await system.hk.send(requestOf(60), options);
    return answer.final ? answer : undefined;
  });

const sendSome = async (count: number): Promise<string[]> => {
  const sent = await Promise.all(Array.from({ length: count }, () => send()));
  expect(sent.map(({ status }) => status)).toEqual(sent.map(() => expect.stringMatching(/ed$/)));
  return sent.map(({ transferId }) => transferId);
};

/** Asked for and not waited for: reserved, while the payee's adapter is down. */
const reserve = async (expiresInSeconds: number): Promise<string> => {
  const key = randomUUID();
  await system.hk.send(requestOf(expiresInSeconds), { idempotencyKey: key });
  const id = transferIdOf(hk, key);
  await eventually(`${id} is reserved`, async () => {
    return (await system.hk.get(id)).status === "reserved";
  });
  return id;
};

const ready = async (): Promise<{ checks?: { lane?: string } }> => {
  const response = await fetch(`${system.stack.urls["ledger"]}/readyz`, {
    signal: AbortSignal.timeout(2_000),
  });
  return (await response.json()) as { checks?: { lane?: string } };
};

/** The log's size as it is published. */
const published = async (): Promise<number> => {
  const { entries } = await openAuditedLog(system).audit();
  return entries;
};

describe("a database that was put back to an old copy", () => {
  const sealed: string[] = [];
  let lost = "";
  let openThen = "";
  let size = 0;

  it("makes the ledger refuse to sign, and say what to do", async () => {
    sealed.push(...(await sendSome(20)));
    await system.stack.end("ph-wallet");
    openThen = await reserve(120);
    await copySchema(system, "ledger");
    await system.stack.start("ph-wallet");
    sealed.push(openThen, ...(await sendSome(20)));
    await sealaneJson(system, [
      "export",
      "--url",
      logUrl(),
      "--policy",
      "trust.policy",
      "--out",
      "export",
    ]);
    // What comes after the export is nowhere but on the topic and with the participants.
    sealed.push(...(await sendSome(20)));
    await system.stack.end("ph-wallet");
    lost = await reserve(120);
    size = await published();
    await system.stack.kill("ledger");
    await restoreSchema(system, "ledger");
    const starting = system.stack.start("ledger").catch(() => undefined);
    const why = await eventually("the ledger says why it does not sign", async () => {
      const { checks } = await ready();
      return checks?.lane?.includes("recover") === true ? checks.lane : undefined;
    });
    expect(why).toContain(`a witness has ${size} entries`);
    await system.stack.kill("ledger");
    void starting;
  }, 120_000);

  it("is rebuilt by recover from an export and what the topic still holds", async () => {
    const told = await sealaneJson(system, ["recover", "--from", "export"]);
    expect(told).toMatchObject({ event: "recovered", ok: true, changed: true, open: 0 });
    expect(told["entries"]).toBeGreaterThanOrEqual(size);
    expect(told["before"]).toBeLessThan(size);
    // Again changes nothing.
    const again = await sealaneJson(system, ["recover", "--from", "export"]);
    expect(again).toMatchObject({ ok: true, changed: false });
  }, 180_000);

  it("goes on with the same log: nothing lost, nothing twice, and everybody agrees", async () => {
    await system.stack.start("ledger");
    await system.stack.start("ph-wallet");
    const ended = await eventually("what was only reserved has ended", async () => {
      const transfer = await system.hk.get(lost);
      return transfer.final ? transfer : undefined;
    });
    expect(ended).toMatchObject({ status: "rejected", code: "recovered" });
    sealed.push(...(await sendSome(20)));
    const log = openAuditedLog(system);
    await eventually("everything has ended", () => log.nothingPending(), 60_000);
    const audit = await log.audit();
    expect(audit.findings).toEqual([]);
    for (const id of sealed) expect(audit.transfers.get(id)?.outcome, id).toBe("committed");
    expect(audit.transfers.has(lost)).toBe(false);
    await eventually("the payee's core has credited all, once", async () => {
      return (await log.creditedByCore("PHP")) === audit.creditedExpected;
    });
    expect(await log.balancesDiffer()).toEqual([]);
  }, 120_000);

  it("is still the log that an auditor remembers", async () => {
    const place = ["audit", "--policy", "trust.policy", "--remember", "export"];
    const { status, stdout, stderr } = await runSealane(system, [...place, "--json", logUrl()]);
    expect(status, stderr + stdout).toBe(0);
  }, 180_000);
});

describe("another old copy, and nothing at hand but what others hold", () => {
  let mirror: Server;
  afterAll(async () => {
    mirror?.closeAllConnections();
    await new Promise((resolve) => mirror?.close(resolve));
  });

  /** A copy of the log on somebody else's server: an export, served as it is. */
  const serve = (folder: string): Promise<string> => {
    mirror = createServer((request, response) => {
      const path = join(folder, new URL(request.url ?? "/", "http://mirror").pathname);
      if (existsSync(path)) response.end(readFileSync(path));
      else response.writeHead(404).end();
    });
    return new Promise((resolve) =>
      mirror.listen(0, "127.0.0.1", () => {
        resolve(`http://127.0.0.1:${(mirror.address() as AddressInfo).port}`);
      }),
    );
  };

  it("is rebuilt from a mirror's URL and a participant's file, which are verified first", async () => {
    const home = system.stack.home;
    const pinned = ["--policy", "trust.policy"];
    const sealed = await sendSome(10);
    await copySchema(system, "ledger");
    sealed.push(...(await sendSome(10)));
    await sealaneJson(system, ["export", "--url", logUrl(), ...pinned, "--out", "mirror"]);
    const url = await serve(home.path("mirror"));
    sealed.push(...(await sendSome(10)));
    const own = ["export", "--participant", "hk-wallet", "--out", "hk.bundle"];
    expect((await runSealane(system, own)).status).toBe(0);
    const size = await published();
    await system.stack.kill("ledger");
    await restoreSchema(system, "ledger");
    const bundle = readFileSync(home.path("hk.bundle"), "utf8");
    const at = bundle.lastIndexOf("extra ") + 40;
    const flipped = bundle[at] === "A" ? "B" : "A";
    writeFileSync(home.path("bad.bundle"), bundle.slice(0, at) + flipped + bundle.slice(at + 1));
    const bad = await runSealane(system, ["recover", "--from", url, "--from", "bad.bundle"]);
    expect([bad.status, bad.stdout]).toEqual([1, expect.stringContaining("nothing was changed")]);
    const told = await sealaneJson(system, ["recover", "--from", url, "--from", "hk.bundle"]);
    expect(told).toMatchObject({ event: "recovered", ok: true, changed: true });
    expect(told["entries"]).toBeGreaterThanOrEqual(size);
    await system.stack.start("ledger");
    sealed.push(...(await sendSome(10)));
    const log = openAuditedLog(system);
    await eventually("everything has ended", () => log.nothingPending(), 60_000);
    const audit = await log.audit();
    expect(audit.findings).toEqual([]);
    for (const id of sealed) expect(audit.transfers.get(id)?.outcome, id).toBe("committed");
  }, 180_000);
});

describe("a byte on disk that is not what was written", () => {
  it("stops the lane, which is unready and names the position", async () => {
    const change = "update ledger.entry set bytes = set_byte(bytes, 40, 63) where seq = 17";
    await tamper(system, change);
    const why = await eventually("the ledger has read it again", async () => {
      const { checks } = await ready();
      return checks?.lane?.startsWith("corrupt") === true ? checks.lane : undefined;
    });
    expect(why).toContain("corrupt at 17");
    const { status } = await system.hk.send(requestOf(60), {
      idempotencyKey: randomUUID(),
      waitSeconds: 1,
    });
    expect(status).toBe("received");
  }, 180_000);
});
