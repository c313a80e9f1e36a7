// What reconciliation answers: balances as of a position, their sums, and how far it has come. Every
// answer says its position and the sealed size, so that nobody takes an old balance for today's.
import { problem, route, type HttpApp, type Problem } from "@sealane/http";
import { accountSchema, currencySchema, decimalSchema, participantSchema } from "@sealane/protocol";
import { amountOf } from "@sealane/rules";
import { z } from "zod";
import type { BalanceReader, BalanceRow } from "./balances.ts";
import type { Bad } from "./judge.ts";

export type Progress = {
  readonly lane: number;
  readonly origin: string;
  /** Entries applied: the position of the next one. */
  readonly nextSeq: number;
  readonly sealedSize: number;
  /** Entries that are known to exist and are not applied. */
  readonly lag: number;
  readonly logTime: string | undefined;
  readonly trouble: Bad | undefined;
};

export type RoutesDeps = {
  readonly app: HttpApp;
  readonly balances: BalanceReader;
  readonly progress: () => Promise<Progress>;
};

const position = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const signedDecimal = z.string().regex(/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/);

const balanceSchema = z.strictObject({
  account: accountSchema,
  currency: currencySchema,
  debits: decimalSchema,
  credits: decimalSchema,
  /** Credits less debits. */
  balance: signedDecimal,
});

const answerSchema = z.strictObject({
  asOf: position,
  sealedSize: position,
  balances: z.array(balanceSchema),
});

const summarySchema = z.strictObject({
  asOf: position,
  sealedSize: position,
  currencies: z.array(
    z.strictObject({
      currency: currencySchema,
      debits: decimalSchema,
      credits: decimalSchema,
      /** Debits less credits: zero, or the books do not balance. */
      difference: signedDecimal,
    }),
  ),
});

const ahead = (nextSeq: number): Problem =>
  problem({
    status: 409,
    code: "position-ahead",
    title: "The books have not come that far",
    detail: `applied so far: ${nextSeq}`,
    action: "Ask again later, or as of a smaller position.",
    headers: { "Retry-After": "1" },
    extra: { nextSeq },
  });

const toBalance = ({ account, currency, debits, credits }: BalanceRow) => ({
  account,
  currency,
  debits: amountOf(debits, currency),
  credits: amountOf(credits, currency),
  balance: amountOf(credits - debits, currency),
});

const summarise = (rows: readonly BalanceRow[]) => {
  const sums = new Map<string, { debits: bigint; credits: bigint }>();
  for (const { currency, debits, credits } of rows) {
    const sum = sums.get(currency) ?? { debits: 0n, credits: 0n };
    sum.debits += debits;
    sum.credits += credits;
    sums.set(currency, sum);
  }
  return [...sums]
    .map(([currency, { debits, credits }]) => ({
      currency,
      debits: amountOf(debits, currency),
      credits: amountOf(credits, currency),
      difference: amountOf(debits - credits, currency),
    }))
    .toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
};

export const mountRoutes = ({ app, balances, progress }: RoutesDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/balances",
    summary: "Balances as of a position of the log",
    tags: ["books"],
    query: z.strictObject({
      participant: participantSchema.optional(),
      currency: currencySchema.optional(),
      asOf: position.optional(),
    }),
    responses: { 200: answerSchema, 409: "The books have not come that far" },
    handler: async ({ query: { asOf, participant, currency } }) => {
      const answer = await balances({ asOf, participant, currency });
      if (!answer.ok) return ahead(answer.nextSeq);
      const { sealedSize, rows } = answer;
      return {
        status: 200,
        body: { asOf: answer.asOf, sealedSize, balances: rows.map(toBalance) },
      };
    },
  });
  route(app, {
    method: "get",
    path: "/v1/balances/summary",
    summary: "Sums of all accounts per currency: debits and credits are equal",
    tags: ["books"],
    query: z.strictObject({ asOf: position.optional() }),
    responses: { 200: summarySchema, 409: "The books have not come that far" },
    handler: async ({ query: { asOf } }) => {
      const answer = await balances({ asOf, participant: undefined, currency: undefined });
      if (!answer.ok) return ahead(answer.nextSeq);
      const { sealedSize, rows } = answer;
      return {
        status: 200,
        body: { asOf: answer.asOf, sealedSize, currencies: summarise(rows) },
      };
    },
  });
  route(app, {
    method: "get",
    path: "/v1/progress",
    summary: "How far the log was followed and sealed, and what stopped it",
    tags: ["books"],
    responses: { 200: "Position, sealed size, lag and trouble" },
    handler: async () => ({ status: 200, body: await progress() }),
  });
};
