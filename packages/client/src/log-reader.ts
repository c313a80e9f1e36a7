// Reads a published log over HTTP (C2SP tlog-tiles): checkpoint, bundles of entries, and the whole key
// log, checked. Each call has a deadline; what comes back is believed only as far as it verifies.
import { verifyKeyLog, type KeyLogResult } from "@sealane/rules";
import {
  bundlesFor,
  decodeBundle,
  fromUtf8,
  parseCheckpointText,
  parseNote,
  type TlogPolicy,
} from "@sealane/tlog";

export class LogReadError extends Error {
  readonly code: "log-unreachable" | "log-refused";
  readonly retryable: boolean;

  constructor(code: "log-unreachable" | "log-refused", message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.retryable = code === "log-unreachable";
  }
}

export type LogReader = {
  checkpoint(): Promise<string>;
  /** The bytes of a tile or bundle, by its path below the log's prefix. */
  fetch(path: string): Promise<Uint8Array>;
  /** Entries `from` to `to`, exclusive, as notes. */
  entries(from: number, to: number): Promise<string[]>;
};

/** @param prefix URL of the log, e.g. `http://127.0.0.1:8083/log` */
export const makeLogReader = (prefix: string, timeoutMs = 5_000, token?: string): LogReader => {
  const base = prefix.replace(/\/+$/, "");
  const get = async (path: string): Promise<Response> => {
    const url = `${base}/${path}`;
    try {
      const response = await fetch(url, {
        signal: AbortSignal.timeout(timeoutMs),
        redirect: "error",
        headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      });
      if (response.ok) return response;
      throw new LogReadError("log-refused", `${url} answered ${response.status}`);
    } catch (error) {
      if (error instanceof LogReadError) throw error;
      throw new LogReadError("log-unreachable", `${url} cannot be read`, error);
    }
  };
  const fetchBytes = async (path: string): Promise<Uint8Array> =>
    new Uint8Array(await (await get(path)).arrayBuffer());
  return {
    checkpoint: async () => (await get("checkpoint")).text(),
    fetch: fetchBytes,
    entries: async (from, to) => {
      const notes: string[] = [];
      for (const path of bundlesFor(to, from - (from % 256))) {
        for (const entry of decodeBundle(await fetchBytes(path))) notes.push(fromUtf8(entry));
      }
      return notes.slice(from % 256);
    },
  };
};

/** The notes of a key log and its cosigned checkpoint, as they were served: what a file keeps. */
export type KeyLogCopy = { readonly checkpoint: string; readonly entries: readonly string[] };

/** Fetches the whole key log; small, by design. */
export const fetchKeyLog = async (reader: LogReader): Promise<KeyLogCopy> => {
  const checkpoint = await reader.checkpoint();
  const { size } = parseCheckpointText(parseNote(checkpoint).text);
  return { checkpoint, entries: size === 0 ? [] : await reader.entries(0, size) };
};

/** Fetches and checks the key log against a pinned policy. */
export const readKeyLog = async (reader: LogReader, policy: TlogPolicy): Promise<KeyLogResult> => {
  const copy = await fetchKeyLog(reader);
  return verifyKeyLog(policy, copy.checkpoint, copy.entries);
};
