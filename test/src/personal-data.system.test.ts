// Personal data: nowhere in clear but with the cores; handed out by a provider to its own core; and, once a
// person's key is erased and the topics have let go of the envelopes, readable by nobody, with every key
// that remains. Every old proof still verifies.
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createMessaging } from "@sealane/messaging";
import { jointKey, makeVaultKeys, openingAad, openUnder, readEnvelopeKey } from "@sealane/signer";
import { fromBase64, sha256, toBase64 } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import {
  allTopics,
  placesOf,
  readFiles,
  readTables,
  readTopics,
  tableTexts,
  type Row,
} from "./every-byte.ts";
import { runSealane } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const erased = { payer: "+85290000777", payee: "+639170000776", reference: "Rent for flat 12B" };
const kept = { payer: "+85290000555", payee: "+639170000554", reference: "Books for school" };
type Who = typeof erased;
const needles = [erased, kept].flatMap((who) => Object.values(who));

const sides = ["hk-wallet", "ph-wallet"] as const;

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(() => system.stop());

const send = async ({ payer, payee, reference }: Who): Promise<string> => {
  const request = {
    payer: { account: payer },
    payee: { participant: "ph-wallet.example", account: payee },
    amount: { currency: "HKD", amount: "100.00" },
    reference,
  };
  const options = { idempotencyKey: randomUUID(), waitSeconds: 10 };
  const { transferId } = await system.hk.send(request, options);
  await eventually(`${transferId} is credited`, async () => {
    const views = await Promise.all([system.hk.get(transferId), system.ph.get(transferId)]);
    return views.every(({ status }) => status === "credited");
  });
  return transferId;
};

type Disclosed = Readonly<Record<string, string>>;

/** What a side gives its own core, by field: the value behind each opening. */
const disclosed = async (side: (typeof sides)[number], id: string): Promise<Disclosed> => {
  const response = await system.call(side, `/v1/transfers/${id}/disclosures`);
  if (response.status === 404) return {};
  const { disclosures } = (await response.json()) as {
    disclosures: { field: string; opening: string }[];
  };
  return Object.fromEntries(
    disclosures.map(({ field, opening }) => [
      field,
      Buffer.from(fromBase64(opening)).subarray(32).toString("utf8"),
    ]),
  );
};

const erase = async (side: (typeof sides)[number], account: string): Promise<unknown> => {
  const response = await system.call(side, "/v1/persons/erase", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ account }),
  });
  return response.json();
};

/** All that a provider's remaining keys open in its tables. */
const openAll = (
  tables: ReadonlyMap<string, readonly Row[]>,
  schema: string,
  envelopeKey: Uint8Array,
): string[] => {
  const vault = makeVaultKeys(envelopeKey);
  const keys = (tables.get(`${schema}.person_key`) ?? []).flatMap(
    ({ person, wrapped }) => vault.unwrap(person as Buffer, wrapped as Buffer) ?? [],
  );
  const pairs = keys.flatMap((one) => keys.map((other) => jointKey([one, other])));
  const all = [envelopeKey, ...keys, ...pairs];
  return (tables.get(`${schema}.sealed_opening`) ?? []).flatMap((row) => {
    return ["payer", "payee", "reference"].flatMap((field) => {
      const aad = openingAad(String(row["transfer_id"]), field);
      const sealed = row[field] as Buffer | null;
      return all.flatMap((key) => {
        const opened = sealed === null ? undefined : openUnder(key, sealed, aad);
        return opened === undefined ? [] : [opened.subarray(32).toString("utf8")];
      });
    });
  });
};

describe("personal data", () => {
  let gone = "";
  let stays = "";
  const envelopeKey = (side: string): Uint8Array =>
    readEnvelopeKey(system.stack.home.keys(side, "envelope.key")).privateKey;

  it("are in no table, topic, log, trace, export or receipt in clear", async () => {
    gone = await send(erased);
    stays = await send(kept);
    const { home, urls } = system.stack;
    const place = ["--url", `${urls["ledger"]}/log`, "--policy", "trust.policy", "--out", "export"];
    const exported = await runSealane(system, ["export", ...place]);
    expect(exported.status, exported.stderr).toBe(0);
    for (const id of [gone, stays]) {
      const receipt = await system.hk.receipt(id, { waitSeconds: 5 });
      writeFileSync(home.path("export", `${id}.tlog-proof`), receipt);
    }
    const tables = await readTables(system);
    const topics = await readTopics(system);
    const files = [...readFiles(home.path("logs")), ...readFiles(home.path("export"))];
    const written = [...tableTexts(tables), ...topics, ...files];
    expect(new Set(written.map((one) => one.place)).size).toBeGreaterThan(30);
    expect(placesOf(written, [gone])).not.toEqual([]);
    expect(
      placesOf([{ place: "control", text: btoa(`x${kept.payer}`.repeat(3)) }], needles),
    ).toEqual(["control"]);
    expect(placesOf(written, needles)).toEqual([]);
  }, 180_000);

  it("are handed to a provider's own core as the exact bytes that were hashed", async () => {
    for (const side of sides) expect(await disclosed(side, gone)).toEqual(erased);
    const response = await system.call("ph-wallet", `/v1/transfers/${gone}/disclosures`);
    const { disclosures } = (await response.json()) as { disclosures: { opening: string }[] };
    const receipt = await system.ph.receipt(gone);
    const entry = Buffer.from(receipt.split("\n")[1]?.replace("extra ", "") ?? "", "base64");
    for (const { opening } of disclosures) {
      expect(entry.toString("utf8")).toContain(toBase64(sha256(fromBase64(opening))));
    }
    const other = await fetch(`${system.stack.urls["ph-wallet"]}/v1/transfers/${gone}/disclosures`);
    expect(other.status).toBe(401);
  });

  it("go into a bundle field by field, from the adapter that can open them", async () => {
    const args = ["receipt", gone, "--bundle", "shown.bundle", "--from", "ph-wallet"];
    const made = await runSealane(system, [...args, "--reveal", "payee"]);
    expect(made.status, made.stderr).toBe(0);
    const judged = ["verify", "shown.bundle", "--policy", "trust.policy", "--json"];
    const { stdout } = await runSealane(system, judged);
    const verdict = JSON.parse(stdout) as { receipts: { revealed: unknown }[] };
    expect(verdict.receipts[0]?.revealed).toEqual([{ field: "payee", value: erased.payee }]);
  }, 120_000);

  it("of a person whose key is erased are gone, and only they", async () => {
    for (const side of sides) expect(await erase(side, erased.payer)).toEqual({ erased: true });
    expect(await erase("hk-wallet", erased.payer)).toEqual({ erased: false });
    for (const side of sides) {
      expect(await disclosed(side, gone)).toEqual({ payee: erased.payee });
      expect(await disclosed(side, stays)).toEqual(kept);
    }
  });

  it("are readable with no key that remains, once the topics have let go of them", async () => {
    for (const side of sides) await erase(side, erased.payee);
    const { brokers } = system.stack;
    for (const name of ["ledger", "reconciliation", ...sides, "fx-desk"] as const) {
      await system.stack.end(name);
    }
    const messaging = createMessaging({ brokers: brokers.split(","), clientId: "test-retention" });
    await messaging.admin().deleteTopics(allTopics);
    const tables = await readTables(system);
    const schemas = { "hk-wallet": "adapter_hk", "ph-wallet": "adapter_ph" } as const;
    for (const side of sides) {
      const values = openAll(tables, schemas[side], envelopeKey(side));
      expect(values.toSorted()).toEqual(Object.values(kept).toSorted());
    }
    // No envelope is left for the providers' own keys to open.
    expect(placesOf(tableTexts(tables), ['"epk"'])).toEqual([]);
    expect(placesOf(tableTexts(tables), needles)).toEqual([]);
  }, 180_000);

  it("that are gone leave every old proof as it was", async () => {
    for (const id of [gone, stays]) {
      const args = ["verify", `export/${id}.tlog-proof`, "--policy", "trust.policy"];
      const { status, stdout, stderr } = await runSealane(system, args);
      expect(status, stdout + stderr).toBe(0);
    }
    const audited = await runSealane(system, ["audit", "export", "--policy", "trust.policy"]);
    expect(audited.status, audited.stdout + audited.stderr).toBe(0);
  }, 180_000);
});
