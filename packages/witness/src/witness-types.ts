// The words of this room: what a witness is told, what it remembers, what it answers.
import type { Cosigner } from "@sealane/signer";

/** A log that the witness knows: its origin line and the verifier key (type 0x01) of the log. */
export type WitnessLog = { readonly origin: string; readonly vkey: string };

/** The latest checkpoint that was cosigned for a log. `note` has the log's line and ours. */
export type WitnessHead = {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string;
};

/** A checkpoint that passed every check of the protocol and is about to be cosigned. */
export type CosignCandidate = {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** The signed text. */
  readonly text: string;
  /** What was cosigned before, or undefined for the first. */
  readonly previous: WitnessHead | undefined;
};

/** `retryable`: not yet (503); otherwise the checkpoint is refused for good (422) and kept. */
export type CosignVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly retryable?: boolean };

/** A participant's own look at the new entries, before it cosigns; it must end in bounded time. */
export type BeforeCosign = (candidate: CosignCandidate) => Promise<CosignVerdict>;

export type WitnessOptions = {
  readonly cosigner: Cosigner;
  /** Where the heads are kept; its directory must exist. Never shared with another process. */
  readonly stateFile: string;
  readonly logs: readonly WitnessLog[];
  /** Milliseconds since 1970; default the system's clock. */
  readonly clock?: () => number;
  readonly onBeforeCosign?: BeforeCosign;
};

/** What goes back over HTTP. */
export type WitnessAnswer = {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422 | 503;
  readonly contentType: string;
  readonly body: string;
};

export type Witness = {
  readonly name: string;
  readonly vkey: string;
  /**
   * `POST add-checkpoint`. Throws only when state cannot be kept: then nothing was cosigned.
   * @param oldRoot what the client said in `OLD_ROOT_HEADER`: it changes no answer, only what is kept of a refusal
   */
  readonly addCheckpoint: (body: string, oldRoot?: string) => Promise<WitnessAnswer>;
  /** `GET <origin hash>/checkpoint`: the latest cosigned note of the log with that SHA-256. */
  readonly latest: (originHash: string) => string | undefined;
  /** The latest head of each log that was ever cosigned. */
  readonly heads: () => readonly WitnessHead[];
};
