// What is reserved and not in the log yet: only the ledger knows. It is asked at most once a second.
import { httpClient } from "@sealane/http";
import { parseStrictJson } from "@sealane/protocol";
import { minorOf } from "@sealane/rules";
import { z } from "zod";
import type { Pending } from "./positions.ts";

const answerSchema = z.object({
  positions: z.array(
    z.object({ participant: z.string(), currency: z.string(), pending: z.string() }),
  ),
});

const freshMs = 1_000;

/** @returns pending amounts by `participant currency`, or undefined while the ledger does not say */
export const askPending = (
  ledgerUrl: string,
  token: string | undefined,
  clock: () => number,
): (() => Promise<Pending | undefined>) => {
  const bearer = token === undefined ? {} : { token };
  const client = httpClient({ baseUrl: ledgerUrl, timeoutMs: 2_000, ...bearer });
  let last: { readonly atMs: number; readonly pending: Pending } | undefined;
  return async () => {
    if (last !== undefined && clock() - last.atMs < freshMs) return last.pending;
    const answer = await client.get("/v1/positions");
    if (answer.outcome !== "ok" || answer.status !== 200) return undefined;
    const json = parseStrictJson(answer.body);
    const read = answerSchema.safeParse(json.ok ? json.value : undefined);
    if (!read.success) return undefined;
    const pending = new Map(
      read.data.positions.map(({ participant, currency, pending: amount }) => [
        `${participant} ${currency}`,
        minorOf(amount, currency),
      ]),
    );
    last = { atMs: clock(), pending };
    return pending;
  };
};
