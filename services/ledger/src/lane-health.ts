// Whether a lane may work: under the keys that the key log names, with a clock that witnesses bear out. And
// who may ask it: participants by their tokens, auditors by theirs.
import { bearerAuth, createHttpApp, health, type HttpApp } from "@sealane/http";
import type { Telemetry } from "@sealane/telemetry";
import { auditorAuth, readTokenDigests } from "./access.ts";
import type { ClockWatch } from "./clock-watch.ts";
import type { KeyLog } from "./key-log.ts";
import type { LaneWriter } from "./lane-writer.ts";
import type { LedgerProcess } from "./open-lane.ts";

export type OwnKeys = {
  readonly origin: string;
  readonly entry: string;
  readonly checkpoint: string;
};

/** Why the key log's newest cosigned state lets the lane sign nothing with the keys that we hold. */
const otherKey = (keyLog: KeyLog, own: OwnKeys): string | undefined => {
  const named = keyLog.cosigned()?.keys;
  if (named?.ledger !== undefined && named.ledger.entryKey !== own.entry) {
    return "the key log names another entry key: start again with that one's file";
  }
  const lane = named?.lanes?.lanes.find(({ origin }) => origin === own.origin);
  if (lane === undefined || lane.vkey === own.checkpoint) return undefined;
  return "the key log names another checkpoint key: start again with that one's file, or have it name ours";
};

/** The key log as the lane reads it: under other keys than ours it must sign nothing more. */
export const keysUnder = (keyLog: KeyLog, own: OwnKeys) => () => {
  const trouble = otherKey(keyLog, own);
  if (trouble !== undefined) throw new Error(trouble);
  return keyLog.cosigned();
};

type Judged = {
  readonly writer: LaneWriter;
  readonly keyLog: KeyLog;
  readonly own: OwnKeys;
  readonly time: ClockWatch;
};

export const mountHealth = (app: HttpApp, telemetry: Telemetry, judged: Judged) => {
  const { writer, keyLog, own, time } = judged;
  health(app, {
    ready: () => {
      const trouble = writer.trouble() ?? otherKey(keyLog, own);
      const keys = keyLog.cosigned() === undefined ? "not cosigned yet" : "ok";
      // Lanes go on under the keys in force; the record is taken by this very process.
      const waits = keyLog.isOurs() ? keys : "waits for the record that names our key-log key";
      const off = time.trouble();
      return {
        ok: trouble === undefined && keys === "ok" && off === undefined,
        checks: { lane: trouble ?? "ok", keys: waits, clock: off ?? "ok" },
      };
    },
    metrics: telemetry.metricsHandler,
  });
};

/** Who calls: participants by their tokens, auditors by theirs that an operator signed. */
export const openApp = ({ config, keyLog, clock, log }: LedgerProcess): HttpApp => {
  const participant = bearerAuth(readTokenDigests(config.SEALANE_PARTICIPANT_TOKENS_FILE));
  const services = config.SEALANE_SERVICE_TOKENS_FILE;
  const auditor = auditorAuth({
    services: services === undefined ? new Map() : readTokenDigests(services),
    keys: () => keyLog.cosigned()?.keys,
    clock,
  });
  return createHttpApp({ name: "Sealane ledger", logger: log, auth: { participant, auditor } });
};
