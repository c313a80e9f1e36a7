// What the desk must not forget, in one small file: what it has signed, which pairs are withdrawn, how
// far it has read its inbox and its own chain. Written whole, synced and renamed; a signature is
// kept before it leaves. A file that cannot be read stops the start.
import { readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { OperationalError } from "@sealane/runtime";
import { z } from "zod";

const counter = z.number().int().min(0);

const signedSheetSchema = z.object({
  number: counter,
  /** `HKD/PHP` */
  pair: z.string(),
  /** SHA-256 of the note, base64: what terms cite. */
  hash: z.string(),
  note: z.string(),
  /** Its place in the log, once it is there. */
  seq: counter.optional(),
  /** The desk has signed its withdrawal. */
  withdrawn: z.boolean().optional(),
});
export type SignedSheet = z.infer<typeof signedSheetSchema>;

const stateSchema = z.object({
  v: z.literal(1),
  /** Sheets up to this number may be of a time that this file does not know. */
  unknownUpTo: counter,
  /** Next record of the inbox topic, next message, next entry of the own chain and what it follows. */
  inbox: z.object({
    offset: z.string().optional(),
    n: counter.optional(),
    chain: counter.optional(),
    prev: z.string().optional(),
    /** Place in the log of the entry before the next one. */
    seq: counter.optional(),
  }),
  /** What the desk said last of its own chain: up to which entry, in which entry, when. */
  stated: z.object({ to: counter, n: counter, time: z.string() }).optional(),
  /** Newest last. */
  sheets: z.array(signedSheetSchema),
  /** Pairs that an operator has withdrawn, and why. */
  halted: z.record(z.string(), z.string()),
});
export type DeskState = z.infer<typeof stateSchema>;

export type StateFile = {
  readonly state: DeskState;
  /** Resolves when the state as it is now is on disk. */
  save(): Promise<void>;
  /** Saves within a second, together with what else changes until then. */
  saveSoon(): void;
  stop(): Promise<void>;
};

const LAZY_MS = 1_000;

const writeDurably = async (path: string, text: string): Promise<void> => {
  const file = await open(`${path}.next`, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.next`, path);
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
};

const load = (path: string, nowMs: number): DeskState => {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const unknownUpTo = Math.floor(nowMs / 1_000);
    return { v: 1, unknownUpTo, inbox: {}, sheets: [], halted: {} };
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    const message = `${path} is damaged: bring back its newest copy, or remove it`;
    throw new OperationalError("desk-state-damaged", message, { retryable: false, cause });
  }
};

/**
 * Opens the file, or begins with nothing.
 * @param onError told when a lazy save failed; the next one writes the same and more
 */
export const openStateFile = (
  path: string,
  nowMs: number,
  onError: (error: unknown) => void,
): StateFile => {
  const state = load(path, nowMs);
  let writing = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const save = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const next = writing.then(() => writeDurably(path, `${JSON.stringify(state, undefined, 1)}\n`));
    writing = next.catch(() => undefined);
    return next;
  };
  return {
    state,
    save,
    saveSoon: () => {
      timer ??= setTimeout(() => void save().catch(onError), LAZY_MS);
    },
    stop: save,
  };
};
