// A bug made by hand: a text of one file that is exchanged for another, and the one test that must notice.

export type Bug = {
  readonly name: string;
  /** What the code does wrong then, in a few words. */
  readonly what: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  readonly test: string;
  /** A part of the test's full name: its descriptions and its own, with ` > ` between them. */
  readonly title: string;
  /** The project of `vitest.config.ts` that it belongs to; `servers` starts Kafka and Postgres. */
  readonly project?: "servers";
};

export type Planted =
  | { readonly ok: true; readonly source: string }
  | { readonly ok: false; readonly why: string };

/** The file's text with the bug in it, or why it does not fit any more. */
export const plant = ({ find, replace, file }: Bug, source: string): Planted => {
  const times = source.split(find).length - 1;
  if (times === 1) return { ok: true, source: source.replace(find, () => replace) };
  const why = `${file} has the text to be changed ${times} times, not once: ${JSON.stringify(find)}`;
  return { ok: false, why };
};
