// Asks every service how it is, for ever: `/readyz` for people, `/metrics` for alerts and charts. A
// service that does not answer is shown as down, since when, and why.
import { httpClient } from "@sealane/http";
import { pause } from "@sealane/runtime";
import { z } from "zod";
import type { ServiceHealth } from "./api-types.ts";
import { asked, jsonOf, type Asked } from "./call.ts";
import { parseMetrics, type Metrics } from "./metrics-text.ts";

export type ServiceTarget = { readonly name: string; readonly url: string };

export type ServiceWatch = {
  readonly health: () => readonly ServiceHealth[];
  /** The newest reading; undefined while the service is down. */
  readonly metrics: (name: string) => Metrics | undefined;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

const timeoutMs = 1_500;
const everyMs = 1_000;

const readinessSchema = z.object({ ok: z.boolean(), checks: z.record(z.string(), z.string()) });

/** What an answer of `/readyz` says. */
export const judgeReadiness = (answer: Asked): Pick<ServiceHealth, "state" | "checks"> => {
  if (!answer.ok) return { state: "down", checks: { answer: answer.detail } };
  const read = readinessSchema.safeParse(jsonOf(answer.body));
  const checks = read.data?.checks ?? { answer: `HTTP ${answer.status}` };
  const ready = answer.status === 200 && read.data?.ok !== false;
  return { state: ready ? "up" : "not-ready", checks };
};

const watchOne = ({ name, url }: ServiceTarget, clock: () => number) => {
  const client = httpClient({ baseUrl: url, timeoutMs, connections: 2, maxAnswer: 4_194_304 });
  let metrics: Metrics | undefined;
  let health: ServiceHealth = { name, url, state: "unknown", sinceMs: clock(), checks: {} };

  const look = async (): Promise<void> => {
    const startedMs = clock();
    const [ready, scraped] = await Promise.all([client.get("/readyz"), client.get("/metrics")]);
    const judged = judgeReadiness(asked(ready));
    const text = asked(scraped);
    metrics = text.ok && text.status === 200 ? parseMetrics(text.body) : undefined;
    const same: boolean = judged.state === health.state;
    const answered = judged.state !== "down";
    health = {
      name,
      url,
      ...judged,
      sinceMs: same ? health.sinceMs : clock(),
      ...(answered ? { answerMs: clock() - startedMs } : {}),
    };
  };

  return {
    health: () => health,
    metrics: () => metrics,
    run: async (signal: AbortSignal): Promise<void> => {
      while (!signal.aborted) {
        await look();
        await pause(everyMs, signal);
      }
      client.close();
    },
  };
};

export const watchServices = (
  targets: readonly ServiceTarget[],
  clock: () => number,
): ServiceWatch => {
  const watched = new Map(targets.map((target) => [target.name, watchOne(target, clock)]));
  return {
    health: () => [...watched.values()].map((one) => one.health()),
    metrics: (name) => watched.get(name)?.metrics(),
    run: async (signal) => {
      await Promise.all([...watched.values()].map((one) => one.run(signal)));
    },
  };
};
