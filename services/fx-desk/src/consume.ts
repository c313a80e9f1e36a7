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
  /** Each lane's own: what it must not forget, and who takes its messages. */
  readonly lanes: readonly {
    readonly file: StateFile;
    readonly inbox: ReturnType<typeof makeInbox>;
  }[];
  readonly clock: () => number;
  readonly onRefused: (code: string) => void;
  readonly onAlarm: (detail: string) => void;
  readonly log: { warn(fields: object, message: string): void };
};

/** Starts to read at once. */
export const consumeInbox = (deps: Deps): Consumer => {
  const { participant, producer, lanes, clock, log } = deps;
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

  /** Undefined: from the beginning, for a lane that is new here. */
  const next = (): bigint | undefined => {
    const offsets = lanes.map(({ file }) => file.state.inbox.offset);
    if (offsets.includes(undefined)) return undefined;
    return offsets.map((offset) => BigInt(offset ?? 0)).reduce((a, b) => (a < b ? a : b));
  };

  const handle = async (offset: bigint, value: Uint8Array | null): Promise<void> => {
    for (const { file, inbox } of lanes) {
      if (offset < BigInt(file.state.inbox.offset ?? 0)) continue;
      const handled = await inbox.handle(value);
      if (handled.ok) continue;
      // What cannot be read cannot be read by any of them.
      deadLetter(offset, value, handled.code, handled.detail);
      return;
    }
  };

  const take = async (offset: bigint, value: Uint8Array | null): Promise<void> => {
    try {
      await handle(offset, value);
    } catch (error) {
      if (error instanceof LedgerFault) deps.onAlarm(error.message);
      throw error;
    }
    for (const { file } of lanes) {
      if (offset < BigInt(file.state.inbox.offset ?? 0)) continue;
      file.state.inbox.offset = String(offset + 1n);
      file.saveSoon();
    }
  };

  return deps.messaging.consumer({
    topic,
    groupId: `fx-desk-${participant}`,
    fromOffset: () => Promise.resolve(next()),
    onBatch: async (records) => {
      for (const { offset, value } of records) await take(offset, value);
      // Nobody waits for it: a moment's messages together cost little more than one.
      await pause(lingerMs);
    },
    onError: (err) => {
      // Older than the topic's retention: from its beginning, and the gap from the ledger.
      if (err.code === "offset-lost") for (const { file } of lanes) delete file.state.inbox.offset;
      log.warn({ err }, "reading the inbox failed, beginning again");
    },
  });
};
