// `sealane export` as a process that is killed (SIGKILL), at every few files that it asks for: run again it
// goes on, and what it leaves is byte for byte what one that was never stopped leaves. Nobody takes a
// folder that was not finished for a log.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditLog } from "@sealane/cli";
import { makeFundedWorld, policy, policyText } from "@sealane/rules/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publish } from "./corpus.ts";
import { publishedFiles } from "./published-folder.ts";
import { buildGoVerifier, findPythonVerifier, type Verifier } from "./verifiers.ts";

const program = join(import.meta.dirname, "../../../packages/cli/bin/sealane.js");
const folder = mkdtempSync(join(tmpdir(), "sealane-interrupted-"));
const others: Verifier[] = [];
let server: Server;
let url = "";
/** Called for each file that is asked for, before it is answered; false: it never is. */
let onRequest: () => boolean = () => true;

const world = makeFundedWorld();
for (let at = 0; at < 300; at += 1) world.transfer({ key: `kill-${at}`, amount: "10.00" });
const files = publishedFiles(publish(world));

beforeAll(async () => {
  for (const tool of [buildGoVerifier(folder), findPythonVerifier()]) {
    if ("found" in tool) others.push(tool.found);
    else process.stderr.write(`SKIPPED: a verifier of interrupted exports: ${tool.skipped}\n`);
  }
  writeFileSync(join(folder, "policy"), policyText);
  server = createServer((request, response) => {
    if (!onRequest()) return;
    const bytes = files.get((request.url ?? "").replace("/log/", ""));
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`;
}, 300_000);
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

type Ended = { readonly status: number | null; readonly signal: string | null };

/** Starts an export. @param whenKilled is given what ends it at once, as a power cut would */
const exportTo = (out: string, whenKilled?: (kill: () => void) => void): Promise<Ended> => {
  const args = [program, "export", "--out", out, "--url", url, "--json"];
  args.push("--policy", join(folder, "policy"));
  const env = { ...process.env, SEALANE_HOME: folder };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: "ignore" });
  whenKilled?.(() => child.kill("SIGKILL"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal }));
  });
};

/** Killed when it asks for the file after so many. */
const killedAfter = async (answers: number, out: string): Promise<Ended> => {
  let asked = 0;
  const ended = await exportTo(out, (kill) => {
    onRequest = () => {
      asked += 1;
      if (asked > answers) kill();
      return asked <= answers;
    };
  });
  onRequest = () => true;
  return ended;
};

const bytesBelow = (root: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [path.slice(root.length + 1), readFileSync(path, "base64")] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const stands = async (place: string): Promise<boolean[]> => {
  const ours = await auditLog({ log: place, policy, threads: 0 });
  const theirs = await Promise.all(others.map((one) => one.logs([place], { policy: policyText })));
  return [ours.ok, ...theirs.map(([verdict]) => verdict?.ok === true)];
};

const killed = { status: null, signal: "SIGKILL" };
const whole = { status: 0, signal: null };

describe("an export that is killed", () => {
  it("at every few files is completed by the next, with the bytes of one in one go", async () => {
    const [broken, once] = [join(folder, "broken"), join(folder, "once")];
    expect(await exportTo(once)).toEqual(whole);
    expect(await stands(once)).not.toContain(false);
    const wanted = bytesBelow(once);
    expect(Object.keys(wanted).sort()).toEqual([...files.keys()].sort());
    for (let answers = 0; answers < files.size - 2; answers += 2) {
      expect([answers, await killedAfter(answers, broken)]).toEqual([answers, killed]);
      expect([answers, existsSync(join(broken, "checkpoint"))]).toEqual([answers, false]);
    }
    expect(await stands(broken)).not.toContain(true);
    expect(await exportTo(broken)).toEqual(whole);
    expect(bytesBelow(broken)).toEqual(wanted);
  }, 180_000);

  it("while it writes, even its last file, is completed as well", async () => {
    const wanted = bytesBelow(join(folder, "once"));
    for (const last of ["keys/checkpoint", "tile/0/000", "tile/entries/000", "checkpoint"]) {
      const out = join(folder, `at-${last.replaceAll("/", "-")}`);
      let over = false;
      const ended = exportTo(out, (kill) => {
        const look = (): void => {
          if (existsSync(join(out, last)) || existsSync(join(out, `${last}.new`))) kill();
          else if (!over) setImmediate(look);
        };
        look();
      });
      // It may have been done before it was hit: then there is nothing to complete.
      await ended.finally(() => (over = true));
      expect([last, await exportTo(out)]).toEqual([last, whole]);
      expect([last, bytesBelow(out)]).toEqual([last, wanted]);
    }
  }, 120_000);
});
