// What a lane, and everybody who audits it, remembers of returns: how much of each original came back,
// and the recalls that wait for an answer. Both for as long as something can still be returned, and
// nothing of a transfer that nobody has asked back: the memory is as large as 30 days of returns.
import type { SettlementState } from "../settlement/state.ts";

/** As long as ids are remembered (`decisions.md`, Transfers): later nothing is returned or recalled. */
export const returnPeriodMs = 30 * 24 * 3_600_000;

/** The sender's right to cancel, while it is not paid out (12 CFR 1005.34). */
export const cancelPeriodMs = 30 * 60_000;

export type Returned = {
  /** Of the received currency, all returns together. */
  readonly minor: bigint;
  readonly keepUntilMs: number;
};

/** One of an original at a time; a cancellation takes the place of a recall. */
export type OpenRecall = {
  readonly id: string;
  readonly payee: string;
  /** The original's number in the payee's own chain. */
  readonly payeeN: number;
  readonly cancel: boolean;
  readonly keepUntilMs: number;
};

/** Both by the original's id; part of the state that is stored as rows. */
export type ReturnsState = Pick<SettlementState, "returned" | "recalls" | "dirty">;

/** Oldest first, so that what is over is at the front. */
const prune = <T extends { readonly keepUntilMs: number }>(
  map: Map<string, T>,
  row: string,
  { dirty }: ReturnsState,
  timeMs: number,
): void => {
  for (const [id, { keepUntilMs }] of map) {
    if (keepUntilMs >= timeMs) return;
    map.delete(id);
    dirty.add(`${row} ${id}`);
  }
};

/** Forgets what can no longer matter: cheap, and only when there is a return or a recall. */
const forgetOld = (state: ReturnsState, timeMs: number): void => {
  prune(state.returned, "returned", state, timeMs);
  prune(state.recalls, "recall", state, timeMs);
};

/** The recall of this original has its answer. */
export const closeRecall = ({ recalls, dirty }: ReturnsState, original: string): void => {
  recalls.delete(original);
  dirty.add(`recall ${original}`);
};

/** A return stands: counts it, and closes what it answers. */
export const takeReturn = (
  state: ReturnsState,
  original: string,
  taken: {
    readonly minor: bigint;
    /** It answers the open recall, or nothing is left that could. */
    readonly answers: boolean;
    readonly timeMs: number;
  },
): void => {
  const { timeMs, answers, minor } = taken;
  forgetOld(state, timeMs);
  const known = state.returned.get(original);
  state.returned.set(original, {
    minor: (known?.minor ?? 0n) + minor,
    keepUntilMs: known?.keepUntilMs ?? timeMs + returnPeriodMs,
  });
  state.dirty.add(`returned ${original}`);
  if (answers && state.recalls.has(original)) closeRecall(state, original);
};

export const takeRecall = (
  state: ReturnsState,
  original: string,
  recall: Omit<OpenRecall, "keepUntilMs">,
  timeMs: number,
): void => {
  forgetOld(state, timeMs);
  state.recalls.delete(original);
  state.recalls.set(original, { ...recall, keepUntilMs: timeMs + returnPeriodMs });
  state.dirty.add(`recall ${original}`);
};
