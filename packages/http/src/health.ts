// /livez says that the process runs, /readyz that it can do its work now, with the reasons when it
// cannot; /metrics hands over to the telemetry of the service. None of them needs a token.
import type { IncomingMessage, ServerResponse } from "node:http";
import { sendAnswer } from "./answer.ts";
import { noteMethod, type HttpApp } from "./app.ts";

/** `checks` names each thing looked at: "ok", or what is wrong with it. */
export type Readiness = { readonly ok: boolean; readonly checks: Readonly<Record<string, string>> };

export type HealthOptions = {
  readonly ready: () => Promise<Readiness> | Readiness;
  readonly metrics?: (req: IncomingMessage, res: ServerResponse) => void;
};

/** Mounts the three; a `ready` that throws counts as not ready. */
export function health(app: HttpApp, options: HealthOptions): void {
  for (const path of ["/livez", "/readyz"]) noteMethod(app, "get", path);
  app.router.get("/livez", (_req, res) => sendAnswer(res, { status: 200, body: { ok: true } }));
  app.router.get("/readyz", async (_req, res) => {
    const readiness = await judged(app, options.ready);
    const headers = readiness.ok ? {} : { "Retry-After": "1" };
    sendAnswer(res, { status: readiness.ok ? 200 : 503, body: readiness, headers });
  });
  const { metrics } = options;
  if (metrics === undefined) return;
  noteMethod(app, "get", "/metrics");
  app.router.get("/metrics", (req, res) => metrics(req, res));
}

async function judged(app: HttpApp, ready: HealthOptions["ready"]): Promise<Readiness> {
  try {
    return await ready();
  } catch (err) {
    app.logger?.warn({ err }, "readiness check failed");
    return { ok: false, checks: { readiness: "the check itself failed" } };
  }
}
