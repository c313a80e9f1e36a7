// The books over HTTP: read only, minor units as decimal text, each answer with the position it is
// of.
import { problem, route, type HttpApp } from "@sealane/http";
import { formatTime } from "@sealane/protocol";
import { amountOf, type AuditSnapshot } from "@sealane/rules";
import { z } from "zod";
import type { BalanceRow, BookReader } from "./book-reader.ts";
import type { Fault } from "./books.ts";

export type RoutesDeps = {
  readonly app: HttpApp;
  readonly lane: number;
  readonly origin: string;
  readonly reader: BookReader;
  /** Balances are for staff, like everything about money; the local stack leaves them open. */
  readonly openBalances: boolean;
  readonly fault: () => Fault | undefined;
};

/** Who may read balances, as a route has it. */
export const balancesFor = (open: boolean): { readonly auth?: "operator" } =>
  open ? {} : { auth: "operator" };

const position = z.int().min(0).describe("a number of entries of the log");
const positionText = z
  .string()
  .regex(/^\d{1,15}$/, "write a number of entries")
  .transform(Number);
const participantText = z
  .string()
  .regex(/^[a-z0-9.-]{1,200}$/, "write a name like hk-wallet.example");
const currencyText = z.string().regex(/^[A-Z]{3}$/, "write a currency such as HKD");
const amount = z.string().regex(/^-?\d+(\.\d+)?$/);

const balancesSchema = z.object({
  asOf: position,
  sealedSize: position,
  balances: z.array(
    z.object({
      account: z.string().describe("<participant>:<kind>"),
      participant: z.string(),
      currency: z.string(),
      debits: amount,
      credits: amount,
      balance: amount.describe("credits less debits"),
    }),
  ),
});

const summarySchema = z.object({
  asOf: position,
  sealedSize: position,
  currencies: z.array(
    z.object({
      currency: z.string(),
      debits: amount,
      credits: amount,
      difference: amount.describe("debits less credits: zero, or the books do not balance"),
    }),
  ),
});

const progressSchema = z.object({
  lane: z.int(),
  origin: z.string(),
  applied: position,
  nextOffset: z.string().optional(),
  logTime: z.string().optional(),
  keyLogSize: z.int(),
  transfers: z.record(z.string(), z.int()),
  sealedSize: position,
  sealed: z.string().describe("the cosigned checkpoint, a signed note"),
  fault: z.object({ position, code: z.string(), detail: z.string() }).optional(),
});

const balanceView = ({ account, currency, debits, credits }: BalanceRow) => ({
  account,
  participant: account.slice(0, account.indexOf(":")),
  currency,
  debits: amountOf(debits, currency),
  credits: amountOf(credits, currency),
  balance: amountOf(credits - debits, currency),
});

const summaryOf = (rows: readonly BalanceRow[]) => {
  const sums = new Map<string, { debits: bigint; credits: bigint }>();
  for (const { currency, debits, credits } of rows) {
    const sum = sums.get(currency) ?? { debits: 0n, credits: 0n };
    sums.set(currency, { debits: sum.debits + debits, credits: sum.credits + credits });
  }
  return [...sums.keys()].sort().map((currency) => {
    const { debits, credits } = sums.get(currency) ?? { debits: 0n, credits: 0n };
    return {
      currency,
      debits: amountOf(debits, currency),
      credits: amountOf(credits, currency),
      difference: amountOf(debits - credits, currency),
    };
  });
};

const ahead = (asOf: number, applied: number) =>
  problem({
    status: 409,
    code: "position-ahead",
    title: "The books do not go that far yet",
    detail: `${applied} entries are applied, ${asOf} are asked for`,
    action: "Ask again in a moment, or without asOf.",
    headers: { "Retry-After": "1" },
  });

const mountBalances = ({ app, reader, openBalances }: RoutesDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/balances",
    summary: "Balances per account and currency, now or as of an earlier position",
    tags: ["books"],
    ...balancesFor(openBalances),
    query: z.strictObject({
      participant: participantText.optional(),
      currency: currencyText.optional(),
      asOf: positionText.optional(),
    }),
    responses: { 200: balancesSchema, 409: "The books do not go that far yet" },
    handler: async ({ query: { participant, currency, asOf } }) => {
      const at = await reader.balances({ participant, currency }, asOf);
      if (asOf !== undefined && asOf > at.applied) return ahead(asOf, at.applied);
      const body = {
        asOf: asOf ?? at.applied,
        sealedSize: at.sealedSize,
        balances: at.rows.map(balanceView),
      };
      return { status: 200, body };
    },
  });
  route(app, {
    method: "get",
    path: "/v1/balances/summary",
    summary: "Sums per currency over all accounts",
    tags: ["books"],
    ...balancesFor(openBalances),
    responses: { 200: summarySchema },
    handler: async () => {
      const none = { participant: undefined, currency: undefined };
      const { applied, sealedSize, rows } = await reader.balances(none, undefined);
      return { status: 200, body: { asOf: applied, sealedSize, currencies: summaryOf(rows) } };
    },
  });
};

export const mountRoutes = (deps: RoutesDeps): void => {
  mountBalances(deps);
  route(deps.app, {
    method: "get",
    path: "/v1/progress",
    summary: "How far the books are, and the seal that they agree with",
    tags: ["books"],
    responses: { 200: progressSchema, 404: "Nothing is applied yet" },
    handler: async () => {
      const at = await deps.reader.progress();
      const fault = deps.fault();
      if (at === undefined) {
        const title = "Nothing is applied yet";
        return problem({ status: 404, code: "no-books", title, action: "Ask again in a moment." });
      }
      const { outcomes } = JSON.parse(at.fold) as Pick<AuditSnapshot, "outcomes">;
      const { recorded: _, ...transfers } = outcomes;
      const body = {
        lane: deps.lane,
        origin: deps.origin,
        applied: at.applied,
        ...(at.nextOffset === undefined ? {} : { nextOffset: at.nextOffset }),
        ...(at.applied === 0 ? {} : { logTime: formatTime(at.logTimeMs) }),
        keyLogSize: at.keysSize,
        transfers,
        sealedSize: at.sealedSize,
        sealed: at.sealed,
        ...(fault === undefined ? {} : { fault }),
      };
      return { status: 200, body };
    },
  });
};
