// A core whose adapter is hosted by the operator: it signs by itself, with the SDK, what the adapter puts
// before it. Its chain is in memory: after a restart the adapter shows it from the beginning.
import { readFileSync } from "node:fs";
import {
  checkOwnStatement,
  makeLogReader,
  noChain,
  noteSigner,
  signCheck,
  signRecall,
  takeEntries,
  watchKeyLog,
  type Decision,
  type HostedAnswer,
  type HostedCheck,
  type HostedRecall,
  type HostedRecallAnswer,
  type PayeeParty,
  type RecallDecision,
  type ShownEntries,
  type StatementFault,
} from "@sealane/client";
import { problem, route, type HttpApp, type Problem } from "@sealane/http";
import { readSecretFile } from "@sealane/runtime";
import { parsePolicy } from "@sealane/tlog";
import type { Core } from "./core.ts";
import type { CreditRecord } from "./credit-state.ts";
import type { Schemas } from "./schemas.ts";

/** What a core needs to sign by itself; paths of files. */
export type Signing = {
  readonly transferKeyFile: string;
  /** The pinned tlog-policy, whose first log is the lane's. */
  readonly policyFile: string;
  /** URL of the key log. */
  readonly keyLogUrl: string;
};

export type HostedSide = {
  readonly party: PayeeParty;
  /** @throws Problem when the check is not what the adapter says it is */
  sign(check: HostedCheck, decision: Decision): Promise<HostedAnswer>;
  /** @throws Problem when the recall is not what the adapter says it is */
  signRecall(asked: HostedRecall, decision: RecallDecision): Promise<HostedRecallAnswer>;
  stop(): void;
};

const unsigned = ({ code, detail }: StatementFault): Problem =>
  problem({
    status: 422,
    code,
    title: "This core does not sign that",
    detail,
    action: "Put before it what was asked for.",
  });

/** Opens the key and begins to follow the key log. */
export const openHostedSide = (
  participant: string,
  { transferKeyFile, policyFile, keyLogUrl }: Signing,
): HostedSide => {
  const policy = parsePolicy(readFileSync(policyFile, "utf8"));
  const keys = watchKeyLog(makeLogReader(keyLogUrl), policy, { warn: () => undefined });
  void keys.run(1_000);
  const party: PayeeParty = {
    participant,
    origin: policy.logs[0]?.key.name ?? "",
    signer: noteSigner(readSecretFile(transferKeyFile)),
    keys: keys.state,
    clock: () => Date.now(),
  };
  return {
    party,
    sign: async (check, decision) => {
      const result = await signCheck(party, check, decision);
      if (!result.ok) throw unsigned(result);
      return result.signed;
    },
    signRecall: async (asked, decision) => {
      const result = await signRecall(party, asked, decision);
      if (!result.ok) throw unsigned(result);
      return result.signed;
    },
    stop: keys.stop,
  };
};

const outcomeOf = (record: CreditRecord | undefined) => {
  if (record === undefined) return undefined;
  const { status, reason = "MS03" } = record;
  return status === "credited" ? { status } : { status, reason };
};

/** Registers `POST /v1/own-statements`, for a core that signs by itself. */
export function ownRoute(app: HttpApp, core: Core, { party }: HostedSide, schemas: Schemas) {
  let own = noChain;
  route(app, {
    method: "post",
    path: "/v1/own-statements",
    summary: "Own entries to be followed, and a statement about the last of them to be signed",
    auth: "participant",
    body: schemas.credited,
    bodyLimit: 8 << 20,
    responses: { 200: "The next entry to be shown, and the signature", 422: "Not signed, and why" },
    handler: async ({ body }) => {
      const { participant, origin, signer } = party;
      const shown: ShownEntries = body;
      const taken = takeEntries(own, shown, origin, participant);
      if (!taken.ok) return unsigned(taken);
      own = taken.own;
      const { statement } = shown;
      if (statement === undefined) return { status: 200, body: { next: own.next } };
      const wrong = checkOwnStatement(own, statement, {
        origin,
        participant,
        outcomeOf: (id) => outcomeOf(core.credits.find(id)),
      });
      if (wrong !== undefined) return unsigned(wrong);
      return { status: 200, body: { next: own.next, line: await signer.signLine(statement) } };
    },
  });
}
