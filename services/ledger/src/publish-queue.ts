// What is stored goes out, in order, tried again until it is out. Pieces that come while a request is on
// its way go together in the next; a piece that nobody waits for may be held a moment, so that it goes
// with the next that somebody does. A piece can be published twice and never lost: it is read back from
// the tables when this process dies with it.
import { pause } from "@sealane/runtime";
import type { Outgoing } from "./publisher.ts";

export type Piece = {
  readonly messages: () => Promise<readonly Outgoing[]>;
  readonly onDone: () => void;
  /** How long it may wait for company; at once when left out. */
  readonly holdMs?: number;
};

export type PublishQueue = {
  add(piece: Piece): void;
  /** Drops what waits, and waits for the request that is on its way. */
  reset(): Promise<void>;
  stop(): Promise<void>;
};

const mostPieces = 64;

export const makePublishQueue = (
  publish: (messages: readonly Outgoing[]) => Promise<void>,
  onFailure: (error: unknown, attempt: number) => void,
): PublishQueue => {
  let waiting: Piece[] = [];
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let current = new AbortController();

  const send = async (pieces: readonly Piece[], signal: AbortSignal): Promise<void> => {
    for (let tries = 0; !signal.aborted; tries += 1) {
      try {
        const built: Outgoing[] = [];
        for (const { messages } of pieces) built.push(...(await messages()));
        if (built.length > 0) await publish(built);
        for (const { onDone } of pieces) onDone();
        return;
      } catch (error) {
        onFailure(error, tries);
        await pause(Math.min(100 * 2 ** tries, 2_000), signal);
      }
    }
  };

  const drain = async (signal: AbortSignal): Promise<void> => {
    while (waiting.length > 0 && !signal.aborted) {
      const pieces = waiting.splice(0, mostPieces);
      await send(pieces, signal);
    }
  };

  const go = (): void => {
    clearTimeout(timer);
    timer = undefined;
    // What is added after `stop` is told again from the tables by the next start.
    if (running !== undefined || waiting.length === 0 || current.signal.aborted) return;
    const drained = drain(current.signal).finally(() => {
      running = undefined;
      // What came while the last request ended.
      if (waiting.length > 0 && timer === undefined) go();
    });
    running = drained;
  };

  return {
    add: (piece) => {
      waiting.push(piece);
      if (piece.holdMs === undefined) go();
      else timer ??= setTimeout(go, piece.holdMs);
    },
    reset: async () => {
      current.abort();
      clearTimeout(timer);
      timer = undefined;
      waiting = [];
      await running;
      waiting = [];
      current = new AbortController();
    },
    stop: async () => {
      go();
      await Promise.race([running, pause(1_000)]);
      current.abort();
      await running;
    },
  };
};
