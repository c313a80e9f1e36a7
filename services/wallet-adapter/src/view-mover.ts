// How a view moves: told to the core, written behind, shown to whoever waits. One place for everything
// that reads the inbox.
import type { Persister } from "./persister.ts";
import type { Kept, TransferBook } from "./transfer-book.ts";
import { advance, type TransferStatus, type TransferView } from "./views.ts";

export type ViewMover = ReturnType<typeof makeViewMover>;

export const makeViewMover = (deps: {
  readonly book: TransferBook;
  readonly persister: Persister;
  readonly onMoved: (kept: Kept) => void;
  readonly onStep: (step: TransferStatus, view: TransferView, atMs: number) => void;
}) => {
  const { book, persister } = deps;
  const viewFor = async (id: string, role: TransferView["role"]): Promise<Kept> => {
    const known = (await book.findKept(id)) ?? undefined;
    if (known !== undefined) return book.get(id) ?? book.put(known.view, known.envelope);
    return book.put({ id, role, status: "received", steps: {}, notice: 0, notified: 0 });
  };

  const move = (kept: Kept, to: TransferStatus, atMs: number): void => {
    if (advance(kept.view, to)) {
      const { steps } = kept.view;
      if (to === "reserved" || to === "committed" || to === "sealed" || to === "credited") {
        steps[to] = atMs;
      }
      deps.onStep(to, kept.view, atMs);
      if (to !== "reserved") {
        kept.view.notice += 1;
        deps.onMoved(kept);
      }
    }
    persister.view(kept);
    book.changed(kept);
  };

  return { viewFor, move };
};
