// Everything else: notifications, what there is to look at, and the faults.
import { problem, route, type HttpApp } from "@sealane/http";
import { z } from "zod";
import type { Core } from "./core.ts";
import { disturb } from "./disturb.ts";
import type { JournalLine } from "./journal.ts";
import { fromMinor } from "./minor.ts";
import type { Schemas } from "./schemas.ts";

/** Registers `POST /v1/notifications`, kept once per (transfer, number). */
export function notificationRoute(app: HttpApp, core: Core, schemas: Schemas): void {
  route(app, {
    method: "post",
    path: "/v1/notifications",
    summary: "Tells of transfers",
    auth: "participant",
    body: schemas.notifications,
    bodyLimit: 1_048_576,
    responses: { 200: "One result for each notification, in order" },
    handler: async ({ body }) => {
      await disturb(core, []);
      const lines: JournalLine[] = [];
      const results = body.notifications.map(({ transferId, number, status, reason }) => {
        const notification = { transferId, number, status, reason };
        const isNew = core.notifications.take(notification);
        if (isNew) lines.push({ kind: "notification", ...notification });
        return { transferId, number, ok: true };
      });
      await core.journal.append(lines);
      return { status: 200, body: { results } };
    },
  });
}

/** Registers what tests and people look at. */
export function inspectRoutes(app: HttpApp, core: Core): void {
  route(app, {
    method: "get",
    path: "/v1/accounts/:account",
    summary: "One account and its balance of credits",
    auth: "participant",
    params: z.object({ account: z.string() }),
    responses: { 200: "The account", 404: "No such account" },
    handler: ({ params: { account } }) => {
      const found = core.book.find(account);
      if (found === undefined) return unknown("account");
      const balance = fromMinor(core.credits.balanceMinor(account), core.decimals);
      const { currency } = core;
      return { status: 200, body: { account, currency, balance, status: found.status } };
    },
  });
  route(app, {
    method: "get",
    path: "/v1/summary",
    summary: "Counts and exact sums of all credits",
    auth: "participant",
    responses: { 200: "The summary" },
    handler: () => ({ status: 200, body: summaryOf(core) }),
  });
  route(app, {
    method: "get",
    path: "/v1/credits/:transferId",
    summary: "What became of one credit",
    auth: "participant",
    params: z.object({ transferId: z.string() }),
    responses: { 200: "The credit and its notifications", 404: "Never asked for" },
    handler: ({ params: { transferId } }) => creditOf(core, transferId),
  });
}

/** Registers `POST` and `DELETE /v1/faults`. */
export function faultRoutes(app: HttpApp, core: Core, schemas: Schemas): void {
  route(app, {
    method: "post",
    path: "/v1/faults",
    summary: "Injects a fault",
    auth: "participant",
    body: schemas.fault,
    responses: { 200: "All faults that are still to come" },
    handler: ({ body }) => {
      core.faults.inject(body);
      return { status: 200, body: { faults: core.faults.list() } };
    },
  });
  route(app, {
    method: "delete",
    path: "/v1/faults",
    summary: "Takes all faults back",
    auth: "participant",
    responses: { 204: "Done" },
    handler: () => {
      core.faults.clear();
      return { status: 204 };
    },
  });
}

/** What Prometheus reads: the summary, as text. A core is no service of ours and has no telemetry. */
export function metricsText(core: Core): string {
  const { creditedCount, refusedCount } = core.credits.summary();
  return [
    "# HELP sealane_core_credits_total Credits of this simulated core, by outcome",
    "# TYPE sealane_core_credits_total counter",
    `sealane_core_credits_total{outcome="credited"} ${creditedCount}`,
    `sealane_core_credits_total{outcome="refused"} ${refusedCount}`,
    "# HELP sealane_core_notifications_total Notifications taken, each counted once",
    "# TYPE sealane_core_notifications_total counter",
    `sealane_core_notifications_total ${core.notifications.count()}`,
    "",
  ].join("\n");
}

function summaryOf(core: Core): object {
  const { creditedCount, creditedMinor, refusedCount } = core.credits.summary();
  const { participant, currency } = core;
  return {
    participant,
    currency,
    credits: { count: creditedCount, sum: fromMinor(creditedMinor, core.decimals) },
    refused: { count: refusedCount },
    notifications: { count: core.notifications.count() },
  };
}

function creditOf(core: Core, transferId: string) {
  const record = core.credits.find(transferId);
  const notifications = core.notifications.of(transferId);
  if (record === undefined && notifications.length === 0) return unknown("credit");
  const credit = record && {
    account: record.account,
    amount: fromMinor(record.amountMinor, core.decimals),
    currency: core.currency,
    status: record.status,
    ...(record.reason === undefined ? {} : { reason: record.reason }),
  };
  return { status: 200, body: { transferId, ...credit, notifications } };
}

function unknown(what: string) {
  return problem({ status: 404, code: `${what}-unknown`, title: `This core has no such ${what}` });
}
