// The witness: for each log one request at a time is read, judged, looked at by the owner, cosigned,
// made durable and answered, in that order. A crash anywhere leaves it either where it was, or ahead
// of a cosignature that nobody has: never behind one.
import { OperationalError } from "@sealane/runtime";
import {
  composeNote,
  parseVerifierKey,
  sha256,
  toHex,
  utf8,
  verifierFor,
  type Verifier,
} from "@sealane/tlog";
import { makeEvidenceStore, type EvidenceStore } from "./evidence.ts";
import { judge, readRequest, refuse, type SignedRequest } from "./judge.ts";
import { makeLocks } from "./locks.ts";
import { openStateFile, type StateFile } from "./state-file.ts";
import type {
  CosignVerdict,
  Witness,
  WitnessAnswer,
  WitnessHead,
  WitnessOptions,
} from "./witness-types.ts";

type Parts = {
  readonly options: WitnessOptions;
  readonly state: StateFile;
  readonly evidence: EvidenceStore;
  readonly nowMs: () => number;
};

const BUSY = refuse(503, "too many requests wait for this log").answer;
const MAX_WAITING = 16;

/** Opens the state and makes a witness. Throws when a key, or the state file, cannot be used. */
export async function createWitness(options: WitnessOptions): Promise<Witness> {
  const { cosigner, stateFile, logs, clock = Date.now } = options;
  const verifiersOf = readLogs(logs);
  const state = await openStateFile(stateFile);
  const evidence = makeEvidenceStore(`${stateFile}.evidence`);
  const parts: Parts = { options, state, evidence, nowMs: clock };
  const originOf = new Map([...verifiersOf.keys()].map((origin) => [hashOf(origin), origin]));
  const locks = makeLocks(MAX_WAITING);
  return {
    name: cosigner.name,
    vkey: cosigner.vkey,
    addCheckpoint: async (body, oldRoot) => {
      const read = readRequest(body, verifiersOf, oldRoot);
      if (!read.ok) return read.answer;
      const { request } = read;
      return (await locks.run(request.checkpoint.origin, () => decide(parts, request))) ?? BUSY;
    },
    latest: (originHash) => {
      const origin = originOf.get(originHash);
      return origin === undefined ? undefined : state.head(origin)?.note;
    },
    heads: () => state.heads(),
  };
}

async function decide(parts: Parts, request: SignedRequest): Promise<WitnessAnswer> {
  const { options, state, evidence, nowMs } = parts;
  const head = state.head(request.checkpoint.origin);
  const judged = judge(request, head);
  if (!judged.ok) {
    if (judged.evidence) await evidence.keep(judged.evidence, request, head, nowMs());
    return judged.answer;
  }
  const verdict = await askOwner(options, request, head);
  if (!verdict.ok) {
    if (verdict.retryable === true) return refuse(503, verdict.reason).answer;
    await evidence.keep("refused-by-owner", request, head, nowMs(), verdict.reason);
    return refuse(422, verdict.reason).answer;
  }
  return cosign(parts, request, head);
}

async function askOwner(
  options: WitnessOptions,
  request: SignedRequest,
  previous: WitnessHead | undefined,
): Promise<CosignVerdict> {
  const { origin, size, root } = request.checkpoint;
  if (options.onBeforeCosign === undefined) return { ok: true };
  return options.onBeforeCosign({ origin, size, root, text: request.text, previous });
}

async function cosign(
  { options, state, nowMs }: Parts,
  request: SignedRequest,
  head: WitnessHead | undefined,
): Promise<WitnessAnswer> {
  const seconds = Math.floor(nowMs() / 1_000);
  const line = await options.cosigner.cosign(request.text, seconds);
  const { origin, size, root } = request.checkpoint;
  const note = composeNote(request.text, [...request.logLines, line]);
  const next: WitnessHead = { origin, size, root, note };
  if (head?.size === size) state.refresh(next);
  else await state.save(next);
  return { status: 200, contentType: "text/plain; charset=utf-8", body: `${line}\n` };
}

function readLogs(logs: WitnessOptions["logs"]): Map<string, readonly Verifier[]> {
  const verifiersOf = new Map<string, Verifier[]>();
  for (const { origin, vkey } of logs) {
    const key = parseVerifierKey(vkey);
    if (key.type !== 1) {
      const message = `the key of ${origin} is not one that signs checkpoints (type 0x01)`;
      throw new OperationalError("witness-log-key", message, { retryable: false });
    }
    verifiersOf.set(origin, [...(verifiersOf.get(origin) ?? []), verifierFor(key)]);
  }
  return verifiersOf;
}

function hashOf(origin: string): string {
  return toHex(sha256(utf8(origin)));
}
