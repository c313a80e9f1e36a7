// Who reads what of the ledger, on a system that gives entries to nobody without a token: a matrix of
// roles and routes, a participant's own export, bundles, receipts at once and sealed, and the record of
// every read.
import { randomUUID } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { formatTime, auditorTokenText, tokenOfNote } from "@sealane/protocol";
import { readKeyFile } from "@sealane/signer";
import { parseNote, parseProof, signNoteLine } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { buildGoVerifier, findPythonVerifier } from "./independent/verifiers.ts";
import { runSealane, sealaneJson } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const hk = "hk-wallet.example";
const account = "+639170000001";
let system: WholeSystem;
let transfers: string[];

const sealane = (...args: string[]) => sealaneJson(system, args);
const path = (...parts: string[]): string => system.stack.home.path(...parts);
const secret = (...parts: string[]): string => readFileSync(path(...parts), "utf8").trim();

const request = () => ({
  payer: { account: "+85290000001" },
  payee: { participant: "ph-wallet.example", account },
  amount: { currency: "HKD", amount: "100.00" },
});
const send = async (): Promise<string> => {
  const sent = await system.hk.send(request(), { idempotencyKey: randomUUID(), waitSeconds: 20 });
  expect(sent.status).toBe("sealed");
  return sent.transferId;
};

beforeAll(async () => {
  system = await startWholeSystem({ closedBundles: true });
  transfers = [await send(), await send(), await send()];
});
afterAll(() => system.stop());

/** A token as `sealane keys token` makes it, signed by any key and for any time. */
const tokenBy = (key: string, fromMs: number, untilMs: number): string => {
  const { name, seed } = readKeyFile(path("keys", key));
  const body = { auditor: "auditor.example", from: formatTime(fromMs), until: formatTime(untilMs) };
  const text = auditorTokenText("sealane.example/keys", body);
  return tokenOfNote(text, signNoteLine(name, seed, text));
};

const roles = [
  "nobody",
  "rubbish",
  "payer",
  "payee",
  "desk",
  "auditor",
  "ended",
  "forged",
  "service",
  "core",
] as const;
type Role = (typeof roles)[number];

const tokenOf = (role: Role): string | undefined => {
  const now = Date.now();
  const hour = 3_600_000;
  const tokens: Record<Role, () => string | undefined> = {
    nobody: () => undefined,
    rubbish: () => "a-token-that-nobody-was-ever-given",
    payer: () => secret("keys", "hk-wallet", "ledger.token"),
    payee: () => secret("keys", "ph-wallet", "ledger.token"),
    desk: () => secret("keys", "fx-desk", "ledger.token"),
    auditor: () => secret("auditor.token"),
    ended: () => tokenBy("alice/operator.key", now - 2 * hour, now - hour),
    forged: () => tokenBy("hk-wallet/root.key", now - hour, now + hour),
    service: () => secret("keys", "operator", "reconciliation.token"),
    core: () => secret("keys", "hk-wallet", "api.token"),
  };
  return tokens[role]();
};

/** Status by role; roles that are not named get 401. */
type Row = readonly [route: string, url: string, statuses: Partial<Record<Role, number>>];

const everybody = (status: number): Record<Role, number> =>
  Object.fromEntries(roles.map((role) => [role, status])) as Record<Role, number>;
const auditors = { auditor: 200, service: 200, payer: 403, payee: 403, desk: 403 };
const participants = { payer: 200, payee: 200, desk: 200, auditor: 403, service: 403 };
const payerOnly = { ...participants, payee: 403, desk: 403 };

/** Place of the payer's advance: an entry that is nobody else's. */
const ownPlace = async (): Promise<number> => {
  const page = (await (await ask("payer", "get", "/v1/entries")).json()) as {
    entries: { seq: number; note: string }[];
  };
  return page.entries.find(({ note }) => note.includes("/advance/v1\n"))?.seq ?? -1;
};

/** Every route of the ledger, by its name in the OpenAPI document. */
const matrix = (own: number): Row[] => [
  ["get /log/checkpoint", "/log/checkpoint", everybody(200)],
  ["get /log/tile/{path}", "/log/tile/0/000.p/2", everybody(200)],
  ["get /log/tile/entries/{path}", "/log/tile/entries/000.p/2", auditors],
  ["get /log/keys/checkpoint", "/log/keys/checkpoint", everybody(200)],
  ["get /log/keys/tile/{path}", "/log/keys/tile/0/000.p/2", everybody(200)],
  ["get /log/keys/tile/entries/{path}", "/log/keys/tile/entries/000.p/2", everybody(200)],
  ["get /v1/places/{id}", `/v1/places/${transfers[0]}`, auditors],
  ["get /v1/inbox/{participant}", `/v1/inbox/${hk}`, payerOnly],
  ["get /v1/entries", "/v1/entries", participants],
  ["get /v1/proofs", `/v1/proofs?seqs=${own}`, payerOnly],
  ["get /v1/transfers/{id}", `/v1/transfers/${transfers[0]}`, participants],
  ["get /v1/transfers/{id}/receipt", `/v1/transfers/${transfers[0]}/receipt`, participants],
  // Its authority is in the signatures of what is sent: everybody may send, nobody may send this.
  ["post /v1/key-log", "/v1/key-log", everybody(422)],
  ["get /v1/positions", "/v1/positions", auditors],
  ["get /v1/lane", "/v1/lane", everybody(200)],
  ["post /v1/lane/set-aside", "/v1/lane/set-aside", everybody(400)],
];

const ask = (role: Role, method: string, url: string): Promise<Response> => {
  const token = tokenOf(role);
  return fetch(`${system.stack.urls["ledger"]}${url}`, {
    method,
    ...(method === "post" ? { body: "rubbish\n" } : {}),
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
};

describe("the ledger's routes", () => {
  it("answer each role as the matrix says, and the matrix has every route", async () => {
    const by = ["--operator", "keys/alice/operator.key", "--out", "auditor.token"];
    const made = await sealane("keys", "token", "auditor.example", "--days", "1", ...by);
    expect(made).toMatchObject({ ok: true, operator: "sealane.example/operators/alice" });
    const openapi = (await (await ask("nobody", "get", "/v1/openapi.json")).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const served = Object.entries(openapi.paths)
      .flatMap(([route, methods]) => Object.keys(methods).map((method) => `${method} ${route}`))
      .filter((route) => !/ \/(livez|readyz|metrics)$/.test(route));
    const rows = matrix(await ownPlace());
    expect(served.sort()).toEqual(rows.map(([route]) => route).sort());
    for (const [route, url, statuses] of rows) {
      const answers: Partial<Record<Role, number>> = {};
      for (const role of roles) {
        answers[role] = (await ask(role, route.split(" ")[0] ?? "", url)).status;
      }
      expect([route, answers]).toEqual([route, { ...everybody(401), ...statuses }]);
    }
  });

  it("have an auditor's token audit the whole log, and nobody without one", async () => {
    const log = `${system.stack.urls["ledger"]}/log`;
    const audit = ["audit", log, "--policy", "trust.policy"];
    expect(await sealane(...audit, "--token", "auditor.token")).toMatchObject({ ok: true });
    expect((await runSealane(system, audit)).status).toBe(1);
    const exported = ["export", "--out", "audit", "--token", "auditor.token"];
    expect(await sealane(...exported)).toMatchObject({ ok: true });
    expect(await sealane("audit", "audit", "--policy", "trust.policy")).toMatchObject({ ok: true });
  });

  it("have it audit with the verifiers in Go and Python too, and with no other token", async () => {
    const log = `${system.stack.urls["ledger"]}/log`;
    const policy = secret("trust.policy") + "\n";
    const folder = path("verifiers");
    mkdirSync(folder);
    for (const tool of [buildGoVerifier(folder), findPythonVerifier()]) {
      if ("skipped" in tool) {
        process.stderr.write(`SKIPPED: a verifier with an auditor's token: ${tool.skipped}\n`);
        continue;
      }
      const { name, logs } = tool.found;
      const [verdict] = await logs([log], { policy, token: `${tokenOf("auditor")}\n` });
      expect([name, verdict]).toMatchObject([name, { ok: true }]);
      for (const role of ["nobody", "rubbish", "ended", "forged", "payer"] as const) {
        const token = tokenOf(role);
        const [refused] = await logs([log], { policy, ...(token === undefined ? {} : { token }) });
        const said = role === "payer" ? /403/ : /401/;
        expect([name, role, refused]).toMatchObject([
          name,
          role,
          { ok: false, detail: expect.stringMatching(said) },
        ]);
      }
    }
  }, 120_000);
});

describe("balances at reconciliation", () => {
  it("are for staff, of every lane and over all of them", async () => {
    const base = system.stack.urls["reconciliation"] ?? "";
    const { staffTokenFile } = JSON.parse(secret("cli.json")) as { staffTokenFile: string };
    const staff = secret(staffTokenFile);
    const tokens = [undefined, "rubbish", secret("keys/hk-wallet/api.token"), staff];
    for (const url of ["/v1/balances", "/v1/balances/summary", "/v1/totals"]) {
      const answers: number[] = [];
      for (const token of tokens) {
        const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
        const answer = await fetch(`${base}${url}`, {
          headers,
          signal: AbortSignal.timeout(10_000),
        });
        await answer.body?.cancel();
        answers.push(answer.status);
      }
      expect([url, answers]).toEqual([url, [401, 401, 401, 200]]);
    }
    const audit = ["audit", "--policy", "trust.policy", "--token", "auditor.token", "--balances"];
    expect(await sealane(...audit)).toMatchObject({ ok: true });
  });
});

describe("a console's token at an adapter", () => {
  it("reads what waits for operators' signatures, and opens nothing else", async () => {
    const base = system.stack.urls["hk-wallet"] ?? "";
    const call = async (method: string, url: string, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${base}${url}`, {
        method,
        headers: { ...headers, "Content-Type": "application/json", "Idempotency-Key": "matrix" },
        ...(method === "GET" ? {} : { body: "{}" }),
        signal: AbortSignal.timeout(10_000),
      });
      await answer.body?.cancel();
      return answer.status;
    };
    const openapi = (await (await fetch(`${base}/v1/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { security?: unknown[] }>>;
    };
    const guarded = Object.entries(openapi.paths).flatMap(([route, methods]) =>
      Object.entries(methods).flatMap(([method, { security }]) =>
        security === undefined || security.length === 0 ? [] : `${method.toUpperCase()} ${route}`,
      ),
    );
    expect(guarded.length).toBeGreaterThan(20);
    const Authorization = `Bearer ${secret("keys", "hk-wallet", "approvals.token")}`;
    const open: string[] = [];
    for (const route of guarded) {
      const [method = "", place = ""] = route.split(" ");
      const url = place.replaceAll(/\{[^}]*\}/g, transfers[0] ?? "");
      expect([route, await call(method, url)]).toEqual([route, 401]);
      if ((await call(method, url, { Authorization })) !== 403) open.push(route);
    }
    expect(open.sort()).toEqual(["GET /v1/approvals", "GET /v1/approvals/{id}"]);
  });
});

describe("a participant", () => {
  it("exports all its own entries, complete up to a statement it has just signed", async () => {
    const out = ["--out", "hk.bundle", "--statement"];
    const exported = await sealane("export", "--participant", hk, ...out);
    expect(exported).toMatchObject({ ok: true, chain: { participant: hk, first: 0 } });
    const { stdout, status } = await runSealane(system, ["verify", "hk.bundle"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^all \d+ entries of hk-wallet\.example from 0 to \d+: complete up to 20\S+Z \(statement, entry \d+\)$/m,
    );
    // An entry is left out: the export does not stand, whatever its claim says.
    const lines = readFileSync(path("hk.bundle"), "utf8").split("\n");
    const receipts = lines.flatMap((line, at) => (line.startsWith("receipt ") ? [at] : []));
    const cut = lines.filter((_, at) => at !== receipts[1]).join("\n");
    writeFileSync(path("cut.bundle"), cut);
    const refused = await runSealane(system, ["verify", "cut.bundle", "--json"]);
    expect(refused.status).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, code: "chain-broken" });
  });

  it("hands over several transfers in one file that needs nothing but the policy", async () => {
    const bundled = await runSealane(system, ["receipt", ...transfers, "--bundle", "three.bundle"]);
    expect(bundled).toMatchObject({ status: 0 });
    mkdirSync(path("elsewhere"));
    copyFileSync(path("three.bundle"), path("elsewhere", "three.bundle"));
    copyFileSync(path("trust.policy"), path("elsewhere", "trust.policy"));
    const file = path("elsewhere", "three.bundle");
    const policy = path("elsewhere", "trust.policy");
    const verdict = (await sealane("verify", file, "--policy", policy)) as {
      ok: boolean;
      receipts: { facts: { transferId: string } }[];
    };
    expect(verdict.ok).toBe(true);
    expect(verdict.receipts.map(({ facts }) => facts.transferId).sort()).toEqual(transfers.sort());
    expect((await runSealane(system, ["receipt", ...transfers])).stderr).toContain("--bundle FILE");
  });

  it("has a receipt as soon as it is logged, and a sealed one as soon as it is sealed", async () => {
    const { stack } = system;
    const receiptOf = async (id: string, prefer?: string) => {
      const headers = prefer === undefined ? {} : { Prefer: prefer };
      return system.call("hk-wallet", `/v1/transfers/${id}/receipt`, { headers });
    };
    const lines = async (answer: Response): Promise<number> =>
      parseNote(parseProof(await answer.text()).checkpoint).signatures.length;
    await Promise.all([stack.end("witness"), stack.end("fx-desk")]);
    const key = randomUUID();
    const { transferId } = await system.hk.send(request(), { idempotencyKey: key });
    const logged = await eventually("the receipt is logged", async () => {
      const answer = await receiptOf(transferId);
      return answer.status === 200 ? answer : undefined;
    });
    expect(logged.headers.get("sealane-receipt")).toBe("logged");
    const text = await logged.text();
    expect(parseNote(parseProof(text).checkpoint).signatures).toHaveLength(1);
    writeFileSync(path("logged.tlog-proof"), text);
    const unsealed = await runSealane(system, ["verify", "logged.tlog-proof"]);
    expect(unsealed).toMatchObject({ status: 1 });
    expect(unsealed.stdout).toContain("(quorum-missing)");
    await Promise.all([stack.start("witness"), stack.start("fx-desk")]);
    const sealed = await receiptOf(transferId, "wait=20");
    expect(sealed.headers.get("sealane-receipt")).toBe("sealed");
    expect(await lines(sealed)).toBe(4);
    const direct = await fetch(`${stack.urls["ledger"]}/v1/transfers/${transferId}/receipt`, {
      headers: { Authorization: `Bearer ${tokenOf("payee")}` },
    });
    expect(direct.headers.get("sealane-receipt")).toBe("sealed");
  });
});

describe("the record of reads", () => {
  it("tells nobody but its payer that a transfer was refused", async () => {
    const { stack, hk: payer } = system;
    const body = { ...request(), amount: { currency: "HKD", amount: "9999999999.00" } };
    const refused = await payer.send(body, { idempotencyKey: randomUUID(), waitSeconds: 20 });
    expect(refused.status).toBe("rejected"); // by the ledger: it has no entry
    const receiptFor = async (role: string): Promise<number> => {
      const url = `${stack.urls["ledger"]}/v1/transfers/${refused.transferId}/receipt`;
      const headers = { Authorization: `Bearer ${secret("keys", role, "ledger.token")}` };
      return (await fetch(url, { headers })).status;
    };
    expect([await receiptFor("hk-wallet"), await receiptFor("ph-wallet")]).toEqual([409, 403]);
  });

  it("has who read which entries, and nothing of what stands in them", async () => {
    const log = readFileSync(path("logs", "ledger.log"), "utf8");
    const reads = log
      .split("\n")
      .filter((line) => line.includes("entries read"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const readers = new Set(reads.map(({ reader }) => reader));
    for (const reader of ["auditor.example", hk, "ph-wallet.example"]) {
      expect(readers).toContain(reader);
    }
    for (const { from, to, log: origin } of reads) {
      expect(Number(to)).toBeGreaterThan(Number(from));
      expect(origin).toBe("sealane.example/2026/0");
    }
    expect(log).not.toContain(account);
    expect(log).not.toContain(secret("auditor.token"));
  });
});
