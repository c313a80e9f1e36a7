// Starts one simulated core: a door that only its adapter's token opens, on 127.0.0.1.
import { bearerAuth, createHttpApp, health, startHttp, tokenDigest } from "@sealane/http";
import { checkRoute } from "./check-route.ts";
import { openCore, type CoreIdentity } from "./core.ts";
import type { CreditSummary } from "./credit-state.ts";
import { creditRoute } from "./credit-route.ts";
import type { Fault } from "./faults.ts";
import { ownRoute } from "./hosted-side.ts";
import { faultRoutes, inspectRoutes, metricsText, notificationRoute } from "./inspect-routes.ts";
import { recallRoute } from "./recall-route.ts";
import { makeSchemas } from "./schemas.ts";

export type CoreOptions = CoreIdentity & {
  /** 0 lets the system choose. */
  readonly port: number;
  /** The bearer token that the adapter presents, 16 characters or more. */
  readonly adapterToken: string;
};

export type RunningCore = {
  readonly participant: string;
  readonly url: string;
  readonly port: number;
  readonly summary: () => CreditSummary;
  readonly inject: (fault: Fault) => void;
  /** Cuts what it holds, finishes the rest, closes the journal. */
  readonly close: () => Promise<void>;
};

/** Opens the journal and starts listening. */
export async function startCore(options: CoreOptions): Promise<RunningCore> {
  const core = await openCore(options);
  const adapter = new Map([["adapter", tokenDigest(options.adapterToken)]]);
  const app = createHttpApp({
    name: `core of ${core.participant}`,
    auth: { participant: bearerAuth(adapter) },
  });
  const schemas = makeSchemas(core.decimals);
  checkRoute(app, core, schemas);
  creditRoute(app, core, schemas);
  recallRoute(app, core, schemas);
  notificationRoute(app, core, schemas);
  inspectRoutes(app, core);
  faultRoutes(app, core, schemas);
  if (core.hosted !== undefined) ownRoute(app, core, core.hosted, schemas);
  health(app, {
    ready: () => ({ ok: true, checks: { journal: "ok" } }),
    metrics: (_req, res) => {
      res.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
      res.end(metricsText(core));
    },
  });
  const server = await startHttp({ app, port: options.port });
  return {
    participant: core.participant,
    url: server.url,
    port: server.port,
    summary: () => core.credits.summary(),
    inject: (fault) => core.faults.inject(fault),
    close: async () => {
      core.hosted?.stop();
      const closing = server.close();
      server.server.closeAllConnections();
      await closing;
      await core.journal.close();
    },
  };
}
