// What the payee's adapter saw: a benchmark ends at the sealed receipt there, not at the sender's.
import type { Target } from "./transfers.ts";

export type PayeeWatch = {
  /** Wall clock of the seal at the payee's adapter, by transfer. */
  readonly sealedAtMs: ReadonlyMap<string, number>;
  stop(): void;
};

type Event = {
  readonly transferId: string;
  readonly status: string;
  readonly steps: { readonly sealedAt?: string };
};

/** Listens to /v1/events until stopped. */
export const watchPayee = async (target: Target): Promise<PayeeWatch> => {
  const stopping = new AbortController();
  const sealedAtMs = new Map<string, number>();
  const response = await fetch(`${target.url}/v1/events`, {
    headers: { Authorization: `Bearer ${target.token}` },
    signal: stopping.signal,
  });
  if (!response.ok || response.body === null) throw new Error(`events answered ${response.status}`);
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        if (!line.startsWith("data: ")) continue;
        const event = JSON.parse(line.slice(6)) as Event;
        if (event.status !== "sealed" || event.steps.sealedAt === undefined) continue;
        sealedAtMs.set(event.transferId, Date.parse(event.steps.sealedAt));
      }
    }
  };
  read(response.body).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return { sealedAtMs, stop: () => stopping.abort() };
};
