// "Can this account be credited?" The answer of a whole batch waits for its slowest account, as a
// core that asks its own ledger once would.
import { once } from "node:events";
import type { Decision, HostedCheck } from "@sealane/client";
import { route, type HttpApp } from "@sealane/http";
import { pause } from "@sealane/runtime";
import { refusalOf } from "./account-book.ts";
import type { Core } from "./core.ts";
import { disturb } from "./disturb.ts";
import type { Schemas } from "./schemas.ts";

type Check = {
  readonly transferId: string;
  readonly account: string;
  readonly currency: string;
  readonly amount: string;
  readonly reference?: string | undefined;
  readonly terms?: string | undefined;
  readonly openings?: HostedCheck["openings"] | undefined;
};

/** Registers `POST /v1/credit-checks`. */
export function checkRoute(app: HttpApp, core: Core, schemas: Schemas): void {
  route(app, {
    method: "post",
    path: "/v1/credit-checks",
    summary: "Whether accounts can be credited",
    auth: "participant",
    body: schemas.checks,
    bodyLimit: 8 << 20,
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
      const results = await Promise.all(body.checks.map((check) => answer(core, check)));
      return { status: 200, body: { results } };
    },
  });
}

/** The decision, signed where the adapter cannot. */
async function answer(core: Core, check: Check): Promise<object> {
  const { transferId, terms, openings } = check;
  const decision = judge(core, check);
  if (core.hosted === undefined || terms === undefined || openings === undefined) {
    return { transferId, ...decision };
  }
  return core.hosted.sign({ ...check, terms, openings }, decision);
}

function judge(core: Core, { account, currency }: Check): Decision {
  const reason =
    core.faults.use("reject", [account]) === undefined ? refusal(core, account, currency) : "AC06";
  return reason === undefined ? { answer: "yes" } : { answer: "no", reason };
}

function refusal(core: Core, account: string, currency: string): string | undefined {
  return currency === core.currency ? refusalOf(core.book.find(account)) : "AM03";
}
