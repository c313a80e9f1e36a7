// One attempt to bring a group of sends to the broker with one request, over a link that is kept while
// it works and thrown away when it does not. What an attempt means for each send is noted in the send.
import type { Link } from "./link.ts";
import { isCertainlyNotStored } from "./produce-faults.ts";
import { toBatches, type Send } from "./sends.ts";

export type ProduceAttempts = {
  /** Settles what is stored, and answers with those that it did not bring through. Never throws. */
  attempt(group: readonly Send[]): Promise<Send[]>;
  /** Is its request on its way at this moment? Then nobody knows yet whether it will be stored. */
  isOnTheWire(send: Send): boolean;
  /** Connects and looks the topics up. */
  locate(topics: readonly string[]): Promise<void>;
  /** Closes the link; a request in flight fails at once. */
  drop(): void;
};

export function produceAttempts(openLink: () => Link): ProduceAttempts {
  let link: Link | undefined;
  let onTheWire: readonly Send[] = [];

  const drop = (): void => {
    link?.close();
    link = undefined;
  };

  const request = async (group: readonly Send[]): Promise<Map<string, unknown>> => {
    link ??= openLink();
    const batches = toBatches(group);
    await link.locate([...batches.keys()]);
    onTheWire = group;
    return link.produce(batches);
  };

  return {
    attempt: async (group) => {
      if (group.length === 0) return [];
      try {
        const faults = await request(group);
        const failed = group.filter((send) => !settleIfStored(send, faults));
        if (failed.length > 0) drop();
        return failed;
      } catch (error) {
        const began = onTheWire === group;
        group.forEach((send) => note(send, error, began));
        drop();
        return group.filter((send) => !send.settled);
      } finally {
        onTheWire = [];
      }
    },
    isOnTheWire: (send) => onTheWire.includes(send),
    locate: async (topics) => {
      link ??= openLink();
      await link.locate(topics);
    },
    drop,
  };
}

/** True when the send is settled: all its topics took it, or its deadline passed meanwhile. */
function settleIfStored(send: Send, faults: ReadonlyMap<string, unknown>): boolean {
  const topics = [...new Set(send.records.map(({ topic }) => topic))];
  const failed = topics.filter((topic) => faults.has(topic));
  if (failed.length === 0) send.settle();
  else {
    const unclear = failed.some((topic) => !isCertainlyNotStored(faults.get(topic)));
    const partly = failed.length < topics.length;
    note(send, faults.get(failed[0] ?? ""), unclear || partly);
  }
  return send.settled;
}

function note(send: Send, fault: unknown, maybeStored: boolean): void {
  send.lastFault = fault;
  send.maybeStored ||= maybeStored;
}
