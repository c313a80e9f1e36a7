// The desk's API: what it quotes now, open to all; taking a pair back, for the desk's own operators.
import { problem, route, type HttpApp, type Problem } from "@sealane/http";
import { hashSchema, labelSchema } from "@sealane/protocol";
import { z } from "zod";
import type { PairStatus, RateDesk } from "./rate-desk.ts";

type Desk = Pick<RateDesk, "statuses" | "noteOf" | "withdraw" | "resume">;

/** The desks of all lanes as one: a pair is quoted when every lane has a sheet of it in force. */
export const everyLane = (desks: readonly [RateDesk, ...RateDesk[]]): Desk => {
  const [first, ...more] = desks;
  if (more.length === 0) return first;
  return {
    statuses: () => {
      const others = more.map((desk) => desk.statuses());
      return first.statuses().map((status) => {
        const same = others.flatMap((list) => list.filter(({ pair }) => pair === status.pair));
        return [status, ...same].find(({ state }) => state !== "ok") ?? status;
      });
    },
    noteOf: (number, hash) =>
      desks.map((desk) => desk.noteOf(number, hash)).find((note) => note !== undefined),
    withdraw: async (pair, reason) => {
      const all = await Promise.all(desks.map((desk) => desk.withdraw(pair, reason)));
      return all.find((sheet) => sheet !== undefined);
    },
    resume: async (pair) => {
      await Promise.all(desks.map((desk) => desk.resume(pair)));
    },
  };
};

type Deps = {
  readonly app: HttpApp;
  readonly provider: string;
  /** One, or one for each lane: they quote the same rates, each under sheets of its own. */
  readonly desk: Desk;
};

const pairSchema = z.string().regex(/^[A-Z]{3}\/[A-Z]{3}$/, "a pair such as HKD/PHP");

const view = ({ pair, sheet, seq, state }: PairStatus) => ({
  pair,
  state,
  ...(sheet === undefined
    ? {}
    : {
        rate: sheet.rate,
        reference: sheet.reference,
        spreadBasisPoints: sheet.spreadBasisPoints,
        sheet: { ...sheet, position: seq },
      }),
});

const notServed = (pair: string): Problem =>
  problem({
    status: 404,
    code: "pair-not-served",
    title: `${pair} is not served here`,
    pointer: "/pair",
    action: "GET /v1/rates names the pairs.",
  });

export const mountRoutes = ({ app, provider, desk }: Deps): void => {
  const served = (pair: string): boolean => desk.statuses().some((status) => status.pair === pair);
  route(app, {
    method: "get",
    path: "/v1/rates",
    summary: "Pairs, their newest sheets, what they were made from, and whether they are in force",
    tags: ["rates"],
    responses: { 200: "One object for each pair" },
    handler: () => ({ status: 200, body: { provider, pairs: desk.statuses().map(view) } }),
  });
  route(app, {
    method: "get",
    path: "/v1/sheets/:number",
    summary: "A sheet as it was signed: the note that terms cite by its hash",
    tags: ["rates"],
    params: z.object({
      number: z
        .string()
        .regex(/^[1-9]\d{0,14}$/)
        .transform(Number),
    }),
    query: z.strictObject({
      /** Of which lane: the hash that terms cite, base64. Without it the first of that number. */
      hash: hashSchema.optional(),
    }),
    responses: { 200: "A signed note", 404: "Not among the newest of this desk" },
    handler: ({ params: { number }, query: { hash } }) => {
      const body = desk.noteOf(number, hash);
      if (body !== undefined)
        return { status: 200, body, contentType: "text/plain; charset=utf-8" };
      return problem({
        status: 404,
        code: "sheet-unknown",
        title: `Sheet ${number} is not among the newest of this desk`,
        action: "Read it from the log, where every sheet is an entry.",
      });
    },
  });
  route(app, {
    method: "post",
    path: "/v1/rates/withdraw",
    summary: "Withdraw a pair's sheet and stop quoting the pair, until it is resumed",
    tags: ["rates"],
    auth: "operator",
    body: z.strictObject({ pair: pairSchema, reason: labelSchema }),
    responses: {
      200: "Nothing was in force",
      202: "The signed withdrawal is on its way",
      404: "Not served",
    },
    handler: async ({ body: { pair, reason } }) => {
      if (!served(pair)) return notServed(pair);
      const withdrawn = await desk.withdraw(pair, reason);
      if (withdrawn === undefined) return { status: 200, body: { pair, reason } };
      return { status: 202, body: { pair, reason, number: withdrawn.number } };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/rates/resume",
    summary: "Quote a withdrawn pair again, under a new sheet",
    tags: ["rates"],
    auth: "operator",
    body: z.strictObject({ pair: pairSchema }),
    responses: { 202: "A new sheet follows", 404: "Not served" },
    handler: async ({ body: { pair } }) => {
      if (!served(pair)) return notServed(pair);
      await desk.resume(pair);
      return { status: 202, body: { pair } };
    },
  });
};
