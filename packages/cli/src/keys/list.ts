// `sealane keys list` and `show`: who has which keys in force, and what else the key log says. All of it
// is read from a key log that was checked against the pinned policy.
import {
  headerOf,
  keyEntryContextSchema,
  parseStrictJson,
  readNote,
  readStatement,
} from "@sealane/protocol";
import type { KeyHistory, KeyState, Participant, RegisteredKey } from "@sealane/rules";
import { formatVerifierKey, type VerifierKey } from "@sealane/tlog";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { columns, out, outJson, running } from "../output.ts";
import { findKeyLog, newestState, readHistory, type KeyLogFlags } from "./key-log-view.ts";
import { logOptions } from "./options.ts";

const timeOf = ({ times }: KeyHistory, seq: number | undefined): string | undefined =>
  seq === undefined ? undefined : new Date(times[seq] ?? 0).toISOString();

const keyView = (
  history: KeyHistory,
  { key, purpose, vkey, addedAt, revokedAt }: RegisteredKey,
) => ({
  name: key.name,
  purpose,
  vkey,
  inForce: revokedAt === undefined,
  addedAt,
  addedTime: timeOf(history, addedAt),
  ...(revokedAt === undefined ? {} : { endedAt: revokedAt, endedTime: timeOf(history, revokedAt) }),
});

const participantView = (history: KeyHistory, state: KeyState, one: Participant) => ({
  participant: one.participant,
  roles: one.roles,
  suspended: one.suspended,
  root: one.rootKey,
  recovery: one.recovery,
  nextRoot: one.nextRoot,
  rootRecoveredAt: one.recoveredAt,
  envelopeKey: one.envelopeKey,
  boundTo: one.boundTo,
  currencies: one.currencies,
  exposure: one.exposure,
  caps: one.caps,
  keys: [...state.keys.values()]
    .filter(({ participant }) => participant === one.participant)
    .map((key) => keyView(history, key)),
});

const vkeyOf = ({ name, type, publicKey }: VerifierKey): string =>
  formatVerifierKey(name, type, publicKey);

/** Everything that the key log says now, for programs. */
export const keyLogView = (history: KeyHistory) => {
  const state = newestState(history);
  return {
    origin: history.origin,
    size: history.size,
    root: history.roots.at(-1),
    ledger: state.ledger && {
      operator: state.ledger.operator,
      entryKey: state.ledger.entryKey,
      operators: state.ledger.operators,
    },
    participants: [...state.participants.values()].map((one) =>
      participantView(history, state, one),
    ),
    policies: [...state.policies.values()],
    feeSchedules: [...state.schedules.values()],
    lanes: state.lanes,
    keyLogKey: state.logKey && vkeyOf(state.logKey),
    retired: state.retired.map(vkeyOf),
  };
};
type View = ReturnType<typeof keyLogView>;

const keyName = (vkey: string): string => vkey.split("+")[0] ?? vkey;

const slotsOf = (slots: readonly { readonly from: number; readonly to: number }[]): string =>
  slots.map(({ from, to }) => `${from} to ${to - 1}`).join(", ");

const showParticipants = ({ participants }: View): void => {
  for (const one of participants) {
    const { participant, roles, suspended, root, boundTo, keys, nextRoot, rootRecoveredAt } = one;
    const notes = [roles.join(", "), ...(suspended ? ["SUSPENDED"] : [])];
    if (nextRoot !== undefined) notes.push(`ANOTHER ROOT ANNOUNCED at entry ${nextRoot.at}`);
    if (rootRecoveredAt !== undefined) notes.push(`root replaced at entry ${rootRecoveredAt}`);
    if (boundTo !== undefined) notes.push(`bound to ${boundTo}`);
    out(`${participant} (${notes.join("; ")})`);
    const rows = keys.map(({ name, purpose, inForce, addedAt, endedAt, endedTime }) => [
      name,
      purpose,
      inForce ? `in force since entry ${addedAt}` : `ended at entry ${endedAt}, ${endedTime}`,
    ]);
    out(columns([[keyName(root), "root", "introduces the others"], ...rows]));
  }
};

const showView = (view: View): void => {
  const { origin, size, ledger, policies, feeSchedules, lanes } = view;
  out(`${origin}: ${size} entries\n`);
  showParticipants(view);
  out(`\n${ledger?.operator ?? "no operator"} (operates the ledger)`);
  const operators = (ledger?.operators ?? []).map((vkey) => [keyName(vkey), "operator"]);
  out(columns([[keyName(ledger?.entryKey ?? "none"), "signs entries"], ...operators]));
  out("\npolicies");
  out(
    columns(
      policies.map(({ policy, kind, operatorsFrom }) => [
        policy,
        kind,
        operatorsFrom
          .map(({ currency, amount, count }) => `${count} operators from ${currency} ${amount}`)
          .join(", ") || "the floor: payer and payee",
      ]),
    ),
  );
  out("\nfee schedules");
  const fees = feeSchedules.map(({ schedule, from, to, basisPoints, minimum, payee }) => [
    schedule,
    `${from}/${to}`,
    `${basisPoints} bp, at least ${minimum} ${from}, to ${payee}`,
  ]);
  out(columns(fees));
  out(`\nlanes of ${lanes?.period ?? "no period"}`);
  out(
    columns(
      (lanes?.lanes ?? []).map(({ lane, origin: of, slots }) => [
        String(lane),
        of,
        `slots ${slotsOf(slots)}`,
      ]),
    ),
  );
};

export type KeyEvent = {
  readonly seq: number;
  readonly time: string;
  readonly kind: string;
  readonly signers: readonly string[];
  readonly body: unknown;
};

/** The statements of a checked key log that name somebody or something. */
export const eventsOf = (entries: readonly string[], name: string): KeyEvent[] =>
  entries.flatMap((entry) => {
    const outer = readNote(entry);
    const read = outer.ok ? readStatement(outer.note, "entry", keyEntryContextSchema) : undefined;
    const inner = read?.ok === true ? readNote(read.statement.inner ?? "") : undefined;
    if (read?.ok !== true || inner?.ok !== true) return [];
    const { seq, time } = read.statement.body;
    const json = parseStrictJson(inner.note.text.split("\n")[1] ?? "");
    const body = json.ok ? json.value : undefined;
    const names = (value: unknown): boolean => {
      if (typeof value === "string") return value === name || value.startsWith(`${name}+`);
      return typeof value === "object" && value !== null && Object.values(value).some(names);
    };
    if (!names(body)) return [];
    const signers = inner.note.signatures.map((line) => line.name);
    return [{ seq, time, kind: headerOf(inner.note.text)?.kind ?? "", signers, body }];
  });

type ListFlags = KeyLogFlags & { readonly json?: boolean };

const runShow = async (name: string, flags: ListFlags): Promise<boolean> => {
  const place = findKeyLog(flags);
  const { history, entries } = await readHistory(place);
  const view = keyLogView(history);
  const participant = view.participants.find((one) => one.participant === name);
  const key = view.participants.flatMap(({ keys }) => keys).find((one) => one.name === name);
  const events = eventsOf(entries, name);
  if (events.length === 0) {
    const action = "Name a participant, key, policy, fee schedule or operator of `keys list`.";
    throw new CliError("name-unknown", `the key log says nothing of ${name}`, action);
  }
  if (flags.json === true) {
    outJson({ name, participant, key, events });
    return true;
  }
  if (participant !== undefined) showParticipants({ ...view, participants: [participant] });
  if (key !== undefined) out(`${key.vkey}\n${key.inForce ? "in force" : "ended"}: ${key.purpose}`);
  out("");
  const rows = events.map(({ seq, time, kind, signers }) => [
    String(seq),
    time,
    kind,
    `signed by ${signers.join(", ")}`,
  ]);
  out(columns(rows, [0]));
  return true;
};

/** Adds `list` and `show` to `keys`. */
export const registerKeyViews = (keys: Command): void => {
  logOptions(keys.command("list"))
    .description("who has which keys in force, policies, fees, lanes, and who is suspended")
    .action((flags: ListFlags) =>
      running(flags.json === true, async () => {
        const { history } = await readHistory(findKeyLog(flags));
        if (flags.json === true) outJson(keyLogView(history));
        else showView(keyLogView(history));
        return true;
      }),
    );
  logOptions(keys.command("show"))
    .description("what the key log says of a participant, key, policy or operator, and since when")
    .argument("<name>", "such as hk-wallet.example or hk-wallet.example/k1")
    .action((name: string, flags: ListFlags) =>
      running(flags.json === true, () => runShow(name, flags)),
    );
};
