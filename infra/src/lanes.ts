// The lanes of a world and the ledger processes that run them. One lane in one process, two in two, four in
// three: a process may own several, and each stands by for all lanes of the others.
import { laneOrigin } from "@sealane/protocol";
import { InfraError } from "./infra-error.ts";
import { operator, period, type PortName, type World } from "./world.ts";

export type LanePlan = {
  readonly lane: number;
  readonly origin: string;
  /** Where the lane answers, whoever holds it. */
  readonly portName: PortName;
  /** Its checkpoint key's file, in the operator's folder. */
  readonly keyFile: string;
};

const doors: readonly PortName[] = ["ledger", "ledger1", "ledger2", "ledger3"];

export const mostLanes = doors.length;

const mostProcesses = 3;

/** The world's lanes, in order; the first is the one that is there where nobody asks for more. */
export const lanesOf = ({ lanes = 1 }: Pick<World, "lanes">): LanePlan[] =>
  doors.slice(0, lanes).map((portName, lane) => ({
    lane,
    origin: laneOrigin(operator, period, lane),
    portName,
    keyFile: lane === 0 ? "checkpoint.key" : `checkpoint-${lane}.key`,
  }));

/** Which lanes are each process's own: as even as it goes, the first ones taking what is over. */
export const processesOf = (lanes: readonly LanePlan[]): LanePlan[][] => {
  const processes = Math.min(lanes.length, mostProcesses);
  const each = Math.floor(lanes.length / processes);
  const over = lanes.length % processes;
  const begin = (at: number): number => at * each + Math.min(at, over);
  return Array.from({ length: processes }, (_, at) => lanes.slice(begin(at), begin(at + 1)));
};

/** `SEALANE_LANES`; one where it is not set. @throws InfraError `lanes-invalid` */
export const lanesFromEnv = (env: NodeJS.ProcessEnv): number => {
  const text = env["SEALANE_LANES"] ?? "";
  if (text === "") return 1;
  const lanes = Number(text);
  if (/^[1-9]$/.test(text) && lanes <= mostLanes) return lanes;
  const message = `SEALANE_LANES=${text}: write a number of lanes from 1 to ${mostLanes}`;
  throw new InfraError("lanes-invalid", message);
};
