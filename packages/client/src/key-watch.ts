// The key log as a service has checked it: fetched from the ledger, verified against the pinned policy,
// and never taken back. A log that shrinks or changes its past is refused.
import { setTimeout as sleep } from "node:timers/promises";
import { keysInForce, type KeyHistory, type KeyPurpose, type KeyState } from "@sealane/rules";
import type { TlogPolicy } from "@sealane/tlog";
import { LogReadError, readKeyLog, type LogReader } from "./log-reader.ts";

export type KeyWatch = {
  readonly history: () => KeyHistory | undefined;
  /** The newest state; throws before the first one was read. */
  readonly state: () => KeyState;
  /** Reads again when an entry cites a state that is not known yet. */
  readonly reach: (size: number) => Promise<void>;
  /** Reads until it succeeds, then once per `everyMs`, until stopped. */
  readonly run: (everyMs: number) => Promise<void>;
  readonly stop: () => void;
};

type Log = { warn(fields: object, message: string): void };

/** A checkpoint without its signatures: origin, size and root. */
const treeHeadOf = (note: string): string => note.slice(0, note.indexOf("\n\n"));

/** Ends early, without an error, when the watch is stopped. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/** @param reader of the key log, e.g. `makeLogReader("http://127.0.0.1:8083/log/keys")` */
export const watchKeyLog = (reader: LogReader, policy: TlogPolicy, log: Log): KeyWatch => {
  const stopping = new AbortController();
  let history: KeyHistory | undefined;

  let checkpoint = "";
  // A ledger that is down is asked ten times a second, and complained of once.
  let failing = false;

  const refresh = async (): Promise<void> => {
    // The same tree head says the same log: nothing to fetch and nothing to judge again.
    const newest = treeHeadOf(await reader.checkpoint());
    if (history !== undefined && newest === checkpoint) return;
    const read = await readKeyLog(reader, policy);
    if (!read.ok) throw new Error(`the key log is refused: ${read.code} ${read.detail}`);
    const next = read.history;
    if (history !== undefined) {
      if (next.size < history.size) return; // an older copy: keep what we have
      if (next.roots[history.size] !== history.roots[history.size]) {
        throw new Error("the key log changed its past: evidence against the operator");
      }
    }
    history = next;
    checkpoint = newest;
  };

  const attempt = async (): Promise<boolean> => {
    try {
      await refresh();
      failing = false;
      return true;
    } catch (error) {
      const waiting = error instanceof LogReadError && (history === undefined || failing);
      failing = error instanceof LogReadError;
      if (!waiting) log.warn({ err: error }, "the key log could not be read");
      return false;
    }
  };

  return {
    history: () => history,
    state: () => {
      const state = history?.states.at(-1);
      if (state === undefined) throw new Error("the key log has not been read yet");
      return state;
    },
    reach: async (size) => {
      for (let tries = 0; (history?.size ?? 0) < size && tries < 40; tries += 1) {
        if (!(await attempt()) || (history?.size ?? 0) < size) await pause(50, stopping.signal);
        if (stopping.signal.aborted) return;
      }
    },
    run: async (everyMs) => {
      while (!stopping.signal.aborted) {
        const ok = await attempt();
        await pause(ok ? everyMs : 100, stopping.signal);
      }
    },
    stop: () => stopping.abort(),
  };
};

/**
 * Verifier keys of a participant that are in force, newest first; undefined before the log was read.
 * The same array while the log has not grown: what `keyFamily` of signer asks for.
 */
export const inForceOf = (
  watch: Pick<KeyWatch, "history">,
  participant: string,
  purpose: KeyPurpose,
): (() => readonly string[] | undefined) => {
  let judged: KeyState | undefined;
  let vkeys: readonly string[] | undefined;
  return () => {
    const state = watch.history()?.states.at(-1);
    if (state === judged) return vkeys;
    judged = state;
    const keys = state === undefined ? undefined : keysInForce(state, participant, purpose);
    vkeys = keys?.map(({ vkey }) => vkey);
    return vkeys;
  };
};
