// How far a payee's provider may say that it has credited: the longest run of its own entries that are
// sealed and, where a credit is owed, answered by its core.
import type { Credited } from "@sealane/protocol";
import { toBase64 } from "@sealane/tlog";

/** An entry of a participant's own chain. */
export type OwnEntry = {
  readonly n: number;
  readonly leafHash: Uint8Array;
  readonly transferId: string | undefined;
  readonly owesCredit: boolean;
};

/** How the core answered one transfer; a reason: it will not credit it. */
export type CreditAnswer = { readonly reason: string | undefined };

export type CreditRun = Pick<Credited, "upTo" | "head" | "except">;

/** What one statement may name as exceptions (`creditedSchema`). */
const mostExceptions = 200;

/**
 * The next statement, or undefined while there is nothing to say.
 * @param chain own entries, oldest first
 * @param position chain numbers below `creditedTo` are said, those below `sealedTo` are sealed
 */
export const nextCreditRun = (
  chain: Iterable<OwnEntry>,
  position: { readonly creditedTo: number; readonly sealedTo: number },
  answerOf: (transferId: string) => CreditAnswer | undefined,
): CreditRun | undefined => {
  const except: CreditRun["except"] = [];
  let last: OwnEntry | undefined;
  let credits = 0;
  for (const entry of chain) {
    if (entry.n < position.creditedTo) continue;
    if (entry.n >= position.sealedTo || except.length >= mostExceptions) break;
    if (entry.owesCredit && entry.transferId !== undefined) {
      const answer = answerOf(entry.transferId);
      if (answer === undefined) break;
      credits += 1;
      if (answer.reason !== undefined) {
        except.push({ id: entry.transferId, n: entry.n, reason: answer.reason });
      }
    }
    last = entry;
  }
  // A statement that covers no credit would only be answered by another of its own kind.
  if (last === undefined || credits === 0) return undefined;
  return { upTo: last.n, head: toBase64(last.leafHash), except };
};
