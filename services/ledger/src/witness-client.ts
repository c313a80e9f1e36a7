// The ledger's side of C2SP tlog-witness: one witness, one request in flight, always the newest
// checkpoint. It remembers the size the witness has and learns it anew from a 409. That a witness is ahead
// of us is believed only with a checkpoint that our log has signed: else one that lies would stop us.
import { httpClient, type HttpClient } from "@sealane/http";
import {
  cosignatureTime,
  formatAddCheckpoint,
  OLD_ROOT_HEADER,
  parseSignatureLine,
  toHex,
  sha256,
  toBase64,
  openNote,
  parseCheckpointText,
  verifierFor,
  type PolicyLog,
  type PolicyWitness,
  type TlogError,
} from "@sealane/tlog";

export type Checkpoint = {
  readonly origin: string;
  readonly size: number;
  /** The note, with the log's own line only. */
  readonly note: string;
  /** The text that witnesses cosign. */
  readonly text: string;
};

export type Cosignature = { readonly line: string; readonly timeMs: number };

export type WitnessAnswer =
  | { readonly outcome: "cosigned"; readonly cosignature: Cosignature }
  /** The witness holds a larger tree than ours: we are behind our own witnesses. */
  | { readonly outcome: "ahead"; readonly size: number }
  | { readonly outcome: "failed"; readonly detail: string };

/** What of our tree a witness is told. */
export type GrowthReader = {
  consistency(oldSize: number, newSize: number): Uint8Array[];
  rootAt(size: number): Uint8Array;
};

export type WitnessClient = {
  readonly name: string;
  readonly busy: () => boolean;
  cosign(checkpoint: Checkpoint, tree: GrowthReader): Promise<WitnessAnswer>;
  /**
   * The size of the newest checkpoint that the witness serves for an origin; 0 when none, undefined when
   * it does not say, or shows something that the log has not signed.
   */
  sizeOf(origin: string): Promise<number | undefined>;
  close(): void;
};

const timeoutMs = 2_000;

const isPowerOfTwo = (size: number): boolean => size > 0 && Number.isInteger(Math.log2(size));

/** @param logs the policy's: whose checkpoints are believed */
export const makeWitnessClient = (
  { name, key, url }: PolicyWitness,
  logs: readonly PolicyLog[],
): WitnessClient => {
  if (url === undefined) throw new Error(`the policy has no URL for witness ${name}`);
  const http: HttpClient = httpClient({ baseUrl: url, timeoutMs, connections: 2 });
  const verifier = verifierFor(key);
  const sizes = new Map<string, number>();
  let inFlight = false;

  const readCosignature = (body: string, text: string): Cosignature | undefined => {
    for (const line of body.split("\n")) {
      if (line === "") continue;
      try {
        const signature = parseSignatureLine(line);
        if (signature.name !== key.name || signature.keyId !== key.keyId) continue;
        if (!verifier.verify(text, signature.signature)) return undefined;
        return { line, timeMs: cosignatureTime(signature.signature) * 1_000 };
      } catch (error) {
        if ((error as TlogError).name === "TlogError") return undefined;
        throw error;
      }
    }
    return undefined;
  };

  const signedSize = (origin: string, note: string): number | undefined => {
    const own = logs.filter((log) => log.key.name === origin).map((log) => verifierFor(log.key));
    try {
      const checkpoint = parseCheckpointText(openNote(note, own).text);
      return checkpoint.origin === origin ? checkpoint.size : undefined;
    } catch (error) {
      if ((error as TlogError).name === "TlogError") return undefined;
      throw error;
    }
  };

  const sizeOf = async (origin: string): Promise<number | undefined> => {
    const answer = await http.get(`/${toHex(sha256(origin))}/checkpoint`);
    if (answer.outcome !== "ok") return undefined;
    if (answer.status === 404) return 0;
    if (answer.status !== 200) return undefined;
    const size = signedSize(origin, answer.body);
    if (size !== undefined) sizes.set(origin, size);
    return size;
  };

  const post = (body: string, headers: Readonly<Record<string, string>> = {}) =>
    http.post("/add-checkpoint", body, { contentType: "text/plain", headers });

  const attempt = async (
    checkpoint: Checkpoint,
    tree: GrowthReader,
    again: boolean,
  ): Promise<WitnessAnswer> => {
    const oldSize = sizes.get(checkpoint.origin) ?? 0;
    if (oldSize > checkpoint.size) return { outcome: "ahead", size: oldSize };
    const proof = oldSize === 0 ? [] : tree.consistency(oldSize, checkpoint.size);
    const body = formatAddCheckpoint({ oldSize, proof, checkpoint: checkpoint.note });
    const answer = await post(body);
    if (answer.outcome !== "ok") return { outcome: "failed", detail: answer.error.message };
    if (answer.status === 409) {
      const size = Number.parseInt(answer.body.trim(), 10);
      if (!Number.isSafeInteger(size)) return { outcome: "failed", detail: "409 without a size" };
      if (size > checkpoint.size) {
        const shown = await sizeOf(checkpoint.origin);
        if (shown !== undefined && shown > checkpoint.size)
          return { outcome: "ahead", size: shown };
        return { outcome: "failed", detail: `it says ${size}, and shows no checkpoint of ours` };
      }
      sizes.set(checkpoint.origin, size);
      return again
        ? attempt(checkpoint, tree, false)
        : { outcome: "failed", detail: "the witness disagrees about its size" };
    }
    if (answer.status === 422 && oldSize < checkpoint.size && isPowerOfTwo(oldSize)) {
      // It was shown another history. With our root there it can keep both as evidence that stands.
      await post(body, { [OLD_ROOT_HEADER]: toBase64(tree.rootAt(oldSize)) });
    }
    if (answer.status !== 200) {
      return { outcome: "failed", detail: `status ${answer.status}: ${answer.body.slice(0, 200)}` };
    }
    const cosignature = readCosignature(answer.body, checkpoint.text);
    if (cosignature === undefined) return { outcome: "failed", detail: "no valid cosignature" };
    sizes.set(checkpoint.origin, checkpoint.size);
    return { outcome: "cosigned", cosignature };
  };

  return {
    name,
    busy: () => inFlight,
    cosign: async (checkpoint, tree) => {
      inFlight = true;
      try {
        return await attempt(checkpoint, tree, true);
      } finally {
        inFlight = false;
      }
    },
    sizeOf,
    close: () => http.close(),
  };
};
