// Reads the inbox topic at the desk's own position. What cannot be read is dead-lettered; what must not
// have been written raises the alarm, and is shown again and again: the position stays before it.
import type { Consumer, Messaging, Producer } from "@sealane/messaging";
import { deadLetterTopic, formatTime, inboxTopic, type DeadLetter } from "@sealane/protocol";
import { pause } from "@sealane/runtime";
import { sha256, toBase64 } from "@sealane/tlog";
import type { makeInbox } from "./inbox.ts";
import { LedgerFault } from "./own-chain.ts";
import type { StateFile } from "./state-file.ts";

const lingerMs = 100;

type Deps = {
  readonly participant: string;
  readonly messaging: Messaging;
  readonly producer: Producer;
  readonly file: StateFile;
  readonly inbox: ReturnType<typeof makeInbox>;
  readonly clock: () => number;
  readonly onRefused: (code: string) => void;
  readonly onAlarm: (detail: string) => void;
  readonly log: { warn(fields: object, message: string): void };
};

/** Starts to read at once. */
export const consumeInbox = (deps: Deps): Consumer => {
  const { participant, producer, file, clock, log } = deps;
  const position = file.state.inbox;
  const topic = inboxTopic(participant);

  const deadLetter = (
    offset: bigint,
    value: Uint8Array | null,
    code: string,
    detail: string,
  ): void => {
    deps.onRefused(code);
    const letter: DeadLetter = {
      v: 1,
      topic,
      offset: String(offset),
      size: value?.length ?? 0,
      hash: toBase64(sha256(value ?? new Uint8Array())),
      code,
      detail: detail.slice(0, 300),
      time: formatTime(clock()),
    };
    producer
      .send([{ topic: deadLetterTopic(participant), value: JSON.stringify(letter) }])
      .catch((err: unknown) => log.warn({ err }, "a dead letter was not published"));
  };

  const take = async (offset: bigint, value: Uint8Array | null): Promise<void> => {
    try {
      const handled = await deps.inbox.handle(value);
      if (!handled.ok) deadLetter(offset, value, handled.code, handled.detail);
    } catch (error) {
      if (error instanceof LedgerFault) deps.onAlarm(error.message);
      throw error;
    }
    position.offset = String(offset + 1n);
    file.saveSoon();
  };

  return deps.messaging.consumer({
    topic,
    groupId: `fx-desk-${participant}`,
    fromOffset: () =>
      Promise.resolve(position.offset === undefined ? undefined : BigInt(position.offset)),
    onBatch: async (records) => {
      for (const { offset, value } of records) await take(offset, value);
      // Nobody waits for it: a moment's messages together cost little more than one.
      await pause(lingerMs);
    },
    onError: (err) => {
      // Older than the topic's retention: from its beginning, and the gap from the ledger.
      if (err.code === "offset-lost") delete position.offset;
      log.warn({ err }, "reading the inbox failed, beginning again");
    },
  });
};
