// The log's page: both checkpoints, and what stands in the key log, in words.
import { fetchKeyLog, type LogReader } from "@sealane/client";
import { keyEntryContextSchema } from "@sealane/protocol";
import type { TlogPolicy } from "@sealane/tlog";
import type { CheckpointView, KeyEntryView, LogAnswer } from "./api-types.ts";
import { layersOf } from "./entry-view.ts";
import { viewCheckpoint } from "./watch-log.ts";

type Body = Readonly<Record<string, unknown>>;

const text = (value: unknown): string =>
  typeof value === "string" ? value : Array.isArray(value) ? value.map(text).join(", ") : "";
/** A verifier key's name: the rest of it is on nobody's tongue. */
const keyName = (vkey: unknown): string => text(vkey).split("+")[0] ?? "";

const summaries: Readonly<Record<string, (body: Body) => readonly [string, string]>> = {
  ledger: (body) => [
    text(body.operator),
    `operates the ledger; entries by ${keyName(body.entryKey)}`,
  ],
  participant: (body) => [
    text(body.participant),
    `takes part as ${text(body.roles)} in ${text(body.currencies)}, exposure ${text(body.exposure)}`,
  ],
  key: (body) => {
    const name = body.vkey === undefined ? "an X25519 key" : keyName(body.vkey);
    return [text(body.participant), `${name} for ${text(body.purpose).replaceAll("-", " ")}`];
  },
  revocation: (body) => [
    text(body.participant),
    `${keyName(body.vkey)} counts no more: ${text(body.reason)}`,
  ],
  suspension: (body) => [
    text(body.participant),
    `${body.suspended === true ? "suspended" : "goes on"}: ${text(body.reason)}`,
  ],
  policy: (body) => [text(body.policy), "which signatures a transfer needs"],
  binding: (body) => [text(body.participant), `all that it pays must cite ${text(body.policy)}`],
  "fee-schedule": (body) => [
    text(body.schedule),
    `${text(body.basisPoints)} basis points of ${text(body.from)} to ${text(body.to)}, to ${text(body.payee)}`,
  ],
  "log-key": (body) => [text(body.log), `another key signs it: ${text(body.reason)}`],
  "root-recovery": (body) => [
    text(body.participant),
    body.withdrawn === true
      ? `the root key that was announced is withdrawn: ${text(body.reason)}`
      : `another root key is announced: ${text(body.reason)}`,
  ],
  lanes: (body) => [
    `period ${text(body.period)}`,
    `lanes that decide the 1,024 slots: ${Array.isArray(body.lanes) ? body.lanes.length : 0}`,
  ],
};

/** One entry of the key log, whose bytes were checked when it was read. */
export const keyEntryView = (seq: number, note: string): KeyEntryView => {
  const [outer, inner] = layersOf(note);
  const kind = inner?.kind ?? "unreadable";
  const body = (inner?.body ?? {}) as Body;
  const [subject, summary] = summaries[kind]?.(body) ?? ["", ""];
  return {
    seq,
    time: keyEntryContextSchema.safeParse(outer?.body).data?.time ?? "",
    kind,
    subject,
    summary,
    signers: inner?.note.signatures.map(({ name }) => name) ?? [],
  };
};

/** @throws LogReadError, TlogError */
export const readLogPage = async (
  keysReader: LogReader,
  policy: TlogPolicy,
  policyText: string,
  lane: CheckpointView,
  url: string,
): Promise<LogAnswer> => {
  const { checkpoint, entries } = await fetchKeyLog(keysReader);
  return {
    lane,
    keys: viewCheckpoint(policy, checkpoint),
    keyEntries: entries.map((note, seq) => keyEntryView(seq, note)),
    policy: policyText,
    url,
  };
};
