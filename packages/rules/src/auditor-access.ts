// Whether an auditor's token counts: signed by an operator in force, for this ledger, and now.
import { maxAuditorTokenMs, parseTime, readAuditorToken } from "@sealane/protocol";
import { verifierFor } from "@sealane/tlog";
import type { KeyState } from "./key-state.ts";

/**
 * Judges a bearer token by the key log of now, so that an operator who is replaced has given no access.
 * @returns the auditor's name, or undefined
 */
export const auditorOf = (state: KeyState, token: string, nowMs: number): string | undefined => {
  const read = readAuditorToken(token);
  if (read === undefined || read.origin !== state.origin || read.inner !== undefined) {
    return undefined;
  }
  const { auditor, from, until } = read.body;
  const [fromMs, untilMs] = [parseTime(from), parseTime(until)];
  if (untilMs - fromMs > maxAuditorTokenMs || nowMs < fromMs || nowMs >= untilMs) return undefined;
  const signed = state.operatorKeys.some((key) =>
    read.note.signatures.some(
      ({ name, keyId, signature }) =>
        name === key.name &&
        keyId === key.keyId &&
        verifierFor(key).verify(read.note.text, signature),
    ),
  );
  return signed ? auditor : undefined;
};
