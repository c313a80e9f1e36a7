// A lane's topic takes the largest command that there is, a bank's statement of 10,000 long lines, on a real
// Kafka and with the settings that every stack gives it; what comes behind it is read too.
import { randomUUID } from "node:crypto";
import { createMessaging } from "@sealane/messaging";
import {
  bankStatementTexts,
  commandSchema,
  laneTopic,
  mostStatementLines,
  mostStatementParts,
  type BankLine,
} from "@sealane/protocol";
import { afterAll, describe, expect, inject, it, vi } from "vitest";
import { topicSpecs } from "./prepare.ts";

const messaging = createMessaging({
  brokers: inject("kafkaBrokers").split(","),
  clientId: "lane-topic",
});
const producer = messaging.producer();
afterAll(() => producer.stop());

const longLine = (at: number): BankLine => ({
  reference: `${String(at).padStart(8, "0")}-0000-4000-8000-000000000000`,
  account: "A".repeat(34),
  currency: "HKD",
  side: "credit",
  amount: "999999999999999.99",
  status: "rejected",
  reason: "AC04",
});

const largestCommand = (): string => {
  const lines = Array.from({ length: mostStatementParts * mostStatementLines }, (_, at) =>
    longLine(at),
  );
  const digest = `${"A".repeat(43)}=`;
  const texts = bankStatementTexts("sealane.example/2026/0", {
    bank: "bank.example",
    reference: "R".repeat(35),
    digest,
    lines,
  });
  const signature = `\n— bank.example/statements-1 ${"A".repeat(92)}\n`;
  const [note, ...more] = texts.map((text) => `${text}${signature}`);
  return JSON.stringify({ v: 1, kind: "bank-statement", note, more });
};

describe("a lane's topic", () => {
  it("takes a bank's statement of the most and the longest lines", async () => {
    const command = largestCommand();
    expect(command.length).toBeGreaterThan(2_000_000);
    expect(command.length).toBeLessThan(3_584 * 1_024);
    expect(commandSchema.safeParse(JSON.parse(command)).success).toBe(true);
    const spec = topicSpecs(1).find(({ topic }) => topic === laneTopic(0));
    if (spec === undefined) throw new Error("no lane");
    const topic = `lane-topic.${randomUUID()}`;
    await messaging.admin().ensureTopics([{ ...spec, topic }]);
    await producer.send([{ topic, value: command }]);
    await producer.send([{ topic, value: "next" }]);
    const read: number[] = [];
    const consumer = messaging.consumer({
      topic,
      groupId: `group.${topic}`,
      onBatch: (records) => {
        read.push(...records.map(({ value }) => value?.length ?? 0));
        return Promise.resolve();
      },
    });
    await vi.waitFor(() => expect(read).toEqual([Buffer.byteLength(command), 4]), {
      timeout: 30_000,
    });
    await consumer.stop();
  });
});
