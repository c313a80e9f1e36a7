// The desk as a process on a real broker: what it sends is what the lane's rules take, a withdrawal ends
// a sheet, and after kill -9 it goes on with higher numbers. The ledger is the rules' own fold here.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, spawnService, type SupervisedProcess } from "@sealane/infra";
import { createMessaging, type Consumer } from "@sealane/messaging";
import {
  commandSchema,
  inboxTopic,
  laneTopic,
  rateSheetSchema,
  rateWithdrawalSchema,
  readNote,
  readStatement,
  type RateSheet,
  type RateWithdrawal,
} from "@sealane/protocol";
import {
  fx,
  makeWorld,
  origin,
  policyText,
  say,
  testKeys,
  witnessKeys,
  type TestKey,
} from "@sealane/rules/testing";
import { toBase64, verifierFor } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";

/** Far from the whole systems' lanes on a shared broker. */
const lane = 900 + (process.pid % 100);
const brokers = inject("kafkaBrokers");
const messaging = createMessaging({ brokers: brokers.split(","), clientId: "fx-desk-test" });
const dir = mkdtempSync(join(tmpdir(), "sealane-desk-"));
const path = (name: string): string => join(dir, name);
const token = "the-token-of-the-desks-operators";
const pairs = ["HKD/PHP", "PHP/HKD"] as const;

type Sent =
  | { readonly kind: "rate-sheet"; readonly body: RateSheet; readonly note: string }
  | { readonly kind: "rate-withdrawal"; readonly body: RateWithdrawal; readonly note: string };

const sent: Sent[] = [];
let consumer: Consumer;
let desk: SupervisedProcess;
let url: string;

const keyFile = (name: string, { name: of, key, seed }: TestKey): string => {
  const id = key.keyId.toString(16).padStart(8, "0");
  const secret = toBase64(Uint8Array.of(key.type, ...seed));
  writeFileSync(path(name), `PRIVATE+KEY+${of}+${id}+${secret}\n`, { mode: 0o600 });
  return path(name);
};

/** What the lane's rules would read of one record; nothing that is not signed by the desk's key. */
const read = (value: Uint8Array | null): Sent => {
  const command = commandSchema.parse(JSON.parse(Buffer.from(value ?? []).toString("utf8")));
  if (command.kind !== "rate-sheet" && command.kind !== "rate-withdrawal") {
    throw new Error(`a desk does not send ${command.kind}`);
  }
  const note = readNote(command.note);
  if (!note.ok) throw new Error(note.detail);
  const [signature] = note.note.signatures;
  const { name, key } = testKeys.fx;
  expect(signature).toMatchObject({ name, keyId: key.keyId });
  const bytes = signature?.signature ?? new Uint8Array();
  expect(verifierFor(key).verify(note.note.text, bytes)).toBe(true);
  const schema = command.kind === "rate-sheet" ? rateSheetSchema : rateWithdrawalSchema;
  const statement = readStatement<RateSheet | RateWithdrawal>(note.note, command.kind, schema);
  if (!statement.ok) throw new Error(statement.detail);
  expect(statement.statement.origin).toBe(origin);
  return { kind: command.kind, body: statement.statement.body, note: command.note } as Sent;
};

const startDesk = async (): Promise<void> => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  desk = await spawnService({
    name: "fx-desk",
    entry: fileURLToPath(new URL("./main.ts", import.meta.url)),
    logFile: path("desk.log"),
    env: {
      SEALANE_FX_PORT: String(port),
      SEALANE_LANE: String(lane),
      KAFKA_BROKERS: brokers,
      // Nothing is logged in this test, so nobody is asked.
      SEALANE_LEDGER_URL: "http://127.0.0.1:9",
      SEALANE_RATE_KEY_FILE: path("rates.key"),
      SEALANE_WITNESS_KEY_FILE: path("witness.key"),
      SEALANE_WITNESS_STATE_FILE: path("witness.state"),
      SEALANE_STATE_FILE: path("desk.state"),
      SEALANE_POLICY_FILE: path("trust.policy"),
      SEALANE_API_TOKEN_FILE: path("api.token"),
    },
  });
};

const post = async (what: "withdraw" | "resume", body: object): Promise<number> => {
  const response = await fetch(`${url}/v1/rates/${what}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    signal: AbortSignal.timeout(10_000),
  });
  return response.status;
};

const eventually = <T>(look: () => T): Promise<T> => vi.waitFor(look, { timeout: 20_000 });

const sheetsOf = (pair: string): RateSheet[] =>
  sent.flatMap(({ kind, body }) =>
    kind === "rate-sheet" && `${body.pair.from}/${body.pair.to}` === pair ? [body] : [],
  );

/** The numbers of a pair's sheets, when there are as many. */
const numbers = (pair: string, count: number): Promise<number[]> =>
  eventually(() => {
    const found = sheetsOf(pair).map(({ number }) => number);
    expect(found).toHaveLength(count);
    return found;
  });

beforeAll(async () => {
  keyFile("rates.key", testKeys.fx);
  keyFile("witness.key", witnessKeys[2] as TestKey);
  writeFileSync(path("trust.policy"), policyText);
  writeFileSync(path("api.token"), `${token}\n`, { mode: 0o600 });
  const specs = [laneTopic(lane), inboxTopic(fx)].map(
    (topic) => ({ topic, partitions: 1, replication: 1 }) as const,
  );
  await messaging.admin().ensureTopics(specs);
  consumer = messaging.consumer({
    topic: laneTopic(lane),
    groupId: `fx-desk-test-${lane}`,
    fromOffset: () => Promise.resolve(0n),
    onBatch: async (records) => void sent.push(...records.map(({ value }) => read(value))),
  });
  await startDesk();
});

afterAll(async () => {
  await desk.stop(5_000);
  await consumer.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe("a desk on a real broker", () => {
  it("publishes a signed sheet for each pair, with numbers of its own", async () => {
    const [first] = await numbers(pairs[0], 1);
    const [second] = await numbers(pairs[1], 1);
    expect(first).not.toBe(second);
    expect(sheetsOf(pairs[0])[0]).toMatchObject({
      provider: fx,
      reference: { source: "European Central Bank", feed: "replay" },
    });
  });

  it("withdraws a sheet by a signed statement that names it", async () => {
    const [number] = await numbers(pairs[0], 1);
    expect(await post("withdraw", { pair: pairs[0], reason: "feed-wrong" })).toBe(202);
    const withdrawal = await eventually(() => {
      const found = sent.find(({ kind }) => kind === "rate-withdrawal");
      expect(found).toBeDefined();
      return found;
    });
    expect(withdrawal?.body).toMatchObject({ provider: fx, number, reason: "feed-wrong" });
  });

  it("goes on after kill -9 with higher numbers, and keeps a withdrawn pair withdrawn", async () => {
    desk.kill("SIGKILL");
    await desk.exited;
    await startDesk();
    const [before, after] = await numbers(pairs[1], 2);
    expect(after).toBeGreaterThan(Math.max(before ?? 0, ...(await numbers(pairs[0], 1))));

    expect(await post("resume", { pair: pairs[0] })).toBe(202);
    const [withdrawn, resumed] = await numbers(pairs[0], 2);
    expect(resumed).toBeGreaterThan(Math.max(withdrawn ?? 0, after ?? 0));
  });

  it("has sent nothing but what the lane's rules record, in this order", () => {
    const world = makeWorld();
    const keys = world.keys();
    for (const { kind, body, note } of sent) {
      const sheet = sheetsOf(`${body.pair.from}/${body.pair.to}`).find(
        ({ number }) => number === body.number,
      ) as RateSheet;
      const said =
        kind === "rate-sheet"
          ? { ...say.rateSheet(keys, body), note }
          : { ...say.rateWithdrawal(keys, sheet, { reason: body.reason }), note };
      const { outcome } = world.run([said], { atMs: Date.now() });
      expect(outcome.deadLetters).toEqual([]);
      expect(outcome.entries).toMatchObject([{ outcome: "recorded", inner: note }]);
    }
    expect(sent.map(({ kind }) => kind)).toContain("rate-withdrawal");
  });
});
