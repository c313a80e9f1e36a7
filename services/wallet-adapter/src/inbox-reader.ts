// The adapter's inbox topic: one message after the other, its offset kept with what it led to. What
// cannot be used is dead-lettered, without its body, and blocks nothing.
import type { Consumer, Messaging, Producer } from "@sealane/messaging";
import { deadLetterTopic, formatTime, inboxTopic, type DeadLetter } from "@sealane/protocol";
import { pause } from "@sealane/runtime";
import { sha256, toBase64 } from "@sealane/tlog";
import { parseMessage, type InboxHandler } from "./inbox-handler.ts";
import type { Persister } from "./persister.ts";
import type { InboxPosition } from "./view-store.ts";

const mostUnwritten = 5_000;

const smaller = (one: bigint, other: bigint): bigint => (one < other ? one : other);

export type LaneInbox = InboxHandler & { readonly position: InboxPosition };

type Refused = { readonly code: string; readonly detail: string };

export const readInbox = (deps: {
  readonly participant: string;
  readonly messaging: Messaging;
  readonly producer: Producer;
  /** Each lane's own, with how far it has been read. */
  readonly inboxes: readonly LaneInbox[];
  readonly persister: Persister;
  readonly clock: () => number;
  readonly onDeadLetter: (code: string) => void;
  readonly log: { warn(fields: object, message: string): void };
}): Consumer => {
  const { participant, inboxes, persister, log } = deps;
  const byLane = new Map(inboxes.map((inbox) => [inbox.position.lane, inbox]));
  const positions = inboxes.map(({ position }) => position);

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

  /** In order, so every lane has what concerned it: quiet ones go on too. */
  const readTo = (next: bigint): void => {
    for (const position of positions) {
      if (next <= position.nextOffset) continue;
      position.nextOffset = next;
      persister.position(position);
    }
  };
  const readByAll = (): bigint => positions.map(({ nextOffset }) => nextOffset).reduce(smaller);

  /** @returns why it cannot be used, if so. @throws to be given the same record again */
  const take = async (offset: bigint, value: Uint8Array | null): Promise<Refused | undefined> => {
    const parsed = parseMessage(value);
    if (!parsed.ok) return parsed;
    const { message } = parsed;
    if (message.to !== participant) {
      return { code: "not-ours", detail: `it is for ${message.to}` };
    }
    const inbox = byLane.get(message.lane);
    if (inbox === undefined) {
      return { code: "lane-unknown", detail: `lane ${message.lane} is not served here` };
    }
    if (offset >= inbox.position.nextOffset) await inbox.handle(message);
    return undefined;
  };

  return deps.messaging.consumer({
    topic: inboxTopic(participant),
    groupId: `adapter-${participant}`,
    fromOffset: () => Promise.resolve(readByAll()),
    onBatch: async (records) => {
      for (const { offset, value } of records) {
        if (offset < readByAll()) continue;
        const refused = await take(offset, value);
        if (refused !== undefined) deadLetter(offset, value, refused.code, refused.detail);
        readTo(offset + 1n);
      }
      // Reading faster than Postgres writes would only fill the memory.
      while (persister.pending() > mostUnwritten) await pause(5);
    },
    onError: (err) => log.warn({ err }, "reading the inbox failed, beginning again"),
  });
};
