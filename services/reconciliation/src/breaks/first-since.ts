// The first entry of a time: log time never goes back, so a few lookups by place find it, whatever the
// log's size.
import type { Under } from "./one-at-a-time.ts";

/** Place of the first entry at or after this instant; the log's end when there is none yet. */
export const firstSince = async ({ lane, sql, position }: Under, atMs: number): Promise<number> => {
  let [low, high] = [0, position];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { rows } = await sql.query<{ time_ms: bigint }>({
      name: "entry-time",
      text: "select time_ms from entry where lane = $1 and seq = $2",
      values: [lane, middle],
    });
    if (Number(rows[0]?.time_ms ?? 0) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
};
