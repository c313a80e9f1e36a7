// Crediting: once per transfer id, kept in the journal before the answer, whatever faults come after.
import { problem, route, type HttpApp } from "@sealane/http";
import type { Core } from "./core.ts";
import type { CreditRecord } from "./credit-state.ts";
import { disturb } from "./disturb.ts";
import type { JournalLine } from "./journal.ts";
import { toMinor } from "./minor.ts";
import type { Schemas } from "./schemas.ts";

type Credit = {
  readonly transferId: string;
  readonly account: string;
  readonly currency: string;
  readonly amount: string;
};

const FAILURES = 3;

/** Registers `POST /v1/credits`. */
export function creditRoute(app: HttpApp, core: Core, schemas: Schemas): void {
  route(app, {
    method: "post",
    path: "/v1/credits",
    summary: "Credits accounts, once for each transfer id",
    auth: "participant",
    body: schemas.credits,
    bodyLimit: 1_048_576,
    responses: { 200: "One result for each credit, in order", 500: "A fault; nothing was done" },
    handler: async ({ body, req }) => {
      const accounts = body.credits.map((credit) => credit.account);
      await disturb(core, accounts);
      failOnPurpose(core, body.credits);
      const { results, lost } = await applyAll(core, body.credits);
      if (lost || core.faults.use("answer-lost", accounts) !== undefined) {
        req.socket.destroy();
        return undefined;
      }
      return { status: 200, body: { results } };
    },
  });
}

async function applyAll(
  core: Core,
  credits: readonly Credit[],
): Promise<{ results: object[]; lost: boolean }> {
  const lines: JournalLine[] = [];
  let lost = false;
  const results = credits.map((credit) => {
    const { record, isNew } = decide(core, credit);
    if (isNew) {
      lines.push({ kind: "credit", ...record });
      lost ||= core.book.find(credit.account)?.behaviour === "lose-credit-answer";
    }
    const { transferId, status, reason } = record;
    return reason === undefined ? { transferId, status } : { transferId, status, reason };
  });
  await core.journal.append(lines);
  return { results, lost };
}

function decide(core: Core, credit: Credit): { record: CreditRecord; isNew: boolean } {
  const { transferId, account, currency } = credit;
  const request = { transferId, account, amountMinor: toMinor(credit.amount, core.decimals) };
  if (currency !== core.currency) {
    return { record: { ...request, status: "refused", reason: "AM03" }, isNew: false };
  }
  if (core.credits.find(transferId) !== undefined) return core.credits.decide(request);
  if (core.recalls.isStopped(transferId)) return core.credits.decide(request, "CUST");
  const forced = core.faults.use("refuse-credit", [account]) === undefined ? undefined : "AC06";
  return core.credits.decide(request, forced);
}

/** Account 996: the first three attempts of a transfer fail before anything is done. */
function failOnPurpose(core: Core, credits: readonly Credit[]): void {
  let failed = false;
  for (const { transferId, account } of credits) {
    if (core.book.find(account)?.behaviour !== "fail-credit-thrice") continue;
    const failures = core.failures.get(transferId) ?? 0;
    if (failures >= FAILURES) continue;
    core.failures.set(transferId, failures + 1);
    failed = true;
  }
  if (!failed) return;
  throw problem({
    status: 500,
    code: "core-failed",
    title: "This core failed, as it was told to",
    detail: "nothing of this batch was done",
  });
}
