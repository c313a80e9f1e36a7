// "Can this account be credited?" The answer of a whole batch waits for its slowest account, as a
// core that asks its own ledger once would.
import { once } from "node:events";
import { route, type HttpApp } from "@sealane/http";
import { pause } from "@sealane/runtime";
import { refusalOf } from "./account-book.ts";
import type { Core } from "./core.ts";
import { disturb } from "./disturb.ts";
import type { Schemas } from "./schemas.ts";

type Check = { readonly transferId: string; readonly account: string; readonly currency: string };

/** Registers `POST /v1/credit-checks`. */
export function checkRoute(app: HttpApp, core: Core, schemas: Schemas): void {
  route(app, {
    method: "post",
    path: "/v1/credit-checks",
    summary: "Whether accounts can be credited",
    auth: "participant",
    body: schemas.checks,
    bodyLimit: 1_048_576,
    responses: { 200: "One answer for each check, in order" },
    handler: async ({ body, res }) => {
      const accounts = body.checks.map((check) => check.account);
      await disturb(core, accounts);
      const behaviours = new Set(accounts.map((number) => core.book.find(number)?.behaviour));
      if (behaviours.has("silent-check")) {
        if (!res.closed) await once(res, "close");
        return undefined;
      }
      if (behaviours.has("slow-check")) await pause(core.slowCheckMs);
      return { status: 200, body: { results: body.checks.map((check) => judge(core, check)) } };
    },
  });
}

function judge(core: Core, { transferId, account, currency }: Check): object {
  const reason =
    core.faults.use("reject", [account]) === undefined ? refusal(core, account, currency) : "AC06";
  if (reason === undefined) return { transferId, answer: "yes" };
  return { transferId, answer: "no", reason };
}

function refusal(core: Core, account: string, currency: string): string | undefined {
  return currency === core.currency ? refusalOf(core.book.find(account)) : "AM03";
}
