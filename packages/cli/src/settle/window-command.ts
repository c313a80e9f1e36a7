// `sealane window`: what is open, what was cut, how far it is settled; and cutting by hand.
import { laneOrigins } from "@sealane/client";
import { statementText, type WindowCut } from "@sealane/protocol";
import { composeNote } from "@sealane/tlog";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { loadPolicy, readDefaults } from "../defaults.ts";
import { laneOf } from "../lane-places.ts";
import { signerOf } from "../lane-command.ts";
import { columns, out, outJson, running } from "../output.ts";
import { askDesk, handIn, type DeskFlags, type WindowList, type WindowView } from "./desk-door.ts";

/**
 * The log that a statement is for: one that the policy pins, whatever a service says.
 * @param desk of another lane than the first its URL ends with `/lanes/<lane>`
 */
export const pinnedOrigin = (policyPath: string | undefined, desk: string | undefined): string => {
  const { policy } = loadPolicy(policyPath, readDefaults());
  const lane = /\/lanes\/(\d{1,4})\/*$/.exec(desk ?? "")?.[1];
  const origin =
    lane === undefined
      ? policy.logs[0]?.key.name
      : laneOrigins(policy).find((name) => laneOf(name) === Number(lane));
  if (origin !== undefined) return origin;
  const what = lane === undefined ? "no log" : `no log of lane ${lane}`;
  throw new CliError("wrong-log", `the policy pins ${what}`, "Give another: --policy FILE.");
};

export type WindowName = { readonly corridor: string; readonly number: number };

/** `hkd-php/12`. @throws CliError */
export const windowNamed = (text: string): WindowName => {
  const match = /^([a-z0-9][a-z0-9-]{0,23})\/(\d{1,15})$/.exec(text);
  if (match !== null) return { corridor: match[1] ?? "", number: Number(match[2]) };
  throw new CliError("window-malformed", `${text} is no window`, "Write CORRIDOR/NUMBER.");
};

export const nameOf = ({ corridor, number }: WindowName): string => `${corridor}/${number}`;

const runList = async (flags: DeskFlags): Promise<boolean> => {
  const list = await askDesk<WindowList>(flags, "/v1/windows?limit=50");
  if (flags.json === true) {
    outJson({ ok: true, ...list });
    return true;
  }
  const open = list.open.map((window) => [
    nameOf(window),
    "open",
    `from ${window.from}`,
    `${window.transfers} transfers`,
  ]);
  const cut = list.windows.map((window) => {
    const final = window.nets.filter(
      ({ status }) => status === "settled" || status === "defaulted",
    );
    const said = `${final.length} of ${window.nets.length} participants final`;
    return [nameOf(window), window.status, `cut ${window.cutTime}`, said];
  });
  out(columns([...open, ...cut]));
  return true;
};

const describe = ({ nets, ...window }: WindowView): string => {
  const head = `${nameOf(window)} ${window.status}, entries ${window.from ?? "-"} to ${window.to ?? "-"}`;
  const how = `${window.netting ?? "nothing to net"}, pay by ${window.payBy ?? "-"}`;
  const rows = nets.flatMap(({ participant, status, why, reason, legs }) => {
    const said = [status, why, reason].filter((part) => part !== undefined).join(" ");
    const first = [participant, said, "", "", ""];
    return [
      first,
      ...legs.map(({ side, amount, currency, reference, booked }) => [
        "",
        side,
        amount,
        currency,
        `${reference}${booked ? " booked" : ""}`,
      ]),
    ];
  });
  return `${head}\n${how}, attempt ${window.attempt}\n${columns(rows, [2])}`;
};

export const askWindow = (flags: DeskFlags, { corridor, number }: WindowName) =>
  askDesk<WindowView>(flags, `/v1/windows/${corridor}/${number}`);

const runShow = async (name: string, flags: DeskFlags): Promise<boolean> => {
  const window = await askWindow(flags, windowNamed(name));
  if (flags.json === true) outJson({ ok: true, ...window });
  else out(describe(window));
  return true;
};

type CutFlags = DeskFlags & {
  readonly operatorKey: string;
  readonly policy?: string;
  readonly number?: string;
};

const openNumber = async (corridor: string, flags: CutFlags): Promise<number> => {
  const { open } = await askDesk<WindowList>(flags, "/v1/windows?limit=1");
  // A corridor without a transfer has its first window open all the same.
  return open.find((window) => window.corridor === corridor)?.number ?? 0;
};

const runCut = async (corridor: string, flags: CutFlags): Promise<boolean> => {
  const origin = pinnedOrigin(flags.policy, flags.desk);
  const number =
    flags.number === undefined ? await openNumber(corridor, flags) : Number(flags.number);
  const body: WindowCut = windowNamed(`${corridor}/${number}`);
  const text = statementText(origin, "window-cut", body);
  const note = composeNote(text, [await signerOf(flags.operatorKey).signLine(text)]);
  const { already = false } = await handIn(flags, note);
  if (flags.json === true) outJson({ ok: true, ...body, already });
  else if (already) out(`${nameOf(body)} was cut before.`);
  else out(`${nameOf(body)} is being cut: npx sealane window show ${nameOf(body)}`);
  return true;
};

/** Options that every command of the desk has. */
export const deskOptions = (command: Command): Command =>
  command
    .option("--desk <url>", "reconciliation, of a further lane …/lanes/N; default: cli.json's")
    .option("--token-file <file>", "your token there; default: the one of .sealane/cli.json")
    .option("--json", "print one JSON object");

/** Adds `window` to the program. */
export const registerWindow = (program: Command): void => {
  const window = program.command("window").description("settlement windows: list, show, cut");
  deskOptions(
    window.command("list").description("open windows and those that were cut, the newest first"),
  ).action((flags: DeskFlags) => running(flags.json === true, () => runList(flags)));
  deskOptions(
    window
      .command("show <window>")
      .description("one cut window, as hkd-php/12: nets, legs, and how far each is settled"),
  ).action((name: string, flags: DeskFlags) =>
    running(flags.json === true, () => runShow(name, flags)),
  );
  deskOptions(
    window
      .command("cut <corridor>")
      .description("end the corridor's open window here; saying it twice cuts once")
      .requiredOption("--operator-key <file>", "your own operator key")
      .option("--number <n>", "the window's number; default: the open one")
      .option("--policy <file>", "the policy that pins the log"),
  ).action((corridor: string, flags: CutFlags) =>
    running(flags.json === true, () => runCut(corridor, flags)),
  );
};
