// What reconciliation says in the banks' language: the settlement instructions of a cut window (pacs.009)
// and participants' statements (camt.053, camt.052, CSV). Each document is held against its published
// schema before it leaves. No name of a person is in the books, so none is in these.
import { problem, route, type HttpApp, type Problem } from "@sealane/http";
import {
  Iso20022Error,
  participantCamt052,
  participantCamt053,
  participantCsv,
  settlementInstructions,
  type ParticipantPeriod,
} from "@sealane/iso20022";
import { clearingAccount, corridorNameSchema, formatTime, transferIdOf } from "@sealane/protocol";
import type { KeyState } from "@sealane/rules";
import { z } from "zod";
import { mostBookings, type PeriodReader } from "./period-reader.ts";
import type { SettlementReader } from "./settlement-reader.ts";

export type BankingDeps = {
  readonly app: HttpApp;
  readonly reader: Pick<SettlementReader, "window">;
  readonly periods: PeriodReader;
  readonly keys: () => KeyState | undefined;
  readonly clock: () => number;
};

const auth = "operator" as const;
const xmlType = "application/xml; charset=utf-8";
const csvType = "text/csv; charset=utf-8";

/** Loaded when first needed: the validator is the largest thing that the service would hold. */
const schema = () => import("@sealane/iso20022/schema");

/** An account at this bank: a participant's own, or the operator's for this corridor. */
const accountFinder =
  (keys: KeyState, bank: string, corridor: string) =>
  (owner: string, currency: string): string | undefined => {
    const own = keys.participants
      .get(owner)
      ?.accounts?.find((one) => one.bank === bank && one.currency === currency);
    if (own !== undefined) return own.account;
    if (owner !== keys.ledger?.operator) return undefined;
    const accounts = keys.corridors.get(corridor)?.operatorAccounts;
    return accounts?.find((one) => one.currency === currency)?.account;
  };

const refused = (code: string, title: string, action: string, detail?: string): Problem =>
  problem({ status: 422, code, title, action, ...(detail === undefined ? {} : { detail }) });

/** What a message cannot say is the asker's to know; everything else is a fault of ours. */
const refusalOf = (error: unknown): Problem => {
  if (!(error instanceof Iso20022Error)) throw error;
  const { code, message } = error;
  return refused(code, "No message can say this", "Look at the participants' records.", message);
};

const mountInstructions = ({ app, reader, keys }: BankingDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/windows/:corridor/:number/instructions",
    summary: "Settlement instructions of a cut window as pacs.009: the same each time",
    tags: ["settlement"],
    auth,
    params: z.object({ corridor: corridorNameSchema, number: z.coerce.number().int().min(0) }),
    responses: {
      200: "The pacs.009, as application/xml",
      404: "Not cut yet, or not known",
      422: "Nothing to pay, or no bank that could be told",
    },
    handler: async ({ params }) => {
      const state = keys();
      const window = await reader.window(params);
      if (window === undefined || state?.ledger === undefined) {
        const title = "No such window has been cut";
        return problem({ status: 404, code: "window-unknown", title });
      }
      const bank = state.corridors.get(params.corridor)?.bank;
      if (bank === undefined) {
        return refused("bank-unknown", "No bank settles this corridor", "Register the corridor.");
      }
      const { nets, attempt, cutTime, payBy = cutTime } = window;
      if (nets.every(({ legs }) => legs.length === 0)) {
        return refused("nothing-to-pay", "Nobody pays in this window", "Nothing is to be done.");
      }
      const { operator } = state.ledger;
      try {
        const message = settlementInstructions({
          window: { ...params, attempt },
          nets,
          operator,
          clearing: clearingAccount(operator),
          bank,
          createdAt: cutTime,
          payBy,
          accountOf: accountFinder(state, bank, params.corridor),
        });
        const { writeValid } = await schema();
        return { status: 200, body: writeValid("pacs.009", message), contentType: xmlType };
      } catch (error) {
        return refusalOf(error);
      }
    },
  });
};

const dayMs = 86_400_000;

/** A day of UTC, or an instant. */
const moment = z
  .string()
  .regex(/^20\d\d-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{3})?Z)?$/, "write 2026-11-22, or an instant")
  .refine((text) => !Number.isNaN(Date.parse(text)), "there is no such day");

const statementQuery = z.strictObject({
  participant: z.string().regex(/^[a-z0-9.-]{1,200}$/, "write a name like hk-wallet.example"),
  from: moment,
  /** A day is meant with its end. */
  to: moment,
  format: z.enum(["camt053", "camt052", "csv"]).default("camt053"),
});

const documentOf = async (
  format: z.infer<typeof statementQuery>["format"],
  period: ParticipantPeriod,
): Promise<{ readonly body: string; readonly contentType: string }> => {
  if (format === "csv") return { body: participantCsv(period), contentType: csvType };
  const { writeValid } = await schema();
  const body =
    format === "camt053"
      ? writeValid("camt.053", participantCamt053(period))
      : writeValid("camt.052", participantCamt052(period));
  return { body, contentType: xmlType };
};

const mountStatements = ({ app, periods, keys, clock }: BankingDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/reports/statement",
    summary: "A participant's accounts over a period: camt.053 when it is over, camt.052, or CSV",
    tags: ["settlement"],
    auth,
    query: statementQuery,
    responses: {
      200: "The document; the header Sealane-As-Of has the number of entries it knows of",
      404: "No such participant, or nothing of it in the books",
      422: "The period is not over, too long or none",
    },
    handler: async ({ query }) => {
      const { participant, from, to, format } = query;
      const fromMs = Date.parse(from);
      const toMs = Date.parse(to) + (to.length === 10 ? dayMs : 0);
      if (toMs <= fromMs) {
        return refused("period-empty", "The period ends before it begins", "Turn from and to.");
      }
      const nowMs = clock();
      if (format === "camt053" && toMs > nowMs) {
        const action = "Ask for camt052 or csv, or later.";
        return refused("period-open", "A statement is of a period that is over", action);
      }
      const operator = keys()?.ledger?.operator;
      const { asOf, accounts } = await periods.period(participant, fromMs, toMs);
      if (accounts === undefined) {
        const title = `A statement has at most ${mostBookings} bookings`;
        return refused("period-too-long", title, "Ask for a shorter period.");
      }
      if (operator === undefined || accounts.length === 0) {
        const title = "The books have nothing of this participant";
        return problem({ status: 404, code: "participant-unknown", title });
      }
      const times = {
        createdAt: formatTime(nowMs),
        from: formatTime(fromMs),
        to: formatTime(toMs),
      };
      // The same question has the same message id, and no other question has it.
      const name = `${format} ${times.from} ${times.to} as of ${asOf}`;
      const messageId = transferIdOf(participant, name).replaceAll("-", "");
      try {
        const period = { messageId, participant, operator, ...times, accounts };
        const document = await documentOf(format, period);
        return { status: 200, ...document, headers: { "Sealane-As-Of": String(asOf) } };
      } catch (error) {
        return refusalOf(error);
      }
    },
  });
};

export const mountBanking = (deps: BankingDeps): void => {
  mountInstructions(deps);
  mountStatements(deps);
};
