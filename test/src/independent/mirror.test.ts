// Logs over HTTP from whoever serves the files: bundles compressed without being asked, as C2SP's tlog-tiles
// lets a mirror do, are read; and an answer without an end is refused, not swallowed.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { auditLog } from "@sealane/cli";
import { makeLog, policy, policyText } from "@sealane/rules/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { publish } from "./corpus.ts";
import { publishedFiles } from "./published-folder.ts";
import { buildGoVerifier, findPythonVerifier, type Verifier } from "./verifiers.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-mirror-"));
const others: Verifier[] = [];
const files = publishedFiles(publish(makeLog()));
const servers: Server[] = [];

beforeAll(() => {
  for (const tool of [buildGoVerifier(folder), findPythonVerifier()]) {
    if ("found" in tool) others.push(tool.found);
    else process.stderr.write(`SKIPPED: a verifier of a mirror: ${tool.skipped}\n`);
  }
}, 300_000);
afterAll(() => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

const serve = async (answer: (path: string, response: ServerResponse) => void): Promise<string> => {
  const server = createServer((request, response) =>
    answer((request.url ?? "").slice(5), response),
  );
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`;
};

test("bundles that a mirror has compressed are read by all", async () => {
  const asked: string[] = [];
  const url = await serve((path, response) => {
    const bytes = files.get(path);
    if (bytes === undefined) return response.writeHead(404).end();
    if (!path.includes("tile/entries/")) return response.end(bytes);
    asked.push(path);
    return response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync(bytes));
  });
  expect(await auditLog({ log: url, policy })).toMatchObject({ ok: true });
  for (const one of others) {
    expect(await one.logs([url], { policy: policyText })).toMatchObject([{ ok: true }]);
  }
  // A lane's and its key log's, by each.
  expect(asked).toHaveLength(2 * (1 + others.length));
});

test("an answer that does not end is refused", async () => {
  const piece = Buffer.alloc(1 << 20, "\n");
  const url = await serve((_, response) => {
    const more = (): void => {
      if (!response.destroyed) response.write(piece, more);
    };
    response.on("error", () => undefined);
    more();
  });
  for (const one of others) {
    const [verdict] = await one.logs([url], { policy: policyText });
    expect(verdict).toMatchObject({ ok: false, detail: expect.stringContaining("does not end") });
  }
}, 60_000);
