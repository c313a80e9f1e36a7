// Evidence of a fork from a power of two, whose proof of growth leaves out what the log grew from: it stands
// with the root that the client says, where that fits the proof, and with no other.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpApp, startHttp } from "@sealane/http";
import { cosigner, fileSigner, generateKeyFile, KEY_TYPE } from "@sealane/signer";
import {
  composeNote,
  consistencyProof,
  formatAddCheckpoint,
  formatCheckpointText,
  leafHash,
  OLD_ROOT_HEADER,
  rootOf,
  toBase64,
} from "@sealane/tlog";
import { afterAll, expect, test } from "vitest";
import { mountWitness } from "./mount.ts";
import { createWitness } from "./witness.ts";

const directory = mkdtempSync(join(tmpdir(), "sealane-evidence-"));
afterAll(() => rmSync(directory, { recursive: true }));
const at = (name: string): string => join(directory, name);
const origin = "ledger.example/2026/0";

const leaves = (size: number, what: string): Uint8Array[] =>
  Array.from({ length: size }, (_, n) => leafHash(n < 2 ? `leaf ${n}` : `${what} ${n}`));

test("a fork from a power of two stands as one when the client says its own root there", async () => {
  const { vkey } = await generateKeyFile(at("log"), origin);
  await generateKeyFile(at("key"), "auditor.example/w", KEY_TYPE.cosignature);
  const log = await fileSigner(at("log"));
  const witness = await createWitness({
    cosigner: await cosigner(at("key")),
    stateFile: at("state"),
    logs: [{ origin, vkey }],
  });
  const app = createHttpApp({ name: "test" });
  mountWitness(app, "", witness);
  const server = await startHttp({ app, port: 0 });
  const evidence = (): string[] =>
    readdirSync(at("state.evidence")).map((name) => name.split(".")[0] ?? "");

  /** Asks for a cosignature of that history's growth, saying a root for where it grew from. */
  const grow = async (what: string, from: number, to: number, said?: string): Promise<number> => {
    const all = leaves(to, what);
    const proof = consistencyProof(from, to, (level, index) =>
      rootOf(all.slice(index * 2 ** level, (index + 1) * 2 ** level)),
    );
    const text = formatCheckpointText({ origin, size: to, root: rootOf(all), extensions: [] });
    const checkpoint = composeNote(text, [await log.signLine(text)]);
    const body = formatAddCheckpoint({ oldSize: from, proof, checkpoint });
    const headers: Record<string, string> = said === undefined ? {} : { [OLD_ROOT_HEADER]: said };
    const sent = { method: "POST", body, headers };
    return (await fetch(`${server.url}/add-checkpoint`, sent)).status;
  };
  const rootAt4 = (what: string): string => toBase64(rootOf(leaves(4, what)));

  expect(await grow("stolen", 0, 4)).toBe(200);
  // What the client says changes no answer; what does not fit its proof, or is no hash, changes nothing.
  for (const said of [undefined, rootAt4("stolen"), "?"]) {
    expect(await grow("true", 4, 9, said)).toBe(422);
    expect(evidence()).toEqual(["growth-not-proven"]);
  }
  expect(await grow("true", 4, 9, rootAt4("true"))).toBe(422);
  expect(evidence().toSorted()).toEqual(["growth-not-proven", "two-roots-for-one-size"]);
  expect(await grow("stolen", 4, 9, rootAt4("true"))).toBe(200);
  expect(evidence()).toHaveLength(2);
  await server.close();
});
