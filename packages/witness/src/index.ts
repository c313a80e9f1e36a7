// A C2SP tlog-witness: it cosigns a log's checkpoints as long as the log only grows, and remembers
// what it cosigned in a file of its own.
export { mountWitness } from "./mount.ts";
export { openParticipantWitness } from "./participant-witness.ts";
export { createWitness } from "./witness.ts";
export type {
  BeforeCosign,
  CosignVerdict,
  Witness,
  WitnessAnswer,
  WitnessHead,
  WitnessLog,
  WitnessOptions,
} from "./witness-types.ts";
