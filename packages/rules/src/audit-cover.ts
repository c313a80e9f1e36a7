// Nobody spends beyond cover and cap (promise 8), as far as a log can show it. A committed transfer
// was reserved within headroom, and everything posted since was pending or reserved within it too; so
// what is posted now is at most what was allowed at the last of those reservations, under a record
// that was in force within the last 300 s. What was only reserved is not in the log, and not proven.
import type { Terms } from "@sealane/protocol";
import type { AuditState } from "./audit-state.ts";
import { maxExpiryMs } from "./intent.ts";
import type { Participant } from "./key-state.ts";
import { standingOf } from "./positions.ts";

/** An entry cites every key-log entry that is older than this by log time. */
export const keyLagMs = 2_000;

/**
 * Who of these was suspended all the time in which the transfer can have been reserved. At its end the
 * payee's suspension counts too, by the keys that the entry cites: `verifyEntry` looks at that.
 */
export const suspendedAllAlong = (
  state: AuditState,
  who: readonly string[],
): string | undefined => {
  const { keysFloor, keysSize, history } = state;
  const states = history.states.slice(keysFloor, keysSize + 1);
  return who.find((one) => states.every(({ participants }) => participants.get(one)?.suspended));
};

/** Records of a participant that may have been in force when an entry's transfer was reserved. */
const recordsInForce = (state: AuditState, participant: string): Participant[] => {
  const records = new Set<Participant>();
  for (let size = state.keysFloor; size <= state.keysSize; size += 1) {
    const record = state.history.states[size]?.participants.get(participant);
    if (record !== undefined) records.add(record);
  }
  return [...records];
};

const overspent = (
  state: AuditState,
  participant: string,
  currency: string,
  timeMs: number,
): boolean => {
  const { balances, settlement } = state;
  let crossing = 0n;
  for (const one of settlement.crossings) {
    const own = one.participant === participant && one.currency === currency;
    if (own && one.untilMs >= timeMs) crossing += one.minor;
  }
  const within = (record: Participant): boolean => {
    const allowed = record.exposure === "net" ? -crossing : 0n;
    return standingOf(balances, record, currency, settlement).headroom >= allowed;
  };
  return !recordsInForce(state, participant).some(within);
};

/** Moves the floor of key-log sizes that can still matter. */
export const moveKeysFloor = (state: AuditState, timeMs: number): void => {
  const { times } = state.history;
  const before = timeMs - maxExpiryMs - keyLagMs;
  while (state.keysFloor < state.keysSize && (times[state.keysFloor] ?? Infinity) < before) {
    state.keysFloor += 1;
  }
};

/** The participant that a committed transfer, already posted, has brought beyond its cover. */
export const overspender = (
  state: AuditState,
  terms: Terms,
  timeMs: number,
): string | undefined => {
  if (overspent(state, terms.payer.participant, terms.send.currency, timeMs)) {
    return terms.payer.participant;
  }
  const { provider } = terms.sheet;
  return overspent(state, provider, terms.receive.currency, timeMs) ? provider : undefined;
};

/**
 * The same for a return, which is not reserved before: whoever of these has a record. The operator, who
 * gives fees back, has none, and no cover either.
 */
export const overspentBy = (
  state: AuditState,
  debits: readonly (readonly [participant: string, currency: string])[],
  timeMs: number,
): string | undefined =>
  debits.find(
    ([who, currency]) =>
      recordsInForce(state, who).length > 0 && overspent(state, who, currency, timeMs),
  )?.[0];
