// Rubbish on the topics, and statements that are well formed and must not count: each is dead-lettered
// or refused with its reason, and a good transfer right behind it goes through.
import { hash, randomUUID } from "node:crypto";
import { createMessaging, type Producer } from "@sealane/messaging";
import {
  deadLetterTopic,
  inboxTopic,
  laneTopic,
  statementText,
  transferIdOf,
  type DeadLetter,
  type Terms,
} from "@sealane/protocol";
import { readKeyFile } from "@sealane/signer";
import { composeNote, parseNote, signNoteLine } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const origin = "sealane.example/2026/0";
let system: WholeSystem;
let producer: Producer;
const letters: DeadLetter[] = [];
let stopReading: () => Promise<void>;

beforeAll(async () => {
  system = await startWholeSystem();
  const messaging = createMessaging({ brokers: [system.stack.brokers], clientId: "poisoner" });
  producer = messaging.producer();
  const readers = ["ledger", "hk-wallet.example", "ph-wallet.example"].map((service) =>
    messaging.consumer({
      topic: deadLetterTopic(service),
      groupId: `test-${service}`,
      fromOffset: () => Promise.resolve(0n),
      onBatch: (records) => {
        for (const { value } of records) {
          letters.push(JSON.parse(Buffer.from(value ?? []).toString()) as DeadLetter);
        }
        return Promise.resolve();
      },
    }),
  );
  stopReading = async () => {
    await Promise.all(readers.map((reader) => reader.stop()));
  };
});
afterAll(async () => {
  await stopReading();
  await producer.stop();
  await system.stop();
});

const goodTransfer = async (): Promise<void> => {
  const request = {
    payer: { account: "+85290000001" },
    payee: { participant: "ph-wallet.example", account: "+639170000001" },
    amount: { currency: "HKD", amount: "100.00" },
  };
  const sent = await system.hk.send(request, { idempotencyKey: randomUUID(), waitSeconds: 20 });
  expect(sent.status).toBe("sealed");
};

/** Sends one value and waits for the dead letter of exactly that value. */
const deadLetterOf = async (topic: string, value: string | Uint8Array): Promise<DeadLetter> => {
  const digest = hash("sha256", value, "base64");
  await producer.send([{ topic, value }]);
  return eventually(`a dead letter from ${topic}`, () =>
    Promise.resolve(letters.find((letter) => letter.hash === digest && letter.topic === topic)),
  );
};

const frame = (kind: string, note: string): string => JSON.stringify({ v: 1, kind, note });

/** Terms that were accepted once, to be changed: taken from a real receipt. */
const realTerms = async (): Promise<Terms> => {
  const request = {
    payer: { account: "+85290000001" },
    payee: { participant: "ph-wallet.example", account: "+639170000001" },
    amount: { currency: "HKD", amount: "50.00" },
  };
  const sent = await system.hk.send(request, { idempotencyKey: randomUUID(), waitSeconds: 20 });
  const receipt = await system.hk.receipt(sent.transferId);
  const entry = Buffer.from(/^extra (\S+)$/m.exec(receipt)?.[1] ?? "", "base64").toString();
  const inner = parseNote(entry).text.split("\n").slice(2).join("\n");
  return JSON.parse(inner.split("\n")[1] ?? "") as Terms;
};

const sign = (text: string, ...keys: string[][]): string =>
  composeNote(
    text,
    keys.map((path) => {
      const { name, seed } = readKeyFile(system.stack.home.keys(...path));
      return signNoteLine(name, seed, text);
    }),
  );

describe("rubbish on the lane", () => {
  const rubbish: [string, string | Uint8Array, RegExp][] = [
    ["no JSON", "hello", /^json-malformed$/],
    ["bytes that are not UTF-8", Uint8Array.of(0xff, 0xfe, 0x80), /^command-not-utf8$/],
    ["another version", JSON.stringify({ v: 2, kind: "intent", note: "x" }), /^command-schema$/],
    ["an unknown kind", JSON.stringify({ v: 1, kind: "theft", note: "x" }), /^command-schema$/],
    ["a key twice", '{"v":1,"v":1,"kind":"intent","note":"x"}', /^json-duplicate-key$/],
    ["deep nesting", "[".repeat(20_000), /^json-too-deep$/],
    [
      "a megabyte",
      JSON.stringify({ v: 1, kind: "intent", note: "x".repeat(800_000) }),
      /^command-too-large$/,
    ],
    [
      "a note that is none",
      JSON.stringify({ v: 1, kind: "intent", note: "x" }),
      /^statement-malformed$/,
    ],
    ["an empty value", "", /^(?:json-malformed|command-empty)$/],
  ];
  it.each(rubbish)("dead-letters %s and goes on", async (_name, value, code) => {
    const letter = await deadLetterOf(laneTopic(0), value);
    expect(letter.code).toMatch(code);
    expect(JSON.stringify(letter)).not.toContain("xxxxxxxx");
    await goodTransfer();
  });
});

describe("rubbish in an inbox", () => {
  it.each(["hello", '{"v":1,"type":"batch"}', "{}"])(
    "dead-letters %j and goes on",
    async (value) => {
      await deadLetterOf(inboxTopic("ph-wallet.example"), value);
      await deadLetterOf(inboxTopic("hk-wallet.example"), `${value} `);
      await goodTransfer();
    },
  );
});

describe("signatures that do not count", () => {
  const fresh = async (): Promise<Terms> => {
    const id = transferIdOf("hk-wallet.example", randomUUID());
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    return { ...(await realTerms()), id, quote: id, expiresAt };
  };
  const text = (terms: Terms, log = origin): string => statementText(log, "transfer", terms);

  it("refuses terms without the payer's signature", async () => {
    const note = sign(text(await fresh()), ["ph-wallet", "transfer.key"]);
    expect((await deadLetterOf(laneTopic(0), frame("intent", note))).code).toBe(
      "signature-missing",
    );
  });

  it("refuses terms that were changed after they were signed", async () => {
    const terms = await fresh();
    const note = sign(text(terms), ["hk-wallet", "transfer.key"]);
    const changed = note.replace(terms.send.amount, "9999.00");
    expect((await deadLetterOf(laneTopic(0), frame("intent", changed))).code).toBe(
      "signature-wrong",
    );
  });

  it("refuses a key that the key log does not know", async () => {
    const note = sign(text(await fresh()), ["alice", "operator.key"]);
    expect((await deadLetterOf(laneTopic(0), frame("intent", note))).code).toBe("key-unknown");
  });

  it("refuses a key for another purpose, and says so to its owner", async () => {
    const terms = await fresh();
    const payer = { ...terms.payer, participant: "fx-desk.example" };
    const note = sign(text({ ...terms, payer }), ["fx-desk", "rates.key"]);
    expect((await deadLetterOf(laneTopic(0), frame("intent", note))).code).toBe("key-purpose");
  });

  it("refuses terms that were signed for another log with a signed refusal", async () => {
    const terms = await fresh();
    const note = sign(text(terms, "sealane.example/2025/0"), ["hk-wallet", "transfer.key"]);
    await producer.send([{ topic: laneTopic(0), value: frame("intent", note) }]);
    const seen = await eventually("the payer is told", async () => {
      const transfer = await system.hk.get(terms.id);
      return transfer.code === undefined ? undefined : transfer;
    });
    expect(seen).toMatchObject({ code: "wrong-log", reason: "DS17" });
  });

  it("refuses an advance that one operator signed", async () => {
    const advance = {
      id: transferIdOf("sealane.example", randomUUID()),
      participant: "hk-wallet.example",
      currency: "HKD",
      amount: "1.00",
      note: "alone",
    };
    const note = sign(statementText(origin, "advance", advance), ["alice", "operator.key"]);
    expect((await deadLetterOf(laneTopic(0), frame("advance", note))).code).toBe(
      "signature-missing",
    );
    await goodTransfer();
  });
});
