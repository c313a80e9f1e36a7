// What an audit takes and what it says.
import type { AuditTotals, LaneMoves, PinnedRoots } from "@sealane/rules";
import type { TlogPolicy } from "@sealane/tlog";
import type { LogSource } from "./log-source.ts";
import type { KeysCopy } from "./verify-types.ts";

/** Checkpoints of both logs, as notes. */
export type SeenCheckpoints = { readonly log: string; readonly keys: string };

/** A place for a cursor (`audit-cursor.ts`): what was kept there last, and how to keep another. */
export type CursorFile = {
  readonly read: () => Uint8Array | undefined;
  readonly write: (cursor: Uint8Array) => void;
};

export type AuditLogOptions = {
  /** URL of the log, folder of an export, or something else that can be read like them. */
  readonly log: string | LogSource;
  readonly policy: TlogPolicy;
  /** A copy of the key log; else it is read beside the log. */
  readonly keys?: KeysCopy | undefined;
  /** Root keys that were pinned: the key log must begin each participant with its own. */
  readonly roots?: PinnedRoots | undefined;
  /** `false` recomputes everything but judges no signature of an entry. Default: true. */
  readonly signatures?: boolean | undefined;
  /** Threads that judge entries by themselves; 0 judges here. Default: all cores, for logs that are worth it. */
  readonly threads?: number | undefined;
  /** Reconciliation's URL: its balances are compared with the recomputed ones. */
  readonly balancesUrl?: string | undefined;
  /** A token of its desk: its windows are compared too. */
  readonly deskToken?: string | undefined;
  /** An auditor's token, where entries are not open. */
  readonly token?: string | undefined;
  /** What the auditor saw last time: the log and its key log must have grown from there. */
  readonly remembered?: SeenCheckpoints | undefined;
  /** Where the last audit ended, to go on from there; and where this one's end is kept. */
  readonly cursor?: CursorFile | undefined;
  /** Told after each bundle. */
  readonly onProgress?: ((entries: number, size: number) => void) | undefined;
};

export type AuditDifference = {
  readonly ok: false;
  readonly code: string;
  readonly detail: string;
  /** Place of the entry that does not stand, or of the first below a tile that does not. */
  readonly position?: number | undefined;
  /** Entries that stood. */
  readonly entries: number;
};

export type AuditReport =
  | {
      readonly ok: true;
      /** Full origin of the lane's log. */
      readonly origin: string;
      readonly entries: number;
      /** The first entry that was replayed: 0, or where a cursor says that the last audit ended. */
      readonly from: number;
      readonly seconds: number;
      /** Of those that were replayed. */
      readonly entriesPerSecond: number;
      /** Root of the tree, base64: the one that was cosigned. */
      readonly root: string;
      readonly cosignedBy: readonly string[];
      readonly keysSize: number;
      readonly signatures: boolean;
      readonly totals: AuditTotals;
      /** How many of reconciliation's balances were compared, if it was asked. */
      readonly balancesCompared: number | undefined;
      /** Windows that were cut, and recomputed. */
      readonly windows: number;
      readonly windowsCompared: number | undefined;
      /** Cover and slots that moved to other lanes, or came from there. */
      readonly moves: LaneMoves;
      /** What there is to remember. */
      readonly seen: SeenCheckpoints;
    }
  | AuditDifference;

export const difference = (
  code: string,
  detail: string,
  entries: number,
  position?: number,
): AuditDifference => ({ ok: false, code, detail, entries, position });
