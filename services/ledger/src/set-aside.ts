// Setting a command aside: the operators' decision is checked, stored, and from then on stands in the
// place of the command, for this writer and for any that takes the lane over. It can only be about the
// one command at which the lane stops: nobody can be left out before he has been tried.
import type { Sql } from "@sealane/database";
import {
  laneTopic,
  readNote,
  readStatement,
  setAsideSchema,
  type SetAside,
} from "@sealane/protocol";
import { setAsideOperators, type EntryChecks, type KeyState, type LaneState } from "@sealane/rules";
import { recordHash, type StoppedAt } from "./lane-stops.ts";
import {
  checkOperators,
  openCommand,
  type OpenedCommand,
  type RawCommand,
} from "./open-command.ts";

export type SetAsideFault = {
  readonly ok: false;
  readonly code: "statement-malformed" | "wrong-log" | "signature-missing" | "not-stopped-there";
  readonly detail: string;
};

type Decision = {
  readonly ok: true;
  readonly origin: string;
  readonly body: SetAside;
  readonly operators: readonly string[];
};

const no = (code: SetAsideFault["code"], detail: string): SetAsideFault => ({
  ok: false,
  code,
  detail,
});

/** Reads a decision and counts the operators whose signatures verify under `keys`. */
const readDecision = async (
  note: string,
  origin: string,
  lane: number,
  keys: KeyState,
): Promise<Decision | SetAsideFault> => {
  const parsed = readNote(note);
  if (!parsed.ok) return no("statement-malformed", parsed.detail);
  const read = readStatement(parsed.note, "set-aside", setAsideSchema);
  if (!read.ok) return no("statement-malformed", read.detail);
  const { origin: log, body, inner } = read.statement;
  if (inner !== undefined) return no("statement-malformed", "a decision answers no statement");
  if (log !== origin || body.lane !== lane) {
    return no("wrong-log", `it is for lane ${body.lane} of ${log}`);
  }
  const { names } = await checkOperators(parsed.note, keys);
  if (names.length < setAsideOperators) {
    const detail = `${setAsideOperators} operators must sign, ${names.length} of them have`;
    return no("signature-missing", detail);
  }
  return { ok: true, origin: log, body, operators: names };
};

type Deps = {
  readonly sql: Sql;
  readonly lane: number;
  readonly origin: string;
  readonly keys: () => { readonly keys: KeyState } | undefined;
  /** How what other lanes have let go is judged. */
  readonly checks: () => EntryChecks;
};

export type SetAsideDesk = ReturnType<typeof makeSetAsideDesk>;

export const makeSetAsideDesk = ({ sql, lane, origin, keys, checks }: Deps) => {
  /** Decisions about commands that are not decided yet, by offset. */
  let waiting = new Map<bigint, string>();

  /** Reads what is stored about offsets from `next` on. */
  const load = async (next: bigint): Promise<void> => {
    const { rows } = await sql.query<{ input_offset: bigint; decision: string }>({
      text: `select input_offset, decision from set_aside_decision
        where lane = $1 and input_offset >= $2`,
      values: [lane, next],
    });
    waiting = new Map(rows.map(({ input_offset, decision }) => [input_offset, decision]));
  };

  /** Takes a decision about the command at which the lane stops; stored when it returns. */
  const take = async (
    note: string,
    stopped: StoppedAt | undefined,
  ): Promise<{ readonly ok: true; readonly offset: string } | SetAsideFault> => {
    const now = keys();
    if (now === undefined) return no("signature-missing", "the key log is not cosigned yet");
    const decision = await readDecision(note, origin, lane, now.keys);
    if (!decision.ok) return decision;
    const { offset, hash } = decision.body;
    if (stopped === undefined || offset !== String(stopped.offset) || hash !== stopped.hash) {
      const where = stopped === undefined ? "nowhere" : `at offset ${stopped.offset}`;
      return no("not-stopped-there", `${laneTopic(lane)} stops ${where}`);
    }
    await sql.query({
      text: `insert into set_aside_decision (lane, input_offset, decision) values ($1, $2, $3)
        on conflict (lane, input_offset) do nothing`,
      values: [lane, stopped.offset, note],
    });
    // The first stored decision counts, whoever sent another at the same time.
    await load(stopped.offset);
    return { ok: true, offset };
  };

  /**
   * Opens one record of the topic, or puts the decision about it in its place.
   * @param state the lane, for the text that an acceptance's line signs
   */
  const open = async (
    raw: RawCommand,
    state: LaneState,
    keysNow: KeyState,
  ): Promise<OpenedCommand> => {
    const note = waiting.get(raw.offset);
    if (note === undefined) return openCommand(raw, keysNow, state, checks);
    const decision = await readDecision(note, origin, lane, keysNow);
    if (!decision.ok || decision.body.hash !== recordHash(raw.value)) {
      return openCommand(raw, keysNow, state, checks);
    }
    // Reading it may be what fails: then there is nobody to be answered.
    const of = await openCommand(raw, keysNow, state, checks).catch(() => undefined);
    const { origin: log, body, operators } = decision;
    const command = {
      kind: "set-aside",
      offset: raw.offset,
      origin: log,
      body,
      operators,
      decision: note,
      of: of?.ok === true ? of.command : undefined,
    } as const;
    return { ok: true, command };
  };

  return { load, take, open };
};

export const stoppedText = (lane: number, { offset, hash, size, detail }: StoppedAt): string =>
  `stopped at offset ${offset} of ${laneTopic(lane)} (${size} bytes, SHA-256 ${hash}): ${detail}`;
