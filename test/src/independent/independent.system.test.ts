// Other people's verifiers on a real system: they accept its log over HTTP and its export, and each of
// them refuses what it can see of a changed one. A gate that cannot fail is no gate.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportLog, openLog } from "@sealane/cli";
import { toolFolder } from "@sealane/infra";
import { keepSignatures, parseCheckpointText, parseNote, parsePolicy } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBusySystem, type BusySystem } from "./busy-system.ts";
import { openGates, type GateResult, type Gates } from "./gates.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-independent-"));
const whole = join(folder, "export");
let busy: BusySystem;
let gates: Gates;

beforeAll(async () => {
  busy = await startBusySystem();
  await exportLog({
    source: openLog(busy.logUrl),
    folder: whole,
    policy: parsePolicy(busy.policy),
  });
  // The first time, installing a verifier downloads and compiles it.
  gates = openGates(toolFolder);
}, 400_000);

afterAll(async () => {
  gates?.close();
  await busy?.system.stop();
  rmSync(folder, { recursive: true, force: true });
});

const report = (results: readonly GateResult[]): void => {
  for (const { gate, target, result, detail } of results) {
    if (result === "skipped") process.stderr.write(`SKIPPED: ${gate} on ${target}: ${detail}\n`);
  }
};

/** Gates that were there and did not pass. */
const failures = (results: readonly GateResult[]): GateResult[] =>
  results.filter(({ result }) => result === "failed");

const judge = (name: string, place: string): Promise<GateResult[]> =>
  gates.judge({ name, place, policy: busy.policy });

describe("the log of a running system", () => {
  it("is accepted by every other verifier over HTTP, and so are its receipts", async () => {
    const results = await judge("http", busy.logUrl);
    const { policy, keys, receipts } = busy;
    results.push(...(await gates.judgeReceipts("receipts", receipts, { policy, keys })));
    report(results);
    expect(failures(results)).toEqual([]);
    expect(receipts).toHaveLength(6);
  });

  it("is accepted as an export, by all at the same root", async () => {
    const results = await judge("export", whole);
    expect(failures(results)).toEqual([]);
    const checkpoint = readFileSync(join(whole, "checkpoint"), "utf8");
    const root = checkpoint.split("\n")[2] ?? "";
    const onLog = results.filter(
      ({ gate, result }) => !gate.includes("keys") && result === "passed",
    );
    for (const { detail } of onLog) expect(detail).toContain(`root ${root}`);
  });
});

type Mutation = readonly [
  what: string,
  change: (place: string) => void,
  /** Gates that must refuse it; the others do not look at it. */
  refusedBy: RegExp,
];

const flip = (path: string, from: number): void => {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length * from);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
};

const onlyFile = (place: string, kind: string): string => {
  const { size } = parseCheckpointText(
    parseNote(readFileSync(join(place, "checkpoint"), "utf8")).text,
  );
  const path = join(place, "tile", kind, `000.p/${size}`);
  if (!existsSync(path)) throw new Error(`the export has no ${path}`);
  return path;
};

const edit = (path: string, change: (text: string) => string): void => {
  const before = readFileSync(path, "utf8");
  const after = change(before);
  if (after === before) throw new Error(`nothing changed in ${path}`);
  writeFileSync(path, after);
};

const trees = /fsck.*log|verifiers/;
const mutations: readonly Mutation[] = [
  ["a byte of an entry", (place) => flip(onlyFile(place, "entries"), 0.5), trees],
  ["a byte of a hash tile", (place) => flip(onlyFile(place, "0"), 0.5), trees],
  ["a partial tile that is missing", (place) => rmSync(onlyFile(place, "0")), trees],
  [
    "a size that was edited",
    (place) => edit(join(place, "checkpoint"), (text) => text.replace(/\n(\d+)\n/, "\n1$1\n")),
    /log|verifiers/,
  ],
  [
    "a cosignature that was removed",
    (place) =>
      edit(join(place, "checkpoint"), (text) => {
        const last = parseNote(text).signatures.at(-1)?.line;
        return keepSignatures(text, ({ line }) => line !== last);
      }),
    /verifiers/,
  ],
  [
    "an entry of the key log dropped",
    (place) => {
      const log = { checkpoint: readFileSync(join(place, "keys", "checkpoint"), "utf8") };
      const { size } = parseCheckpointText(parseNote(log.checkpoint).text);
      const path = join(place, "keys", "tile", "entries", `000.p/${size}`);
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.subarray(2 + bytes.readUInt16BE(0)));
    },
    /fsck.*keys|verifiers/,
  ],
];

describe("a changed export", () => {
  it.each(mutations)(
    "with %s is refused by all that look at it",
    async (what, change, refusedBy) => {
      const place = join(folder, what.replaceAll(" ", "-"));
      cpSync(whole, place, { recursive: true });
      change(place);
      const results = await judge(what, place);
      const passed = results.filter(
        ({ gate, result }) => result === "passed" && refusedBy.test(gate),
      );
      expect(passed).toEqual([]);
    },
  );
});
