// One corpus, three verifiers: ours, Go's and Python's refuse the same receipts and logs, and let the
// same ones stand. Where Go or Python is missing, it says so and checks the others.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditLog, parseKeysCopy, verifyReceipt } from "@sealane/cli";
import {
  makeChangedLog,
  makeFundedWorld,
  makeLog,
  newPolicy,
  newPolicyText,
  makeReturnLog,
  policy,
  policyText,
  takeApart,
  testKeys,
  witnessKeys,
  lineOf,
} from "@sealane/rules/testing";
import {
  composeNote,
  concatBytes,
  cosignLine,
  formatProof,
  leafHash,
  parseNote,
  parseProof,
  utf8,
} from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { badLogs, borderlineLogs, publish, replacedLogs, seeded } from "./corpus.ts";
import { publishedFiles, writeFolder } from "./published-folder.ts";
import {
  buildGoVerifier,
  findGo,
  findPython,
  findPythonVerifier,
  type LineVerdict,
  type Verifier,
} from "./verifiers.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-corpus-"));
const others: Verifier[] = [];

beforeAll(() => {
  for (const tool of [buildGoVerifier(folder), findPythonVerifier()]) {
    if ("found" in tool) others.push(tool.found);
    else process.stderr.write(`SKIPPED: a verifier of the corpus: ${tool.skipped}\n`);
  }
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000);

const world = makeLog();
const sheets = world.entries
  .map((entry) => takeApart(entry).inner)
  .filter((inner) => inner.includes("/rate-sheet/v1\n"));
const keys = JSON.stringify({
  checkpoint: world.keyCheckpoint(),
  entries: world.keyLog.entries,
  sheets,
});

const ourReceipts = (candidates: readonly Uint8Array[], copy?: string): LineVerdict[] => {
  const options = { policy, keys: copy === undefined ? undefined : parseKeysCopy(copy) };
  return candidates.map((bytes) => {
    const { ok, checks } = verifyReceipt(bytes, options);
    return { ok, detail: JSON.stringify(checks) };
  });
};

/** What each verifier says, by name. */
const allReceipts = async (
  candidates: readonly Uint8Array[],
  copy?: string,
): Promise<[string, LineVerdict[]][]> => [
  ["ours", ourReceipts(candidates, copy)],
  ...(await Promise.all(
    others.map(async (one): Promise<[string, LineVerdict[]]> => [
      one.name,
      await one.receipts(candidates, {
        policy: policyText,
        ...(copy === undefined ? {} : { keys: copy }),
      }),
    ]),
  )),
];

/** Those that passed, by verifier: nobody should let any pass. */
const accepted = (verdicts: [string, LineVerdict[]][], what: readonly string[]): string[] =>
  verdicts.flatMap(([name, lines]) =>
    lines.flatMap(({ ok, detail }, at) => (ok ? [`${name}: ${what[at]}: ${detail}`] : [])),
  );

const receipt = utf8(world.receipt(3));

describe("signatures", () => {
  const go = findGo();
  const python = findPython();
  const rooms = join(import.meta.dirname, "../../../verifiers");

  it.skipIf("skipped" in go)(
    "have one meaning in Go",
    () => {
      const command = "found" in go ? go.found : "";
      const { status, stdout } = spawnSync(command, ["test", "./..."], {
        cwd: join(rooms, "go"),
        encoding: "utf8",
      });
      expect([status, stdout]).toEqual([0, expect.stringContaining("ok")]);
    },
    120_000,
  );

  it.skipIf("skipped" in python)("have one meaning in Python, which needs its assertions", () => {
    const program = [
      "import json, sys; sys.path.insert(0, sys.argv[1]); import verify",
      "def judge(case):",
      "    key, message, sig = (bytes.fromhex(case[n]) for n in ('publicKey', 'message', 'signature'))",
      "    try: verify.admit(key)",
      "    except AssertionError: return [False, False]",
      "    return [True, verify.verify(key, message, sig)]",
      "print(json.dumps([judge(case) for case in json.load(open(sys.argv[2]))]))",
    ].join("\n");
    const cases = join(rooms, "../packages/tlog/vectors/ed25519-verification-cases.json");
    const run = (...flags: string[]) =>
      spawnSync("python3", [...flags, "-B", "-c", program, join(rooms, "python"), cases], {
        encoding: "utf8",
      });
    const expected = JSON.parse(readFileSync(cases, "utf8")) as {
      keyAdmissible: boolean;
      accept: boolean;
    }[];
    expect(expected).toHaveLength(16);
    expect(JSON.parse(run().stdout)).toEqual(
      expected.map(({ keyAdmissible, accept }) => [keyAdmissible, keyAdmissible && accept]),
    );
    expect(run("-O")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining("-O"),
    });
  });
});

describe("receipts", () => {
  it("of every kind of entry stand, with keys and without", async () => {
    const all = world.entries.map((_, at) => utf8(world.receipt(at)));
    for (const copy of [keys, undefined]) {
      for (const [name, verdicts] of await allReceipts(all, copy)) {
        expect([name, verdicts.filter(({ ok }) => !ok)]).toEqual([name, []]);
      }
    }
  });

  it("of returns stand too, by themselves: the original is in them", async () => {
    const back = makeReturnLog();
    const all = back.entries.map((_, at) => utf8(back.receipt(at)));
    const copy = { checkpoint: back.keyCheckpoint(), entries: back.keyLog.entries, sheets: [] };
    for (const [name, verdicts] of await allReceipts(all, JSON.stringify(copy))) {
      expect([name, verdicts.filter(({ ok }) => !ok)]).toEqual([name, []]);
    }
  });

  it("are refused for any byte that is changed, added or taken away", async () => {
    const random = seeded(7);
    const candidates: Uint8Array[] = [];
    const what: string[] = [];
    for (const [at, byte] of receipt.entries()) {
      const flipped = receipt.slice();
      flipped[at] = byte ^ (1 << Math.floor(random() * 8));
      const shorter = concatBytes(receipt.slice(0, at), receipt.slice(at + 1));
      const longer = concatBytes(receipt.slice(0, at), Uint8Array.of(byte), receipt.slice(at));
      candidates.push(flipped);
      what.push(`bit at ${at}`);
      if (at % 8 === 0 || byte === 10) {
        candidates.push(shorter, longer);
        what.push(`without ${at}`, `${at} twice`);
      }
    }
    expect(candidates.length).toBeGreaterThan(receipt.length);
    expect(accepted(await allReceipts(candidates), what)).toEqual([]);
  }, 120_000);

  it("are refused for lines too many, too few, doubled or of others", async () => {
    const proof = parseProof(world.receipt(3));
    const { text, signatures } = parseNote(proof.checkpoint);
    const lines = signatures.map(({ line }) => line);
    const [log = "", first = "", second = "", third = ""] = lines;
    const seconds = Math.ceil(world.nowMs() / 1_000);
    const witness = (at: number, time = seconds): string => {
      const { name, seed } = witnessKeys[at] ?? witnessKeys[0]!;
      return cosignLine(name, seed, text, time);
    };
    const other = parseNote(world.checkpoint(5)).signatures.map(({ line }) => line);
    const cases: [string, string[]][] = [
      ["a fourth witness", [...lines, witness(3)]],
      ["a stranger's line", [...lines, lineOf(testKeys.stranger, text)]],
      ["a line twice", [...lines, third]],
      ["a witness twice, at another time", [...lines, witness(0, seconds + 1)]],
      ["a witness twice instead of a third", [log, first, second, witness(0, seconds + 1)]],
      ["no line of the log", [first, second, third]],
      ["two witnesses", [log, first, second]],
      ["no witness", [log]],
      ["cosignatures of another checkpoint", [log, ...other.slice(1)]],
      ["the log's line of another checkpoint", [other[0] ?? "", first, second, third]],
      [
        "a witness's key used for a plain signature",
        [log, first, second, lineOf(witnessKeys[2]!, text)],
      ],
    ];
    const made = cases.map(([, edited]) =>
      utf8(formatProof({ ...proof, checkpoint: composeNote(text, edited) })),
    );
    const what = cases.map(([name]) => name);
    expect(accepted(await allReceipts(made), what)).toEqual([]);
    expect(accepted(await allReceipts(made, keys), what)).toEqual([]);
    const orders = [
      [third, second, first, log],
      [second, log, third, first],
    ].map((order) => utf8(formatProof({ ...proof, checkpoint: composeNote(text, order) })));
    for (const [, verdicts] of await allReceipts(orders)) {
      expect(verdicts.every(({ ok }) => ok)).toBe(true);
    }
  });

  it("are refused for another place, another proof, another entry, or a node as an entry", async () => {
    const proof = parseProof(world.receipt(3));
    const [left, right] = [2, 3].map((at) => leafHash(world.entries[at] ?? ""));
    const parent = concatBytes(left!, right!);
    const entry = (at: number): Uint8Array => utf8(world.entries[at] ?? "");
    const cases = {
      "another place": { ...proof, index: 2 },
      "a place beyond the log": { ...proof, index: 3 + 16 },
      "a hash left out": { ...proof, hashes: proof.hashes.slice(1) },
      "a hash more": { ...proof, hashes: [...proof.hashes, leafHash("x")] },
      "hashes in another order": { ...proof, hashes: proof.hashes.toReversed() },
      "no hash": { ...proof, hashes: [] },
      "another entry": { ...proof, extra: entry(8) },
      "a node as an entry": { ...proof, extra: parent, index: 1, hashes: proof.hashes.slice(1) },
      "a node as an entry, its prefix too": {
        ...proof,
        extra: concatBytes(Uint8Array.of(1), parent),
        index: 1,
        hashes: proof.hashes.slice(1),
      },
      "the checkpoint of a smaller log": { ...proof, checkpoint: world.checkpoint(5) },
      "the checkpoint of the key log": { ...proof, checkpoint: world.keyCheckpoint() },
    };
    const made = Object.values(cases).map((one) => utf8(formatProof(one)));
    const { extra: _, ...without } = proof;
    made.push(utf8(formatProof(without)));
    const what = [...Object.keys(cases), "no entry"];
    expect(accepted(await allReceipts(made), what)).toEqual([]);
  });

  it("are refused when their log time is after the seal, though one witness dates it to their wish", async () => {
    const proof = parseProof(world.receipt(3));
    const { text, signatures } = parseNote(proof.checkpoint);
    const seconds = Math.floor(world.nowMs() / 1_000);
    const dated = (...times: number[]): Uint8Array => {
      const lines = times.map((time, at) => {
        const { name, seed } = witnessKeys[at]!;
        return cosignLine(name, seed, text, time);
      });
      const checkpoint = composeNote(text, [signatures[0]?.line ?? "", ...lines]);
      return utf8(formatProof({ ...proof, checkpoint }));
    };
    const entryMs = Date.parse(takeApart(world.entries[3] ?? "").context.time);
    const early = Math.floor(entryMs / 1_000) - 3;
    const made = [dated(early, early, seconds + 9), dated(early, early, 2 ** 52), dated(0, 0, 0)];
    const what = ["one in the future", "one in the far future", "all at the beginning of time"];
    expect(accepted(await allReceipts(made, keys), what)).toEqual([]);
    for (const [, [verdict]] of await allReceipts([dated(0, seconds, seconds)], keys)) {
      expect(verdict?.ok).toBe(true);
    }
  });

  it("are refused under a copy of the key log that is not the one they cite", async () => {
    const paid = makeFundedWorld();
    const before = {
      checkpoint: paid.keyCheckpoint(),
      entries: [...paid.keyLog.entries],
      sheets: [],
    };
    const body = { participant: "hk-wallet.example", vkey: testKeys.hk2.vkey, reason: "unused" };
    paid.keyLog.log("revocation", body, [testKeys.hkRoot], paid.nowMs());
    paid.transfer({ key: "later" });
    const made = [utf8(paid.receipt(3))];
    const after = { checkpoint: paid.keyCheckpoint(), entries: paid.keyLog.entries, sheets: [] };
    for (const [, [verdict]] of await allReceipts(made, JSON.stringify(after))) {
      expect(verdict?.ok).toBe(true);
    }
    const copies = {
      older: before,
      "without its newest entry": { ...after, entries: before.entries },
      "cosigned by two": { ...after, checkpoint: paid.keyCheckpoint(2) },
      "with entries swapped": { ...after, entries: after.entries.toReversed() },
    };
    for (const [what, copy] of Object.entries(copies)) {
      expect(accepted(await allReceipts(made, JSON.stringify(copy)), [what])).toEqual([]);
    }
  });
});

describe("logs", () => {
  const place = (name: string): string => join(folder, name);

  it("stand, and stand on when they have grown beyond what is remembered", async () => {
    const log = publish(world);
    writeFolder(place("good"), publishedFiles(log));
    writeFolder(
      place("younger"),
      publishedFiles(publish(world, { entries: log.entries.slice(0, 5) })),
    );
    const changed = makeChangedLog();
    writeFolder(place("changed"), publishedFiles(publish(changed)));
    writeFolder(place("returns"), publishedFiles(publish(makeReturnLog())));
    expect(await auditLog({ log: place("good"), policy })).toMatchObject({ ok: true });
    expect(await auditLog({ log: place("returns"), policy })).toMatchObject({ ok: true });
    expect(await auditLog({ log: place("changed"), policy })).toMatchObject({ ok: true });
    const borderline = borderlineLogs().map(({ what, files }) => {
      writeFolder(place(what), files);
      return place(what);
    });
    for (const one of borderline)
      expect(await auditLog({ log: one, policy })).toMatchObject({ ok: true });
    for (const one of others) {
      const whole = [place("good"), place("changed"), place("returns"), ...borderline];
      const plain = await one.logs(whole, { policy: policyText });
      const newer = await one.logs([place("good"), place("younger")], {
        policy: policyText,
        newerThan: place("younger"),
      });
      const stale = await one.logs([place("younger")], {
        policy: policyText,
        newerThan: place("good"),
      });
      expect(plain.concat(newer).filter(({ ok }) => !ok)).toEqual([]);
      expect(stale[0]?.detail).toMatch(/^refused an older state of .* than remembered/);
    }
  });

  it("whose keys were replaced stand under both lines, and not where an old key went on", async () => {
    const { logs, roots, rootsSince } = replacedLogs();
    const places = Object.entries(logs).map(([name, log]) => {
      writeFolder(place(`replaced-${name}`), publishedFiles(log));
      return place(`replaced-${name}`);
    });
    const expected = [true, true, false, false];
    const ours = [];
    for (const one of places) ours.push((await auditLog({ log: one, policy: newPolicy })).ok);
    expect(ours).toEqual(expected);
    for (const one of others) {
      const verdicts = await one.logs(places, { policy: newPolicyText });
      expect([one.name, verdicts.map(({ ok }) => ok)]).toEqual([one.name, expected]);
      const [pinnedBefore] = await one.logs(places, { policy: policyText });
      expect(pinnedBefore).toMatchObject({
        ok: false,
        detail: expect.stringContaining("add its line"),
      });
      const pinning = async (pinned: ReadonlyMap<string, string>) => {
        const text = [...pinned].map((row) => `${row.join(" ")}\n`).join("");
        return (await one.logs(places.slice(0, 2), { policy: newPolicyText, roots: text })).map(
          ({ detail }) => detail.slice(0, 13),
        );
      };
      expect(await pinning(roots)).toEqual(["refused roots", "refused roots"]);
      expect((await pinning(rootsSince)).join()).toMatch(/^ok .*,ok /);
    }
  });

  it("are refused by everyone for whatever is wrong with them", async () => {
    const bad = badLogs(6);
    const places = bad.map((_, at) => place(`bad-${at}`));
    for (const [at, { files }] of bad.entries()) writeFolder(places[at] ?? "", files);
    const found: string[] = [];
    for (const [at, one] of places.entries()) {
      const { what, position } = bad[at]!;
      const report = await auditLog({ log: one, policy, threads: 0 });
      if (report.ok) found.push(`ours: ${what}`);
      else if (position !== undefined && report.position !== position) {
        found.push(`ours: ${what}: refused at ${report.position} for ${report.code}`);
      }
    }
    for (const one of others) {
      const verdicts = await one.logs(places, { policy: policyText });
      for (const [at, { ok, detail }] of verdicts.entries()) {
        const { what, position } = bad[at]!;
        const where = position === undefined ? "refused " : `refused entry ${position}: `;
        if (ok || !detail.startsWith(where)) found.push(`${one.name}: ${what}: ${detail}`);
      }
    }
    expect(bad.length).toBeGreaterThan(150);
    expect(found).toEqual([]);
  }, 120_000);
});
