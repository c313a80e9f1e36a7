// The published log, as C2SP tlog-tiles: checkpoints and hash tiles are open, entry bundles are for
// auditors (the local stack serves them without a token and says so at start).
import { problem, route, type Answer, type HttpApp, type Problem } from "@sealane/http";
import { encodeBundle, parseTilePath, TILE_WIDTH } from "@sealane/tlog";
import { z } from "zod";

export type PublishedLog = {
  /** The newest checkpoint to show: cosigned where a quorum has answered. */
  checkpoint(): string | undefined;
  size(): number;
  tile(level: number, index: number, width: number): Uint8Array | undefined;
  entries(from: number, to: number): Promise<readonly Uint8Array[]>;
};

/** Full tiles and bundles never change, and are asked for as long as the log is read. */
const immutable = "public, max-age=31536000, immutable";
/** Partial ones never change either, but a growing log makes one for each size: no cache should fill. */
const partial = "public, max-age=60";

const cacheFor = (width: number): string => (width === TILE_WIDTH ? immutable : partial);

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

const readBundle = async (
  log: PublishedLog,
  index: number,
  width: number,
): Promise<Answer | Problem> => {
  const from = index * TILE_WIDTH;
  if (from + width > log.size()) return missing();
  const entries = await log.entries(from, from + width);
  if (entries.length !== width) return missing();
  return bytes(encodeBundle(entries), cacheFor(width));
};

/**
 * Serves one log below `prefix`.
 * @param openBundles whether entries are readable without a token
 */
export const mountLog = (
  app: HttpApp,
  prefix: string,
  log: PublishedLog,
  openBundles: boolean,
): void => {
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
  route(app, {
    method: "get",
    path: `${prefix}/tile/*path`,
    summary: "A tile of hashes, or a bundle of entries (C2SP tlog-tiles)",
    tags: ["log"],
    params: z.object({ path: z.union([z.string(), z.array(z.string())]) }),
    responses: {
      200: "Bytes that never change",
      403: "Entries are for auditors",
      404: "No such tile",
    },
    handler: async ({ params }) => {
      const path = Array.isArray(params.path) ? params.path.join("/") : params.path;
      const tile = parseTilePath(`tile/${path}`);
      if (tile === undefined) return missing();
      if (tile.kind === "entries") {
        if (openBundles) return readBundle(log, tile.index, tile.width);
        return problem({
          status: 403,
          code: "entries-closed",
          title: "Entries are for auditors",
          action: "Ask the operator for an auditor token.",
        });
      }
      const found = log.tile(tile.level, tile.index, tile.width);
      return found === undefined ? missing() : bytes(found, cacheFor(tile.width));
    },
  });
};
