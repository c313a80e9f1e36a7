// How a transfer is shown, and how one that was taken is answered: 200 with its end, 202, or 503 when the
// ledger has turned it away for now.
import type { Answer, Problem } from "@sealane/http";
import type { Taken } from "./intake.ts";
import type { TransferBook } from "./transfer-book.ts";
import { turnedAwayProblem } from "./problems.ts";
import { finalStatuses, isTurnedAway, publicView, type TransferView } from "./views.ts";

export const resource = (view: TransferView) => ({
  ...publicView(view),
  links: {
    self: `/v1/transfers/${view.id}`,
    ...(view.proof === undefined ? {} : { receipt: `/v1/transfers/${view.id}/receipt` }),
  },
});

type Deps = { readonly book: TransferBook; readonly clock: () => number };

/** @param waitMs how long the answer may be held back for the transfer's end, if asked for */
export const takenAnswer = async (
  { book, clock }: Deps,
  { view, replayed }: Extract<Taken, { ok: true }>,
  waitMs: number | undefined,
): Promise<Answer | Problem> => {
  if (waitMs !== undefined && !finalStatuses.has(view.status)) {
    await book.waitFinal(view.id, waitMs);
  }
  if (isTurnedAway(view)) return turnedAwayProblem(view);
  const final = finalStatuses.has(view.status) && (waitMs !== undefined || replayed);
  const receivedAt = new Date(clock()).toISOString();
  return {
    status: final ? 200 : 202,
    body: final ? resource(view) : { ...resource(view), receivedAt },
    headers: {
      Location: `/v1/transfers/${view.id}`,
      ...(replayed ? { "Idempotent-Replayed": "true" } : {}),
    },
  };
};
