/**
 * Entry bundles (c2sp.org/tlog-tiles, "Log entries"): up to 256 entries, each as a big-endian
 * uint16 length and its bytes. A partial bundle is a prefix of every wider one.
 */
import { concatBytes } from "./bytes.ts";
import { TlogError } from "./errors.ts";

const MAX_ENTRIES = 256;
const MAX_ENTRY_SIZE = 0xffff;

const malformed = (message: string): TlogError => new TlogError("bundle-malformed", message);

/**
 * A bundle's bytes.
 * @throws TlogError `bundle-malformed` for more than 256 entries, or one above 65,535 bytes
 */
export const encodeBundle = (entries: readonly Uint8Array[]): Uint8Array => {
  if (entries.length > MAX_ENTRIES) throw malformed("a bundle has at most 256 entries");
  return concatBytes(
    ...entries.flatMap((entry) => {
      if (entry.length > MAX_ENTRY_SIZE) throw malformed("an entry is larger than 65,535 bytes");
      return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry];
    }),
  );
};

/**
 * The entries of a bundle, as views into its bytes. Nothing may follow the last one.
 * @throws TlogError `bundle-malformed`
 */
export const decodeBundle = (bytes: Uint8Array): Uint8Array[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (entries.length === MAX_ENTRIES) throw malformed("a bundle has at most 256 entries");
    if (at + 2 > bytes.length) throw malformed("a bundle ends inside a length");
    const end = at + 2 + view.getUint16(at);
    if (end > bytes.length) throw malformed("a bundle ends inside an entry");
    entries.push(new Uint8Array(bytes.buffer, bytes.byteOffset + at + 2, end - at - 2));
    at = end;
  }
  return entries;
};
