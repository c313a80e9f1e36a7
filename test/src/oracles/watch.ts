// Checkpoints as anybody sees them: a watcher that polls what the log publishes, and the heads that the
// witnesses hold.
import { setTimeout as delay } from "node:timers/promises";
import {
  parseCheckpointText,
  parseNote,
  parsePolicy,
  sha256,
  toBase64,
  toHex,
} from "@sealane/tlog";

export type Seen = { readonly size: number; readonly root: string; readonly by: string };

export type CheckpointWatch = {
  readonly seen: () => readonly Seen[];
  stop(): Promise<void>;
};

const read = async (url: string, by: string): Promise<Seen | undefined> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    if (!response.ok) return undefined;
    const { size, root } = parseCheckpointText(parseNote(await response.text()).text);
    return { size, root: toBase64(root), by };
  } catch {
    // Whoever is down now has said nothing.
    return undefined;
  }
};

/** Remembers each checkpoint that the log publishes, as an auditor's program would. */
export const watchCheckpoints = (logUrl: () => string): CheckpointWatch => {
  const seen = new Map<string, Seen>();
  const stopping = new AbortController();
  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const one = await read(`${logUrl()}/checkpoint`, "watcher");
      if (one !== undefined) seen.set(`${one.size} ${one.root}`, one);
      await delay(100);
    }
  };
  const watching = watch();
  return {
    seen: () => [...seen.values()],
    stop: async () => {
      stopping.abort();
      await watching;
    },
  };
};

/** What each witness that answers has cosigned last. */
export const witnessHeads = async (policyText: string, origin: string): Promise<Seen[]> => {
  const { witnesses } = parsePolicy(policyText);
  const path = `${toHex(sha256(origin))}/checkpoint`;
  const heads = await Promise.all(
    witnesses.map(({ name, url = "" }) => read(`${url}/${path}`, `witness ${name}`)),
  );
  return heads.filter((head) => head !== undefined);
};
