// The bank over HTTP: instructions in, papers out, and what tests and demos ask of it.
import { problem, route, type HttpApp } from "@sealane/http";
import { isCode } from "@sealane/iso20022";
import { parseAmount, parseCurrency } from "@sealane/money";
import { z } from "zod";
import type { Bank } from "./bank.ts";
import { BANK_FAULTS } from "./bank-types.ts";

const auth = "operator" as const;
const account = z.string().regex(/^[A-Z0-9]{4,34}$/);
const xmlType = "application/xml; charset=utf-8";

const unknown = (what: string) =>
  problem({ status: 404, code: `${what}-unknown`, title: `This bank has no such ${what}` });

const mountPapers = (app: HttpApp, bank: Bank): void => {
  route(app, {
    method: "post",
    path: "/v1/instructions",
    summary: "Takes a pacs.009 and answers a pacs.002; the same once more is booked once",
    auth,
    bodyAs: "text",
    body: z.string().min(1),
    bodyLimit: 8_388_608,
    responses: { 200: "The pacs.002", 422: "No instructions that this bank reads" },
    handler: async ({ rawBody }) => {
      const taken = await bank.take(rawBody);
      if (taken.ok) return { status: 200, body: taken.xml, contentType: xmlType };
      const { code, detail } = taken;
      return problem({ status: 422, code, title: "The instructions are not taken", detail });
    },
  });
  route(app, {
    method: "get",
    path: "/v1/documents",
    summary: "Papers of this process, the oldest first; all are in its folder too",
    auth,
    responses: { 200: "Names, kinds, references" },
    handler: () => ({ status: 200, body: { documents: bank.documents() } }),
  });
  route(app, {
    method: "get",
    path: "/v1/documents/:name",
    summary: "One paper as it is",
    auth,
    params: z.object({ name: z.string() }),
    responses: { 200: "The paper", 404: "There is none of this name" },
    handler: ({ params: { name } }) => {
      if (!bank.folder.written().includes(name)) return unknown("document");
      const contentType = name.endsWith(".xml") ? xmlType : "text/plain; charset=utf-8";
      return { status: 200, body: bank.folder.read(name), contentType };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/statements",
    summary: "States again what became of these instructions",
    auth,
    body: z.strictObject({ messageId: z.string().max(35) }),
    responses: { 200: "The statement's papers", 404: "No such instructions" },
    handler: async ({ body }) => {
      const statement = await bank.issue(body.messageId);
      return statement === undefined ? unknown("instructions") : { status: 200, body: statement };
    },
  });
};

const mountMoney = (app: HttpApp, bank: Bank): void => {
  route(app, {
    method: "get",
    path: "/v1/accounts",
    summary: "Accounts and what lies on them, in minor units",
    auth,
    responses: { 200: "Accounts" },
    handler: () => {
      const accounts = bank
        .accounts()
        .map(({ minor, ...rest }) => ({ ...rest, minor: minor.toString() }));
      return { status: 200, body: { accounts } };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/movements",
    summary: "A deposit (credit) or withdrawal, stated at once",
    auth,
    body: z.strictObject({
      account,
      side: z.enum(["credit", "debit"]),
      amount: z.string().max(32),
      reference: z.string().regex(/^[A-Za-z0-9./-]{1,36}$/),
    }),
    responses: { 200: "The statement's papers", 422: "It cannot be booked" },
    handler: async ({ body }) => {
      const { amount, ...movement } = body;
      const own = bank.accounts().find((one) => one.account === body.account);
      const currency = parseCurrency(own?.currency ?? "");
      const parsed = currency && parseAmount(amount, currency);
      if (parsed?.ok !== true) return unknown("account");
      const moved = await bank.move({ ...movement, minor: parsed.minor });
      if (moved.ok) return { status: 200, body: moved.statement };
      return problem({ status: 422, code: moved.code, title: "It cannot be booked" });
    },
  });
};

const mountFaults = (app: HttpApp, bank: Bank): void => {
  const reason = z
    .string()
    .refine((code) => isCode("statusReason", code) && isCode("returnReason", code));
  route(app, {
    method: "post",
    path: "/v1/faults",
    summary: "Asks for a fault",
    auth,
    body: z.strictObject({
      kind: z.enum(BANK_FAULTS),
      count: z.int().min(1).max(1_000).optional(),
      account: account.optional(),
      reason: reason.optional(),
      ms: z.int().min(0).max(3_600_000).optional(),
    }),
    responses: { 200: "All faults that are still to come" },
    handler: ({ body }) => {
      bank.faults.inject(body);
      return { status: 200, body: { faults: bank.faults.list() } };
    },
  });
  route(app, {
    method: "delete",
    path: "/v1/faults",
    summary: "Takes all faults back",
    auth,
    responses: { 204: "Done" },
    handler: () => {
      bank.faults.clear();
      return { status: 204 };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/retry",
    summary: "Tries what was refused of these instructions again, and states it when it is booked",
    auth,
    body: z.strictObject({ messageId: z.string().max(35) }),
    responses: { 204: "Done" },
    handler: async ({ body }) => {
      await bank.retry(body.messageId);
      return { status: 204 };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/cover",
    summary: "An account pays what debtors of these instructions were refused, and that is stated",
    auth,
    body: z.strictObject({ messageId: z.string().max(35), account }),
    responses: { 204: "Done" },
    handler: async ({ body }) => {
      await bank.cover(body.messageId, body.account);
      return { status: 204 };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/release",
    summary: "Books what is late",
    auth,
    responses: { 204: "Done" },
    handler: async () => {
      await bank.release();
      return { status: 204 };
    },
  });
};

export const mountBank = (app: HttpApp, bank: Bank): void => {
  mountPapers(app, bank);
  mountMoney(app, bank);
  mountFaults(app, bank);
};
