// Logs in which one statement says something else, at random, and every signature, hash and chain fits again:
// as all keys in the wrong hands would make them. Some of them stand. What matters is that all verifiers
// say the same of each.
import { putTogether, takeApart, testKeys, type World } from "@sealane/rules/testing";
import { composeNote, leafHash, parseNote, rootOf, signNoteLine, toBase64 } from "@sealane/tlog";
import { publish } from "./corpus.ts";
import type { PublishedLog } from "./published-folder.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Random = () => number;

const pick = <T>(random: Random, items: readonly T[]): T =>
  items[Math.floor(random() * items.length)] as T;

const words = [
  "",
  "\u0000",
  "é",
  // What languages differ about: lines, spaces, and how long a text is.
  "a\nb",
  "a\u00a0b",
  "a\u2028b",
  "a\ufeffb",
  "a\u000bb",
  "\u{1f4b8}".repeat(100),
  ..."0 1 -1 00.10 0.1 1e3 x HKD PHP JPY committed recorded expired original today payer payee".split(
    " ",
  ),
  ..."hk-wallet.example ph-wallet.example 2026-11-22T07:00:00.000Z 2026-02-30T07:00:00.000Z".split(
    " ",
  ),
];
const counts = [0, 1, 2, 5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -1, 0.5];
const otherTypes: readonly Json[] = [null, true, false, {}, [], 0, "", ["participant"]];
const steps = [-300_000, -2_001, -1, 1, 1_000, 2_001, 86_400_000];
const keysByName = new Map(Object.values(testKeys).map((key) => [key.name, key]));
const zero = toBase64(new Uint8Array(32));

const changeText = (random: Random, text: string): string => {
  const date = Date.parse(text);
  const ways = [
    () => pick(random, words),
    () => text.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10)),
    () => text.slice(0, -1),
    () => text + pick(random, ["0", " ", ".0", "x", "="]),
    () => (Number.isNaN(date) ? text : new Date(date + pick(random, steps)).toISOString()),
  ];
  return pick(random, ways)();
};

/** The same with one thing in it changed: a value, its type, its place, or that it is there at all. */
const change = (random: Random, value: Json): Json => {
  const other = (): Json => pick(random, otherTypes);
  if (value === null || typeof value === "boolean") return other();
  if (random() < 0.1) return other();
  if (typeof value === "number") {
    return random() < 0.5 ? value + pick(random, [-1, 1]) : pick(random, counts);
  }
  if (typeof value === "string") return changeText(random, value);
  if (Array.isArray(value)) {
    const at = Math.floor(random() * value.length);
    const way = random();
    if (value.length === 0 || way < 0.1) return value.toReversed();
    if (way < 0.2) return value.toSpliced(at, 1);
    if (way < 0.3) return value.toSpliced(at, 0, value[at] as Json);
    return value.with(at, change(random, value[at] as Json));
  }
  const name = pick(random, Object.keys(value));
  const way = random();
  const { [name]: inside = null, ...rest } = value;
  if (name === undefined || way < 0.05) return { ...value, extra: 1 };
  if (way < 0.12) return rest;
  return { ...value, [name]: change(random, inside) };
};

/** Sometimes what JSON parsers differ about: a key twice, spaces, letters as escapes. */
const write = (random: Random, value: Json): string => {
  const text = JSON.stringify(value);
  const way = random();
  if (way < 0.04) return text.replace("{", "{ ");
  if (way < 0.08) return text.replace(/\{"(\w+)":/, '{"$1":0,"$1":');
  if (way > 0.12) return text;
  return text.replace(
    /"([a-z])/,
    (_, letter: string) => `"\\u00${letter.charCodeAt(0).toString(16)}`,
  );
};

/** A statement's note with something else in its text, signed by whoever signed it. */
const changeNote = (random: Random, note: string): string => {
  const { text, signatures } = parseNote(note);
  const [head = "", json = "", ...rest] = text.split("\n");
  const next = [head, write(random, change(random, JSON.parse(json) as Json)), ...rest].join("\n");
  const signers = signatures.flatMap(({ name }) => keysByName.get(name) ?? []);
  if (random() < 0.08) signers.pop();
  if (random() < 0.08) signers.push(pick(random, [...keysByName.values()]));
  if (signers.length === 0) return note;
  return composeNote(
    next,
    signers.map(({ name, seed }) => signNoteLine(name, seed, next)),
  );
};

type Signer = (typeof testKeys)["entry"];
const enter = (key: Signer, head: string, context: string, inner: string): string => {
  const text = `${head}\n${context}\n${inner}`;
  return composeNote(text, [signNoteLine(key.name, key.seed, text)]);
};

/** One entry of the lane's log changed: what it says, or what the operator says of it. */
const changeEntry = (random: Random, world: World): Partial<PublishedLog> => {
  const target = Math.floor(random() * world.entries.length);
  const inside = random() < 0.5;
  const chains = new Map<string, { n: number; prev: string }>();
  let prev = zero;
  const entries = world.entries.map((entry, seq) => {
    const { context, inner } = takeApart(entry);
    const links = context.chains.map(({ participant }) => {
      const { n, prev: head } = chains.get(participant) ?? { n: 0, prev: zero };
      return { participant, n, prev: head };
    });
    const said = { ...context, seq, prev, chains: links };
    const head = entry.slice(0, entry.indexOf("\n"));
    const json =
      seq === target && !inside
        ? write(random, change(random, said as unknown as Json))
        : JSON.stringify(said);
    const note = seq === target && inside ? changeNote(random, inner) : inner;
    const made = enter(testKeys.entry, head, json, note);
    prev = toBase64(leafHash(made));
    for (const { participant, n } of links) chains.set(participant, { n: n + 1, prev });
    return made;
  });
  return { entries };
};

/** One entry of the key log changed; what the lane's entries cite of it fits again. */
const changeKeyEntry = (random: Random, world: World): Partial<PublishedLog> => {
  const target = Math.floor(random() * world.keyLog.entries.length);
  const leaves: Uint8Array[] = [];
  const keyEntries = world.keyLog.entries.map((entry, seq) => {
    const [head = "", json = "", ...rest] = parseNote(entry).text.split("\n");
    const inner = rest.join("\n");
    const prev = seq === 0 ? zero : toBase64(leaves[seq - 1] as Uint8Array);
    const said = JSON.stringify({ ...(JSON.parse(json) as object), prev });
    const made = enter(
      testKeys.keyLog,
      head,
      said,
      seq === target ? changeNote(random, inner) : inner,
    );
    leaves.push(leafHash(made));
    return made;
  });
  const pieces = world.entries.map(takeApart).map(({ context, inner }) => {
    const { size } = context.keys;
    const keys = { size, root: toBase64(rootOf(leaves.slice(0, size))) };
    return { context: { ...context, keys }, inner };
  });
  return { keyEntries, entries: putTogether(pieces) };
};

/** A log of that world in which one statement, of the lane or of the key log, says something else. */
export const mutate = (random: Random, world: World, which: "entry" | "key"): PublishedLog =>
  publish(world, (which === "entry" ? changeEntry : changeKeyEntry)(random, world));
