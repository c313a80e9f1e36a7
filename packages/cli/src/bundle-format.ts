// Bundles as text (`docs/formats/bundle.md`): lines of a kind and base64, in a fixed order. Reading is
// strict and proves nothing: see `verify-bundle.ts`. Pure; runs in a browser.
import {
  entryContextSchema,
  noteHash,
  readNote,
  readStatement,
  termsSchema,
  type Terms,
} from "@sealane/protocol";
import {
  fromBase64,
  fromUtf8,
  parseCheckpointText,
  parseNote,
  parseProof,
  toBase64,
  utf8,
} from "@sealane/tlog";

export const bundleHeader = "sealane/bundle/v1";
const maxLineChars = 256 * 1024;
const maxLines = 1_000_000;

export const disclosureFields = ["payer", "payee", "reference"] as const;
export type DisclosureField = (typeof disclosureFields)[number];

/** A value with the line that it stands on, from 1. */
export type Placed<T> = T & { readonly line: number };

export type ChainClaim = {
  readonly participant: string;
  readonly origin: string;
  /** Numbers of that participant's chain, both inclusive. */
  readonly first: number;
  readonly last: number;
};

export type Disclosure = {
  readonly transferId: string;
  readonly field: DisclosureField;
  /** `salt32 ‖ value`, as they were hashed. */
  readonly opening: Uint8Array;
};

export type Bundle = {
  readonly keyCheckpoint: Placed<{ readonly note: string }>;
  readonly keyEntries: readonly string[];
  readonly sheets: readonly Placed<{ readonly note: string }>[];
  readonly chain: Placed<ChainClaim> | undefined;
  readonly receipts: readonly Placed<{ readonly bytes: Uint8Array }>[];
  readonly disclosures: readonly Placed<Disclosure>[];
};

/** Why a bundle does not stand, and the line that is to blame. */
export class BundleFault extends Error {
  readonly code: string;
  readonly line: number;

  constructor(code: string, line: number, message: string) {
    super(message);
    this.code = code;
    this.line = line;
  }
}

export const isBundle = (text: string): boolean => text.startsWith(`${bundleHeader}\n`);

const malformed = (line: number, message: string): BundleFault =>
  new BundleFault("bundle-malformed", line, message);

const decode = (text: string, line: number): Uint8Array => {
  try {
    return fromBase64(text);
  } catch {
    throw malformed(line, "that is not canonical base64");
  }
};

const decodeText = (text: string, line: number): string => {
  const bytes = decode(text, line);
  try {
    return fromUtf8(bytes);
  } catch {
    throw malformed(line, "that is not UTF-8");
  }
};

const count = (text: string, line: number): number => {
  if (/^(?:0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  throw malformed(line, `${text} is not a number`);
};

const order = [
  "key-log-checkpoint",
  "key-log-entry",
  "sheet",
  "chain",
  "receipt",
  "disclosure",
] as const;
type Kind = (typeof order)[number];

type Parts = {
  keyCheckpoint: Placed<{ note: string }> | undefined;
  readonly keyEntries: string[];
  readonly sheets: Placed<{ note: string }>[];
  chain: Placed<ChainClaim> | undefined;
  readonly receipts: Placed<{ bytes: Uint8Array }>[];
  readonly disclosures: Placed<Disclosure>[];
};

/** How many fields a line of a kind has after its name. */
const width: Readonly<Record<Kind, number>> = {
  "key-log-checkpoint": 1,
  "key-log-entry": 1,
  sheet: 1,
  chain: 4,
  receipt: 1,
  disclosure: 3,
};

const takeLine = (parts: Parts, kind: Kind, fields: readonly string[], line: number): void => {
  const [one = "", two = "", three = "", four = ""] = fields;
  switch (kind) {
    case "key-log-checkpoint":
      if (parts.keyCheckpoint !== undefined)
        throw malformed(line, "a second checkpoint of the keys");
      parts.keyCheckpoint = { note: decodeText(one, line), line };
      return;
    case "key-log-entry":
      parts.keyEntries.push(decodeText(one, line));
      return;
    case "sheet":
      parts.sheets.push({ note: decodeText(one, line), line });
      return;
    case "chain":
      if (parts.chain !== undefined) throw malformed(line, "a second chain");
      parts.chain = {
        participant: one,
        origin: two,
        first: count(three, line),
        last: count(four, line),
        line,
      };
      return;
    case "receipt":
      parts.receipts.push({ bytes: decode(one, line), line });
      return;
    case "disclosure": {
      const field = disclosureFields.find((known) => known === two);
      if (field === undefined) throw malformed(line, `${two} is no field`);
      parts.disclosures.push({ transferId: one, field, opening: decode(three, line), line });
      return;
    }
    default:
      kind satisfies never;
  }
};

/** Reads a bundle's form. @throws BundleFault */
export const parseBundle = (text: string): Bundle => {
  if (!isBundle(text)) throw malformed(1, `a bundle begins with ${bundleHeader}`);
  if (!text.endsWith("\n")) throw malformed(1, "a bundle ends with a newline");
  const lines = text.slice(0, -1).split("\n");
  if (lines.length > maxLines) throw malformed(maxLines + 1, "too many lines");
  const parts: Parts = {
    keyCheckpoint: undefined,
    keyEntries: [],
    sheets: [],
    chain: undefined,
    receipts: [],
    disclosures: [],
  };
  let stage = 0;
  for (const [at, content] of lines.entries()) {
    if (at === 0) continue;
    const line = at + 1;
    if (content.length > maxLineChars) throw malformed(line, "too long a line");
    const [name = "", ...fields] = content.split(" ");
    const rank = (order as readonly string[]).indexOf(name);
    if (rank < 0) throw malformed(line, "that is no kind of line");
    if (rank < stage) throw malformed(line, `${name} does not belong here`);
    const kind = order[rank] as Kind;
    if (fields.length !== width[kind]) throw malformed(line, `${name} has ${width[kind]} fields`);
    stage = rank;
    takeLine(parts, kind, fields, line);
  }
  const { keyCheckpoint } = parts;
  if (keyCheckpoint === undefined) throw malformed(2, "there is no key-log-checkpoint");
  if (parts.receipts.length === 0) throw malformed(lines.length, "there is no receipt");
  return { ...parts, keyCheckpoint };
};

/** Where a receipt belongs in a bundle; it is not judged. @throws TlogError */
export const placeOf = (receipt: string): { readonly origin: string; readonly index: number } => {
  const { checkpoint, index } = parseProof(receipt);
  return { origin: parseCheckpointText(parseNote(checkpoint).text).origin, index };
};

/** The terms of a committed transfer in a receipt's entry; it is not judged. */
export const committedTerms = (receipt: string): Terms | undefined => {
  const entry = readNote(fromUtf8(parseProof(receipt).extra ?? new Uint8Array()));
  const read = entry.ok ? readStatement(entry.note, "entry", entryContextSchema) : undefined;
  if (read?.ok !== true || read.statement.body.outcome !== "committed") return undefined;
  const inner = readNote(read.statement.inner ?? "");
  const terms = inner.ok ? readStatement(inner.note, "transfer", termsSchema) : undefined;
  return terms?.ok === true ? terms.statement.body : undefined;
};

export type BundleParts = {
  readonly keyCheckpoint: string;
  readonly keyEntries: readonly string[];
  /** Sheets at hand; those that are cited are taken, in the order in which they are. */
  readonly sheets: readonly string[];
  readonly chain?: ChainClaim | undefined;
  readonly receipts: readonly string[];
  readonly disclosures?: readonly Disclosure[] | undefined;
};

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** Sorted as the format asks, each entry once. */
const sortReceipts = (receipts: readonly string[]): string[] => {
  const placed = receipts.map((receipt) => ({ receipt, ...placeOf(receipt) }));
  placed.sort((one, two) => byText(one.origin, two.origin) || one.index - two.index);
  const seen = new Set<string>();
  return placed.flatMap(({ receipt, origin, index }) => {
    const place = `${origin} ${index}`;
    if (seen.has(place)) return [];
    seen.add(place);
    return [receipt];
  });
};

/**
 * Writes a bundle, sorted as the format asks. What is written is not judged: verify it.
 * @throws BundleFault `sheet-missing` when a cited sheet is not at hand
 */
export const formatBundle = (parts: BundleParts): string => {
  const receipts = sortReceipts(parts.receipts);
  const atHand = new Map(parts.sheets.map((note) => [noteHash(note), note]));
  const cited = new Set<string>();
  for (const receipt of receipts) {
    const sheet = committedTerms(receipt)?.sheet;
    if (sheet !== undefined) cited.add(sheet.hash);
  }
  const sheets = [...cited].map((hash) => {
    const note = atHand.get(hash);
    if (note === undefined) throw new BundleFault("sheet-missing", 0, `no sheet ${hash} at hand`);
    return note;
  });
  const line = (kind: Kind, text: string): string => `${kind} ${toBase64(utf8(text))}`;
  const disclosures = [...(parts.disclosures ?? [])].sort(
    (one, two) => byText(one.transferId, two.transferId) || byText(one.field, two.field),
  );
  const { chain } = parts;
  const claim =
    chain === undefined
      ? []
      : [`chain ${chain.participant} ${chain.origin} ${chain.first} ${chain.last}`];
  return [
    bundleHeader,
    line("key-log-checkpoint", parts.keyCheckpoint),
    ...parts.keyEntries.map((entry) => line("key-log-entry", entry)),
    ...sheets.map((note) => line("sheet", note)),
    ...claim,
    ...receipts.map((receipt) => line("receipt", receipt)),
    ...disclosures.map(
      ({ transferId, field, opening }) => `disclosure ${transferId} ${field} ${toBase64(opening)}`,
    ),
    "",
  ].join("\n");
};
