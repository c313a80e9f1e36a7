// The adapter's inbox topic: one message after the other, its offset kept with what it led to. What
// cannot be used is dead-lettered, without its body, and blocks nothing.
import type { Consumer, Messaging, Producer } from "@sealane/messaging";
import { deadLetterTopic, formatTime, inboxTopic, type DeadLetter } from "@sealane/protocol";
import { pause } from "@sealane/runtime";
import { sha256, toBase64 } from "@sealane/tlog";
import type { InboxHandler } from "./inbox-handler.ts";
import type { Persister } from "./persister.ts";
import type { InboxPosition } from "./view-store.ts";

const mostUnwritten = 5_000;

export const readInbox = (deps: {
  readonly participant: string;
  readonly messaging: Messaging;
  readonly producer: Producer;
  readonly inbox: InboxHandler;
  readonly position: InboxPosition;
  readonly persister: Persister;
  readonly clock: () => number;
  readonly onDeadLetter: (code: string) => void;
  readonly log: { warn(fields: object, message: string): void };
}): Consumer => {
  const { participant, inbox, position, persister, log } = deps;

  const deadLetter = (offset: bigint, value: Uint8Array | null, code: string, detail: string) => {
    deps.onDeadLetter(code);
    const letter: DeadLetter = {
      v: 1,
      topic: inboxTopic(participant),
      offset: String(offset),
      size: value?.length ?? 0,
      hash: toBase64(sha256(value ?? new Uint8Array())),
      code,
      detail: detail.slice(0, 300),
      time: formatTime(deps.clock()),
    };
    deps.producer
      .send([{ topic: deadLetterTopic(participant), value: JSON.stringify(letter) }])
      .catch((err: unknown) => log.warn({ err }, "a dead letter was not published"));
  };

  return deps.messaging.consumer({
    topic: inboxTopic(participant),
    groupId: `adapter-${participant}`,
    fromOffset: () => Promise.resolve(position.nextOffset),
    onBatch: async (records) => {
      for (const { offset, value } of records) {
        if (offset < position.nextOffset) continue;
        const handled = await inbox.handle(value);
        if (!handled.ok) deadLetter(offset, value, handled.code, handled.detail);
        position.nextOffset = offset + 1n;
        persister.position(position);
      }
      // Reading faster than Postgres writes would only fill the memory.
      while (persister.pending() > mostUnwritten) await pause(5);
    },
    onError: (err) => log.warn({ err }, "reading the inbox failed, beginning again"),
  });
};
