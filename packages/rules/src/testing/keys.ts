// Keys for tests, made from their names: the same in every run, and worth nothing.
import {
  composeNote,
  formatVerifierKey,
  parseVerifierKey,
  publicKeyOf,
  sha256,
  signNoteLine,
  type SignatureType,
  type VerifierKey,
} from "@sealane/tlog";

export type TestKey = {
  readonly name: string;
  readonly seed: Uint8Array;
  readonly vkey: string;
  readonly key: VerifierKey;
};

/** @param type 1 signs notes, 4 cosigns checkpoints */
export const testKey = (
  name: string,
  type: SignatureType = 1,
  seed = sha256(`sealane test key ${type} ${name}`),
): TestKey => {
  const vkey = formatVerifierKey(name, type, publicKeyOf(seed));
  return { name, seed, vkey, key: parseVerifierKey(vkey) };
};

/** One signature line over a note's text, without newline. */
export const lineOf = ({ name, seed }: TestKey, text: string): string =>
  signNoteLine(name, seed, text);

/** A note signed by these keys, in order. */
export const signed = (text: string, keys: readonly TestKey[]): string =>
  composeNote(
    text,
    keys.map((key) => lineOf(key, text)),
  );
