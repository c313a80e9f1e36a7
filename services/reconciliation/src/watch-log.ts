// The topic may fall silent while the log goes on (`decisions.md`, Kafka): then its own checkpoint
// says what is missing, and it is fetched over HTTP.
import { LogReadError } from "@sealane/client";
import { pause } from "@sealane/runtime";
import type { Bookkeeper } from "./bookkeeper.ts";

export type LogWatchDeps = {
  readonly bookkeeper: Pick<Bookkeeper, "catchUp" | "fault">;
  readonly silenceMs: number;
  /** When a message last came, ms. */
  readonly heardAtMs: () => number;
  readonly clock: () => number;
  readonly log: { warn(fields: object, message: string): void };
};

/** Runs until the signal aborts, or the books have ended. */
export const watchLog = async (deps: LogWatchDeps, signal: AbortSignal): Promise<void> => {
  const { bookkeeper, silenceMs, log } = deps;
  while (!signal.aborted && bookkeeper.fault() === undefined) {
    await pause(silenceMs / 2, signal);
    if (signal.aborted || deps.clock() - deps.heardAtMs() < silenceMs) continue;
    try {
      await bookkeeper.catchUp();
    } catch (err) {
      // An empty log has no checkpoint, and a ledger that is down answers later.
      if (err instanceof LogReadError) continue;
      log.warn({ err }, "the log could not be compared");
    }
  }
};
