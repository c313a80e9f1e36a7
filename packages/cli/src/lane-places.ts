// A ledger has one log for each lane: which of them a command means. One place means that log alone; none
// means all that cli.json names; a folder may hold the exports of several, as `lane-<n>`.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseCheckpointText, parseNote } from "@sealane/tlog";
import { CliError } from "./cli-error.ts";
import type { Defaults } from "./defaults.ts";
import { isUrl, openLog } from "./log-source.ts";

/** `<origin>/<period>/<lane>`: the lane's number. */
export const laneOf = (origin: string): number => Number(origin.slice(origin.lastIndexOf("/") + 1));

/** Where a lane's export is, where there are several. */
export const laneFolder = (folder: string, origin: string): string =>
  join(folder, `lane-${laneOf(origin)}`);

const exportsIn = (folder: string): string[] =>
  existsSync(join(folder, "checkpoint")) || !existsSync(folder)
    ? []
    : readdirSync(folder)
        .filter((name) => /^lane-\d+$/.test(name))
        .toSorted((one, other) => Number(one.slice(5)) - Number(other.slice(5)))
        .map((name) => join(folder, name));

/** The logs to read: one, or those of all lanes. @throws CliError when none is known */
export const placesOf = (place: string | undefined, { log, logs }: Defaults): string[] => {
  if (place === undefined) {
    if (logs !== undefined && logs.length > 1) return [...logs];
    if (log !== undefined) return [log];
    throw new CliError("log-missing", "which log?", "Give its URL, or the folder of an export.");
  }
  const several = isUrl(place) ? [] : exportsIn(place);
  return several.length > 0 ? several : [place];
};

/** The origin of the log at a place, as its checkpoint says: nothing is believed of it yet. */
export const originAt = async (place: string, token?: string): Promise<string> =>
  parseCheckpointText(parseNote(await openLog(place, token).log.checkpoint()).text).origin;
