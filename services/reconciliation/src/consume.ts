// Reads `entries.<lane>` from the offset that is stored with the books. What cannot be used is
// dead-lettered without its body: what it may have said is in the log, and is fetched from there.
import type { Consumer, Messaging, Producer } from "@sealane/messaging";
import { deadLetterTopic, entriesTopic, formatTime, type DeadLetter } from "@sealane/protocol";
import { pause } from "@sealane/runtime";
import { sha256, toBase64 } from "@sealane/tlog";
import type { Bookkeeper, Incoming } from "./bookkeeper.ts";

const lingerMs = 50;

type Log = { warn(fields: object, message: string): void };

export type DeadLetterDeps = {
  readonly lane: number;
  readonly producer: Producer;
  readonly clock: () => number;
  readonly onLetter: (code: string) => void;
  readonly log: Log;
};

/** At most so many a minute; all of them are counted. */
const mostLetters = 60;

export const makeDeadLetters = ({ lane, producer, clock, onLetter, log }: DeadLetterDeps) => {
  let window = { atMs: 0, sent: 0 };

  return (record: Incoming | undefined, code: string, detail: string): void => {
    onLetter(code);
    const nowMs = clock();
    if (nowMs - window.atMs > 60_000) window = { atMs: nowMs, sent: 0 };
    window.sent += 1;
    if (window.sent > mostLetters) return;
    log.warn({ code, detail, offset: record?.offset.toString() }, "not used");
    if (record === undefined) return;
    const { offset, value } = record;
    const letter: DeadLetter = {
      v: 1,
      topic: entriesTopic(lane),
      offset: String(offset),
      size: value?.length ?? 0,
      hash: toBase64(sha256(value ?? new Uint8Array())),
      code,
      detail: detail.slice(0, 300),
      time: formatTime(nowMs),
    };
    producer
      .send([{ topic: deadLetterTopic("reconciliation"), value: JSON.stringify(letter) }])
      .catch((err: unknown) => log.warn({ err }, "a dead letter was not published"));
  };
};

export type ConsumeDeps = {
  readonly lane: number;
  readonly messaging: Messaging;
  readonly bookkeeper: Bookkeeper;
  /** Undefined when a batch was taken, else why not. */
  readonly onResult: (trouble: string | undefined) => void;
  readonly log: Log;
};

/** Starts to read at once. */
export const consumeEntries = (deps: ConsumeDeps): Consumer => {
  const { lane, bookkeeper, log } = deps;
  let lost = false;
  return deps.messaging.consumer({
    topic: entriesTopic(lane),
    groupId: `reconciliation-${lane}`,
    fromOffset: async () => {
      const next = await bookkeeper.nextOffset(lost);
      deps.onResult(undefined);
      return next;
    },
    onBatch: async (records) => {
      await bookkeeper.take(records);
      // Nobody waits for the books: a moment's entries together cost little more than one.
      await pause(lingerMs);
      lost = false;
      deps.onResult(undefined);
    },
    onError: (err) => {
      // Older than the topic's retention: from its beginning, and the gap from the ledger.
      lost = err.code === "offset-lost";
      deps.onResult(err.message);
      if (bookkeeper.fault() === undefined) {
        log.warn({ err }, "reading the entries failed, beginning again");
      }
    },
  });
};
