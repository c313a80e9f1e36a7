// The lane's newest cosigned checkpoint, as the ledger shows it, and each witness's own newest one, as the
// witness shows it: nobody is asked about another. Checked by the pinned policy.
import { httpClient } from "@sealane/http";
import { formatTime } from "@sealane/protocol";
import { pause } from "@sealane/runtime";
import { checkCheckpoint, sha256, toBase64, toHex, utf8, type TlogPolicy } from "@sealane/tlog";
import type { CheckpointView, WitnessHealth } from "./api-types.ts";
import { asked, type Asked } from "./call.ts";

export type LogWatch = {
  /** Undefined before the first one, and for an empty log. */
  readonly sealed: () => CheckpointView | undefined;
  /** Why the newest answer could not be used. */
  readonly fault: () => string | undefined;
  readonly witnesses: () => readonly WitnessHealth[];
  /** Takes a checkpoint that came another way; what cannot be used changes nothing. */
  readonly take: (note: string) => void;
  /** When an entry was first sealed, if that was seen here. */
  readonly firstSealed: (seq: number) => string | undefined;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

const timeoutMs = 1_500;
const everyMs = 1_000;
/** A witness that is so many ms behind the log's newest seal is not merely one that was slower. */
const behindMs = 10_000;
const mostSeals = 5_000;

/** A checkpoint as a page shows it. @throws TlogError when the policy's log has not signed it */
export const viewCheckpoint = (policy: TlogPolicy, note: string): CheckpointView => {
  const { checkpoint, cosignedBy, quorum } = checkCheckpoint(policy, note);
  return {
    origin: checkpoint.origin,
    size: checkpoint.size,
    root: toBase64(checkpoint.root),
    note,
    quorum,
    cosignedBy: cosignedBy.map(({ name, time }) => ({ name, at: formatTime(time * 1_000) })),
  };
};

/** When a quorum had cosigned: the middle one of their times, so that no one witness moves it. */
export const sealedAtOf = ({ cosignedBy }: CheckpointView): string | undefined => {
  const times = cosignedBy.map(({ at }) => at).toSorted();
  return times[Math.floor((times.length - 1) / 2)];
};

const readView = (
  policy: TlogPolicy,
  answer: Asked,
): { readonly view?: CheckpointView; readonly fault?: string } => {
  if (!answer.ok) return { fault: answer.detail };
  if (answer.status === 404) return { fault: "nothing is cosigned yet" };
  if (answer.status !== 200) return { fault: `HTTP ${answer.status}` };
  try {
    return { view: viewCheckpoint(policy, answer.body) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : "not a checkpoint" };
  }
};

/** How a witness stands, by what it shows itself. */
export const judgeWitness = (
  witness: Pick<WitnessHealth, "name" | "keyName" | "url">,
  answer: Asked,
  policy: TlogPolicy,
  sealed: CheckpointView | undefined,
): WitnessHealth => {
  const { view, fault } = readView(policy, answer);
  if (view === undefined) {
    const state = answer.ok ? "behind" : "down";
    return { ...witness, state, ...(fault === undefined ? {} : { detail: fault }) };
  }
  const own = view.cosignedBy.find(({ name }) => name === witness.name);
  const newest = sealed === undefined ? undefined : sealedAtOf(sealed);
  const late =
    sealed !== undefined &&
    view.size < sealed.size &&
    Date.parse(newest ?? "") - Date.parse(own?.at ?? "") > behindMs;
  return {
    ...witness,
    state: own === undefined || late ? "behind" : "cosigning",
    size: view.size,
    ...(own === undefined ? { detail: "its cosignature is missing" } : { cosignedAt: own.at }),
  };
};

export const watchLog = (policy: TlogPolicy, ledgerUrl: string, origin: string): LogWatch => {
  const ledger = httpClient({ baseUrl: `${ledgerUrl}/log`, timeoutMs, connections: 2 });
  const path = `/${toHex(sha256(utf8(origin)))}/checkpoint`;
  let sealed: CheckpointView | undefined;
  let fault: string | undefined = "not read yet";
  const peers = policy.witnesses.map(({ name, key, url }) => ({
    known: { name, keyName: key.name, ...(url === undefined ? {} : { url }) },
    client: url === undefined ? undefined : httpClient({ baseUrl: url, timeoutMs, connections: 1 }),
  }));
  let witnesses: readonly WitnessHealth[] = peers.map(({ known }) => ({
    ...known,
    state: "unknown",
  }));

  const seals: { readonly size: number; readonly at: string }[] = [];

  /** An older one that comes late takes nothing back. */
  const note = (view: CheckpointView): void => {
    if (!view.quorum || view.origin !== origin || view.size < (sealed?.size ?? 0)) return;
    if (view.size > (seals.at(-1)?.size ?? -1)) {
      seals.push({ size: view.size, at: sealedAtOf(view) ?? "" });
      if (seals.length > mostSeals) seals.shift();
    }
    sealed = view;
  };

  const look = async (): Promise<void> => {
    const read = readView(policy, asked(await ledger.get("/checkpoint")));
    fault = read.fault;
    if (read.view !== undefined) note(read.view);
    witnesses = await Promise.all(
      peers.map(async ({ known, client }): Promise<WitnessHealth> => {
        if (client === undefined) return { ...known, state: "unknown", detail: "no address" };
        return judgeWitness(known, asked(await client.get(path)), policy, sealed);
      }),
    );
  };

  return {
    sealed: () => sealed,
    fault: () => fault,
    witnesses: () => witnesses,
    take: (text) => {
      const { view } = readView(policy, { ok: true, status: 200, body: text });
      if (view !== undefined) note(view);
    },
    firstSealed: (seq) => {
      const at = seals.findIndex(({ size }) => size > seq);
      // Of what the oldest one covers, older ones may have covered some.
      return at > 0 ? seals[at]?.at : undefined;
    },
    run: async (signal) => {
      while (!signal.aborted) {
        await look();
        await pause(everyMs, signal);
      }
      for (const client of [ledger, ...peers.map((peer) => peer.client)]) client?.close();
    },
  };
};
