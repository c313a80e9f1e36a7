// Other people's verifiers on a real system: they accept its log over HTTP and its export, and each of
// them refuses what it can see of a changed one. A gate that cannot fail is no gate.
import { randomUUID } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportLog, openLog } from "@sealane/cli";
import { toolFolder } from "@sealane/infra";
import { keepSignatures, parseCheckpointText, parseNote, parsePolicy } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditedLog } from "../audited-log.ts";
import { eventually } from "../eventually.ts";
import { runSealane, sealaneJson } from "../sealane.ts";
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

const filesBelow = (place: string): string[] =>
  existsSync(place)
    ? readdirSync(place, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(place.length + 1))
        .sort()
    : [];

/** Sends by several at once until it is told to stop. @returns stops it */
const sendMeanwhile = (): (() => Promise<void>) => {
  let over = false;
  const sender = async (): Promise<void> => {
    while (!over) {
      await busy.system.hk.send(
        {
          payer: { account: "+85290000001" },
          payee: { participant: "ph-wallet.example", account: "+639170000001" },
          amount: { currency: "HKD", amount: "10.00" },
        },
        { idempotencyKey: randomUUID(), waitSeconds: 20 },
      );
    }
  };
  const senders = Array.from({ length: 3 }, sender);
  return async () => {
    over = true;
    await Promise.all(senders);
  };
};

/** Exports, and kills the process once it has written so many files. */
const exportKilled = async (out: string, atFiles: number): Promise<void> => {
  const path = busy.system.stack.home.path(out);
  let over = false;
  const args = ["export", "--out", out, "--policy", "trust.policy"];
  await runSealane(busy.system, args, (child) => {
    const look = (): void => {
      if (filesBelow(path).length >= atFiles) child.kill("SIGKILL");
      else if (!over) setImmediate(look);
    };
    look();
  }).finally(() => (over = true));
};

describe("an export that is killed again and again while transfers go on", () => {
  it("stands as soon as one is not killed, and ends with the bytes of one in one go", async () => {
    const { system, policy } = busy;
    const stop = sendMeanwhile();
    const place = system.stack.home.path("broken");
    for (const atFiles of [1, 2, 4, 6, 7]) await exportKilled("broken", atFiles);
    await sealaneJson(system, ["export", "--out", "broken", "--policy", "trust.policy"]);
    expect(failures(await gates.judge({ name: "killed", place, policy }))).toEqual([]);
    await exportKilled("broken", 1);
    await stop();
    await eventually("everything has ended", () => openAuditedLog(system).nothingPending());
    const once = system.stack.home.path("once");
    await eventually("the log rests while it is exported twice", async () => {
      rmSync(once, { recursive: true, force: true });
      for (const out of ["broken", "once"]) {
        await sealaneJson(system, ["export", "--out", out, "--policy", "trust.policy"]);
      }
      const [ours, theirs] = [place, once].map((one) =>
        readFileSync(join(one, "checkpoint"), "utf8"),
      );
      return ours === theirs;
    });
    expect(filesBelow(place)).toEqual(filesBelow(once));
    for (const file of filesBelow(once)) {
      expect([file, readFileSync(join(place, file), "base64")]).toEqual([
        file,
        readFileSync(join(once, file), "base64"),
      ]);
    }
  }, 180_000);
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
