// Recalls: the core alone knows what it has paid out. A cancellation is agreed to while the credit has not
// been made, and stops it for good; a recall is agreed to, unless the account's holder keeps the money.
import type { HostedRecall } from "@sealane/client";
import { route, type HttpApp } from "@sealane/http";
import type { Core } from "./core.ts";
import type { RecallRecord } from "./recall-state.ts";
import type { Schemas } from "./schemas.ts";

type Recall = {
  readonly recallId: string;
  readonly transferId: string;
  readonly cancel: boolean;
};
type Asked = Omit<HostedRecall, "recall"> & { readonly recall?: string | undefined };

/** Registers `POST /v1/recalls`. */
export function recallRoute(app: HttpApp, core: Core, schemas: Schemas): void {
  route(app, {
    method: "post",
    path: "/v1/recalls",
    summary: "Says whether transfers to this core may be taken back, once for each recall",
    auth: "participant",
    body: schemas.recalls,
    bodyLimit: 8 << 20,
    responses: { 200: "One result for each recall, in order" },
    handler: async ({ body }) => {
      const results = body.recalls.map((recall) => {
        const known = core.recalls.of(recall.recallId);
        const record = known ?? decide(core, recall);
        if (known === undefined) core.recalls.take(record);
        return { record, recall, isNew: known === undefined };
      });
      await core.journal.append(
        results.flatMap(({ record, isNew }) => (isNew ? { kind: "recall", ...record } : [])),
      );
      const said = await Promise.all(
        results.map(({ record, recall }) => signedAnswer(core, record, recall)),
      );
      return { status: 200, body: { results: said } };
    },
  });
}

/** The decision, signed where the adapter cannot. */
async function signedAnswer(
  core: Core,
  { recallId, answer, reason = "CUST" }: RecallRecord,
  asked: Asked,
): Promise<object> {
  const decision = answer === "return" ? { answer } : { answer, reason };
  if (core.hosted === undefined || asked.recall === undefined) return { recallId, ...decision };
  return core.hosted.signRecall({ ...asked, recall: asked.recall }, decision);
}

function decide(core: Core, { recallId, transferId, cancel }: Recall): RecallRecord {
  const credit = core.credits.find(transferId);
  const ids = { recallId, transferId };
  if (credit?.status !== "credited") {
    return { ...ids, answer: "return", stopped: cancel && credit === undefined };
  }
  const kept = core.book.find(credit.account)?.behaviour === "keep-money";
  if (cancel || kept) return { ...ids, answer: "refuse", reason: "CUST", stopped: false };
  return { ...ids, answer: "return", stopped: false };
}
