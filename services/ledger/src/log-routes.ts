// The published log, as C2SP tlog-tiles: checkpoints and hash tiles are open, entry bundles are for
// auditors (`access.ts`; the local stack serves them without a token and says so at start).
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { problem, route, type Answer, type HttpApp, type Problem } from "@sealane/http";
import { encodeBundle, parseTilePath, TILE_WIDTH } from "@sealane/tlog";
import { z } from "zod";
import type { NoteRead } from "./access.ts";

export type PublishedLog = {
  /** Full origin. */
  readonly origin: string;
  /** The newest checkpoint to show: cosigned where a quorum has answered. */
  checkpoint(): string | undefined;
  size(): number;
  tile(level: number, index: number, width: number): Uint8Array | undefined;
  entries(from: number, to: number): Promise<readonly Uint8Array[]>;
  /** A full bundle as it is kept, compressed with gzip; undefined where none is kept. */
  bundle?(index: number): Promise<Uint8Array | undefined>;
};

export type Bundles =
  /** The key log's, which everybody reads. */
  | { readonly kind: "open" }
  /** A lane's on the local stack: read without a token, and noted all the same. */
  | { readonly kind: "local"; readonly onRead: NoteRead }
  | { readonly kind: "auditors"; readonly onRead: NoteRead };

const day = 86_400;

/**
 * Tiles and bundles never change. Full ones are asked for as long as the log is read; of partial ones a
 * growing log makes one for each size, which nobody asks for once it has grown: a day is long for them.
 * @param whose what needed a token is nobody's to keep for others
 */
const cacheFor = (width: number, whose: "public" | "private"): string =>
  `${whose}, max-age=${width === TILE_WIDTH ? 365 * day : day}, immutable`;

const missing = (): Problem =>
  problem({
    status: 404,
    code: "tile-missing",
    title: "The log has no such tile",
    action: "Read the checkpoint first: its size says which tiles exist.",
  });

const bytes = (body: Uint8Array, cache: string): Answer => ({
  status: 200,
  body: Buffer.from(body),
  contentType: "application/octet-stream",
  headers: { "Cache-Control": cache },
});

const expand = promisify(gunzip);
const compress = promisify(gzip);

/** Made for one reader, and small: the quickest way. */
const level = 1;

/** A bundle goes out compressed where the reader takes that (C2SP tlog-tiles), however it is at hand. */
const packed = async (
  bundle: { readonly bytes: Uint8Array; readonly isGzip: boolean },
  takesGzip: boolean,
  cache: string,
): Promise<Answer> => {
  const repack = takesGzip ? (one: Uint8Array) => compress(one, { level }) : expand;
  const body = bundle.isGzip === takesGzip ? bundle.bytes : await repack(bundle.bytes);
  const answer = bytes(body, cache);
  const encoding = takesGzip ? { "Content-Encoding": "gzip" } : {};
  return { ...answer, headers: { ...answer.headers, Vary: "Accept-Encoding", ...encoding } };
};

const tileParams = z.object({ path: z.union([z.string(), z.array(z.string())]) });
const pathOf = (path: string | readonly string[]): string =>
  typeof path === "string" ? path : path.join("/");

const mountCheckpoint = (app: HttpApp, prefix: string, log: PublishedLog): void => {
  route(app, {
    method: "get",
    path: `${prefix}/checkpoint`,
    summary: "The newest checkpoint, a signed note (C2SP tlog-checkpoint)",
    tags: ["log"],
    responses: { 200: "A signed note", 404: "The log is empty" },
    handler: () => {
      const note = log.checkpoint();
      if (note === undefined) return missing();
      return {
        status: 200,
        body: note,
        contentType: "text/plain; charset=utf-8",
        headers: { "Cache-Control": "no-store" },
      };
    },
  });
};

const mountBundles = (app: HttpApp, prefix: string, log: PublishedLog, bundles: Bundles): void => {
  const closed = bundles.kind === "auditors";
  route(app, {
    method: "get",
    path: `${prefix}/tile/entries/*path`,
    summary: "A bundle of entries (C2SP tlog-tiles)",
    tags: ["log"],
    auth: closed ? "auditor" : "none",
    params: tileParams,
    responses: { 200: "Bytes, immutable", 401: "Entries are for auditors", 404: "No such bundle" },
    handler: async ({ params, principal, req }) => {
      const tile = parseTilePath(`tile/entries/${pathOf(params.path)}`);
      if (tile?.kind !== "entries") return missing();
      const from = tile.index * TILE_WIDTH;
      const to = from + tile.width;
      if (to > log.size()) return missing();
      const reader = closed ? principal : "anybody";
      const note = (): void => {
        if (bundles.kind !== "open") bundles.onRead({ reader, log: log.origin, from, to });
      };
      const cache = cacheFor(tile.width, closed ? "private" : "public");
      const takesGzip = req.acceptsEncodings("gzip") === "gzip";
      const full = tile.width === TILE_WIDTH ? await log.bundle?.(tile.index) : undefined;
      if (full !== undefined) {
        note();
        return packed({ bytes: full, isGzip: true }, takesGzip, cache);
      }
      const entries = await log.entries(from, to);
      if (entries.length !== tile.width) return missing();
      note();
      return packed({ bytes: encodeBundle(entries), isGzip: false }, takesGzip, cache);
    },
  });
};

const mountTiles = (app: HttpApp, prefix: string, log: PublishedLog): void => {
  route(app, {
    method: "get",
    path: `${prefix}/tile/*path`,
    summary: "A tile of hashes (C2SP tlog-tiles)",
    tags: ["log"],
    params: tileParams,
    responses: { 200: "Bytes, immutable", 404: "No such tile" },
    handler: ({ params }) => {
      const tile = parseTilePath(`tile/${pathOf(params.path)}`);
      if (tile?.kind !== "hashes") return missing();
      const found = log.tile(tile.level, tile.index, tile.width);
      return found === undefined ? missing() : bytes(found, cacheFor(tile.width, "public"));
    },
  });
};

/** Serves one log below `prefix`. */
export const mountLog = (
  app: HttpApp,
  prefix: string,
  log: PublishedLog,
  bundles: Bundles,
): void => {
  mountCheckpoint(app, prefix, log);
  mountBundles(app, prefix, log, bundles);
  mountTiles(app, prefix, log);
};
