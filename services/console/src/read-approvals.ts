// What waits for a second person, from everybody who knows: resolutions of breaks, transfers that adapters
// hold until operators sign, suspended participants, and the command at which the lane stops. A source
// that does not answer is named among the faults: an empty list must not look like "nothing waits".
import type { HttpClient } from "@sealane/http";
import type { z } from "zod";
import { asked, jsonOf } from "./call.ts";
import {
  breakListSchema,
  heldTransfersSchema,
  laneSchema,
  participantsSchema,
  type Approvals,
  type BreakView,
} from "./desk-shapes.ts";

export type ApprovalSources = {
  readonly reconciliation: HttpClient;
  readonly ledger: HttpClient;
  /** Adapters that the console has a token of, by their names on the command line. */
  readonly adapters: readonly { readonly name: string; readonly client: HttpClient }[];
};

type Read<T> = { readonly value?: T; readonly fault?: string };

const read = async <T>(
  client: HttpClient,
  path: string,
  schema: z.ZodType<T>,
): Promise<Read<T>> => {
  const answer = asked(await client.get(path));
  if (!answer.ok) return { fault: answer.detail };
  const value = schema.safeParse(answer.status === 200 ? jsonOf(answer.body) : undefined).data;
  return value === undefined ? { fault: `HTTP ${answer.status} for ${path}` } : { value };
};

export const readApprovals = async (sources: ApprovalSources): Promise<Approvals> => {
  const { reconciliation, ledger, adapters } = sources;
  const faults: { source: string; detail: string }[] = [];
  const taken = <T>(source: string, { value, fault }: Read<T>): T | undefined => {
    if (fault !== undefined) faults.push({ source, detail: fault });
    return value;
  };
  const [proposed, people, lane, ...held] = await Promise.all([
    read(reconciliation, "/v1/breaks?state=proposed&limit=200", breakListSchema),
    read(reconciliation, "/v1/participants", participantsSchema),
    read(ledger, "/v1/lane", laneSchema),
    ...adapters.map(({ client }) => read(client, "/v1/approvals", heldTransfersSchema)),
  ]);
  const breaks: readonly BreakView[] = taken("Breaks", proposed)?.breaks ?? [];
  const suspended = (taken("Participants", people)?.participants ?? [])
    .filter((one) => one.suspended)
    .map(({ participant, roles }) => ({ participant, roles: roles.join(", ") }));
  const at = taken("The lane", lane);
  const transfers = held.flatMap((answer, index) => {
    const name = adapters[index]?.name ?? "";
    const found = taken(`The adapter ${name}`, answer)?.approvals ?? [];
    return found.map((one) => ({ ...one, wallet: name }));
  });
  const { stopped } = at ?? {};
  const where =
    at === undefined || stopped === undefined
      ? {}
      : { stopped: { lane: at.lane, offset: stopped.offset, hash: stopped.hash } };
  const asksAdapters = adapters.length > 0;
  return { breaks, transfers, suspended, ...where, faults, asksAdapters };
};
