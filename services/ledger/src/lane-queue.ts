// Commands between the topic's reader and the lane's writer: in order, each offset once, bounded. It is
// shut while no lane is loaded, so that nothing old can get in front of what is read again.
import type { RawCommand } from "./open-command.ts";

const maxBatch = 1_000;
const maxQueued = 8_000;

export type LaneQueue = ReturnType<typeof makeLaneQueue>;

export const makeLaneQueue = () => {
  const queued: RawCommand[] = [];
  let open = false;
  let nextOffset = 0n;
  let wake: (() => void) | undefined;
  let drained: (() => void)[] = [];

  const stir = (): void => {
    wake?.();
    wake = undefined;
  };

  const letGo = (): void => {
    for (const go of drained) go();
    drained = [];
  };

  return {
    /** From the reader; waits while too many are queued. */
    push: async (records: readonly RawCommand[]): Promise<void> => {
      if (!open) return;
      for (const record of records) {
        if (record.offset < nextOffset) continue;
        queued.push(record);
        nextOffset = record.offset + 1n;
      }
      stir();
      if (queued.length > maxQueued) await new Promise<void>((resolve) => drained.push(resolve));
    },
    /** The next batch. @param alone one command only, to find the one that fails */
    take: (alone = false): RawCommand[] => {
      const taken = queued.splice(0, alone ? 1 : maxBatch);
      if (queued.length <= maxQueued / 2) letGo();
      return taken;
    },
    /** Empties the queue and lets in what begins at `from`. */
    reopen: (from: bigint): void => {
      queued.length = 0;
      nextOffset = from;
      open = true;
      letGo();
    },
    shut: (): void => {
      open = false;
      queued.length = 0;
      letGo();
      stir();
    },
    size: (): number => queued.length,
    stir,
    /** Resolves when something was pushed, or after `ms`. */
    wait: (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
};
