// What a core takes out as proof: a transfer's receipt, logged at once and sealed as soon as it is, and the
// signed statement of how its provider's chain stands.
import { parsePrefer, problem, route, type HttpApp, type Problem } from "@sealane/http";
import { transferIdSchema } from "@sealane/protocol";
import { formatProof, fromBase64, utf8 } from "@sealane/tlog";
import { z } from "zod";
import type { Lanes } from "./lanes.ts";
import { sendingProblem, transferUnknown } from "./problems.ts";
import type { StatementDesk } from "./statement-desk.ts";
import type { TransferBook } from "./transfer-book.ts";
import { finalStatuses, type TransferView } from "./views.ts";

/** The desks of a lane's chain, or without a number of all, in order of the lanes. */
export type StatementsOf = (
  lane: number | undefined,
) => readonly { readonly lane: number; readonly desk: StatementDesk }[];

type Deps = {
  readonly app: HttpApp;
  readonly book: TransferBook;
  readonly lanes: Lanes;
  readonly statements: StatementsOf;
};

/** The sealed receipt: a C2SP tlog-proof with the entry in `extra`. */
export const receiptOf = (view: TransferView): string | undefined => {
  const { proof, entry, seq } = view;
  if (proof === undefined || entry === undefined || seq === undefined) return undefined;
  return formatProof({
    extra: utf8(entry),
    index: seq,
    hashes: proof.hashes.map((hash) => fromBase64(hash)),
    checkpoint: proof.checkpoint,
  });
};

const noReceipt = (detail: string): Problem =>
  problem({
    status: 409,
    code: "receipt-not-ready",
    title: "There is no receipt",
    detail,
    action: "Ask again with Prefer: wait=3; a refused transfer has no entry and no receipt.",
  });

const answer = (id: string, body: string, kind: string) => ({
  status: 200,
  body,
  contentType: "text/plain; charset=utf-8",
  headers: {
    "Content-Disposition": `attachment; filename="${id}.tlog-proof"`,
    "Sealane-Receipt": kind,
  },
});

const mountReceipt = ({ app, book, lanes }: Deps): void => {
  route(app, {
    method: "get",
    path: "/v1/transfers/:id/receipt",
    summary:
      "The receipt (C2SP tlog-proof, verifies offline): logged at once, sealed with a quorum; " +
      "Prefer: wait=N waits for the seal",
    tags: ["transfers"],
    auth: "core",
    params: z.object({ id: transferIdSchema }),
    responses: {
      200: "text/plain, .tlog-proof; Sealane-Receipt says logged or sealed",
      404: "Not known here",
      409: "There is none, or none yet",
    },
    handler: async ({ params: { id }, req }) => {
      const { waitMs } = parsePrefer(req);
      let view = await book.find(id);
      if (view === undefined) return transferUnknown();
      if (waitMs !== undefined && !finalStatuses.has(view.status)) {
        await book.waitFinal(id, waitMs);
        view = (await book.find(id)) ?? view;
      }
      const sealed = receiptOf(view);
      if (sealed !== undefined) return answer(id, sealed, "sealed");
      if (view.seq === undefined) return noReceipt(`the transfer is ${view.status}`);
      // On the log, and not yet shown to us as sealed: the ledger proves that it is logged.
      const { status, body, kind } = await lanes.holding(view).ledger.receipt(id);
      return status === 200 ? answer(id, body, kind) : noReceipt("no checkpoint covers it yet");
    },
  });
};

const mountStatements = ({ app, statements }: Deps): void => {
  route(app, {
    method: "post",
    path: "/v1/statements",
    summary: "Sign how our own chain stands, now; with Prefer: wait=N when that is sealed",
    tags: ["statements"],
    auth: "core",
    query: z.strictObject({
      /** Which lane's chain; without it every lane's. */
      lane: z.coerce.number().int().min(0).optional(),
    }),
    responses: {
      200: "The newest statement, sealed, and the number of its own entry",
      202: "Signed, and not sealed yet",
      404: "There is no such lane",
      409: "Nothing of ours is sealed yet",
    },
    handler: async ({ query: { lane }, req, signal }) => {
      const desks = statements(lane);
      if (desks.length === 0) {
        const title = `There is no lane ${lane ?? ""} here`;
        return problem({ status: 404, code: "lane-unknown", title, action: "Leave it out." });
      }
      try {
        const waitMs = parsePrefer(req).waitMs ?? 0;
        const all = await Promise.all(
          desks.map(async (one) => ({ ...one, stated: await one.desk.sayNow(waitMs, signal) })),
        );
        const said = all.flatMap(({ lane: at, stated }) =>
          stated === undefined ? [] : [{ lane: at, ...stated }],
        );
        const [first] = said;
        if (first === undefined) {
          return problem({
            status: 409,
            code: "nothing-to-state",
            title: "None of our entries is sealed yet",
            action: "Ask again after the first transfer.",
          });
        }
        const { statement, n } = first;
        const sealed = said.every((one) => one.n >= 0);
        const heads = desks.length > 1 ? { lanes: said } : {};
        return sealed
          ? { status: 200, body: { statement, n, ...heads } }
          : { status: 202, body: { statement, ...heads } };
      } catch (error) {
        const known = sendingProblem(error);
        if (known === undefined) throw error;
        return known;
      }
    },
  });
};

export const mountReceipts = (deps: Deps): void => {
  mountReceipt(deps);
  mountStatements(deps);
};
