// Wires what an adapter does in one lane: it answers proposals, owes credits, states its chain, and takes
// the lane's messages. What concerns a transfer wherever it is (views, vault, core) is shared by all lanes.
import type { KeyWatch } from "@sealane/client";
import type { HttpClient } from "@sealane/http";
import type { Producer } from "@sealane/messaging";
import type { EnvelopeOpener, KeyFamily } from "@sealane/signer";
import { composeNote, type TlogPolicy } from "@sealane/tlog";
import type { AdapterTelemetry } from "./adapter-telemetry.ts";
import type { Admission } from "./admission.ts";
import { makeCreditDesk, type CreditDesk } from "./credit-desk.ts";
import { makeOwnSigner, type SignOwn } from "./hosted-own.ts";
import { makeInboxHandler } from "./inbox-handler.ts";
import type { LaneInbox } from "./inbox-reader.ts";
import type { LaneBook, Lanes } from "./lanes.ts";
import { makePayeeDesk } from "./payee-desk.ts";
import type { Answer } from "./proposal.ts";
import type { Persister } from "./persister.ts";
import { signedByProvider, signedHere } from "./provider-answers.ts";
import type { RecallDesk } from "./recall-desk.ts";
import { makeStatementDesk, type StatementDesk } from "./statement-desk.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { Vault } from "./vault.ts";
import type { Kept, ViewStore } from "./view-store.ts";

/** What the lanes of an adapter share. */
export type AdapterParts = {
  readonly participant: string;
  readonly lanes: Lanes;
  readonly policy: TlogPolicy;
  readonly keys: KeyWatch;
  /** None where the adapter is hosted: the provider signs by itself. */
  readonly signer: KeyFamily | undefined;
  readonly store: ViewStore;
  readonly persister: Persister;
  readonly book: TransferBook;
  readonly vault: Vault;
  readonly openEnvelope: EnvelopeOpener;
  readonly core: HttpClient;
  readonly producer: Producer;
  readonly observed: AdapterTelemetry;
  readonly admission: Admission;
  readonly recalls: RecallDesk;
  readonly onMoved: (kept: Kept) => void;
  readonly onAlarm: (detail: string) => void;
  readonly clock: () => number;
  readonly log: { warn(fields: object, message: string): void };
};

export type LaneSide = {
  readonly own: LaneBook;
  readonly credits: CreditDesk;
  readonly statements: StatementDesk;
  readonly inbox: LaneInbox;
};

const produceDeadlineMs = 5_000;

export const openSide = (parts: AdapterParts, own: LaneBook): LaneSide => {
  const { participant, keys, signer, producer, observed, core, store, log } = parts;
  const { lane, origin, topic, ledger, sheets, chain, position } = own;
  const common = { ...parts, origin, chain, position };
  /** Lost answers are asked for again: the ledger repeats its proposals. */
  const answer = (answers: readonly Answer[]): void => {
    const records = answers.map((one) => {
      const trace = observed.answered(one);
      const command = trace === undefined ? one.command : { ...one.command, trace };
      return { topic, key: one.proposal.terms.id, value: JSON.stringify(command) };
    });
    producer
      .send(records, { deadlineMs: 10_000 })
      .catch((err: unknown) => log.warn({ err }, "answers were not published"));
  };
  const hosted = { participant, origin, core, store, lane, ledger, keys: keys.state, log };
  const signOwn: SignOwn =
    signer === undefined
      ? makeOwnSigner(hosted)
      : async (text) => composeNote(text, [await signer.signLine(text)]);
  const produce = (command: Record<string, unknown>): Promise<void> =>
    producer.send([{ topic, key: participant, value: JSON.stringify(command) }], {
      deadlineMs: produceDeadlineMs,
    });
  const credits = makeCreditDesk({ ...common, signOwn, produce });
  const statements = makeStatementDesk({ ...common, signOwn, produce });
  const payee = makePayeeDesk({
    ...common,
    sheets,
    answers:
      signer === undefined ? signedByProvider(hosted) : signedHere(participant, origin, signer),
    answer,
    expect: credits.expect,
  });
  const inbox = makeInboxHandler({
    ...parts,
    own,
    payee,
    onCredited: credits.covered,
    onStated: statements.stated,
    onSealed: credits.trim,
    onStep: (step, view, atMs) => {
      parts.admission.moved(step, view);
      observed.step(step, view, atMs);
    },
    onTurnedAway: ({ id, payee: to = "" }) => parts.admission.drop(id, to),
  });
  return { own, credits, statements, inbox: { ...inbox, position } };
};
