// What the lane's entries topic still holds: the newest entries, which no export has yet, and checkpoints
// on the way. Read from its beginning to where it ended when reading began.
import type { Messaging } from "@sealane/messaging";
import { entriesMessageSchema, entriesTopic } from "@sealane/protocol";
import { utf8 } from "@sealane/tlog";

export type TopicEntries = {
  /** By place in the log, those from the asked one on. */
  readonly held: ReadonlyMap<number, Uint8Array>;
  readonly sealed: readonly string[];
};

const decoder = new TextDecoder("utf-8", { fatal: true });

/** @param from entries below this place are not kept */
export const readEntriesTopic = async (
  messaging: Messaging,
  lane: number,
  from: number,
): Promise<TopicEntries> => {
  const topic = entriesTopic(lane);
  const { low, high } = await messaging.admin().topicOffsets(topic);
  const held = new Map<number, Uint8Array>();
  let newest: string | undefined;
  const take = (value: Uint8Array | null): void => {
    if (value === null) return;
    const { entries, checkpoint } = entriesMessageSchema.parse(JSON.parse(decoder.decode(value)));
    newest = checkpoint ?? newest;
    for (const { seq, note } of entries) if (seq >= from) held.set(seq, utf8(note));
  };
  if (low < high) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const consumer = messaging.consumer({
      topic,
      groupId: `ledger-recover-${lane}`,
      fromOffset: () => Promise.resolve(low),
      onBatch: (records) => {
        for (const { value } of records) take(value);
        if ((records.at(-1)?.offset ?? 0n) + 1n >= high) resolve();
        return Promise.resolve();
      },
      onError: reject,
    });
    try {
      await promise;
    } finally {
      await consumer.stop();
    }
  }
  return { held, sealed: newest === undefined ? [] : [newest] };
};
