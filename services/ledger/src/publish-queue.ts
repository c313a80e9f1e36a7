// What is stored goes out, one piece after the other, tried again until it is out. A piece can be
// published twice and never lost: it is read back from the tables when this process dies with it.
import { pause } from "@sealane/runtime";
import type { Outgoing } from "./publisher.ts";

export type PublishQueue = {
  add(messages: () => Promise<readonly Outgoing[]>, onDone: () => void): void;
  /** Drops what waits, and waits for the piece that is on its way. */
  reset(): Promise<void>;
  stop(): Promise<void>;
};

export const makePublishQueue = (
  publish: (messages: readonly Outgoing[]) => Promise<void>,
  onFailure: (error: unknown, attempt: number) => void,
): PublishQueue => {
  let running: Promise<void> = Promise.resolve();
  let current = new AbortController();

  const attempt = async (
    messages: () => Promise<readonly Outgoing[]>,
    onDone: () => void,
    signal: AbortSignal,
  ): Promise<void> => {
    for (let tries = 0; !signal.aborted; tries += 1) {
      try {
        const built = await messages();
        if (built.length > 0) await publish(built);
        onDone();
        return;
      } catch (error) {
        onFailure(error, tries);
        await pause(Math.min(100 * 2 ** tries, 2_000), signal);
      }
    }
  };

  const reset = async (): Promise<void> => {
    current.abort();
    await running;
    current = new AbortController();
  };

  return {
    add: (messages, onDone) => {
      const { signal } = current;
      running = running.then(() => attempt(messages, onDone, signal));
    },
    reset,
    stop: async () => {
      await Promise.race([running, pause(1_000)]);
      current.abort();
      await running;
    },
  };
};
